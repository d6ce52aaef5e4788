"""What a way to make widths is: when it applies, which errors of the past count, and over which expected sizes."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import count_needed, widen
from rnn_pipelines.forecast.intervals.sizes import SizeModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_history, gather_targets

# Of past errors, for paths.
NUM_SAMPLES = 400
# The level whose score compares widths, and whose factor paths have.
TESTED_LEVEL = 80
# Fewer errors of each step are too few, whatever the levels are, because a champion has one more than its training.
MIN_ERRORS = count_needed(95)


@dataclass(frozen=True)
class MethodErrors:
    """The errors of a method (actual minus forecast) in units of their expected sizes.

    Attributes:
        sizes: the expected size of each error.
        lows, highs: float64[level, horizon], quantiles; infinite if there are too few errors for the level, NaN if
            there are none.
        samples: float32[NUM_SAMPLES, horizon], whole vectors of errors, for paths.
        growth: exponent of the step with which errors grow, for steps beyond the horizon.
        evaluated: float64[2, level, horizon], lows and highs for the test part; None if they are the same.
        network_share: share of the pretrained network's widths in the bounds, see `network_widths`.
    """

    sizes: SizeModel
    lows: np.ndarray
    highs: np.ndarray
    samples: np.ndarray
    growth: float
    evaluated: np.ndarray | None = None
    network_share: float = 0.0


@dataclass(frozen=True)
class Way:
    """A way to make widths.

    Attributes:
        sizes: the expected sizes of its errors.
        applies: whether the data have the errors that it needs.
        measure: returns the errors of each method. It is given the data, the fitted methods by name, and the levels,
            int64[level], in percent.
    """

    sizes: type[SizeModel]
    applies: Callable[[FittingData], bool]
    measure: Callable[
        [FittingData, Mapping[str, FittedMethod], np.ndarray], dict[str, MethodErrors]
    ]


def is_panel(data: FittingData) -> bool:
    """Return whether the data have several series."""
    return len(data.panel.series_starts) > 1


def list_error_origins(data: FittingData) -> np.ndarray:
    """Return the origins of the windows whose errors count, int64[window]: of a panel, those of the fit."""
    return data.linear.fitted if is_panel(data) else data.validation


def list_changing(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the places of windows whose history or targets change: int64[window]; constant ones have no errors."""
    history_changes = np.ptp(gather_history(panel, origins), axis=1) > 0
    targets_change = np.ptp(gather_targets(panel, origins), axis=1) > 0
    return np.flatnonzero(history_changes | targets_change)


def make_samples(over_size: np.ndarray, freedom: np.ndarray | float) -> np.ndarray:
    """Return errors for paths, widened like the bounds of one level."""
    return (over_size * widen(np.array(TESTED_LEVEL), freedom)).astype(np.float32)
