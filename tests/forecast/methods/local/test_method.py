"""Local methods read nothing but the past of their own series, in the unit of the data."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.local.method import MAX_PAST, forecast_locally, gather_past
from rnn_pipelines.forecast.methods.local.theta import extend_by_theta
from rnn_pipelines.forecast.windows.panel import WindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec

Prepare = Callable[..., SimpleNamespace]
PATTERN = np.array([0.5, 1.5, 1.2, 0.8])
SEASON = len(PATTERN)


def make_walk(size: int, seed: int = 0) -> np.ndarray:
    return 20 + np.random.default_rng(seed).normal(size=size).cumsum()


def forecast(panel: SimpleNamespace, origins: np.ndarray) -> np.ndarray:
    return forecast_locally(panel, origins, extend_by_theta)


@pytest.fixture(name="panel")
def make_panel(prepare: Prepare) -> SimpleNamespace:
    values = {"a": make_walk(80).tolist(), "b": make_walk(60, 1).tolist()}
    return prepare(
        values, WindowSpec(lookback=8, horizon=3), SplitSpec(validation=10, test=10)
    ).windows


def test_a_forecast_sees_the_values_from_the_gap_to_its_origin(panel: SimpleNamespace) -> None:
    start = int(panel.series_starts[1])
    origin = start + 30
    other = panel.values.copy()
    other[origin:, 0], other[:start, 0] = 99, -99
    before, after = (
        forecast(replace(panel, values=values), np.array([origin]))
        for values in (panel.values, other)
    )
    np.testing.assert_array_equal(before, after)
    late = np.array([40])
    changed = panel.values.copy()
    changed[: 40 - panel.lookback, 0] -= 5
    assert (forecast(replace(panel, values=changed), late) != forecast(panel, late)).all()
    values = panel.values.copy()
    values[20, 0] = np.nan
    past = gather_past(replace(panel, values=values), np.array([40]))
    np.testing.assert_array_equal(np.isnan(past[0]), np.arange(40) <= 20)
    assert forecast(panel, np.array([], int)).shape == (0, panel.horizon)


def test_values_read_are_bounded_in_number(prepare: Prepare) -> None:
    panel = prepare(make_walk(MAX_PAST + 100).tolist()).windows
    assert gather_past(panel, np.array([MAX_PAST + 50])).shape == (1, MAX_PAST)


def test_values_read_are_in_the_unit_of_the_data(prepare: Prepare) -> None:
    """Scaled values are negative half of the time; the season is one of factors all the same."""
    values = 100 * np.exp(0.01 * np.arange(80)) * np.resize(PATTERN, 80)
    found = prepare(values.tolist(), WindowSpec(lookback=8, horizon=SEASON), freq="QS")
    ahead = forecast(found.windows, np.array([70]))[0]
    unscaled = ahead * found.scaler["deviation"].iloc[0] + found.scaler["mean"].iloc[0]
    np.testing.assert_allclose(
        unscaled, extend_by_theta(values[None, :70], SEASON, SEASON)[0], rtol=1e-4
    )
