"""The baselines are what their names say, and see no more than the networks."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
from sklearn.linear_model import Ridge

from rnn_pipelines.forecast import baselines
from rnn_pipelines.forecast.baselines import (
    RIDGE_PENALTIES,
    fit_ridge,
    forecast_baselines,
    repeat_last_value,
    repeat_season,
)
from rnn_pipelines.forecast.evaluation.metrics import measure_by_series
from rnn_pipelines.forecast.predictions import tabulate_forecasts
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.source import SourceSpec, read_source
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import (
    EvaluationSpec,
    Part,
    WindowedPanel,
    WindowSpec,
    gather_windows,
)

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

WEEKLY = EvaluationSpec(season_length=7)


def make_counting_panel(sizes: tuple[int, ...] = (20,), horizon: int = 3, lookback: int = 4) -> WindowedPanel:
    """Series after series whose values are their rows, without known features."""
    stops = np.cumsum([size + horizon for size in sizes])
    starts = stops - [size + horizon for size in sizes]
    none = np.empty((0, 2), np.int64)
    return WindowedPanel(
        values=np.arange(stops[-1], dtype=np.float32)[:, None],
        train=none,
        validation=none,
        test=none,
        future=none,
        series_starts=starts,
        lookback=lookback,
        horizon=horizon,
        stride=1,
    )


def expand(panel: WindowedPanel, part: Part) -> tuple[np.ndarray, np.ndarray]:
    """All windows of a part as one table, as scikit-learn needs them."""
    origins = np.concatenate(list(panel.index(part).batches(1000)))
    history, known, targets = (array.astype(np.float64) for array in gather_windows(panel, origins))
    return np.hstack([history[:, :, 0], known.reshape(len(origins), -1)]), targets


def predict(weights: np.ndarray, predictors: np.ndarray) -> np.ndarray:
    return predictors @ weights[:-1] + weights[-1]


@pytest.fixture(scope="module")
def panel(prepare: Prepare, make_values: MakeValues) -> WindowedPanel:
    values = {"a": make_values(90, seed=1, missing=[20]), "b": make_values(70, seed=2)}
    return prepare(values, WindowSpec(lookback=5, horizon=3, stride=2), SplitSpec(validation=15, test=15)).windows


# Last value


def test_last_value_is_the_one_before_the_origin() -> None:
    assert repeat_last_value(make_counting_panel(), np.array([5, 9])).tolist() == [[4, 4, 4], [8, 8, 8]]


# Seasonal naive


def test_seasonal_naive_is_the_value_one_season_before() -> None:
    assert repeat_season(make_counting_panel(), np.array([10]), 5).tolist() == [[5, 6, 7]]


def test_seasonal_naive_sees_no_target_where_the_horizon_is_longer_than_the_season() -> None:
    """The last season that was seen comes again and again."""
    panel = make_counting_panel(horizon=7)
    assert repeat_season(panel, np.array([10]), 3).tolist() == [[7, 8, 9, 7, 8, 9, 7]]


def test_seasonal_naive_of_season_1_is_the_last_value() -> None:
    panel, origins = make_counting_panel(), np.array([5, 9, 20])
    np.testing.assert_array_equal(repeat_season(panel, origins, 1), repeat_last_value(panel, origins))


def test_seasonal_naive_may_look_further_back_than_the_window() -> None:
    assert repeat_season(make_counting_panel(lookback=2), np.array([15]), 12).tolist() == [[3, 4, 5]]


def test_young_series_falls_back_on_the_last_value() -> None:
    assert repeat_season(make_counting_panel(), np.array([5]), 7).tolist() == [[4, 4, 0]]


def test_series_shorter_than_the_season_falls_back_on_the_last_value() -> None:
    """A day of 1,440 minutes, and a panel of 23 rows."""
    assert repeat_season(make_counting_panel(), np.array([5]), 1440).tolist() == [[4, 4, 4]]


def test_seasonal_naive_never_crosses_into_the_previous_series() -> None:
    """The second series starts in row 23."""
    panel = make_counting_panel(sizes=(20, 20))
    assert repeat_season(panel, np.array([28]), 6).tolist() == [[27, 23, 24]]


def test_origin_after_the_end_belongs_to_the_series_before_it() -> None:
    """Row 20 is the future of the first series."""
    panel = make_counting_panel(sizes=(20, 20))
    assert repeat_season(panel, np.array([20, 43]), 5).tolist() == [[15, 16, 17], [38, 39, 40]]


def test_seasonal_naive_falls_back_on_the_last_value_at_an_open_gap() -> None:
    panel = make_counting_panel()
    panel.values[6] = np.nan
    assert repeat_season(panel, np.array([10]), 5).tolist() == [[5, 9, 7]]


# Ridge


@pytest.fixture(scope="module")
def candidates(panel: WindowedPanel) -> list[Ridge]:
    predictors, targets = expand(panel, "train")
    return [Ridge(alpha=penalty * len(predictors)).fit(predictors, targets) for penalty in RIDGE_PENALTIES]


@pytest.mark.parametrize("number", range(4, len(RIDGE_PENALTIES)))
def test_ridge_equals_scikit_learns(
    panel: WindowedPanel, candidates: list[Ridge], number: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(baselines, "RIDGE_PENALTIES", RIDGE_PENALTIES[number : number + 1])
    predictors, _ = expand(panel, "test")
    np.testing.assert_allclose(
        predict(fit_ridge(panel), predictors), candidates[number].predict(predictors), rtol=1e-6, atol=1e-6
    )


def test_ridge_takes_the_penalty_that_is_best_on_validation(panel: WindowedPanel, candidates: list[Ridge]) -> None:
    predictors, targets = expand(panel, "validation")
    best = min(candidates, key=lambda ridge: ((ridge.predict(predictors) - targets) ** 2).sum())
    np.testing.assert_allclose(predict(fit_ridge(panel), predictors), best.predict(predictors), rtol=1e-5, atol=1e-5)


def test_ridge_is_the_same_whatever_the_batch_size(panel: WindowedPanel, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = fit_ridge(panel)
    monkeypatch.setattr(baselines, "BATCH_SIZE", 7)
    np.testing.assert_allclose(fit_ridge(panel), whole, rtol=1e-6, atol=1e-9)


def test_ridge_sees_nothing_of_the_test_part(prepare: Prepare, make_values: MakeValues) -> None:
    values = make_values(70)
    changed = [*values[:60], *(value + 1000 for value in values[60:])]
    before, after = (fit_ridge(prepare(v).windows) for v in (values, changed))
    np.testing.assert_array_equal(before, after)


def test_ridge_sees_the_known_features_of_the_targets(panel: WindowedPanel) -> None:
    lookback, known = panel.lookback, panel.horizon * panel.num_known
    assert fit_ridge(panel).shape == (lookback + known + 1, panel.horizon)


def test_ridge_learns_what_the_calendar_alone_says(prepare: Prepare) -> None:
    """A weekly wave on noise: the history of one step doesn't tell the day of the week."""
    days = np.arange(200)
    values = np.sin(2 * np.pi * days / 7) + np.random.default_rng(0).normal(0, 0.01, 200)
    panel = prepare(values.tolist(), WindowSpec(lookback=1, horizon=2), SplitSpec(validation=20, test=20)).windows
    predictors, targets = expand(panel, "test")
    assert np.mean((predict(fit_ridge(panel), predictors) - targets) ** 2) < 0.001


# All of them


def test_baselines_are_last_value_seasonal_naive_and_ridge(panel: WindowedPanel) -> None:
    assert list(forecast_baselines(panel, {}, WEEKLY)) == ["last_value", "seasonal_naive", "ridge"]


@pytest.mark.parametrize("name", ["last_value", "seasonal_naive", "ridge"])
def test_baseline_forecasts_every_test_window_and_future_step(panel: WindowedPanel, name: str) -> None:
    forecasts = forecast_baselines(panel, {}, WEEKLY)[name]
    assert (forecasts.test.shape, forecasts.future.shape) == ((len(panel.index("test")), 3), (2, 3))


@pytest.mark.parametrize("name", ["last_value", "seasonal_naive", "ridge"])
def test_baseline_forecasts_are_finite_float32(panel: WindowedPanel, name: str) -> None:
    forecasts = forecast_baselines(panel, {}, WEEKLY)[name]
    assert forecasts.test.dtype == forecasts.future.dtype == np.float32
    assert np.isfinite(forecasts.test).all()
    assert np.isfinite(forecasts.future).all()


def test_ridge_forecast_is_that_of_its_weights(panel: WindowedPanel) -> None:
    predictors, _ = expand(panel, "test")
    found = forecast_baselines(panel, {}, WEEKLY)["ridge"].test
    np.testing.assert_allclose(found, predict(fit_ridge(panel), predictors), rtol=1e-5, atol=1e-5)


def test_panel_is_not_changed(panel: WindowedPanel) -> None:
    before = panel.values.copy()
    forecast_baselines(panel, {}, WEEKLY)
    np.testing.assert_array_equal(panel.values, before)


# Figures that others have computed on the same data


def measure(source: SourceSpec, split: SplitSpec, window: WindowSpec, origins: str, calendar: CalendarSpec) -> dict:
    """MSE and MAE of every baseline, mean over series: `{forecaster: {metric: value}}`."""
    evaluation = EvaluationSpec(origins=origins)
    recipe = Recipe(source=source, split=split, window=window, calendar=calendar, evaluation=evaluation)
    panel = prepare_panel(read_source(source), recipe)
    forecasts = forecast_baselines(panel.windows, panel.profile, evaluation)
    predictions = tabulate_forecasts(panel.windows, panel.features, panel.scaler, forecasts, "test")
    by_series = measure_by_series(predictions, panel.series, panel.cutoffs, panel.profile["season_length"])
    return by_series.groupby("forecaster")[["mse", "mae"]].mean().to_dict("index")


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("forecaster", "calendar", "mse"),
    [
        ("last_value", CalendarSpec(yearly=0, weekly=0), 6.669),
        ("ridge", CalendarSpec(yearly=0, weekly=0), 5.277),
        ("ridge", CalendarSpec(yearly=1, weekly=0), 4.846),
    ],
    ids=["persistence", "AR(7)", "AR(7) + Fourier"],
)
def test_melbourne_has_the_error_that_others_have_found(
    real_data: Path, forecaster: str, calendar: CalendarSpec, mse: float
) -> None:
    path = str(real_data / "series" / "daily-min-temperatures.csv")
    source = SourceSpec(path=path, time="Date", target="Temp")
    window = WindowSpec(lookback=7, horizon=1)
    found = measure(source, SplitSpec(validation=365, test=365), window, "rolling", calendar)
    assert found[forecaster]["mse"] == pytest.approx(mse, rel=0.01 if forecaster == "ridge" else 1e-3)


@pytest.mark.real_data
def test_seasonal_naive_of_tourism_has_the_published_error(real_data: Path) -> None:
    """The Monash protocol: mean over series of the MAE of the last 24 months."""
    path = str(real_data / "series" / "tourism_monthly_long.csv")
    source = SourceSpec(path=path, time="month", target="value", id="series")
    window = WindowSpec(lookback=12, horizon=24)
    found = measure(source, SplitSpec(validation=24, test=24), window, "last", CalendarSpec())
    assert found["seasonal_naive"]["mae"] == pytest.approx(1980, abs=1)
