"""Facts about the values for training and validation of a panel."""

import logging

import numpy as np

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.methods.objective import NonNegative
from rnn_pipelines.forecast.windows.panel import WindowedPanel, find_negative
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 5
# The smallest mean change of a series, in deviations, so that errors of a nearly constant one do not dominate.
MIN_CHANGE = 1e-3
# The largest season for which less than two seasons show a pattern.
MAX_NAIVE_SEASON = 24


def find_past(panel: WindowedPanel) -> np.ndarray:
    """Return whether each row belongs to a target or a history of training or validation: bool[time]."""
    return np.arange(len(panel.values)) < np.repeat(
        panel.past_stops, panel.series_stops - panel.series_starts
    )


def find_zeros(panel: WindowedPanel) -> np.ndarray:
    """Return the scaled zero of the series of each row: float32[time]."""
    return panel.find_zeros(np.arange(len(panel.values)) + 1)


def find_cut(non_negative: NonNegative, panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return whether forecasts and bounds are cut at 0: bool[window]."""
    return (
        ~find_negative(panel, origins)
        if non_negative == "auto"
        else np.full(len(origins), non_negative)
    )


def warn_of_cut(non_negative: NonNegative, panel: WindowedPanel, names: np.ndarray) -> None:
    """Warn of series with values below 0 whose forecasts are cut at 0."""
    is_negative = panel.first_negative < panel.series_stops
    if non_negative is True and is_negative.any():
        found = count(is_negative.sum(), "series has", "series have")
        logger.warning(
            "training.non_negative is true: forecasts are cut at 0, although %s values below 0 (%s). "
            "With auto, they are not cut.",
            found,
            list_some(names[is_negative], NAMES_IN_MESSAGE),
        )


def measure_zero_share(panel: WindowedPanel) -> float:
    """Return the share of zeros among the values of training and validation."""
    past = find_past(panel)
    zeros = find_zeros(panel)
    is_there = past & ~np.isnan(panel.values[:, 0])
    is_zero = np.isclose(panel.values[is_there, 0], zeros[is_there], rtol=1e-5, atol=1e-7)
    return float(is_zero.mean()) if len(is_zero) else 0.0


def measure_seasonal_change(panel: WindowedPanel) -> np.ndarray:
    """Return the mean absolute seasonal change of each series, the denominator of MASE: float64[series], scaled.

    A series of at most two seasons is compared with its last value.
    """
    changes = np.full(len(panel.series_starts), MIN_CHANGE)
    for number, (start, stop) in enumerate(zip(panel.series_starts, panel.past_stops, strict=True)):
        values = panel.values[start:stop, 0].astype(np.float64)
        season = panel.season_length if len(values) > 2 * panel.season_length else 1
        if len(values) > season:
            changes[number] = np.fmax(
                np.nanmean(np.abs(values[season:] - values[:-season])), MIN_CHANGE
            )
    return changes


def count_few(season_length: int, horizon: int) -> int:
    """Return the number of values below which a series has few of them: three seasons, two of more than 24 steps."""
    return max((2 if season_length > MAX_NAIVE_SEASON else 3) * season_length, 2 * horizon)
