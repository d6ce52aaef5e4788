"""Backtests: schedules of retraining replayed over the past, each day with the data up to that day only."""

import logging
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any, cast

import pandas as pd

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.records import RetrainingInputs, find_compared_loss
from rnn_pipelines.errors import SeriesError, TrainingError, count
from rnn_pipelines.forecast.experiments.rolling import rolling
from rnn_pipelines.forecast.experiments.schedule import (
    BacktestSpec,
    Retrainings,
    RetrainingsTable,
    list_days,
    move,
)
from rnn_pipelines.forecast.methods.forecasts import forecast_simple_methods
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.predictions import Predictions, tabulate_forecasts
from rnn_pipelines.forecast.methods.training.specs import TrainingPlan
from rnn_pipelines.forecast.model.artefact import forecast_cutoffs
from rnn_pipelines.forecast.operations.retraining import decide_on, fit_challenger
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.preparation.schema import repair_series
from rnn_pipelines.forecast.recipe import Recipe, lay_out_panel, prepare_panel
from rnn_pipelines.forecast.series.tables import Profile, Series, Source
from rnn_pipelines.forecast.windows.panel import EvaluationSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.reading.times import format_time

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class BacktestJob:
    """One schedule with all inputs of its replay, which may run in another process.

    The last day is the end of the series, without a training. The series are repaired, as input of the forecasts; past
    covariates are not read after the day of a forecast.
    """

    name: str
    days: tuple[Any, ...]
    table: Source
    covariate_table: pd.DataFrame | None
    series: Series
    spec: ForecastSpec
    retraining: RetrainForecastSpec


def replay_schedules(
    table: Source,
    covariate_table: pd.DataFrame | None,
    spec: ForecastSpec,
    retraining: RetrainForecastSpec,
    backtest: BacktestSpec,
    parallel: ParallelSpec,
) -> tuple[Predictions, Retrainings]:
    """Replay each schedule, and forecast from every step of the period with the champion of that time.

    Returns:
        Forecasts of the period with the actuals: by the baselines, fitted on the first day only, and by each schedule
        with its intervals. Series are left out if they do not exist from the first day to the end. Forecasts are
        left out if the value at the cut-off was imputed, because it depends on later ones. And all retrainings.
    Raises:
        SeriesError: the series are too short for the period, or have steps and the spans are of time.
        TrainingError: the first training of a schedule failed, so that it has no model to forecast with.
    """
    series, profile = repair_series(table, spec.source, spec.gaps)
    start = series["ds"].min()
    end = series["ds"].max()
    freq = profile["freq"]
    first = move(end, backtest.period, -1, freq)
    if first < start:
        span = f"the series go from {format_time(start)} to {format_time(end)}"
        remedy = "Give a shorter period, such as month, or a number of steps."
        fact = f"{span}, so that no row is left for the first training"
        raise SeriesError(f"backtest_forecast.period={backtest.period}: {fact}. {remedy}")
    jobs = [
        BacktestJob(
            name,
            list_days(first, end, schedule.every, freq),
            table,
            covariate_table,
            series,
            spec,
            retraining,
        )
        for name, schedule in backtest.schedules.items()
    ]
    forecasts = _forecast_baselines(table, covariate_table, series, profile, spec, first)
    # Longest first, to balance the processes.
    ordered = sorted(jobs, key=lambda job: -len(job.days))
    names = ", ".join(
        f"{job.name} (up to {count(len(job.days) - 1, 'training')})" for job in ordered
    )
    logger.info("replaying %s", names)
    results = rolling(replay_schedule, ordered, parallel, _log_schedule)
    replayed = {job.name: result for job, result in zip(ordered, results, strict=True)}
    observed = series.loc[series["observed"], ["unique_id", "ds"]].rename(columns={"ds": "cutoff"})
    forecasts = replace(
        forecasts, table=forecasts.table.merge(observed, on=["unique_id", "cutoff"])
    )
    for job in jobs:
        forecasts = forecasts.add(job.name, replayed[job.name][0], spec.level.root)
    return forecasts, pd.concat([replayed[job.name][1] for job in jobs], ignore_index=True)


def _log_schedule(job: BacktestJob, result: tuple[pd.DataFrame, Retrainings]) -> None:
    retrainings = result[1]
    # As in the table, the first training is no promotion.
    num_promotions = retrainings["is_promoted"].iloc[1:].sum()
    logger.info(
        "%s: %s, %d promoted", job.name, count(len(retrainings), "training"), num_promotions
    )


def _forecast_baselines(
    table: Source,
    covariate_table: pd.DataFrame | None,
    series: Series,
    profile: Profile,
    recipe: Recipe,
    first: Any,
) -> Predictions:
    """Forecast the whole period as one test part by baselines fitted on the training part of the first day."""
    past = table[table["ds"] <= first]
    try:
        of_first_day = prepare_panel(past, recipe, covariate_table)
    except SeriesError as error:
        rows = f"the {count(len(past), 'row')} up to {format_time(first)}, of {len(table):,}"
        message = f"backtest_forecast.period: the first training has {rows}: {error} Or give a shorter period."
        raise SeriesError(message) from error
    window = recipe.window.fill(of_first_day.profile)
    # All later steps of the series that continue are the test part.
    cutoffs = of_first_day.cutoffs
    num_steps = series["unique_id"].value_counts()
    num_later = num_steps.reindex(cutoffs["unique_id"]).to_numpy() - cutoffs["num_steps"].to_numpy()
    cutoffs = cutoffs[num_later >= window.horizon].reset_index(drop=True)
    if left_out := ", ".join(
        sorted({*map(str, series["unique_id"])} - {*map(str, cutoffs["unique_id"])})
    ):
        reason = "they are missing or cannot be used on the first or the last day"
        logger.warning("left out, because %s: %s", reason, left_out)
    if cutoffs.empty:
        span = "from the first day of the period to one horizon after it"
        raise SeriesError(
            f"backtest_forecast.period: no series has values {span}. Give another period."
        )
    lengths = num_steps.reindex(cutoffs["unique_id"]).to_numpy()
    cutoffs = cutoffs.assign(validation_stop=cutoffs["num_steps"], num_steps=lengths)
    cutoffs = cutoffs.drop(columns=["validation_from", "test_from"])
    series = series[series["unique_id"].isin(cutoffs["unique_id"])].reset_index(drop=True)
    rolling = recipe.model_copy(
        update={"evaluation": EvaluationSpec(max_windows=10**9), "window": window}
    )
    profile = {**profile, "lookback": window.lookback, "horizon": window.horizon}
    panel = lay_out_panel(series, profile, cutoffs, rolling, covariate_table)
    baselines = forecast_simple_methods(prepare_fitting(panel.windows))
    forecasts = tabulate_forecasts(panel.windows, panel.features, panel.scaler, baselines, "test")
    return replace(forecasts, table=forecasts.table.drop(columns="signal", errors="ignore"))


def replay_schedule(job: BacktestJob) -> tuple[pd.DataFrame, Retrainings]:
    """Retrain on each day; return forecasts from there to the next, see `forecast_cutoffs`, and all retrainings."""
    champion: LoadedChampion | None = None
    promoted: Any = None
    forecasts = []
    retrainings = []
    newest: Any = None
    for day, until in pairwise(job.days):
        past = job.table[job.table["ds"] <= day]
        # As in production, nothing is trained without new data.
        if past["ds"].max() != newest:
            newest = past["ds"].max()
            if champion is not None and isinstance(day, pd.Timestamp):
                # Its age is counted from its promotion in the replay.
                champion = replace(
                    champion, promoted_at=(datetime.now(UTC) - (day - promoted)).isoformat()
                )
            candidate, row = _retrain(job, past, champion)
            # The first challenger is used regardless of the policy; without it, there would be no forecasts.
            if candidate is not None and (champion is None or candidate.decision.is_promoted):
                promoted = day
                champion = LoadedChampion(
                    format_time(day), candidate.artefact, "", (), candidate.manifest
                )
            retrainings.append({"schedule": job.name, "as_of": day, **row})
        assert champion is not None  # otherwise the first training has raised
        times = job.series["ds"]
        cutoffs = job.series.loc[(times >= day) & (times < until), ["unique_id", "ds"]]
        seen = job.series[times <= until]
        cutoffs = cutoffs.rename(columns={"ds": "cutoff"})
        forecasts.append(forecast_cutoffs(champion.artefact, seen, cutoffs, job.covariate_table))
    rows = pd.DataFrame(retrainings, columns=list(RetrainingsTable.columns))
    return pd.concat(forecasts, ignore_index=True), rows.astype(
        {"loss": float, "champion_loss": float}
    )


def _retrain(
    job: BacktestJob, past: Source, champion: LoadedChampion | None
) -> tuple[Candidate | None, dict[str, Any]]:
    """Return the challenger and its row; no challenger if its training failed and there is a champion, which stays."""
    started = time.monotonic()
    try:
        candidate = replay_retraining(past, champion, job.spec, job.retraining, job.covariate_table)
    except (SeriesError, TrainingError) as error:
        if champion is None:
            raise
        seconds = time.monotonic() - started
        return None, {
            "is_promoted": False,
            "reason": f"the training failed: {error}",
            "training_seconds": seconds,
        }
    record = candidate.manifest
    return candidate, {
        "is_promoted": candidate.decision.is_promoted,
        "reason": "; ".join(candidate.decision.reasons),
        "loss": find_compared_loss(record["metrics"], "challenger"),
        "champion_loss": find_compared_loss(record["metrics"], "champion"),
        "training_seconds": record["seconds"]["training"],
    }


def replay_retraining(
    past: Source,
    champion: LoadedChampion | None,
    spec: ForecastSpec,
    retraining: RetrainForecastSpec,
    covariate_table: pd.DataFrame | None = None,
) -> Candidate:
    """Return the outcome of `retrain_forecast` on a day, from the data of that day."""
    # A replay records neither fingerprints nor versions.
    run = cast(RetrainingInputs, {"started": time.time()})
    plan = TrainingPlan(retraining.budget)
    challenger = fit_challenger(past, covariate_table, spec, retraining, plan)
    return decide_on(challenger, champion, run, retraining)
