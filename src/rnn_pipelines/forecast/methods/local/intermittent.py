"""Local methods for sparse series: the mean, and Croston's method with the correction of Syntetos and Boylan.

    z ← z + α (x − z),   q ← q + α (interval − q),   at each value above 0;   x̂ = (1 − α / 2) z / q

z is the size of a demand, and q the number of steps between two.

Source: Croston (1972), doi:10.1057/jors.1972.50; Syntetos & Boylan (2005), doi:10.1016/j.ijforecast.2004.10.001,
    equation 4.
"""

import numpy as np

from rnn_pipelines.forecast.methods.method import FittingData

ALPHA = 0.1
# Shares of zeros in a panel from which methods for sparse series are candidates, and a forecast of 0 a baseline.
SOME_ZEROS = 0.1
MANY_ZEROS = 1 / 3
ZERO = "zero"
# A useful forecast is better than each of these constants.
CONSTANTS = (ZERO, "mean")


def has_zeros(data: FittingData) -> bool:
    """Return whether methods for sparse series are of use."""
    return data.zero_share > SOME_ZEROS


def extend_by_mean(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Repeat the mean of all values; see `LocalForecast`."""
    return np.repeat(np.nanmean(past, axis=1)[:, None], horizon, axis=1)


def extend_by_zero(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Forecast zeros; see `LocalForecast`."""
    return np.zeros((len(past), horizon))


def extend_by_croston(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Repeat the demand per step by Croston's method; see `LocalForecast`.

    It starts with the mean size and the mean interval.
    """
    is_there = ~np.isnan(past)
    values = np.nan_to_num(past)
    is_demand = values > 0
    counts = is_demand.sum(axis=1)
    size = values.sum(axis=1) / np.maximum(counts, 1)
    interval = np.maximum(is_there.sum(axis=1) / np.maximum(counts, 1), 1.0)
    waiting = np.ones(len(past))
    for step in range(past.shape[1]):
        own = is_demand[:, step]
        interval = np.where(own, interval + ALPHA * (waiting - interval), interval)
        size = np.where(own, size + ALPHA * (values[:, step] - size), size)
        waiting = np.where(own, 1.0, waiting + is_there[:, step])
    return np.repeat(((1 - ALPHA / 2) * size / interval)[:, None], horizon, axis=1)
