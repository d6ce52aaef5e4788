"""Bounds of series with many zeros: quantiles of their newest values and of the panel's shape; see decision 30.

Values of the panel's shape count like past values of the series; this and all constants are ours.
"""

import numpy as np

from rnn_pipelines.forecast.methods.past import find_zeros
from rnn_pipelines.forecast.windows.panel import WindowedPanel

# A series with this share of zeros is sparse. Its newest values are two windows, or so many if that is more.
MIN_ZERO_SHARE, MIN_NEWEST = 0.3, 100
# The numbers of values in the panel's shape, and of values with which the training's mean counts.
NUM_SHAPE, PRIOR_VALUES = 30, 20
# If a smaller part of the windows is not sparse, their errors show too little, and all are bounded as sparse ones.
MIN_DENSE_PART = 0.05
# Distance from the scaled 0 within which a value is 0; and from a whole number, in the unit of the series.
SMALLEST_VALUE, ROUNDING = 1e-6, 1e-3


def fit_shape(panel: WindowedPanel) -> np.ndarray:
    """Return quantiles of the values of sparse series over their means, float64[NUM_SHAPE]; empty if there are none."""
    found = [np.zeros(0)]
    for start, stop, zero in zip(panel.series_starts, panel.past_stops, panel.zeros, strict=True):
        values = panel.values[start:stop, 0].astype(np.float64) - zero
        values = values[~np.isnan(values)]
        is_zero = np.abs(values) < SMALLEST_VALUE
        if len(values) and is_zero.mean() >= MIN_ZERO_SHARE and values.min() >= 0 < values.mean():
            found.append(values / values.mean())
    if not len(ratios := np.concatenate(found)):
        return ratios
    return np.quantile(ratios, (np.arange(NUM_SHAPE) + 0.5) / NUM_SHAPE, method="lower")


def find_sparse(
    panel: WindowedPanel, origins: np.ndarray, min_share: float = MIN_ZERO_SHARE
) -> np.ndarray:
    """Return whether the newest values of each window have many zeros, and none is negative: bool[window]."""
    values = panel.values[:, 0] - find_zeros(panel)
    begins = np.maximum(origins - _count_newest(panel), panel.find_starts(origins))
    masks = np.abs(values) < SMALLEST_VALUE, values < -SMALLEST_VALUE, ~np.isnan(values)
    sums = np.cumsum(np.stack(masks, axis=1), axis=0, dtype=np.int64)
    sums = np.vstack([np.zeros((1, len(masks)), np.int64), sums])
    num_zeros, num_negative, num_known = (sums[origins] - sums[begins]).T
    return (num_zeros >= min_share * np.maximum(num_known, 1)) & (num_negative == 0)


def find_min_share(panel: WindowedPanel, origins: np.ndarray) -> float:
    """Return the share of zeros from which a window is sparse: 0 if nearly all windows of the past are sparse."""
    return 0.0 if find_sparse(panel, origins).mean() > 1 - MIN_DENSE_PART else MIN_ZERO_SHARE


def bound_sparse(
    shape: np.ndarray,
    panel: WindowedPanel,
    origins: np.ndarray,
    levels: np.ndarray,
    min_share: float = MIN_ZERO_SHARE,
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds of windows of sparse series, the same at all steps: float64[2, level, window], lower and upper.

    They are scaled, and NaN for windows that are not sparse. Levels are in percent.
    """
    found = np.full((2, len(levels), len(origins)), np.nan)
    own, newest, pseudo = _gather_pools(shape, panel, origins, min_share)
    values = np.sort(np.concatenate([newest, pseudo], axis=1), axis=1)
    num = (~np.isnan(newest)).sum(axis=1) + NUM_SHAPE
    zeros = panel.find_zeros(origins[own]).astype(np.float64)
    for number, level in enumerate(levels.tolist()):
        low = np.maximum((num + 1) * (100 - level) // 200 - 1, 0)
        high = np.minimum(-(-(num + 1) * (100 + level) // 200) - 1, num - 1)
        for side, place in enumerate((low, high)):
            found[side, number, own] = (
                np.take_along_axis(values, place[:, None], axis=1)[:, 0] + zeros
            )
    return found[0], found[1]


def _count_newest(panel: WindowedPanel) -> int:
    return max(2 * panel.lookback, MIN_NEWEST)


def _gather_pools(
    shape: np.ndarray, panel: WindowedPanel, origins: np.ndarray, min_share: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the places of windows of sparse series, int64[sparse], and their pools, scaled, less the scaled 0.

    The pools are newest values, float64[sparse, newest], NaN if missing, and values with the shape, float64[sparse,
    NUM_SHAPE].
    """
    own = (
        np.flatnonzero(find_sparse(panel, origins, min_share))
        if len(shape)
        else np.zeros(0, np.int64)
    )
    origins = origins[own]
    zeros = panel.find_zeros(origins)[:, None].astype(np.float64)
    rows = origins[:, None] - np.arange(_count_newest(panel), 0, -1)
    is_own = rows >= panel.find_starts(origins)[:, None]
    newest = np.where(is_own, panel.values[np.maximum(rows, 0), 0], np.nan) - zeros
    sums = np.nansum(newest, axis=1)
    counts = (~np.isnan(newest)).sum(axis=1)
    means = (sums + PRIOR_VALUES * -zeros[:, 0]) / (counts + PRIOR_VALUES)
    return own, newest, shape * np.maximum(means, 0)[:, None]


def draw_sparse(
    shape: np.ndarray,
    panel: WindowedPanel,
    origins: np.ndarray,
    size: tuple[int, int],
    random: np.random.Generator,
    min_share: float = MIN_ZERO_SHARE,
) -> tuple[np.ndarray, np.ndarray]:
    """Return paths of the windows of sparse series, whose steps have the distribution of `bound_sparse`.

    A path is a stretch of the newest values, so that it keeps the dependence between steps; after the last value
    follows the first. Each step is replaced by a value with the panel's shape with the probability of these in the
    bounds.

    Args:
        size: numbers of paths and steps.
    Returns:
        Places of the sparse windows, int64[sparse], and float64[sparse, path, step], scaled, less the scaled 0.
    Source: stretches that go round, the circular block bootstrap of Politis & Romano (1992), in LePage & Billard (eds),
        Exploring the Limits of Bootstrap, 263–270; paths of intermittent demand, Willemain, Smart & Schwarz (2004),
        International Journal of Forecasting 20, 375–387. The replaced values are ours.
    """
    own, newest, pseudo = _gather_pools(shape, panel, origins, min_share)
    paths = np.zeros((len(own), *size))
    for path, values, others in zip(paths, newest, pseudo, strict=True):
        past = values[~np.isnan(values)]
        starts = random.integers(0, len(past), (size[0], 1))
        is_replaced = random.random(size) < NUM_SHAPE / (len(past) + NUM_SHAPE)
        path[:] = np.where(
            is_replaced,
            random.choice(others, size),
            past[(starts + np.arange(size[1])) % len(past)],
        )
    return own, paths


def find_whole(panel: WindowedPanel, series: int, mean: np.ndarray, deviation: np.ndarray) -> bool:
    """Return whether all values of a series are whole numbers in its unit, up to the precision of float32.

    Values that are all near 0 are no counts, but have a large unit.
    """
    values = (
        panel.values[panel.series_starts[series] : panel.series_stops[series], 0] * deviation + mean
    )
    nearest = np.round(values)
    return bool(
        np.nanmax(np.abs(values - nearest), initial=0.0) < ROUNDING
        and np.nanmax(nearest, initial=0.0) > 0
    )


def round_randomly(values: np.ndarray, random: np.random.Generator) -> np.ndarray:
    """Round each value up or down to a whole number, so that the mean stays; float32 whole numbers stay themselves."""
    nearest = np.round(values)
    other = np.floor(values + random.random(values.shape))
    return np.where(np.abs(values - nearest) < ROUNDING, nearest, other)


def round_bounds(
    lows: np.ndarray, highs: np.ndarray, is_whole: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Round bounds outwards, if all values of the series are whole numbers."""
    # Plus 0, because a small number is rounded up to -0.
    whole_lows = np.floor(lows + ROUNDING)
    whole_highs = np.ceil(highs - ROUNDING) + 0.0
    return np.where(is_whole, whole_lows, lows), np.where(is_whole, whole_highs, highs)
