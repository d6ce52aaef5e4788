"""Exponential smoothing: each recursion beside a second computation, one value after another."""

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.local.exponential_smoothing import (
    LEVELS,
    TRENDS,
    extend_by_damped_trend,
    extend_by_holt_winters,
    extend_by_level,
)
from rnn_pipelines.forecast.methods.local.method import LocalForecast

PATTERN = np.array([0.5, 1.5, 1.2, 0.8])
EVERY = [extend_by_level, extend_by_damped_trend, extend_by_holt_winters]


def make_walk(size: int, seed: int = 0) -> np.ndarray:
    return 50 + np.random.default_rng(seed).normal(size=size).cumsum()


def smooth_alone(values: np.ndarray, grid: np.ndarray, num_first: int, horizon: int) -> np.ndarray:
    candidates = []
    for alpha, beta, damping, _ in grid:
        level = values[:num_first].mean()
        trend = 0.0
        loss = 0.0
        for value in values:
            error = value - (level + damping * trend)
            loss += error**2
            level = level + damping * trend + alpha * error
            trend = damping * trend + alpha * beta * error
        ahead = [
            level + trend * sum(damping**step for step in range(1, last + 2))
            for last in range(horizon)
        ]
        candidates.append((loss, ahead))
    return np.array(min(candidates)[1])


@pytest.mark.parametrize("size", [2, 9, 60])
def test_level_is_a_recursion_by_single_values(size: int) -> None:
    values = make_walk(size)
    np.testing.assert_allclose(
        extend_by_level(values[None], 1, 5)[0], smooth_alone(values, LEVELS, 10, 5), rtol=1e-9
    )


@pytest.mark.parametrize("size", [2, 9, 60])
def test_damped_trend_is_a_recursion_by_single_values(size: int) -> None:
    values = make_walk(size, 1) + np.arange(size)
    ahead = extend_by_damped_trend(values[None], 1, 5)[0]
    np.testing.assert_allclose(ahead, smooth_alone(values, TRENDS, 4, 5), rtol=1e-9)


def test_trends_flatten() -> None:
    steps = np.diff(extend_by_damped_trend(3.0 * np.arange(50)[None], 1, 8)[0])
    assert steps[0] > 2
    assert (np.diff(steps) < 0).all()


def test_seasons_that_change_are_followed() -> None:
    # The newest seasons are wider than the first ones, which a fixed season averages.
    wide = np.concatenate([np.resize(PATTERN - 1, 40), 3 * np.resize(PATTERN - 1, 40)])
    expected = 3 * (PATTERN - 1)
    moving, fixed = (
        extend(wide[None], 4, 4)[0] for extend in (extend_by_holt_winters, extend_by_level)
    )
    assert np.abs(moving - expected).mean() < 0.3 * np.abs(fixed - expected).mean()


def test_seasons_of_factors_are_followed() -> None:
    values = np.exp(0.01 * np.arange(84)) * 100 * np.resize(PATTERN, 84)
    ahead = extend_by_holt_winters(values[None, :80], 4, 4)[0]
    np.testing.assert_allclose(ahead, values[80:], rtol=0.05)


def test_forecasts_stay_below_twice_the_largest_value() -> None:
    values = np.array([1.0, 2, 3, 4] * 3 + [900.0, 1500, 2000, 9000])
    ahead = extend_by_holt_winters(values[None], 4, 40)[0]
    assert ahead.max() <= 2 * 9000


@pytest.mark.parametrize("extend", EVERY)
def test_forecasts_do_not_depend_on_the_other_series(extend: LocalForecast) -> None:
    past = np.full((2, 40), np.nan)
    past[0], past[1, 20:] = make_walk(40, 1), make_walk(20, 2)
    np.testing.assert_allclose(extend(past, 4, 5)[1], extend(past[1:, 20:], 4, 5)[0])


@pytest.mark.parametrize("extend", EVERY)
def test_forecasts_continue_a_constant(extend: LocalForecast) -> None:
    np.testing.assert_allclose(extend(np.full((1, 30), 7.0), 4, 6), 7.0)


@pytest.mark.parametrize("extend", EVERY)
@pytest.mark.parametrize("size", [1, 2, 3, 7, 8, 9])
def test_few_values_have_finite_forecasts(extend: LocalForecast, size: int) -> None:
    past = np.full((1, 12), np.nan)
    past[0, 12 - size :] = make_walk(size)
    ahead = extend(past, 4, 6)
    assert np.isfinite(ahead).all()
    if size == 1:
        np.testing.assert_allclose(ahead, past[0, -1])
