"""The expected size of a forecast's error, up to a factor of its step ahead; see decision 30.

Four rules. `single`: the size of one series is even, or follows the changes of its window and the forecast. `panel`:
it follows the window's seasonal change and the expected error of the series. `past`: it is the expected error of the
series. `pretrained`: it is the error that the pretrained network expects at the end of the series.

Source: errors over an expected size, Lei et al. (2018), doi:10.1080/01621459.2017.1307116, section on bands of locally
    varying length; the regression of the logarithm of errors, Harvey (1976), doi:10.2307/1913974. The predictors, the
    bounds on their exponents and all constants are ours.
"""

import logging
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from rnn_pipelines.forecast.intervals.window_facts import WindowFacts
from rnn_pipelines.forecast.methods.nnls import solve_nnls
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

Rule = Literal["single", "panel", "past", "pretrained"]
# The rules whose sizes depend on the series alone.
OF_SERIES = ("past", "pretrained")
# Added to keep logarithms finite: to a scaled change, and to an error, as part of the median error of its step.
SMALLEST_CHANGE, SMALLEST_ERROR_PART = 0.02, 0.05
# The expected error of a series includes this many windows with the mean error of the panel.
PRIOR_WINDOWS = 0.1
# Penalty on the slopes of a panel, as part of the predictors' variance; and the tails in which predictors are clipped.
RIDGE, CLIPPED = 0.01, 0.005
# From the exponents of step change, forecast and level to the slopes of the predictors, see `SizeModel.describe`.
TO_SLOPES = np.array([[1.0, 0, 0], [0, 1, 0], [0, 1, 1]])
HEAVY = 1e4
# The smallest expected error of a series, as part of the mean; and the variance that is added to those of predictors.
TINY_PART, TINY = 1e-6, 1e-12
# The smallest size, scaled: smaller errors are rounding of float32, which says nothing about the size of others.
SMALLEST_SIZE = 1e-6
# Forecasts of more deviations from the training's mean lie outside the values at which errors were measured. So errors
# may be larger in proportion.
MAX_MEASURED = 10.0
NAMES_IN_MESSAGE = 5
# Why a series has no bounds.
CONSTANT = "all known values of each are equal"
TOO_FAR = "the forecasts are further from all known values than 5 times the range of these"
# Of past errors, for paths.
NUM_SAMPLES = 400


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
    """The expected size of an error.

    Attributes:
        usual: float64[series], expected error of each series of the training; not used for a single series.
        slopes: float64[predictor], of the logarithm of the size.
        centres, smallest, largest: float64[predictor], mean of each predictor, and the range to which it is clipped.
        few_values: of windows with few values; None for the same size as of all others.
    """

    rule: Rule
    usual: np.ndarray
    slopes: np.ndarray
    centres: np.ndarray
    smallest: np.ndarray
    largest: np.ndarray
    few_values: FewValuesSizes | None = None

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        """Return the size of each error: float64[window, step].

        Args:
            forecasts: float[window, step], scaled.
            first_step: steps ahead of the first forecast.
        """
        base, predictors = self.describe(windows, forecasts)
        logs = (np.clip(predictors, self.smallest, self.largest) - self.centres) @ self.slopes
        size: np.ndarray = base * np.exp(logs)
        usual = size if self.rule == "single" else self.usual[windows.series][:, None]
        if self.rule != "pretrained":
            beyond = np.abs(forecasts) / MAX_MEASURED
            size = np.where(beyond > 1, np.maximum(size, usual * beyond), size)
        if self.few_values is not None:
            is_few = ~np.isnan(windows.variance)
            size[is_few] = self.few_values.expect(
                windows, first_step + np.arange(forecasts.shape[1])
            )[is_few]
        return size if self.rule in OF_SERIES else np.maximum(size, SMALLEST_SIZE)

    def describe(
        self, windows: WindowFacts, forecasts: np.ndarray
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return a first size, float64[window, 1], and predictors of its factor, float64[window, step, predictor]."""
        shape = forecasts.shape
        if self.rule == "single":
            change = np.log(windows.step_change + SMALLEST_CHANGE)
            return np.ones((len(forecasts), 1)), np.stack(
                [np.broadcast_to(change, shape), forecasts], axis=-1
            )
        usual = self.usual[windows.series][:, None]
        if self.rule in OF_SERIES:
            return usual, np.zeros((*shape, 0))
        base = windows.change + usual
        level = windows.level + usual
        predictors = [
            np.broadcast_to(np.log((windows.step_change + usual) / base), shape),
            np.log((np.abs(forecasts - windows.zero) + usual) / level),
            np.broadcast_to(np.log(level / base), shape),
        ]
        return base, np.stack(predictors, axis=-1)


@dataclass(frozen=True)
class Pool:
    """The bounds of a method's errors over their expected size; see `Intervals`.

    Attributes:
        lows, highs: float64[level, horizon].
        samples: float32[NUM_SAMPLES, horizon].
        growth: exponent of the step.
        evaluated: float64[2, level, horizon], lows and highs for the test part; empty if they are the same.
    """

    sizes: SizeModel
    lows: np.ndarray
    highs: np.ndarray
    samples: np.ndarray
    growth: float
    evaluated: np.ndarray = field(default_factory=lambda: np.zeros(0))


def report_unmeasured(names: np.ndarray, forecasts: np.ndarray) -> None:
    """Warn of series, str[window], whose scaled forecasts lie outside the values at which errors were measured."""
    if len(outside := np.unique(names[(np.abs(forecasts) > MAX_MEASURED).any(axis=1)])):
        some = f"{len(outside)} series ({list_some(outside, NAMES_IN_MESSAGE)})"
        logger.warning("intervals follow the level, because it left all earlier values: %s", some)


def report_unbounded(names: np.ndarray, is_empty: np.ndarray, is_constant: np.ndarray) -> None:
    """Warn of series, str[window], without bounds, with the reason: bool[window] each."""
    for rows, reason in ((is_empty & is_constant, CONSTANT), (is_empty & ~is_constant, TOO_FAR)):
        if len(found := np.unique(names[rows])):
            some = list_some(found, NAMES_IN_MESSAGE)
            logger.warning("no intervals of %d series (%s), because %s", len(found), some, reason)


def fit_panel_sizes(
    windows: WindowFacts, forecasts: np.ndarray, errors: np.ndarray, usual: np.ndarray
) -> SizeModel:
    """Regress the logarithm of the errors' size on three predictors, each less its mean.

    Forecasts and errors, float64[window, horizon], scaled, are those of the baseline ensemble that is fitted on these
    windows; `usual`, float64[series], are expected errors.
    """
    none = np.zeros(3)
    base, predictors = SizeModel("panel", usual, none, none, none, none).describe(
        windows, forecasts
    )
    flat = predictors.reshape(-1, 3)
    centres = flat.mean(axis=0)
    smallest, largest = np.quantile(flat, [CLIPPED, 1 - CLIPPED], axis=0)
    logs = _compute_logs(errors, base)
    slopes = TO_SLOPES @ _find_exponents(
        (flat - centres) @ TO_SLOPES, (logs - logs.mean(axis=0)).ravel()
    )
    return SizeModel("panel", usual, slopes, centres, smallest, largest)


def _find_exponents(measures: np.ndarray, logs: np.ndarray) -> np.ndarray:
    """Return the exponents of the measures in their product, not negative, with a sum of at most 1: float64[measure].

    The rest up to 1 is the exponent of the first size. So an expected size never grows faster than a measure, and never
    falls if one grows. Measures, float64[error, measure], and sizes, float64[error], are logarithms over the first
    size, less their mean.
    """
    number = measures.shape[1]
    products = measures.T @ measures / len(measures) + np.diag(RIDGE * measures.var(axis=0) + TINY)
    root = np.linalg.cholesky(products)
    goal = np.linalg.solve(root, measures.T @ logs / len(measures))
    # A column of zeros has the rest, and a heavy row makes the sum 1.
    rows = np.vstack([np.column_stack([root.T, np.zeros(number)]), np.full(number + 1, HEAVY)])
    return solve_nnls(rows, np.append(goal, HEAVY))[:number]


def measure_usual(
    series: np.ndarray, errors: np.ndarray, num_series: int, of_panel: float | None = None
) -> np.ndarray:
    """Return the expected error of each series of a panel: float64[series], scaled.

    Errors are float64[window, horizon], scaled, of the series, int64[window]. Series with few windows are drawn to the
    expected error of the panel; None for the mean of all.

    Source: (n x + k m) / (n + k) is the credibility estimate of Bühlmann (1967), ASTIN Bulletin 4, 199–207; k is ours.
    """
    mean = np.abs(errors).mean(axis=1)
    of_all = mean.mean() if of_panel is None else of_panel
    sums = np.bincount(series, mean, minlength=num_series)
    counts = np.bincount(series, minlength=num_series)
    usual = (sums + PRIOR_WINDOWS * of_all) / (counts + PRIOR_WINDOWS)
    return np.maximum(usual, max(TINY_PART * of_all, SMALLEST_SIZE))


def fit_single_sizes(
    windows: WindowFacts, forecasts: np.ndarray, errors: np.ndarray, is_even: bool
) -> SizeModel:
    """Regress the logarithm of the size of out-of-fold errors, float64[window, horizon], on change and forecast.

    Each is less its mean at the step. An even size does not depend on the window.
    """
    none = np.zeros(2)
    even = SizeModel("single", np.zeros(1), none, none, none, none)
    if is_even:
        return even
    _, predictors = even.describe(windows, forecasts)
    logs = _compute_logs(errors, 1.0)
    centred = (predictors - predictors.mean(axis=0)).reshape(-1, 2)
    slopes = np.linalg.lstsq(centred, (logs - logs.mean(axis=0)).ravel(), rcond=1e-6)[0]
    return SizeModel(
        "single",
        np.zeros(1),
        slopes,
        none,
        predictors.min(axis=(0, 1)),
        predictors.max(axis=(0, 1)),
    )


def _compute_logs(errors: np.ndarray, base: np.ndarray | float) -> np.ndarray:
    """Return the logarithm of the size of each error over a first size, at least `SMALLEST_SIZE`."""
    sizes = np.abs(errors / base)
    return np.log(
        np.maximum(sizes + SMALLEST_ERROR_PART * np.median(sizes, axis=0), SMALLEST_SIZE / base)
    )
