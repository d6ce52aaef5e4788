"""The last step of all ways of making bounds: they enclose the forecast, differ by level, and stay near known values.

How far a bound may be from its forecast follows from the known values of the series: their range, and their largest
change from one step to the next. The factors and all constants are ours.
"""

from dataclasses import dataclass

import numpy as np

from rnn_pipelines.forecast.windows.panel import WindowedPanel

# No bound is further from all known values than so many ranges of these, and no bound of one step ahead further from
# its forecast than so many of their largest changes.
MAX_RANGES, MAX_CHANGES = 5.0, 4.0
# A bound is at least this part of the mean change away from its forecast.
MIN_CHANGE_PART = 1e-6
# The range of fewer values than these, or of equal ones, includes 0, because they may be close to each other by chance.
MIN_VALUES = 5


@dataclass(frozen=True)
class KnownValues:
    """The values of each window's series before its origin, scaled: float64[window, 1] each.

    Attributes:
        number: of values.
        lowest, highest: the smallest and the largest value.
        change: mean absolute change from step to step, of the steps with a change.
        largest_change: the largest one.
        is_constant: bool[window, 1], whether all values are equal.
    """

    number: np.ndarray
    lowest: np.ndarray
    highest: np.ndarray
    change: np.ndarray
    largest_change: np.ndarray
    is_constant: np.ndarray

    def measure_reach(
        self, forecasts: np.ndarray, first_step: int, horizon: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return the largest distances of the lower and the upper bound from the forecasts: float64[window, step] each.

        Beyond the horizon they grow with the step, if that exceeds the number of values. They are not above 0 if a
        forecast is further from all known values than its bounds may be, or if all known values are 0.
        """
        steps = first_step + np.arange(forecasts.shape[1])
        growth = np.maximum(1.0, steps / np.maximum(self.number, horizon))
        most = MAX_RANGES * (self.highest - self.lowest) * growth
        by_change = MAX_CHANGES * self.largest_change * steps
        below = np.minimum(by_change, forecasts - self.lowest + most)
        above = np.minimum(by_change, self.highest - forecasts + most)
        return below, above


def measure_known(panel: WindowedPanel, origins: np.ndarray) -> KnownValues:
    """Measure the known values of each window."""
    measures = np.zeros((5, len(origins)))
    series = panel.find_series(origins)
    order = np.argsort(series, kind="stable")
    for rows in np.split(order, np.flatnonzero(np.diff(series[order])) + 1):
        if len(rows):
            start = panel.series_starts[series[rows[0]]]
            values = panel.values[start : origins[rows].max(), 0]
            measures[:, rows] = _measure_series(values, origins[rows] - start)
    number, lowest, highest, change, largest_change = measures[:, :, None]
    zeros = panel.find_zeros(origins).astype(np.float64)[:, None]
    is_constant = ~(lowest < highest)
    has_zero = (number < MIN_VALUES) | is_constant
    lowest = np.where(has_zero, np.fmin(lowest, zeros), lowest)
    highest = np.where(has_zero, np.fmax(highest, zeros), highest)
    change = np.where(has_zero, highest - lowest, change)
    largest_change = np.where(has_zero, highest - lowest, largest_change)
    return KnownValues(number, lowest, highest, change, largest_change, is_constant)


def _measure_series(values: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the first five fields of `KnownValues` before some places of one series: float64[field, place]."""
    values = values.astype(np.float64)
    changes = np.abs(np.diff(values, prepend=values[:1]))
    is_change = changes > 0
    sums = np.cumsum(np.where(is_change, changes, 0.0))
    by_row = [
        np.cumsum(~np.isnan(values)),
        np.fmin.accumulate(values),
        np.fmax.accumulate(values),
        sums / np.maximum(1, np.cumsum(is_change)),
        np.fmax.accumulate(changes),
    ]
    return np.stack(by_row)[:, places - 1]


def finish_bounds(
    forecasts: np.ndarray,
    lows: np.ndarray,
    highs: np.ndarray,
    levels: np.ndarray,
    known: KnownValues,
    reach: tuple[np.ndarray, np.ndarray],
) -> tuple[np.ndarray, np.ndarray]:
    """Return bounds around the forecasts that widen with the level and are within reach: float64[level, window, step].

    Their distances from the forecast are at least in proportion to the level. Bounds without a reach are NaN, and those
    of constant values without errors.

    Args:
        forecasts: float64[window, step], scaled.
        lows, highs: float64[level, window, step], scaled; NaN if there are too few errors.
        levels: int64[level], in percent, ascending.
        reach: of both sides, see `KnownValues.measure_reach`.
    """
    parts = (levels / 100)[:, None, None]
    least = MIN_CHANGE_PART * known.change
    is_there = (
        (np.minimum(*reach) > 0)
        & np.isfinite(forecasts)
        & ~(known.is_constant & (highs - lows <= least))
    )
    distances = []
    for distance, most in zip((forecasts - lows, highs - forecasts), reach, strict=True):
        of_level = np.minimum(np.maximum(distance / parts, least), most)
        distances.append(
            parts * np.where(is_there, np.maximum.accumulate(of_level, axis=0), np.nan)
        )
    return forecasts - distances[0], forecasts + distances[1]
