"""The baselines are what their names say, and see no more than the networks."""

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.forecast.evaluation.metrics import measure_by_series
from rnn_pipelines.forecast.methods import method
from rnn_pipelines.forecast.methods.forecasts import forecast_methods, forecast_simple_methods
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models, prepare_fitting
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.predictions import Forecasts, tabulate_forecasts
from rnn_pipelines.forecast.methods.predictors import gather_season, normalize_windows
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import EvaluationSpec, Part, WindowedPanel, WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

Prepare = Callable[..., SimpleNamespace]
MakeValues = Callable[..., list[float | None]]

WEEKLY = EvaluationSpec(season_length=7)
SPLIT = SplitSpec(validation=25, test=15)


@pytest.fixture(scope="module")
def panel(prepare: Prepare, make_values: MakeValues) -> WindowedPanel:
    values = {"a": make_values(120, seed=1, missing=[20]), "b": make_values(90, seed=2)}
    return prepare(
        values, WindowSpec(lookback=15, horizon=3, stride=2), SPLIT, evaluation=WEEKLY
    ).windows


@pytest.fixture(scope="module")
def linear(panel: WindowedPanel) -> LinearModels:
    return fit_linear_models(panel)


def find_origins(panel: WindowedPanel, part: Part) -> np.ndarray:
    index = panel.index(part)
    return index.origins(np.arange(len(index)))


@pytest.fixture(scope="module")
def simple(panel: WindowedPanel, linear: LinearModels) -> dict[str, Forecasts]:
    """The forecasts of all simple methods."""
    return forecast_simple_methods(FittingData(panel, linear))


def repeat_last(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    return np.repeat(panel.values[origins - 1, 0][:, None], 3, axis=1)


def continue_change(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    first, last = (panel.values[origins - step, 0] for step in (15, 1))
    return last[:, None] + (last - first)[:, None] / 14 * np.array([1, 2, 3])


@pytest.mark.parametrize("part", ["test", "future"])
@pytest.mark.parametrize(
    ("name", "expect"),
    [
        ("last_value", repeat_last),
        ("drift", continue_change),
        ("seasonal_naive", lambda panel, origins: gather_season(panel, origins, 7)),
    ],
)
def test_naive_methods_are_their_definitions(
    panel: WindowedPanel,
    simple: dict[str, Forecasts],
    name: str,
    expect: Callable[..., np.ndarray],
    part: Part,
) -> None:
    np.testing.assert_allclose(
        getattr(simple[name], part), expect(panel, find_origins(panel, part)), atol=1e-5
    )


def test_series_without_a_season_has_no_seasonal_method(
    prepare: Prepare, make_values: MakeValues
) -> None:
    window = WindowSpec(lookback=15, horizon=3)
    evaluation = EvaluationSpec(season_length=1)
    aperiodic = prepare(make_values(120), window, SPLIT, evaluation=evaluation).windows
    assert "seasonal_naive" not in forecast_simple_methods(prepare_fitting(aperiodic))


def test_ridge_is_forecast_by_one_of_its_matrices(
    panel: WindowedPanel, linear: LinearModels, simple: dict[str, Forecasts]
) -> None:
    normalized = normalize_windows(panel, linear.normalizer, find_origins(panel, "test"))
    ridges = [
        normalized.units.denormalize(normalized.predictors @ matrix)
        for name, matrix in zip(linear.names, linear.matrices[-1], strict=True)
        if name.startswith("ridge")
    ]
    assert min(np.abs(simple["ridge"].test - ridge).max() for ridge in ridges) < 1e-5


@pytest.mark.parametrize("part", ["test", "future"])
def test_baseline_ensemble_is_the_weighted_mean(
    panel: WindowedPanel, linear: LinearModels, simple: dict[str, Forecasts], part: Part
) -> None:
    normalized = normalize_windows(panel, linear.normalizer, find_origins(panel, part))
    # The next values are those of the fit on all rows.
    matrices = linear.refit().matrices[-1] if part == "future" else linear.matrices[-1]
    each = [normalized.predictors @ matrix for matrix in matrices]
    expected = normalized.units.denormalize(np.tensordot(linear.weights, each, 1))
    np.testing.assert_allclose(
        getattr(simple["baseline_ensemble"], part), expected, rtol=1e-5, atol=1e-5
    )


def test_panel_has_no_climatology(simple: dict[str, Forecasts]) -> None:
    assert "climatology" not in simple


def test_methods_of_one_series_are_in_the_order_of_the_registry(
    prepare: Prepare, make_values: MakeValues
) -> None:
    """One series, with the calendar of the week."""
    calendar = CalendarSpec(weekly=1, yearly=0)
    single = prepare(
        make_values(150),
        WindowSpec(lookback=15, horizon=3),
        SPLIT,
        evaluation=WEEKLY,
        calendar=calendar,
    )
    names = list(forecast_simple_methods(prepare_fitting(single.windows)))
    of_other_series = {
        "long_seasonal_naive",
        "level",
        "mean",
        "croston",
        "zero",
        "short_series_rule",
        "trees",
    }
    assert names == [name for name in METHODS if name not in of_other_series]


def test_forecasts_are_finite_float32_of_each_part(
    panel: WindowedPanel, simple: dict[str, Forecasts]
) -> None:
    for found in simple.values():
        assert (found.test.shape, found.future.shape) == ((len(panel.index("test")), 3), (2, 3))
        for forecasts in (found.test, found.future):
            assert (forecasts.dtype, np.isfinite(forecasts).all()) == (np.float32, True)


def test_batch_size_changes_no_forecast(
    panel: WindowedPanel,
    linear: LinearModels,
    simple: dict[str, Forecasts],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(method, "BATCH_SIZE", 7)
    for name, found in forecast_simple_methods(FittingData(panel, linear)).items():
        np.testing.assert_allclose(found.test, simple[name].test, rtol=1e-5, atol=1e-6)


def test_forecasts_do_not_change_the_panel(panel: WindowedPanel, linear: LinearModels) -> None:
    before = panel.values.copy()
    forecast_simple_methods(FittingData(panel, linear))
    np.testing.assert_array_equal(panel.values, before)


def test_single_window_is_forecast(prepare: Prepare, make_values: MakeValues) -> None:
    panel = prepare(
        make_values(120), WindowSpec(lookback=15, horizon=3), SplitSpec(validation=25, test=3)
    ).windows
    found = forecast_simple_methods(prepare_fitting(panel))["ridge"]
    assert (found.test.shape, found.future.shape) == ((1, 3), (1, 3))


def measure(name: str, recipe: Recipe) -> dict:
    """MSE and MAE of a baseline, mean over series."""
    panel = prepare_panel(read_source(recipe.source), recipe)
    data = prepare_fitting(panel.windows)
    forecasts = forecast_methods(panel.windows, data.linear, {name: METHODS[name].fit(data)})
    predictions = tabulate_forecasts(panel.windows, panel.features, panel.scaler, forecasts, "test")
    by_series = measure_by_series(
        predictions, panel.series, panel.cutoffs, panel.profile["season_length"]
    )
    return by_series[["mse", "mae"]].mean().to_dict()


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
def test_melbourne_has_the_known_error(
    real_data: Path, forecaster: str, calendar: CalendarSpec, mse: float
) -> None:
    path = str(real_data / "series" / "daily-min-temperatures.csv")
    source = SourceSpec(path=path, time="Date", target="Temp")
    split = SplitSpec(validation=365, test=365)
    window = WindowSpec(lookback=7, horizon=1)
    found = measure(
        forecaster, Recipe(source=source, split=split, window=window, calendar=calendar)
    )
    assert found["mse"] == pytest.approx(mse, rel=0.01 if forecaster == "ridge" else 1e-3)


@pytest.mark.real_data
def test_seasonal_naive_of_tourism_has_the_published_error(real_data: Path) -> None:
    """The Monash protocol: mean over series of the MAE of the last 24 months."""
    path = str(real_data / "series" / "tourism_monthly_long.csv")
    source = SourceSpec(path=path, time="month", target="value", id="series")
    split = SplitSpec(validation=24, test=24)
    window = WindowSpec(lookback=12, horizon=24)
    recipe = Recipe(
        source=source, split=split, window=window, evaluation=EvaluationSpec(origins="last")
    )
    assert measure("seasonal_naive", recipe)["mae"] == pytest.approx(1980, abs=1)
