"""Bounds of the next error: ranks of past errors, weighted quantiles of a pool, and a factor for few origins."""

from collections.abc import Iterable
from statistics import NormalDist

import numpy as np

# Variance of the logarithm of the size between origins that is usual: of shocks that all series share, and of each
# series. It counts like so many origins.
SHARED_VARIANCE = 0.02
OWN_VARIANCE = 0.4
PRIOR_BLOCKS = 3
# Exponent of the growth with the step ahead, if it cannot be measured: that of a random walk.
RANDOM_WALK = 0.5


def count_needed(level: int) -> int:
    """Return the smallest number of past errors for an interval of this level by ranks."""
    return -(-level // (100 - level))


def find_ranks(errors: np.ndarray, levels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return the lower and the upper bound of the next error, by step ahead: float64[level, horizon] each.

    Each side is the rank ⌈(n + 1)(1 − α/2)⌉ of the n errors, so that skewed noise has a skewed interval. With fewer
    errors, both sides are the rank ⌈(n + 1)(1 − α)⌉ of the absolute errors. With too few for that, they are infinite.
    Errors are float64[window, horizon], and levels int64[level], 100 · (1 − α).

    Source: Vovk, Gammerman & Shafer (2005); Lei et al. (2018), doi:10.1080/01621459.2017.1307116.
    """
    num, horizon = errors.shape
    ordered = np.sort(errors, axis=0)
    sizes = np.sort(np.abs(errors), axis=0)
    lows = np.full((len(levels), horizon), -np.inf)
    highs = np.full((len(levels), horizon), np.inf)
    for number, level in enumerate(levels.tolist()):
        # In integers, because floating-point (n + 1)(1 − α) can be just above a whole number.
        side = -(-(num + 1) * (100 + level) // 200)
        both = -(-(num + 1) * level // 100)
        if side <= num:
            lows[number] = ordered[num - side]
            highs[number] = ordered[side - 1]
        elif both <= num:
            lows[number] = -sizes[both - 1]
            highs[number] = sizes[both - 1]
    return lows, highs


def score_interval(actual: np.ndarray, low: np.ndarray, high: np.ndarray, level: int) -> np.ndarray:
    """Return the Winkler score of the interval of each actual: Winkler (1972), doi:10.1080/01621459.1972.10481224."""
    outside = np.maximum(low - actual, 0) + np.maximum(actual - high, 0)
    return high - low + 200 / (100 - level) * outside


def weigh_quantiles(
    errors: np.ndarray, weights: np.ndarray, levels: np.ndarray, freedom: float
) -> tuple[np.ndarray, np.ndarray]:
    """Return the weighted quantiles of errors at (1 ± level) / 2, by step ahead: float64[level, horizon] each.

    Errors are float64[error, horizon], weights float64[error], positive, and levels int64[level], in percent. For few
    origins, the quantiles are multiplied by Student's t with these degrees of freedom over the normal one.
    """
    sides = (1 + levels / 100) / 2
    order = np.argsort(errors, axis=0)
    ordered = np.take_along_axis(errors, order, axis=0)
    sorted_weights = weights[order]
    places = (np.cumsum(sorted_weights, axis=0) - sorted_weights / 2) / weights.sum()
    columns = zip(places.T, ordered.T, strict=True)
    quantiles = np.array(
        [np.interp(np.concatenate([1 - sides, sides]), at, values) for at, values in columns]
    )
    lows, highs = (
        quantiles.T.reshape(2, len(levels), errors.shape[1]) * widen(levels, freedom)[:, None]
    )
    return lows, highs


def find_t(probabilities: np.ndarray, freedom: np.ndarray | float) -> np.ndarray:
    """Return the quantiles of Student's t distribution."""
    from scipy.special import stdtrit

    return stdtrit(freedom, probabilities)


def find_normal(levels: Iterable[float]) -> np.ndarray:
    """Return the upper bounds of levels in percent of a standard normal distribution; an export has no SciPy."""
    return np.array([NormalDist().inv_cdf((1 + level / 100) / 2) for level in levels])


def interpolate_levels(
    values: np.ndarray, known: Iterable[float], wanted: Iterable[float]
) -> np.ndarray:
    """Return bounds or their distances at some levels, which lie between known ones as those of a normal distribution.

    Beyond the known levels they are those of the nearest one.

    Args:
        values: float[..., known].
        known: levels in percent, ascending; those of lower bounds are negative, and that of the median is 0.
        wanted: levels in percent.
    Returns:
        float64[..., wanted].
    """
    at_known = find_normal(known)
    at_wanted = find_normal(wanted).clip(at_known[0], at_known[-1])
    above = np.clip(np.searchsorted(at_known, at_wanted), 1, len(at_known) - 1)
    below = above - 1
    part = (at_wanted - at_known[below]) / (at_known[above] - at_known[below])
    return (1 - part) * values[..., below] + part * values[..., above]


def widen(levels: np.ndarray, freedom: np.ndarray | float) -> np.ndarray:
    """Return the factor of bounds whose size is measured at few origins: Student's t over the normal quantile."""
    sides = (1 + levels / 100) / 2
    return find_t(sides, freedom) / find_t(sides, np.inf)


def count_freedom(
    errors: np.ndarray, blocks: np.ndarray, num_origins: int, num_series: int
) -> float:
    """Return the degrees of freedom of a size that is measured at few origins, whose errors share shocks.

    Args:
        errors: float64[window, horizon], over their expected sizes.
        blocks: int64[window], parts of the past of one horizon each.
        num_origins: of the errors that decide the size; 0 for all blocks.
        num_series: in the panel. Of few, the mean error of an origin varies by chance.
    Source: a mean square with ν degrees of freedom has a logarithm of variance 2/ν, and a root of it 1/(2ν), to first
        order: Bartlett & Kendall (1946), doi:10.2307/2983618. The usual variances and their weight are ours.
    """
    sizes = np.abs(errors)
    of_windows = (sizes / np.maximum(sizes.mean(axis=0), np.finfo(np.float64).tiny)).mean(axis=1)
    different, numbers = np.unique(blocks, return_inverse=True)
    means = np.bincount(numbers, of_windows) / np.bincount(numbers)
    usual = SHARED_VARIANCE + OWN_VARIANCE / num_series
    variance = (len(different) * np.log(means + 1e-9).var() + PRIOR_BLOCKS * usual) / (
        len(different) + PRIOR_BLOCKS
    )
    return (num_origins or len(different)) / (2 * float(variance))


def find_growth(sizes: np.ndarray) -> float:
    """Return the exponent of the step with which errors grow, from their mean size by step: float64[horizon].

    It is between 0 and 1. Later steps count more, by their number. The weighted regression is ours.
    """
    steps = np.arange(1, len(sizes) + 1)
    is_positive = sizes > 0
    if is_positive.sum() < 2:
        return RANDOM_WALK
    slope = np.polyfit(
        np.log(steps[is_positive]), np.log(sizes[is_positive]), 1, w=np.sqrt(steps[is_positive])
    )[0]
    return float(np.clip(slope, 0, 1))


def link_steps(step: int, later: np.ndarray, growth: float) -> np.ndarray:
    """Return the correlation of the error of one step with those of later ones, from the growth of the errors.

    It is that of white noise for a growth of 0, of a random walk for 0.5, and 1 for errors that grow like the step. The
    formula between these three is ours. Steps count from 1; `later` is int64[step], above `step`.
    """
    return min(1.0, 2 * growth) * (step / later) ** (1 - growth)
