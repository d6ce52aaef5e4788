"""A new way to make widths, as the page on extensions describes it."""

from collections.abc import Callable, Mapping
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.forecast.intervals import fitting
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import Intervals, fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.intervals.quantiles import find_growth, find_ranks
from rnn_pipelines.forecast.intervals.ways import (
    NUM_SAMPLES,
    MethodErrors,
    SizeModel,
    Way,
    make_samples,
)
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts, measure_windows
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, find_errors
from rnn_pipelines.forecast.methods.predictions import tabulate_forecasts
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.windows.panel import WindowSpec

METHOD = "last_value"


class LevelSizes(SizeModel):
    """Errors in proportion to the distance of the forecast from 0."""

    rule = "level"

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        return np.abs(forecasts - windows.zero)


def measure_level_errors(
    data: FittingData, fitted: Mapping[str, FittedMethod], levels: np.ndarray
) -> dict[str, MethodErrors]:
    windows = measure_windows(data.panel, data.validation)
    sizes = LevelSizes(np.zeros(1))
    by_method = {}
    for name, errors in find_errors(data, fitted).items():
        over_size = errors / sizes.expect(windows, fitted[name].out_of_fold)
        lows, highs = find_ranks(over_size, levels)
        samples = make_samples(np.resize(over_size, (NUM_SAMPLES, data.panel.horizon)), np.inf)
        growth = find_growth(np.abs(over_size).mean(axis=0))
        by_method[name] = MethodErrors(sizes, lows, highs, samples, growth)
    return by_method


@pytest.fixture
def prepared(
    monkeypatch: pytest.MonkeyPatch, prepare: Callable[..., SimpleNamespace]
) -> SimpleNamespace:
    """Windows of a series whose noise grows with its level, with the new way in the list."""
    way = Way(LevelSizes, lambda data: True, measure_level_errors)
    monkeypatch.setattr(fitting, "WAYS", (way, *fitting.WAYS))
    monkeypatch.setitem(fitting.SIZES, LevelSizes.rule, LevelSizes)
    level = 20 + 15 * np.sin(2 * np.pi * np.arange(300) / 60)
    values = level * (1 + 0.1 * np.random.default_rng(0).normal(size=300))
    return prepare(values.tolist(), WindowSpec(lookback=14, horizon=3))


def bound_test(prepared: SimpleNamespace, intervals: Intervals) -> np.ndarray:
    """The widths of the test windows over the forecast."""
    panel = prepared.windows
    data = FittingData(panel, fit_linear_models(panel))
    forecasts = forecast_methods(panel, data.linear, fit_method(data))
    points = tabulate_forecasts(panel, prepared.features, prepared.scaler, forecasts, "test")
    table = add_intervals(points, intervals, panel, prepared.scaler, "test").table
    width = table[f"{METHOD}-hi-80"] - table[f"{METHOD}-lo-80"]
    return (width / table[METHOD].abs())[table["horizon_step"] == 1].to_numpy()


def fit_method(data: FittingData) -> dict[str, FittedMethod]:
    method = METHODS[METHOD].fit(data)
    assert method is not None
    return {METHOD: method}


def fit(prepared: SimpleNamespace) -> Intervals:
    data = FittingData(prepared.windows, fit_linear_models(prepared.windows))
    return fit_intervals(data, fit_method(data), LevelSpec((80,)))


def test_first_way_that_applies_makes_the_widths(prepared: SimpleNamespace) -> None:
    shares = bound_test(prepared, fit(prepared))
    np.testing.assert_allclose(shares, shares[0], rtol=1e-3)


def test_widths_of_a_new_way_are_saved(prepared: SimpleNamespace) -> None:
    intervals = fit(prepared)
    saved = Intervals.from_arrays(intervals.to_arrays())
    np.testing.assert_array_equal(bound_test(prepared, saved), bound_test(prepared, intervals))
