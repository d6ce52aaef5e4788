"""Methods for sparse series, beside a second computation."""

import numpy as np

from rnn_pipelines.forecast.methods.local.intermittent import (
    ALPHA,
    extend_by_croston,
    extend_by_mean,
    extend_by_zero,
)


def smooth_alone(values: list[float]) -> float:
    demands = [value for value in values if value > 0]
    size = sum(demands) / len(demands)
    interval = len(values) / len(demands)
    waiting = 1
    for value in values:
        if value > 0:
            size += ALPHA * (value - size)
            interval += ALPHA * (waiting - interval)
            waiting = 1
        else:
            waiting += 1
    return (1 - ALPHA / 2) * size / interval


def test_croston_is_that_of_single_values() -> None:
    values = [0.0, 0, 3, 0, 5, 0, 0, 0, 2, 1, 0]
    np.testing.assert_allclose(extend_by_croston(np.array([values]), 1, 3)[0], smooth_alone(values))


def test_missing_values_before_a_series_change_no_forecast_of_croston() -> None:
    past = np.array([[np.nan, np.nan, 0, 3, 0, 4]])
    np.testing.assert_allclose(extend_by_croston(past, 1, 2), extend_by_croston(past[:, 2:], 1, 2))


def test_croston_of_zeros_is_zero() -> None:
    assert not extend_by_croston(np.zeros((1, 9)), 1, 3).any()


def test_mean_is_that_of_known_values() -> None:
    np.testing.assert_allclose(extend_by_mean(np.array([[np.nan, 1, 3]]), 1, 2), [[2, 2]])


def test_zero_is_always_zero() -> None:
    assert not extend_by_zero(np.ones((2, 3)), 1, 4).any()
