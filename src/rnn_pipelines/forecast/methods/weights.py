"""Weights of convex combinations of forecasts, and shrinkage, from out-of-fold errors."""

from typing import Literal

import numpy as np

from rnn_pipelines.forecast.methods.nnls import solve_nnls

# Penalty on the distance from the weights of `_guess_weights`, as part of the smallest error: enough to share weight
# among candidates with equal forecasts. And an addition for each candidate, over the number of independent windows.
PULL, PULL_OF_FEW = 0.02, 2.0
# Weights before any fitting: one over the squared error to this power.
POWER = 4
# Iterations of reweighted least squares for losses other than the squared one.
NUM_REWEIGHTINGS = 20
# The absolute loss is squared below this part of the median error, the Huber loss below so many mean errors.
SMALLEST_ERROR_PART, NUM_MEAN_ERRORS = 0.1, 4.0
# Both limits are at least this part of the mean error of all candidates: most errors of sparse series are 0, and others
# over a limit near 0 are not finite.
SMALLEST_LIMIT_PART = 1e-6

# `squared` is for means, `absolute` for medians, and `huber` for means of series with rare large errors.
Loss = Literal["squared", "absolute", "huber"]


def find_weights(errors: np.ndarray, num_independent: float, loss: Loss = "squared") -> np.ndarray:
    """Return the weights, float64[candidate], not negative and with sum 1, of the combination with the least mean loss.

    Args:
        errors: float[candidate, value], actual minus out-of-fold forecast.
        num_independent: number of independent windows; overlapping windows are not independent.
    Source: reweighted least squares, Holland & Welsch (1977), doi:10.1080/03610927708827533; Huber (1964),
        doi:10.1214/aoms/1177703732. Weights that are drawn to prior ones, Diebold & Pauly (1990),
        International Journal of Forecasting 6, 503–508; the prior weights, and the strength by the number of windows,
        are ours.
    """
    errors = errors.astype(np.float64)
    pull = PULL + PULL_OF_FEW * len(errors) / max(num_independent, 1.0)
    if loss == "squared":
        return _solve(errors @ errors.T / errors.shape[1], pull)
    weights = np.full(len(errors), 1 / len(errors))
    absolute = np.abs(errors)
    smallest = SMALLEST_LIMIT_PART * float(absolute.mean()) + np.finfo(np.float64).tiny
    floor = max(SMALLEST_ERROR_PART * float(np.median(absolute)), smallest)
    for _ in range(NUM_REWEIGHTINGS):
        sizes = np.abs(weights @ errors)
        if loss == "huber":
            floor = max(NUM_MEAN_ERRORS * float(sizes.mean()), smallest)
        weights = _solve((errors / np.maximum(sizes, floor)) @ errors.T / errors.shape[1], pull)
    return weights


def average_loss(errors: np.ndarray, loss: Loss) -> np.ndarray:
    """Return the mean loss of each row: float64[row] of float[row, value].

    The Huber loss is measured as the squared one, whose minimum it seeks without the few largest errors.
    """
    measured: np.ndarray = np.mean(
        np.abs(errors) if loss == "absolute" else errors.astype(np.float64) ** 2, axis=-1
    )
    return measured


def _solve(products: np.ndarray, pull: float) -> np.ndarray:
    """Minimise wᵀ P w + p |w − w₀|² over the simplex, as non-negative least squares with a heavy row for the sum."""
    number = len(products)
    scale = float(np.trace(products)) / number
    if not scale > 0:
        return np.full(number, 1 / number)
    # The small constant keeps the matrix regular if a candidate is exact.
    pull = pull * products.diagonal().min() / scale + 1e-9
    values, vectors = np.linalg.eigh(products / scale + pull * np.eye(number))
    root = np.sqrt(np.maximum(values, 1e-12))[:, None] * vectors.T
    goal = (vectors / np.sqrt(np.maximum(values, 1e-12))).T @ (
        pull * _guess_weights(products.diagonal())
    )
    heavy = 1e4
    weights = solve_nnls(np.vstack([root, np.full(number, heavy)]), np.append(goal, heavy))
    return weights / weights.sum()


def _guess_weights(losses: np.ndarray) -> np.ndarray:
    """Return weights from the size of each error, as if the errors were independent.

    Source: one over the squared error, Bates & Granger (1969), doi:10.1057/jors.1969.103; the higher power is ours.
    """
    ratios = (losses.min() + np.finfo(np.float64).tiny) / (losses + np.finfo(np.float64).tiny)
    return ratios**POWER / (ratios**POWER).sum()


def find_shrinkage(gains: np.ndarray) -> float:
    """Return the shrinkage of an improvement: t² / (1 + t²), and 0 if the mean gain is not positive.

    t is the mean gain over its standard error. It is small if the folds disagree. A gain is the error of the reference
    less that of its replacement in a fold. Source: the positive-part shrinkage of James & Stein (1961), with t² / (1 +
    t²) instead of 1 − 1 / t², which is continuous at 0.
    """
    if len(gains) < 2 or not gains.mean() > 0:
        return 0.0
    squared = gains.mean() ** 2 / (gains.var(ddof=1) / len(gains) + np.finfo(np.float64).tiny)
    return float(squared / (1 + squared))
