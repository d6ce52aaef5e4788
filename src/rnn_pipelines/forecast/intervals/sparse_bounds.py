"""Bounds of series with many zeros: quantiles of their newest values and of the panel's shape; see decision 30.

Values of the panel's shape count like past values of the series; this and all constants are ours.
"""

from collections.abc import Sequence
from dataclasses import dataclass

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


@dataclass(frozen=True)
class SparseShape:
    """The values of sparse series of a panel.

    Attributes:
        shape: float64[NUM_SHAPE], quantiles of the values over the mean of their series; empty if no series is sparse.
        min_share: share of zeros from which a window is sparse.
    """

    shape: np.ndarray
    min_share: float = MIN_ZERO_SHARE


NO_SPARSE_SERIES = SparseShape(np.zeros(0))


def fit_shape(panel: WindowedPanel) -> np.ndarray:
    """Return quantiles of the values of sparse series over their means, float64[NUM_SHAPE]; empty if there are none."""
    by_series = [np.zeros(0)]
    for start, stop, zero in zip(panel.series_starts, panel.past_stops, panel.zeros, strict=True):
        values = panel.values[start:stop, 0].astype(np.float64) - zero
        values = values[~np.isnan(values)]
        is_zero = np.abs(values) < SMALLEST_VALUE
        if len(values) and is_zero.mean() >= MIN_ZERO_SHARE and values.min() >= 0 < values.mean():
            by_series.append(values / values.mean())
    ratios = np.concatenate(by_series)
    if not len(ratios):
        return ratios
    return np.quantile(ratios, (np.arange(NUM_SHAPE) + 0.5) / NUM_SHAPE, method="lower")


def find_sparse(
    panel: WindowedPanel, origins: np.ndarray, min_share: float = MIN_ZERO_SHARE
) -> np.ndarray:
    """Return whether the newest values of each window have many zeros, and none is negative: bool[window]."""
    values = panel.values[:, 0] - find_zeros(panel)
    begins = np.maximum(origins - _count_newest(panel), panel.find_starts(origins))
    is_zero = np.abs(values) < SMALLEST_VALUE
    is_negative = values < -SMALLEST_VALUE
    masks = np.stack([is_zero, is_negative, ~np.isnan(values)], axis=1)
    sums = np.vstack([np.zeros((1, 3), np.int64), np.cumsum(masks, axis=0, dtype=np.int64)])
    num_zeros, num_negative, num_known = (sums[origins] - sums[begins]).T
    return (num_zeros >= min_share * np.maximum(num_known, 1)) & (num_negative == 0)


def find_min_share(panel: WindowedPanel, origins: np.ndarray) -> float:
    """Return the share of zeros from which a window is sparse: 0 if nearly all windows of the past are sparse."""
    return 0.0 if find_sparse(panel, origins).mean() > 1 - MIN_DENSE_PART else MIN_ZERO_SHARE


def bound_sparse(
    sparse: SparseShape, panel: WindowedPanel, origins: np.ndarray, levels: np.ndarray
) -> np.ndarray:
    """Return bounds of windows of sparse series, the same at all steps: float64[side, level, window], lower first.

    They are scaled, and NaN for windows that are not sparse. Levels are in percent.
    """
    bounds = np.full((2, len(levels), len(origins)), np.nan)
    places, newest, shaped = _gather_pools(sparse, panel, origins)
    values = np.sort(np.concatenate([newest, shaped], axis=1), axis=1)
    num = (~np.isnan(newest)).sum(axis=1) + NUM_SHAPE
    zeros = panel.find_zeros(origins[places]).astype(np.float64)
    for number, level in enumerate(levels.tolist()):
        low = np.maximum((num + 1) * (100 - level) // 200 - 1, 0)
        high = np.minimum(-(-(num + 1) * (100 + level) // 200) - 1, num - 1)
        ranks = np.stack([low, high], axis=1)
        bounds[:, number, places] = np.take_along_axis(values, ranks, axis=1).T + zeros
    return bounds


def _count_newest(panel: WindowedPanel) -> int:
    return max(2 * panel.lookback, MIN_NEWEST)


def _gather_pools(
    sparse: SparseShape, panel: WindowedPanel, origins: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the places of windows of sparse series, int64[sparse], and their pools, scaled, less the scaled 0.

    The pools are newest values, float64[sparse, newest], NaN if missing, and values with the shape, float64[sparse,
    NUM_SHAPE].
    """
    places = np.zeros(0, np.int64)
    if len(sparse.shape):
        places = np.flatnonzero(find_sparse(panel, origins, sparse.min_share))
    origins = origins[places]
    zeros = panel.find_zeros(origins)[:, None].astype(np.float64)
    rows = origins[:, None] - np.arange(_count_newest(panel), 0, -1)
    is_in_series = rows >= panel.find_starts(origins)[:, None]
    newest = np.where(is_in_series, panel.values[np.maximum(rows, 0), 0], np.nan) - zeros
    sums = np.nansum(newest, axis=1)
    counts = (~np.isnan(newest)).sum(axis=1)
    means = (sums + PRIOR_VALUES * -zeros[:, 0]) / (counts + PRIOR_VALUES)
    return places, newest, sparse.shape * np.maximum(means, 0)[:, None]


def draw_sparse(
    sparse: SparseShape,
    panel: WindowedPanel,
    origins: np.ndarray,
    size: tuple[int, int],
    randoms: Sequence[np.random.Generator],
) -> tuple[np.ndarray, np.ndarray]:
    """Return paths of the windows of sparse series, whose steps have the distribution of `bound_sparse`.

    A path is a stretch of the newest values, so that it keeps the dependence between steps; after the last value
    follows the first. Each step is replaced by a value with the panel's shape with the probability of these in the
    bounds.

    Args:
        size: numbers of paths and steps.
        randoms: random numbers of each window.
    Returns:
        Places of the sparse windows, int64[sparse], and float64[sparse, path, step], scaled, less the scaled 0.
    Source: stretches that go round, the circular block bootstrap of Politis & Romano (1992), in LePage & Billard (eds),
        Exploring the Limits of Bootstrap, 263–270; paths of intermittent demand, Willemain, Smart & Schwarz (2004),
        International Journal of Forecasting 20, 375–387. The replaced values are ours.
    """
    places, newest, shaped = _gather_pools(sparse, panel, origins)
    paths = np.zeros((len(places), *size))
    for path, place, of_series, of_shape in zip(paths, places, newest, shaped, strict=True):
        random = randoms[place]
        past = of_series[~np.isnan(of_series)]
        starts = random.integers(0, len(past), (size[0], 1))
        is_replaced = random.random(size) < NUM_SHAPE / (len(past) + NUM_SHAPE)
        replacements = random.choice(of_shape, size)
        stretches = past[(starts + np.arange(size[1])) % len(past)]
        path[:] = np.where(is_replaced, replacements, stretches)
    return places, paths


def find_whole(panel: WindowedPanel, series: int, mean: float, deviation: float) -> bool:
    """Return whether all values of a series are whole numbers in its unit, up to the precision of float32.

    Values that are all near 0 are no counts, but have a large unit.
    """
    scaled = panel.values[panel.series_starts[series] : panel.series_stops[series], 0]
    values = scaled * deviation + mean
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
