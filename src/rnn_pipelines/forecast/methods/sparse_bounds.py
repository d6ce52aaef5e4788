"""Bounds of series with many zeros: quantiles of their newest values and of the panel's shape; see decision 30."""

import numpy as np

from rnn_pipelines.forecast.methods.past import find_past
from rnn_pipelines.forecast.series.windows import WindowedPanel, number_series

# A series with this share of zeros is sparse. Its newest values are two windows, or so many if that is more.
MIN_ZERO_SHARE, MIN_NEWEST = 0.3, 100
# The numbers of values in the panel's shape, and of values with which the training's mean counts.
NUM_SHAPE, PRIOR_VALUES = 30, 20
# Distance from the scaled 0 within which a value is 0; and from a whole number, in the unit of the series.
SMALLEST_VALUE, ROUNDING = 1e-6, 1e-3


def fit_shape(panel: WindowedPanel) -> np.ndarray:
    """Return quantiles of the values of sparse series over their means, float64[NUM_SHAPE]; empty if there are none."""
    past, found = find_past(panel), [np.zeros(0)]
    for number, (start, stop) in enumerate(zip(panel.series_starts, panel.series_stops, strict=True)):
        values = panel.values[start:stop, 0][past[start:stop]].astype(np.float64) - panel.zeros[number]
        values = values[~np.isnan(values)]
        if len(values) and _is_sparse(values[None])[0] and values.mean() > 0:
            found.append(values / values.mean())
    ratios = np.concatenate(found)
    if not len(ratios):
        return ratios
    return np.quantile(ratios, (np.arange(NUM_SHAPE) + 0.5) / NUM_SHAPE, method="lower")


def _is_sparse(values: np.ndarray) -> np.ndarray:
    """Return whether each row has many zeros; NaN are no values."""
    counts = np.maximum((~np.isnan(values)).sum(axis=1), 1)
    share: np.ndarray = (np.abs(values) < SMALLEST_VALUE).sum(axis=1) / counts
    return share >= MIN_ZERO_SHARE


def bound_sparse(
    shape: np.ndarray, panel: WindowedPanel, origins: np.ndarray, levels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the bounds of windows of sparse series, which are the same at all steps.

    Args:
        shape: of `fit_shape`.
        panel: the windows' series.
        origins: int64[window].
        levels: int64[level], in percent.
    Returns:
        float64[2, level, window], lower and upper, scaled; NaN for windows that are not sparse.
    """
    found = np.full((2, len(levels), len(origins)), np.nan)
    series = number_series(panel.series_starts, origins)
    zeros = panel.zeros[series].astype(np.float64)[:, None]
    rows = origins[:, None] - np.arange(max(2 * panel.lookback, MIN_NEWEST), 0, -1)
    is_own = rows >= panel.series_starts[series][:, None]
    newest = np.where(is_own, panel.values[np.maximum(rows, 0), 0], np.nan) - zeros
    own = np.flatnonzero(_is_sparse(newest)) if len(shape) else np.zeros(0, np.int64)
    newest, counts = newest[own], (~np.isnan(newest[own])).sum(axis=1)
    # The scaled zero is minus the training's mean.
    means = (np.nansum(newest, axis=1) + PRIOR_VALUES * -zeros[own, 0]) / (counts + PRIOR_VALUES)
    values = np.sort(np.concatenate([newest, shape * np.maximum(means, 0)[:, None]], axis=1), axis=1)
    num = counts + NUM_SHAPE
    for number, level in enumerate(levels.tolist()):
        low = np.maximum((num + 1) * (100 - level) // 200 - 1, 0)
        high = np.minimum(-(-(num + 1) * (100 + level) // 200) - 1, num - 1)
        for side, place in enumerate((low, high)):
            found[side, number, own] = np.take_along_axis(values, place[:, None], axis=1)[:, 0] + zeros[own, 0]
    return found[0], found[1]


def find_whole(panel: WindowedPanel, series: int, mean: np.ndarray, deviation: np.ndarray) -> bool:
    """Return whether all values of a series are whole numbers in its unit, up to the precision of float32."""
    values = panel.values[panel.series_starts[series] : panel.series_stops[series], 0] * deviation + mean
    return bool(np.nanmax(np.abs(values - np.round(values)), initial=0.0) < ROUNDING)


def round_bounds(lows: np.ndarray, highs: np.ndarray, is_whole: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Round bounds outwards, if all values of the series are whole numbers."""
    return (
        np.where(is_whole, np.floor(lows + ROUNDING), lows),
        np.where(is_whole, np.ceil(highs - ROUNDING), highs),
    )
