"""The theta method: its equations, its season, and that it sees nothing but the past of its own series."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.theta import MAX_PAST, extend, forecast_theta, gather_past
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.windows import WindowSpec

Prepare = Callable[..., SimpleNamespace]
PATTERN = np.array([0.5, 1.5, 1.2, 0.8])
SEASON = len(PATTERN)


def make_walk(size: int, seed: int = 0) -> np.ndarray:
    return 20 + np.random.default_rng(seed).normal(size=size).cumsum()


def smooth_alone(values: np.ndarray, horizon: int) -> np.ndarray:
    """The method without a season, one value after another: a second computation."""
    slope = float(np.polyfit(np.arange(len(values)), values, 1)[0])
    candidates = []
    for alpha in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99):
        level, loss = values[0], 0.0
        for seen, value in enumerate(values[1:], start=1):
            loss += (value - level - slope / 2 * (1 - (1 - alpha) ** seen) / alpha) ** 2
            level += alpha * (value - level)
        ahead = [level + slope / 2 * (step + (1 - (1 - alpha) ** len(values)) / alpha) for step in range(horizon)]
        candidates.append((loss, ahead))
    return np.array(min(candidates)[1])


# Equations


@pytest.mark.parametrize("size", [2, 9, 60])
def test_forecasts_are_those_of_smoothing_with_half_the_slope_as_drift(size: int) -> None:
    values = make_walk(size)
    np.testing.assert_allclose(extend(values[None], 1, 5)[0], smooth_alone(values, 5), rtol=1e-9)


def test_a_line_goes_on_with_half_of_its_slope() -> None:
    ahead = extend(np.arange(50.0)[None] * 3, 1, 6)
    np.testing.assert_allclose(np.diff(ahead[0]), 1.5)


def test_one_value_is_repeated() -> None:
    np.testing.assert_array_equal(extend(np.array([[np.nan, 7.0]]), 12, 3), [[7, 7, 7]])


def test_who_stands_beside_a_series_does_not_matter() -> None:
    past = np.full((2, 40), np.nan)
    past[0], past[1, 23:] = make_walk(40, 1), make_walk(17, 2)
    np.testing.assert_allclose(extend(past, SEASON, 5)[1], extend(past[1:, 23:], SEASON, 5)[0])


# Season


@pytest.mark.parametrize("size", [4 * SEASON, 4 * SEASON + 3])
def test_a_season_of_positive_values_is_repeated_as_factors(size: int) -> None:
    """Where the level is higher, the season is wider."""
    rising = np.exp(0.02 * np.arange(size + SEASON)) * np.resize(PATTERN, size + SEASON)
    ahead = extend(rising[None, :size], SEASON, SEASON)[0]
    np.testing.assert_allclose(ahead / rising[size:], np.ones(SEASON), rtol=0.15)


@pytest.mark.parametrize("season_length", [SEASON, 3])
def test_a_season_around_zero_is_repeated_as_differences(season_length: int) -> None:
    shape = PATTERN[:season_length] - PATTERN[:season_length].mean()
    ahead = extend(np.resize(shape, 10 * season_length)[None], season_length, 2 * season_length)
    np.testing.assert_allclose(ahead[0], np.resize(shape, 2 * season_length), atol=1e-9)


def test_noise_has_no_season() -> None:
    """With one, steps ahead would differ by more than the slope."""
    noise = 10 + np.random.default_rng(3).normal(size=60)
    steps = np.diff(extend(noise[None], SEASON, 2 * SEASON)[0])
    np.testing.assert_allclose(steps, steps[0])


def test_a_season_without_its_second_turn_is_none() -> None:
    ahead = extend(np.resize(PATTERN, 2 * SEASON - 1)[None], SEASON, SEASON)[0]
    np.testing.assert_allclose(np.diff(ahead, 2), 0, atol=1e-9)


# What it sees


@pytest.fixture(name="panel")
def make_panel(prepare: Prepare) -> SimpleNamespace:
    values = {"a": make_walk(80).tolist(), "b": make_walk(60, 1).tolist()}
    return prepare(values, WindowSpec(lookback=8, horizon=3), SplitSpec(validation=10, test=10)).windows


def test_a_forecast_sees_nothing_after_its_origin_and_nothing_of_another_series(panel: SimpleNamespace) -> None:
    start = int(panel.series_starts[1])
    origin = start + 30
    other = panel.values.copy()
    other[origin:, 0], other[:start, 0] = 99, -99
    before, after = (
        forecast_theta(replace(panel, values=values), np.array([origin])) for values in (panel.values, other)
    )
    np.testing.assert_array_equal(before, after)


def test_a_forecast_sees_more_than_its_window(panel: SimpleNamespace) -> None:
    origin = np.array([40])
    changed = panel.values.copy()
    changed[: 40 - panel.lookback, 0] -= 5
    assert (forecast_theta(replace(panel, values=changed), origin) != forecast_theta(panel, origin)).all()


def test_what_lies_before_a_gap_is_not_read(panel: SimpleNamespace) -> None:
    values = panel.values.copy()
    values[20, 0] = np.nan
    past = gather_past(replace(panel, values=values), np.array([40]))
    np.testing.assert_array_equal(np.isnan(past[0]), np.arange(40) <= 20)


def test_no_more_than_so_many_values_are_read(prepare: Prepare) -> None:
    panel = prepare(make_walk(MAX_PAST + 100).tolist()).windows
    assert gather_past(panel, np.array([MAX_PAST + 50])).shape == (1, MAX_PAST)


def test_no_origins_have_no_forecasts(panel: SimpleNamespace) -> None:
    assert forecast_theta(panel, np.array([], int)).shape == (0, panel.horizon)


def test_factors_are_those_of_the_data_and_not_of_the_scaled_values(prepare: Prepare) -> None:
    """Scaled values are negative half of the time; the season is one of factors all the same."""
    values = 100 * np.exp(0.01 * np.arange(80)) * np.resize(PATTERN, 80)
    found = prepare(values.tolist(), WindowSpec(lookback=8, horizon=SEASON), freq="QS")
    ahead = forecast_theta(found.windows, np.array([70]))[0]
    unscaled = ahead * found.scaler["deviation"].iloc[0] + found.scaler["mean"].iloc[0]
    np.testing.assert_allclose(unscaled, extend(values[None, :70], SEASON, SEASON)[0], rtol=1e-4)
