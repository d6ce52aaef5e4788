"""The history of windows in numbers, on which the expected sizes of errors depend."""

from dataclasses import dataclass

import numpy as np

from rnn_pipelines.forecast.methods.normalization import measure_mean_change
from rnn_pipelines.forecast.methods.past import count_few
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_history


@dataclass(frozen=True)
class WindowFacts:
    """The history of some windows, in numbers: float64[window, 1], scaled.

    Attributes:
        series: int64[window], the number of the series in the training.
        zero: the scaled value of 0.
        change, step_change: mean absolute difference from the season before, and from the step before.
        level: mean distance from 0.
        num_known: int64[window], values before the window's origin.
        variance, distance: float64[window], variance of these values, and distance of their mean from 0; NaN if they
            are not few, see `count_few`.
    """

    series: np.ndarray
    zero: np.ndarray
    change: np.ndarray
    step_change: np.ndarray
    level: np.ndarray
    num_known: np.ndarray
    variance: np.ndarray
    distance: np.ndarray

    def select(self, rows: np.ndarray) -> "WindowFacts":
        """Return the facts of some windows, int64[window] or bool[window]."""
        return WindowFacts(
            self.series[rows],
            self.zero[rows],
            self.change[rows],
            self.step_change[rows],
            self.level[rows],
            self.num_known[rows],
            self.variance[rows],
            self.distance[rows],
        )


def measure_windows(
    panel: WindowedPanel, origins: np.ndarray, series: np.ndarray | None = None
) -> WindowFacts:
    """Measure the history of windows; `series` are their numbers in the training, None for those of the panel."""
    places = panel.find_series(origins)
    history = gather_history(panel, origins).astype(np.float64)
    zero = panel.zeros[places].astype(np.float64)[:, None]
    season = panel.season_length if panel.lookback >= 2 * panel.season_length else 1
    num_known = origins - panel.series_starts[places]
    variance, distance = _measure_few(panel, origins, num_known, zero[:, 0])
    change = measure_mean_change(history, season)
    step_change = measure_mean_change(history, 1)
    level = np.abs(history - zero).mean(axis=1, keepdims=True)
    series = places if series is None else series
    return WindowFacts(series, zero, change, step_change, level, num_known, variance, distance)


def _measure_few(
    panel: WindowedPanel, origins: np.ndarray, num_known: np.ndarray, zero: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return variance and distance of few values, see `WindowFacts`."""
    num_few = count_few(panel.season_length, panel.horizon)
    is_few = (num_known > 0) & (num_known < num_few)
    steps = np.arange(1, num_few)
    rows = origins[is_few, None] - steps
    is_there = steps <= num_known[is_few, None]
    values = np.where(is_there, panel.values[np.maximum(rows, 0), 0].astype(np.float64), np.nan)
    is_there &= ~np.isnan(values)
    counts = np.maximum(1, is_there.sum(axis=1))
    means = np.where(is_there, values, 0.0).sum(axis=1) / counts
    squares = np.where(is_there, values - means[:, None], 0.0) ** 2
    variance, distance = np.full((2, len(origins)), np.nan)
    variance[is_few] = squares.sum(axis=1) / np.maximum(1, counts - 1)
    distance[is_few] = np.abs(means - zero[is_few])
    return variance, distance
