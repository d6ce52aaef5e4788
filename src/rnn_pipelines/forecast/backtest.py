"""A schedule of retrainings replayed over the past: each day sees what was there on that day, and nothing later."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Annotated, Any, Literal

import pandas as pd
from pandas.tseries.frequencies import to_offset
from pydantic import BaseModel, Field, field_validator

from rnn_pipelines.champion.history import find_compared_loss
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.retraining import Candidate, LoadedChampion
from rnn_pipelines.errors import SeriesError, TrainingError
from rnn_pipelines.forecast.baselines import BASELINES, forecast_baselines
from rnn_pipelines.forecast.challenger import Means, choose_challenger, forecast_holdout, train_challenger
from rnn_pipelines.forecast.decision import RetrainForecastSpec, decide_forecast
from rnn_pipelines.forecast.forecaster import describe_forecaster, forecast_cutoffs
from rnn_pipelines.forecast.predictions import Predictions, TargetsTable, tabulate_forecasts
from rnn_pipelines.forecast.series.calendar import CalendarSpec, add_known_features
from rnn_pipelines.forecast.series.frequency import format_time
from rnn_pipelines.forecast.series.newest import NewestSpec
from rnn_pipelines.forecast.series.preparation import prepare_series
from rnn_pipelines.forecast.series.scaling import fit_scaler
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec, make_windows
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec, fan_out

logger = logging.getLogger(__name__)

Span = Literal["day", "week", "month", "year"]
NumSteps = Annotated[int, Field(ge=1, strict=True)]
DAY_COLUMNS = ("schedule", "as_of", "is_promoted", "reason", "loss", "champion_loss", "training_seconds")


class ScheduleSpec(BaseModel, extra="forbid", frozen=True):
    """How often, and from where, a challenger is trained.

    Attributes:
        every: time, or number of steps, between retrainings; None for the first training alone.
        warm_start: from the champion's weights where they fit.
    """

    every: Span | NumSteps | None = None
    warm_start: bool = False


class BacktestSpec(NewestSpec, frozen=True):
    """What is replayed; data, networks and training are those of `forecast`, the policy that of `retrain_forecast`.

    Attributes:
        period: newest part of the series that is forecast: a time, or a number of steps.
        schedules: by name.
    """

    period: Span | NumSteps = "year"
    schedules: dict[str, ScheduleSpec] = Field(min_length=1)

    @field_validator("schedules")
    @classmethod
    def _refuse_names_of_other_columns(cls, schedules: dict[str, ScheduleSpec]) -> dict[str, ScheduleSpec]:
        taken = sorted({*TargetsTable.columns, *BASELINES} & set(schedules))
        if taken:
            raise ValueError(f"expected names that no other column of the forecasts has, received {taken}")
        return schedules


@dataclass(frozen=True)
class DataRecipe:
    """How a table becomes windows; see the types of the attributes."""

    source: SourceSpec
    gaps: GapPolicy
    split: SplitSpec
    window: WindowSpec
    calendar: CalendarSpec
    evaluation: EvaluationSpec


@dataclass(frozen=True)
class TrainingRecipe:
    """How windows become a challenger, and when it is promoted; see the types of the attributes."""

    networks: Mapping[str, NetworkSpec]
    training: ForecastTrainingSpec
    retraining: RetrainForecastSpec


@dataclass(frozen=True)
class Replay:
    """One schedule and all that its replay needs, in whichever process.

    Attributes:
        name: of the schedule.
        days: of its retrainings; the last one is the end of the series, on which nothing is trained any more.
        table, series: as read, of which each day takes its part, and repaired, from which forecasts are made.
    """

    name: str
    days: tuple[Any, ...]
    table: pd.DataFrame
    series: pd.DataFrame
    data: DataRecipe
    training: TrainingRecipe


def replay_schedules(
    table: pd.DataFrame, data: DataRecipe, training: TrainingRecipe, backtest: BacktestSpec, parallel: ParallelSpec
) -> tuple[Predictions, pd.DataFrame]:
    """Replays every schedule, and forecasts from every step of the period with whichever model was the champion then.

    Args:
        table: what `read_newest` returns.
        data, training, backtest: see their types.
        parallel: over which processes the schedules are spread.
    Returns:
        What `tabulate_forecasts` returns for the period: the baselines, ridge fitted on the first day alone, and a
        column for each schedule. Left out are series that were not there on the first day or are not forecast any
        more, and forecasts whose cut-off has no observed value, for a value that is filled in there comes from later
        ones. And one row for each retraining: `schedule, as_of, is_promoted, reason, loss, champion_loss` (of what both
        forecast of the holdout of that day, NaN where it failed) and `training_seconds`.
    Raises:
        SeriesError: the series are too short for the period, or have steps and the spans are of time.
        TrainingError: the first training of a schedule failed, so that it has nothing to forecast with.
    """
    series, profile = repair_series(table, data.source, data.gaps)
    end = series["ds"].max()
    first = _go_back(end, backtest.period, profile["freq"])
    days = {name: _list_days(first, end, spec.every, profile["freq"]) for name, spec in backtest.schedules.items()}
    forecasts = _forecast_baselines(table, series, profile, data, first)
    # The longest first, so that no process is left with it at the end.
    jobs = sorted(
        (
            Replay(name, days[name], table, series, data, _choose_start(training, spec))
            for name, spec in backtest.schedules.items()
        ),
        key=lambda job: -len(job.days),
    )
    logger.info("replaying %s", ", ".join(f"{job.name} (up to {len(job.days) - 1} trainings)" for job in jobs))
    replayed = {}
    for job, found in fan_out(replay_schedule, jobs, parallel):
        replayed[job.name] = found
        logger.info("%s: %d trainings, %d promoted", job.name, len(found[1]), found[1]["is_promoted"].sum())
    observed = series.loc[series["observed"], ["unique_id", "ds"]].rename(columns={"ds": "cutoff"})
    forecasts = replace(forecasts, table=forecasts.table.merge(observed, on=["unique_id", "cutoff"]))
    for name in backtest.schedules:
        forecasts = forecasts.add(name, replayed[name][0])
    return forecasts, pd.concat([replayed[name][1] for name in backtest.schedules], ignore_index=True)


def _choose_start(training: TrainingRecipe, schedule: ScheduleSpec) -> TrainingRecipe:
    budget = training.retraining.budget.model_copy(update={"warm_start": schedule.warm_start})
    retraining = training.retraining.model_copy(update={"budget": budget})
    return TrainingRecipe(training.networks, training.training, retraining)


def _go_back(end: Any, period: Span | int, freq: int | str) -> Any:
    return end - period * _find_step(freq) if isinstance(period, int) else end - _find_span(end, period)


def _list_days(first: Any, end: Any, every: Span | int | None, freq: int | str) -> tuple[Any, ...]:
    """From the first day on; the end, on which no forecast could be judged, closes them."""
    days = [first]
    while every is not None:
        number = len(days)
        span = number * every * _find_step(freq) if isinstance(every, int) else number * _find_span(end, every)
        if first + span >= end:
            break
        days.append(first + span)
    return (*days, end)


def _find_step(freq: int | str) -> Any:
    return freq if isinstance(freq, int) else to_offset(freq)


def _find_span(end: Any, span: Span) -> pd.DateOffset:
    if not isinstance(end, pd.Timestamp):
        raise SeriesError(
            f"backtest_forecast: the series have steps and no dates, so that a {span} means nothing to them. "
            "Give period and every as numbers of steps."
        )
    return pd.DateOffset(**{f"{span}s": 1})


def _forecast_baselines(
    table: pd.DataFrame, series: pd.DataFrame, profile: dict[str, Any], data: DataRecipe, first: Any
) -> Predictions:
    """The whole period as one test part; what is fitted is fitted on the training part of the first day."""
    _, _, known = prepare_series(table[table["ds"] <= first], data.source, data.gaps, data.split, data.window)
    cutoffs = _extend_test_part(known, series, data.window.horizon)
    series = series[series["unique_id"].isin(cutoffs["unique_id"])].reset_index(drop=True)
    scaler = fit_scaler(series, cutoffs)
    features = add_known_features(series, profile, data.calendar, data.window.horizon)
    panel = make_windows(features, cutoffs, scaler, data.window, EvaluationSpec(season_length=None))
    baselines = forecast_baselines(panel, data.evaluation.choose_season_length(profile))
    forecasts = tabulate_forecasts(panel, features, scaler, baselines, "test")
    return replace(forecasts, table=forecasts.table.drop(columns="signal", errors="ignore"))


def _extend_test_part(known: pd.DataFrame, series: pd.DataFrame, horizon: int) -> pd.DataFrame:
    """The cut-offs of the first day with all that came after it as their test part, for the series that go on."""
    num_steps = series["unique_id"].value_counts()
    goes_on = num_steps.reindex(known["unique_id"]).to_numpy() - known["num_steps"].to_numpy() >= horizon
    left_out = sorted({str(name) for name in series["unique_id"]} - {str(name) for name in known["unique_id"][goes_on]})
    if left_out:
        logger.warning("left out, for they are not there from the first day to the last: %s", ", ".join(left_out))
    kept = known[goes_on].reset_index(drop=True)
    if kept.empty:
        raise SeriesError(
            "backtest_forecast: no series reaches from the first day of the period to a horizon after it. "
            "Give another backtest_forecast.period."
        )
    return kept.assign(
        validation_stop=kept["num_steps"], num_steps=num_steps.reindex(kept["unique_id"]).to_numpy()
    ).drop(columns=["validation_from", "test_from"])


def replay_schedule(job: Replay) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Retrains on each day, and forecasts from there to the next.

    Args:
        job: the schedule.
    Returns:
        What `forecast_cutoffs` returns, and the schedule's rows of the retrainings.
    """
    champion: LoadedChampion | None = None
    promoted: Any = None
    forecasts, retrainings = [], []
    newest: Any = None
    for day, until in pairwise(job.days):
        known = job.table[job.table["ds"] <= day]
        # As at night, where nothing is new nothing is trained.
        if known["ds"].max() != newest:
            newest = known["ds"].max()
            candidate, row = _retrain(job, known, _age(champion, promoted, day))
            # The first is in use whatever the policy says: there would be nothing to judge.
            if candidate is not None and (champion is None or candidate.decision.is_promoted):
                promoted = day
                champion = LoadedChampion(format_time(day), candidate.artefact, "", (), candidate.manifest)
            retrainings.append({"schedule": job.name, "as_of": day, **row})
        assert champion is not None  # or the first training has raised
        times = job.series["ds"]
        cutoffs = job.series.loc[(times >= day) & (times < until), ["unique_id", "ds"]]
        seen = job.series[times <= until]
        forecasts.append(forecast_cutoffs(champion.artefact, seen, cutoffs.rename(columns={"ds": "cutoff"})))
    return pd.concat(forecasts, ignore_index=True), pd.DataFrame(retrainings, columns=list(DAY_COLUMNS))


def _retrain(
    job: Replay, known: pd.DataFrame, champion: LoadedChampion | None
) -> tuple[Candidate | None, dict[str, Any]]:
    """The challenger and its row; none where its training failed and there is a champion, which stays, as at night."""
    started = time.monotonic()
    try:
        candidate = retrain(known, champion, job.data, job.training)
    except (SeriesError, TrainingError) as error:
        if champion is None:
            raise
        seconds = time.monotonic() - started
        return None, {"is_promoted": False, "reason": f"it failed: {error}", "training_seconds": seconds}
    return candidate, _describe(candidate)


def _age(champion: LoadedChampion | None, promoted: Any, day: Any) -> LoadedChampion | None:
    """The champion as it is on that day: its age counts from its promotion in the replay, where days are dates."""
    if champion is None or not isinstance(day, pd.Timestamp):
        return champion
    return replace(champion, promoted_at=(datetime.now(UTC) - (day - promoted)).isoformat())


def _describe(candidate: Candidate) -> dict[str, Any]:
    record = candidate.manifest
    return {
        "is_promoted": candidate.decision.is_promoted,
        "reason": "; ".join(candidate.decision.reasons),
        "loss": find_compared_loss(record["metrics"], CHALLENGER),
        "champion_loss": find_compared_loss(record["metrics"], CHAMPION),
        "training_seconds": record["seconds"]["training"],
    }


def retrain(
    known: pd.DataFrame, champion: LoadedChampion | None, data: DataRecipe, recipe: TrainingRecipe
) -> Candidate:
    """What `retrain_forecast` comes to on a day, from the table as it stood then.

    Args:
        known: what `read_newest` returns as of that day.
        champion: the forecaster in use on that day; None where there is none.
        data, recipe: see their types.
    """
    started = time.time()
    series, profile, cutoffs = prepare_series(known, data.source, data.gaps, data.split, data.window)
    scaler = fit_scaler(series, cutoffs)
    features = add_known_features(series, profile, data.calendar, data.window.horizon)
    panel = make_windows(features, cutoffs, scaler, data.window, data.evaluation)
    settings = describe_forecaster(series, profile, cutoffs, data.window, data.calendar, data.gaps)
    means = Means(
        recipe.retraining.budget,
        None if champion is None else champion.artefact,
        is_below=recipe.training.jit_compile,
    )
    networks = {
        name: train_challenger(panel, settings, network, recipe.training, means)
        for name, network in recipe.networks.items()
    }
    challenger, record = choose_challenger(panel, scaler, settings, networks)
    baselines = forecast_baselines(panel, data.evaluation.choose_season_length(profile))
    forecasters = {"challenger": challenger} | ({} if champion is None else {"champion": champion.artefact})
    holdout = forecast_holdout(panel, features, scaler, baselines, forecasters)
    return decide_forecast(challenger, champion, holdout, record, {"started": started}, recipe.retraining)
