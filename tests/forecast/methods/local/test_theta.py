"""The theta method and its equations."""

import numpy as np
import pytest

from rnn_pipelines.forecast.methods.local.theta import extend_by_theta


def make_walk(size: int, seed: int = 0) -> np.ndarray:
    return 20 + np.random.default_rng(seed).normal(size=size).cumsum()


def smooth_alone(values: np.ndarray, horizon: int) -> np.ndarray:
    """The method without a season, one value after another: a second computation."""
    slope = float(np.polyfit(np.arange(len(values)), values, 1)[0])
    candidates = []
    for alpha in (0.05, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.99):
        level = values[0]
        loss = 0.0
        for seen, value in enumerate(values[1:], start=1):
            loss += (value - level - slope / 2 * (1 - (1 - alpha) ** seen) / alpha) ** 2
            level += alpha * (value - level)
        ahead = [
            level + slope / 2 * (step + (1 - (1 - alpha) ** len(values)) / alpha)
            for step in range(horizon)
        ]
        candidates.append((loss, ahead))
    return np.array(min(candidates)[1])


@pytest.mark.parametrize("size", [2, 9, 60])
def test_forecasts_are_those_of_smoothing_with_half_the_slope_as_drift(size: int) -> None:
    values = make_walk(size)
    np.testing.assert_allclose(
        extend_by_theta(values[None], 1, 5)[0], smooth_alone(values, 5), rtol=1e-9
    )


def test_a_line_goes_on_with_half_of_its_slope() -> None:
    ahead = extend_by_theta(np.arange(50.0)[None] * 3, 1, 6)
    np.testing.assert_allclose(np.diff(ahead[0]), 1.5)


def test_one_value_is_repeated() -> None:
    np.testing.assert_array_equal(extend_by_theta(np.array([[np.nan, 7.0]]), 12, 3), [[7, 7, 7]])


def test_forecasts_do_not_depend_on_the_other_series() -> None:
    past = np.full((2, 40), np.nan)
    past[0], past[1, 23:] = make_walk(40, 1), make_walk(17, 2)
    np.testing.assert_allclose(
        extend_by_theta(past, 4, 5)[1], extend_by_theta(past[1:, 23:], 4, 5)[0]
    )
