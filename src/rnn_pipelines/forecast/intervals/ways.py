"""What a way to make widths is: when it applies, which errors of the past count, and over which expected sizes.

The expected size of a forecast's error is one up to a factor of its step ahead; see decision 30.

Source: errors over an expected size, Lei et al. (2018), doi:10.1080/01621459.2017.1307116, section on bands of locally
    varying length; the regression of the logarithm of errors, Harvey (1976), doi:10.2307/1913974. The predictors, the
    bounds on their exponents and all constants are ours.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import ClassVar

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import count_needed, widen
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_history, gather_targets

# Of past errors, for paths.
NUM_SAMPLES = 400
# The level whose score compares widths, and whose factor paths have.
TESTED_LEVEL = 80
# Fewer errors of each step are too few, whatever the levels are, because a champion has one more than its training.
MIN_ERRORS = count_needed(95)
# Added to keep logarithms finite: to a scaled change, and to an error, as part of the median error of its step.
SMALLEST_CHANGE, SMALLEST_ERROR_PART = 0.02, 0.05
# The smallest size, scaled: smaller errors are rounding of float32, which says nothing about the size of others.
SMALLEST_SIZE = 1e-6
# Forecasts of more deviations from the training's mean lie outside the values at which errors were measured. So errors
# may be larger in proportion.
MAX_MEASURED = 10.0


def make_empty() -> np.ndarray:
    """Return the numbers of a size without predictors."""
    return np.zeros(0)


@dataclass(frozen=True)
class FewValuesSizes:
    """The expected size of errors of windows with few values.

    Their histories are padded with copies, whose changes say nothing of the errors. So their size is the deviation of
    the values, together with one that is usual for their level, times a factor of the number of values.

    Attributes:
        numbers: int64[number], of values, ascending.
        ratio: usual deviation of a series over the distance of its mean from 0.
        factors: float64[number, horizon].
    """

    numbers: np.ndarray
    ratio: float
    factors: np.ndarray

    def expect(self, windows: WindowFacts, steps: np.ndarray) -> np.ndarray:
        """Return the sizes: float64[window, step], NaN for windows with more values.

        Args:
            windows: all, scaled in any way.
            steps: int64[step], steps ahead, from 1.
        """
        logs = np.log(self.numbers)
        places = np.log(np.maximum(1, windows.num_known))
        columns = np.minimum(steps, self.factors.shape[1]) - 1
        factors = np.stack(
            [np.interp(places, logs, self.factors[:, column]) for column in columns], axis=1
        )
        return self.measure_spread(windows)[:, None] * factors

    def measure_spread(self, windows: WindowFacts) -> np.ndarray:
        """Return the deviation of few values, of which the usual one counts as one: float64[window]."""
        num_known = np.maximum(1, windows.num_known)
        variance = (num_known - 1) * windows.variance + (self.ratio * windows.distance) ** 2
        return np.sqrt(variance / num_known)


@dataclass(frozen=True)
class SizeModel:
    """The expected size of an error: numbers that are saved, and by subclass the formula that reads them.

    Attributes:
        usual: float64[series], expected error of each series of the training; not used for a single series.
        slopes: float64[predictor], of the logarithm of the size; empty if the size depends on the series alone.
        centres, smallest, largest: float64[predictor], mean of each predictor, and the range to which it is clipped.
        few_values: of windows with few values; None for the same size as of all others.
    """

    # The name of the way in saved files.
    rule: ClassVar[str]
    # Whether the size depends on the series alone.
    is_of_series: ClassVar[bool] = False
    usual: np.ndarray
    slopes: np.ndarray = field(default_factory=make_empty)
    centres: np.ndarray = field(default_factory=make_empty)
    smallest: np.ndarray = field(default_factory=make_empty)
    largest: np.ndarray = field(default_factory=make_empty)
    few_values: FewValuesSizes | None = None

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        """Return the size of each error, here the expected error of its series: float64[window, step].

        Args:
            windows: the history of the windows.
            forecasts: float[window, step], scaled.
            first_step: steps ahead of the first forecast.
        """
        return np.broadcast_to(self.usual[windows.series][:, None], forecasts.shape)

    def multiply(self, predictors: np.ndarray) -> np.ndarray:
        """Return the factor of a first size by predictors, float64[window, step, predictor]: float64[window, step]."""
        clipped = np.clip(predictors, self.smallest, self.largest)
        factor: np.ndarray = np.exp((clipped - self.centres) @ self.slopes)
        return factor


def enlarge_outside(size: np.ndarray, usual: np.ndarray, forecasts: np.ndarray) -> np.ndarray:
    """Return sizes, at least the usual ones in proportion to forecasts outside the measured values.

    All are float64[window, step].
    """
    distance = np.abs(forecasts) / MAX_MEASURED
    return np.where(distance > 1, np.maximum(size, usual * distance), size)


def compute_logs(errors: np.ndarray, base: np.ndarray | float) -> np.ndarray:
    """Return the logarithm of the size of each error over a first size, at least `SMALLEST_SIZE`."""
    sizes = np.abs(errors / base)
    return np.log(
        np.maximum(sizes + SMALLEST_ERROR_PART * np.median(sizes, axis=0), SMALLEST_SIZE / base)
    )


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
