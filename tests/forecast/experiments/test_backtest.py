"""A replay sees on each day what was there on that day, and decides as a retraining does."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from rnn_pipelines.errors import SeriesError, TrainingError
from rnn_pipelines.forecast.experiments import backtest
from rnn_pipelines.forecast.experiments.backtest import (
    BacktestJob,
    replay_retraining,
    replay_schedules,
)
from rnn_pipelines.forecast.experiments.schedule import BacktestSpec, ScheduleSpec
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods import ensemble, forecasts
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.registry import fit_methods
from rnn_pipelines.forecast.methods.training.specs import (
    BudgetSpec,
    ForecastTrainingSpec,
    NetworkSpec,
)
from rnn_pipelines.forecast.operations import retraining
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

MakeTable = Callable[..., pd.DataFrame]

RECIPE = Recipe(
    source=SourceSpec(name="catalog", freq="D"),
    split=SplitSpec(validation=10, test=10),
    window=WindowSpec(lookback=4, horizon=2),
)
TRAINING = ForecastTrainingSpec(max_steps=50, batch_size=16)
HERE = ParallelSpec(workers=1)
NEVER = ScheduleSpec()
EVERY_8 = ScheduleSpec(every=8)


def make_retraining(**policy: Any) -> RetrainForecastSpec:
    spec = ForecastPolicySpec(**{"must_beat": (), "significance": 1.0, **policy})
    return RetrainForecastSpec(policy=spec, budget=BudgetSpec())


def make_spec(recipe: Recipe = RECIPE) -> ForecastSpec:
    return ForecastSpec(
        **dict(recipe),
        networks={"gru": NetworkSpec(cell="gru", units=2, members=1)},
        training=TRAINING,
        level=LevelSpec((80,)),
    )


def replay(
    table: pd.DataFrame,
    retraining: RetrainForecastSpec | None = None,
    recipe: Recipe = RECIPE,
    period: int | str = 20,
    **schedules: ScheduleSpec,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    spec = BacktestSpec(period=period, schedules=schedules)
    forecasts, retrainings = replay_schedules(
        table, None, make_spec(recipe), retraining or make_retraining(), spec, HERE
    )
    return forecasts.table, retrainings


@pytest.fixture(scope="module")
def table(make_table: MakeTable, make_values: Callable[..., list[float]]) -> pd.DataFrame:
    return make_table(make_values(70))


@pytest.fixture(scope="module")
def replayed(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    return replay(table, never=NEVER, often=EVERY_8)


Replayed = tuple[pd.DataFrame, pd.DataFrame]


@pytest.fixture(scope="module")
def with_another_end(table: pd.DataFrame) -> Replayed:
    """The same replay with other values in the last seven days."""
    other = table.assign(y=table["y"].where(table["ds"] <= table["ds"].iloc[-8], 1000 - table["y"]))
    return replay(other, never=NEVER, often=EVERY_8)


def test_forecasts_see_no_later_value(
    table: pd.DataFrame, replayed: Replayed, with_another_end: Replayed
) -> None:
    columns = [
        "unique_id",
        "cutoff",
        "ds",
        "last_value",
        "seasonal_naive",
        "ridge",
        "baseline_ensemble",
        "theta",
        "never",
        "often",
    ]
    before, after = (
        forecasts.loc[forecasts["cutoff"] <= table["ds"].iloc[-8], columns]
        for forecasts, _ in (replayed, with_another_end)
    )
    assert len(before) > 0
    pd.testing.assert_frame_equal(before, after)


def test_decisions_see_no_later_value(
    table: pd.DataFrame, replayed: Replayed, with_another_end: Replayed
) -> None:
    columns = ["schedule", "as_of", "is_promoted", "reason", "loss", "champion_loss"]
    before, after = (
        retrainings.loc[retrainings["as_of"] <= table["ds"].iloc[-8], columns]
        for _, retrainings in (replayed, with_another_end)
    )
    assert len(before) == 3
    pd.testing.assert_frame_equal(before, after)


def test_last_cutoff_is_the_last_with_a_whole_horizon(
    table: pd.DataFrame, replayed: Replayed
) -> None:
    cutoffs = replayed[0]["cutoff"].drop_duplicates()
    assert cutoffs.tolist() == table["ds"].iloc[-21:-2].tolist()


def test_actuals_are_the_values_of_the_table(table: pd.DataFrame, replayed: Replayed) -> None:
    actual = table.set_index("ds")["y"]
    assert np.allclose(replayed[0]["y"], actual[replayed[0]["ds"]])


@pytest.mark.parametrize("name", ["never", "often"])
def test_schedule_has_intervals(replayed: Replayed, name: str) -> None:
    forecasts = replayed[0]
    low, high = (forecasts[f"{name}-{side}-80"] for side in ("lo", "hi"))
    assert ((low <= forecasts[name]) & (forecasts[name] <= high)).all()
    assert (low < high).all()


def test_schedules_train_as_often_as_asked(table: pd.DataFrame, replayed: Replayed) -> None:
    retrainings = replayed[1]
    assert (retrainings["schedule"] == "never").sum() == 1
    days = retrainings.loc[retrainings["schedule"] == "often", "as_of"]
    assert days.tolist() == table["ds"].iloc[[-21, -13, -5]].tolist()


def test_schedules_forecast_alike_until_the_second_training(
    table: pd.DataFrame, replayed: Replayed
) -> None:
    forecasts = replayed[0][replayed[0]["cutoff"] < table["ds"].iloc[-13]]
    assert forecasts["never"].tolist() == forecasts["often"].tolist()


def test_challengers_that_are_kept_back_do_not_forecast(
    table: pd.DataFrame, replayed: Replayed, caplog: pytest.LogCaptureFixture
) -> None:
    with caplog.at_level("INFO"):
        forecasts, retrainings = replay(
            table, make_retraining(min_improvement_fraction=0.99), often=EVERY_8
        )
    # As in the table of schedules, the first training is no promotion.
    assert "often: 3 trainings, 0 promoted" in caplog.messages
    assert retrainings["is_promoted"].tolist() == [True, False, False]
    assert forecasts["often"].tolist() == replayed[0]["never"].tolist()


def test_day_without_a_value_is_no_cutoff(
    make_table: MakeTable, make_values: Callable[..., list[float]]
) -> None:
    """The filled value comes from later ones."""
    table = make_table(make_values(70, missing=[60]))
    forecasts, _ = replay(table, never=NEVER)
    assert pd.Timestamp("2021-01-01") + pd.Timedelta(days=60) not in set(forecasts["cutoff"])
    assert forecasts["cutoff"].nunique() == 18


def test_weekly_series_is_not_retrained_every_day(
    make_table: MakeTable, make_values: Callable[..., list[float]]
) -> None:
    """As at night."""
    table = make_table(make_values(70), freq="W-SUN")
    recipe = RECIPE.model_copy(update={"source": SourceSpec(name="catalog", freq="W-SUN")})
    forecasts, retrainings = replay(table, recipe=recipe, period=3, daily=ScheduleSpec(every="day"))
    assert retrainings["as_of"].tolist() == table["ds"].iloc[-4:-1].tolist()
    assert forecasts["daily"].notna().all()


@pytest.mark.parametrize(
    ("max_age", "promotions"),
    [(8, [True, True, True]), (9, [True, False, True]), (20, [True, False, False])],
)
def test_old_champion_makes_way_in_replayed_time(
    table: pd.DataFrame, max_age: int, promotions: list[bool]
) -> None:
    """Its age counts from its promotion on a day of the past."""
    retraining = make_retraining(significance=1e-12, max_age_days=max_age)
    assert replay(table, retraining, often=EVERY_8)[1]["is_promoted"].tolist() == promotions


def test_first_network_is_in_use_whatever_the_policy_says(table: pd.DataFrame) -> None:
    retraining = make_retraining(must_beat=("last_value", "drift", "ridge", "baseline_ensemble"))
    forecasts, retrainings = replay(table, retraining, never=NEVER)
    assert retrainings["is_promoted"].tolist() == [False]
    assert forecasts["never"].notna().all()


def test_retraining_as_of_a_day_has_the_loss_of_the_replay(
    table: pd.DataFrame, replayed: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    candidate = replay_retraining(table.iloc[:-20], None, make_spec(), make_retraining())
    assert candidate.manifest["metrics"]["challenger"]["loss"] == replayed[1]["loss"].iloc[0]


def test_training_that_fails_leaves_the_champion_or_nothing(
    table: pd.DataFrame,
    replayed: tuple[pd.DataFrame, pd.DataFrame],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    # Makes the training fail whose data have that many rows.

    def fail_on(num_rows: int) -> None:
        def retrain_or_fail(known: pd.DataFrame, *arguments: Any) -> Any:
            if len(known) == num_rows:
                raise TrainingError("the loss is no number")
            return replay_retraining(known, *arguments)

        monkeypatch.setattr(backtest, "replay_retraining", retrain_or_fail)

    fail_on(58)
    forecasts, retrainings = replay(table, often=EVERY_8)
    assert retrainings["reason"].tolist()[1] == "the training failed: the loss is no number"
    assert retrainings["is_promoted"].tolist()[:2] == [True, False]
    before = forecasts["cutoff"] < table["ds"].iloc[-5]
    assert forecasts.loc[before, "often"].tolist() == replayed[0].loc[before, "never"].tolist()
    fail_on(50)
    with pytest.raises(TrainingError, match="no number"):
        replay(table, never=NEVER)


def test_simple_methods_see_what_the_first_network_sees(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    panels = []

    def note(panel: WindowedPanel, *given: Any) -> FittingData:
        panels.append(panel)
        return prepare_fitting(panel, *given)

    for module in (backtest, retraining):
        monkeypatch.setattr(module, "prepare_fitting", note)
    replay(table, never=NEVER)
    of_period, of_first_day = panels
    assert of_period.train.tolist() == of_first_day.train.tolist()
    stop = of_first_day.train[-1, 1]
    assert np.array_equal(of_period.values[:stop], of_first_day.values[:stop])


def test_retraining_fits_the_simple_methods_once(
    table: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    """For the ensemble, and for the comparison on the holdout."""
    fits = []
    for module in (ensemble, forecasts):
        monkeypatch.setattr(
            module, "fit_methods", lambda data: fits.append(data) or fit_methods(data)
        )
    replay_retraining(table, None, make_spec(), make_retraining())
    assert len(fits) == 1


@pytest.mark.parametrize("change", ["ended", "began"])
def test_series_that_is_not_there_all_the_time_is_left_out(
    make_table: MakeTable,
    make_values: Callable[..., list[float]],
    replayed: tuple[pd.DataFrame, pd.DataFrame],
    caplog: pytest.LogCaptureFixture,
    change: str,
) -> None:
    """A shop that has closed ends no backtest, nor does one that opened yesterday."""
    other = make_values(70, seed=1)
    part = [*other[:45], *[None] * 25] if change == "ended" else [*[None] * 60, *other[60:]]
    table = make_table({"kept": make_values(70), "part": part})
    with caplog.at_level("WARNING", "rnn_pipelines"):
        forecasts, _ = replay(table, never=NEVER)
    assert set(forecasts["unique_id"]) == {"kept"}
    assert any(
        message.startswith("left out") and message.endswith(": part") for message in caplog.messages
    )
    assert np.allclose(forecasts["last_value"], replayed[0]["last_value"])


@pytest.mark.parametrize("name", ["ridge", "y", "cutoff"])
def test_schedule_has_a_name_of_its_own(name: str) -> None:
    with pytest.raises(ValidationError, match="names that no other column"):
        BacktestSpec(schedules={name: NEVER})


@pytest.fixture
def days(monkeypatch: pytest.MonkeyPatch, make_table: MakeTable) -> Callable[..., list[Any]]:
    """The days of one schedule, without a training."""

    def find(size: int, period: str | int, every: str | int | None, **options: Any) -> list[Any]:
        found: list[BacktestJob] = []

        def note(_: object, jobs: list[BacktestJob], *__: object) -> list[Any]:
            found.extend(jobs)
            raise InterruptedError

        monkeypatch.setattr(backtest, "rolling", note)
        spec = BacktestSpec(period=period, schedules={"one": ScheduleSpec(every=every)})
        source = SourceSpec(name="catalog", freq=options["freq"])
        recipe = RECIPE.model_copy(
            update={"source": source, "split": SplitSpec(validation=0.1, test=0.1)}
        )
        series = make_table([float(value % 7) for value in range(size)], **options)
        with pytest.raises(InterruptedError):
            replay_schedules(series, None, make_spec(recipe), make_retraining(), spec, HERE)
        return [str(getattr(day, "date", lambda day=day: day)()) for day in found[0].days]

    return find


@pytest.mark.parametrize(
    ("period", "every", "expected"),
    [
        (
            "month",
            "week",
            ["2021-05-10", "2021-05-17", "2021-05-24", "2021-05-31", "2021-06-07", "2021-06-10"],
        ),
        ("month", None, ["2021-05-10", "2021-06-10"]),
        ("week", "day", ["2021-06-03", *[f"2021-06-{day:02}" for day in range(4, 11)]]),
        (60, "month", ["2021-04-11", "2021-05-11", "2021-06-10"]),
        (20, 8, ["2021-05-21", "2021-05-29", "2021-06-06", "2021-06-10"]),
    ],
    ids=str,
)
def test_days_follow_the_calendar_or_count_steps(
    days: Callable[..., list[Any]], period: str | int, every: str | int | None, expected: list[str]
) -> None:
    assert days(161, period, every, freq="D") == expected


def test_series_of_steps_have_days_of_steps(days: Callable[..., list[Any]]) -> None:
    assert days(100, 20, 8, freq=2, start=0) == ["158", "174", "190", "198"]


@pytest.mark.parametrize(("period", "every"), [("year", 8), (20, "week")])
def test_spans_of_time_mean_nothing_to_steps(
    make_table: MakeTable,
    make_values: Callable[..., list[float]],
    period: str | int,
    every: str | int,
) -> None:
    spec = BacktestSpec(period=period, schedules={"one": ScheduleSpec(every=every)})
    table = make_table(make_values(70), freq=1, start=0)
    recipe = RECIPE.model_copy(update={"source": SourceSpec(name="catalog", freq=1)})
    with pytest.raises(SeriesError, match="received the time span"):
        replay_schedules(table, None, make_spec(recipe), make_retraining(), spec, HERE)


@pytest.mark.parametrize(
    ("period", "expected"),
    [
        (
            "year",
            "period=year: the series go from 2021-01-01 to .*, so that no row is left for the first training",
        ),
        (
            10**5,
            "period=100000: the series go from 2021-01-01 to .*, so that no row is left for the first training",
        ),
        (
            68,
            r"period: the first training has the 2 rows up to 2021-01-02, of 70: .* Or give a shorter period\.",
        ),
    ],
)
def test_period_with_too_little_before_it_is_named(
    table: pd.DataFrame, period: int | str, expected: str
) -> None:
    with pytest.raises(SeriesError, match=f"^backtest_forecast.{expected}"):
        replay(table, period=period, often=EVERY_8)


@pytest.mark.parametrize("every", ["fortnight", 0, -1, 1.5])
def test_schedule_that_means_nothing_is_refused(every: Any) -> None:
    with pytest.raises(ValidationError):
        ScheduleSpec(every=every)


@pytest.mark.slow
def test_two_processes_do_the_same_as_one(
    table: pd.DataFrame, replayed: tuple[pd.DataFrame, pd.DataFrame]
) -> None:
    spec = BacktestSpec(period=20, schedules={"never": NEVER, "often": EVERY_8})
    forecasts, retrainings = replay_schedules(
        table, None, make_spec(), make_retraining(), spec, ParallelSpec(workers=2)
    )
    pd.testing.assert_frame_equal(forecasts.table, replayed[0])
    columns = ["schedule", "as_of", "is_promoted", "loss"]
    pd.testing.assert_frame_equal(retrainings[columns], replayed[1][columns])
