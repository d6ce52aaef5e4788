"""Ridge regressions on a window: their inputs, effects of covariates, and one decomposition for all penalties."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.methods.linear.layout import Layout

# Penalties per fitted window. The calendar and the constant are not penalised.
PENALTIES = tuple(10.0**exponent for exponent in range(-10, 4))
# A strong penalty, if there are too few windows for a choice.
PENALTY_OF_FEW = 1.0
# A fit on more windows than those of the folds gets a stronger penalty if its coefficients are longer by this factor.
# With about as many windows as inputs, a weak penalty, which suits fewer windows, gives coefficients that explode.
MAX_GROWTH = 2.0
# Another ridge must reduce the error of the ridge on the unchanged window by this part, more harmonics that of one.
MIN_GAIN = 0.02

# Keeps the effect of a constant covariate at 0, and shrinks the others by a ten-thousandth.
EFFECT_PENALTY = 1e-4

# XᵀX, Xᵀy and the number of windows, of each fold, of all windows, and of those of the refit.
Products = Sequence[tuple[np.ndarray, np.ndarray, int]]


def list_ridge_inputs(layout: Layout) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Return inputs, float64[predictor, input], and offset, float64[predictor, horizon], of each ridge by name."""
    lookback = layout.lookback
    window = layout.pick(0, lookback)
    rest = layout.pick_free()
    last = layout.average(lookback - 1, lookback)
    mean = layout.average(0, lookback)

    def centre(centred: np.ndarray, *more: np.ndarray) -> np.ndarray:
        return np.concatenate([*(part - centred[:, :1] for part in (window, *more)), rest], axis=1)

    ridges = {
        "ridge_level": (np.concatenate([window, rest], axis=1), np.zeros_like(last)),
        "ridge_last": (centre(last), last),
        "ridge_mean": (centre(mean), mean),
    }
    for number, name in enumerate(["ridge_season", "ridge_long_season"][: layout.num_seasons]):
        seasonal = layout.pick_season(number)
        ridges[name] = (centre(last, seasonal), seasonal)
    return ridges


def list_covariate_readings(
    products: Products, layout: Layout, inputs: np.ndarray, offset: np.ndarray
) -> list[tuple[np.ndarray, list[np.ndarray]]]:
    """Return inputs and offsets of a ridge with future covariates at their own steps, and with all covariates.

    There is an offset for each fold.
    """
    num_free = layout.num_free
    future = layout.list_future()
    others = layout.pick_covariates(~layout.covariates.are_ahead)
    every = np.concatenate([inputs[:, :-num_free], others, inputs[:, -num_free:]], axis=1)

    def fit(regressed: np.ndarray) -> tuple[np.ndarray, list[np.ndarray]]:
        if not future:
            return regressed, [offset] * len(products)
        return regressed, [fit_effects(product, regressed, offset, future) for product in products]

    return ([fit(inputs)] if future else []) + ([fit(every)] if others.size else [])


def fit_effects(
    product: tuple[np.ndarray, np.ndarray, int],
    inputs: np.ndarray,
    offset: np.ndarray,
    future: Sequence[np.ndarray],
) -> np.ndarray:
    """Add to the offset, float64[predictor, horizon], one coefficient per future covariate, the same at each step.

    The coefficients are estimated over all steps at once, with the other regressors partialled out.

    Args:
        product: XᵀX, Xᵀy and the number of windows.
        inputs: float64[predictor, input], the other regressors.
        offset: subtracted from the targets before the fit.
        future: for each covariate the matrix that selects its value at each step: float64[predictor, horizon].
    Source: Frisch and Waugh (1933), Lovell (1963), doi:10.1080/01621459.1963.10480682.
    """
    gram, moment, number = product
    squares = inputs.T @ gram @ inputs
    squares += EFFECT_PENALTY * number * np.eye(len(squares))
    sums = np.stack([gram @ part for part in future])
    left = moment - gram @ offset
    explained = np.stack([np.linalg.solve(squares, inputs.T @ part) for part in sums])
    crossed = np.array([[np.sum(one * part) for part in sums] for one in future])
    crossed -= np.array([[np.sum((inputs.T @ one) * part) for part in explained] for one in sums])
    goal = np.array([np.sum(one * left) for one in future])
    goal -= np.array([np.sum((inputs.T @ left) * part) for part in explained])
    crossed += EFFECT_PENALTY * number * offset.shape[1] * np.eye(len(future))
    total: np.ndarray = offset + np.tensordot(np.linalg.solve(crossed, goal), np.stack(future), 1)
    return total


class _Part(NamedTuple):
    """The decomposition of one product: eigenvalues, eigenvectors and moments of the inputs with a penalty, and how the
    inputs without one follow from their weights.
    """

    values: np.ndarray
    vectors: np.ndarray
    rotated: np.ndarray
    projection: np.ndarray
    constant: np.ndarray
    number: int
    offset: np.ndarray

    def scale(self, penalty: float) -> np.ndarray:
        """Return the weights of the eigenvectors: float64[input, horizon]."""
        floor = 1e-12 * max(self.values.max(initial=0.0), 1.0)
        weights: np.ndarray = self.rotated / (self.values + penalty * self.number + floor)[:, None]
        return weights

    def weigh(self, penalty: float) -> np.ndarray:
        """Return the weights of the inputs with a penalty: float64[input, horizon]."""
        return self.vectors @ self.scale(penalty)


class Ridge:
    """The ridge regressions of each fold, by one decomposition for all penalties.

    Inputs without a penalty, which come last, are partialled out first. The last two products are those of all windows
    and of the refit, whose penalty can be stronger, see `MAX_GROWTH`.
    """

    def __init__(
        self, products: Products, inputs: np.ndarray, offsets: list[np.ndarray], num_free: int
    ) -> None:
        self._inputs, self._num_free = inputs, num_free
        self._parts = [
            self._decompose(*product, offset)
            for product, offset in zip(products, offsets, strict=True)
        ]

    def _decompose(
        self, gram: np.ndarray, moment: np.ndarray, number: int, offset: np.ndarray
    ) -> _Part:
        inputs = self._inputs
        num_free = self._num_free
        squares = inputs.T @ gram @ inputs
        sums = inputs.T @ (moment - gram @ offset)
        free = squares[-num_free:, -num_free:] + 1e-9 * number * np.eye(num_free)
        removed = np.linalg.solve(
            free, np.hstack([squares[-num_free:, :-num_free], sums[-num_free:]])
        )
        projection = removed[:, : -offset.shape[1]]
        constant = removed[:, -offset.shape[1] :]
        values, vectors = np.linalg.eigh(
            squares[:-num_free, :-num_free] - squares[:-num_free, -num_free:] @ projection
        )
        rotated = vectors.T @ (sums[:-num_free] - squares[:-num_free, -num_free:] @ constant)
        return _Part(
            np.maximum(values, 0.0), vectors, rotated, projection, constant, number, offset
        )

    def forecast_out_of_fold(
        self, predictors: np.ndarray, fold: np.ndarray, penalties: Iterable[float]
    ) -> Iterator[np.ndarray]:
        """Yield the forecasts of windows with each penalty, by the fold that holds each out: float64[window, horizon].

        This takes a fraction of the time of `solve`, because there are fewer windows than predictors.
        """
        prepared = []
        for number, part in enumerate(self._parts[:-2]):
            own = np.flatnonzero(fold == number)
            penalised, free = np.split(predictors[own] @ self._inputs, [-self._num_free], axis=1)
            rotated = (penalised - free @ part.projection) @ part.vectors
            prepared.append(
                (own, part, rotated, free @ part.constant + predictors[own] @ part.offset)
            )
        for penalty in penalties:
            forecasts = np.empty((len(predictors), self._parts[0].offset.shape[1]))
            for own, part, rotated, base in prepared:
                forecasts[own] = base + rotated @ part.scale(penalty)
            yield forecasts

    def solve(self, penalty: float) -> np.ndarray:
        """Return the matrices with a penalty: float64[product, predictor, horizon]."""
        num_folds = max(1, len(self._parts) - 2)
        found = [part.weigh(penalty) for part in self._parts[:num_folds]]
        largest = MAX_GROWTH * max(float(np.linalg.norm(weights)) for weights in found)
        for part in self._parts[num_folds:]:
            weights = part.weigh(penalty)
            stronger = penalty
            while np.linalg.norm(weights) > largest and stronger < PENALTIES[-1]:
                stronger = max(10 * stronger, PENALTIES[0])
                weights = part.weigh(stronger)
            found.append(weights)
        matrices = []
        for own, part in zip(found, self._parts, strict=True):
            weights = np.vstack([own, part.constant - part.projection @ own])
            matrices.append(self._inputs @ weights + part.offset)
        return np.stack(matrices)


def choose_ridge(names: Sequence[str], losses: np.ndarray) -> str:
    """Return the name of the ridge on the unchanged window, or of another one that is clearly better.

    The losses are those on the validation windows; NaN if there are none.
    """
    if not np.isfinite(losses).all():
        return "ridge_last"
    measured = {
        name: loss for name, loss in zip(names, losses, strict=False) if name.startswith("ridge")
    }
    best = min(measured, key=lambda name: measured[name])
    return best if measured[best] < (1 - MIN_GAIN) * measured["ridge_level"] else "ridge_level"
