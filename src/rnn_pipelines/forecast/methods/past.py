"""Facts about the values for training and validation of a panel."""

import numpy as np

from rnn_pipelines.forecast.series.windows import WindowedPanel, number_series

# The smallest mean change of a series, in deviations, so that errors of a nearly constant one do not dominate.
MIN_CHANGE = 1e-3
# The largest season for which less than two seasons show a pattern.
MAX_NAIVE_SEASON = 24


def find_past(panel: WindowedPanel) -> np.ndarray:
    """Return whether each row belongs to a target or a history of training or validation: bool[time]."""
    stops = np.zeros(len(panel.series_starts), np.int64)
    for part in ("train", "validation"):
        runs = getattr(panel, part)
        np.maximum.at(stops, number_series(panel.series_starts, runs[:, 0]), runs[:, 1] - 1 + panel.horizon)
    rows = np.arange(len(panel.values))
    return rows < stops[number_series(panel.series_starts, rows + 1)]


def find_zeros(panel: WindowedPanel) -> np.ndarray:
    """Return the scaled zero of the series of each row: float32[time]."""
    return panel.zeros[number_series(panel.series_starts, np.arange(len(panel.values)) + 1)]


def has_negative_values(panel: WindowedPanel) -> bool:
    """Return whether a value of training or validation is negative."""
    return bool(((panel.values[:, 0] < find_zeros(panel)) & find_past(panel)).any())


def measure_zero_share(panel: WindowedPanel) -> float:
    """Return the share of zeros among the values of training and validation."""
    past, zeros = find_past(panel), find_zeros(panel)
    is_there = past & ~np.isnan(panel.values[:, 0])
    is_zero = np.isclose(panel.values[is_there, 0], zeros[is_there], rtol=1e-5, atol=1e-7)
    return float(is_zero.mean()) if len(is_zero) else 0.0


def measure_change(panel: WindowedPanel) -> np.ndarray:
    """Return the mean absolute seasonal change of each series, the denominator of MASE: float64[series], scaled.

    A series of at most two seasons is compared with its last value.
    """
    past = find_past(panel)
    changes = np.full(len(panel.series_starts), MIN_CHANGE)
    for number, (start, stop) in enumerate(zip(panel.series_starts, panel.series_stops, strict=True)):
        values = panel.values[start:stop, 0][past[start:stop]].astype(np.float64)
        season = panel.season_length if len(values) > 2 * panel.season_length else 1
        if len(values) > season:
            changes[number] = np.fmax(np.nanmean(np.abs(values[season:] - values[:-season])), MIN_CHANGE)
    return changes


def count_young(season_length: int, horizon: int) -> tuple[int, int]:
    """Return the numbers of values below which a series has few of them, and less than a season."""
    num_few, num_fewest = 3 * season_length, season_length
    if season_length > MAX_NAIVE_SEASON:
        num_few, num_fewest = 2 * season_length, season_length // 4
    return max(num_few, 2 * horizon), num_fewest
