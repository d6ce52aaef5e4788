"""The ensemble: a convex combination of methods, weighted by their out-of-fold errors. It makes the final forecast."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.baselines import BASELINE_ENSEMBLE
from rnn_pipelines.forecast.methods.contributions import Contributions, add_weighted
from rnn_pipelines.forecast.methods.ladder import LADDER
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, Model, RegisteredMethod, find_errors
from rnn_pipelines.forecast.methods.network import Network
from rnn_pipelines.forecast.methods.network_model import describe_network, is_copy
from rnn_pipelines.forecast.methods.past import measure_change
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, fit_methods, list_candidates
from rnn_pipelines.forecast.methods.weights import Loss, find_weights, measure_loss
from rnn_pipelines.forecast.series.windows import WindowedPanel, number_series
from rnn_pipelines.report.styles import Style

ENSEMBLE = "ensemble"
ENSEMBLE_STYLE = Style("ensemble", "#cc79a7")
# Suffix of packed weights; no part of a model has a colon in its name.
WEIGHT = ":weight"


@dataclass(frozen=True)
class EnsembleModel:
    """The weighted sum of models; see `Model`.

    Attributes:
        weights: by the name of the method, not negative, with sum 1.
        models: by the same names, those with a weight above 0.
    """

    weights: Mapping[str, float]
    models: Mapping[str, Model]

    def forecast(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> np.ndarray:
        """Forecast by each model, and combine."""
        return self.combine({name: model.forecast(panel, windows, origins) for name, model in self.models.items()})

    def combine(self, forecasts: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return the weighted sum of forecasts, scaled.

        Args:
            forecasts: by the name of the method; methods outside the ensemble are ignored.
        """
        combined: np.ndarray = np.sum([self.weights[name] * forecasts[name] for name in self.models], axis=0)
        return combined

    def contribute(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> Contributions:
        """Return the weighted sum of the contributions."""
        models = self.models.items()
        return add_weighted([(self.weights[name], model.contribute(panel, windows, origins)) for name, model in models])

    def pack(self) -> dict[str, Any]:
        """Return the weight and the arrays of each model, under the name of the method."""
        packed: dict[str, Any] = {}
        for name, model in self.models.items():
            packed[f"{name}{WEIGHT}"] = self.weights[name]
            packed |= {f"{name}.{part}": value for part, value in model.pack().items()}
        return packed


def unpack_ensemble(values: Mapping[str, Any]) -> EnsembleModel:
    """Return the model whose `pack` gave these values.

    Raises:
        KeyError: it has a method that is not in the registry.
    """
    registered: dict[str, RegisteredMethod] = {**METHODS, **NETWORKS}
    weights = {name.removesuffix(WEIGHT): float(value) for name, value in values.items() if name.endswith(WEIGHT)}
    models = {}
    for name in weights:
        own = {part.removeprefix(f"{name}."): value for part, value in values.items() if part.startswith(f"{name}.")}
        models[name] = registered[name].unpack(own)
    return EnsembleModel(weights, models)


def fit_ensemble(data: FittingData, fitted: Mapping[str, FittedMethod]) -> tuple[FittedMethod, dict[str, Any]]:
    """Weight the methods by their errors on the validation windows.

    Args:
        data: the data of the fits.
        fitted: all methods, by name.
    Returns:
        The ensemble. And a record: `weights` by name; `losses` of each method and of the ensemble on the validation
        windows, in units of MASE, None if there are too few; `seconds`, wall time of the weighting.
    """
    started = time.perf_counter()
    candidates = {name: fitted[name] for name in list_candidates(fitted)}
    losses: dict[str, float | None] = dict.fromkeys([*candidates, ENSEMBLE])
    weights = dict.fromkeys(candidates, 0.0)
    if data.linear.is_enough:
        errors = {name: error.ravel() for name, error in _find_scaled_errors(data, candidates).items()}
        # Copies of one forecast would take weight from the others.
        pool = [name for name, method in candidates.items() if not is_copy(method.model)]
        loss = _choose_loss(data)
        found = find_weights(np.stack([errors[name] for name in pool]), data.linear.num_independent, loss)
        weights |= dict(zip(pool, found.tolist(), strict=True))
        errors[ENSEMBLE] = np.sum([weights[name] * errors[name] for name in pool], axis=0)
        losses = {name: float(measure_loss(error, loss)) for name, error in errors.items()}
    else:
        weights |= choose_weights_of_few(data)
    seconds = time.perf_counter() - started
    return make_ensemble(candidates, weights, seconds), {"weights": weights, "losses": losses, "seconds": seconds}


def _find_scaled_errors(data: FittingData, fitted: Mapping[str, FittedMethod]) -> dict[str, np.ndarray]:
    """Return the out-of-fold errors over the seasonal change of their series: float64[validation, horizon]."""
    series = number_series(data.panel.series_starts, data.validation)
    changes = measure_change(data.panel)[series][:, None]
    return {name: errors / changes for name, errors in find_errors(data, fitted).items()}


def _choose_loss(data: FittingData) -> Loss:
    """Return the loss of the weights. Squared errors of a panel are limited, so that no series decides alone."""
    if data.linear.target == "median":
        return "absolute"
    return "squared" if len(data.panel.series_starts) == 1 else "huber"


def choose_weights_of_few(data: FittingData) -> dict[str, float]:
    """Return the weights with too few windows for validation. A panel also has the linear models of all its series."""
    if len(data.panel.series_starts) == 1:
        return {LADDER: 1.0}
    return {BASELINE_ENSEMBLE: 0.5, LADDER: 0.5}


def fit_all_methods(
    data: FittingData, networks: Mapping[str, Network]
) -> tuple[dict[str, FittedMethod], dict[str, Any]]:
    """Fit the simple methods, and the ensemble of these and the networks.

    Args:
        data: the data of the fits.
        networks: trained on the same data, by name.
    Returns:
        All fitted methods by name: networks, ensemble, simple methods. And the record of `fit_ensemble`.
    """
    simple = fit_methods(data)
    trained = {name: describe_network(data, network) for name, network in networks.items()}
    ensemble, record = fit_ensemble(data, {**simple, **trained})
    return {**trained, ENSEMBLE: ensemble, **simple}, record


def make_ensemble(
    fitted: Mapping[str, FittedMethod], weights: Mapping[str, float], seconds: float = 0.0
) -> FittedMethod:
    """Combine fitted methods.

    Args:
        fitted: by name.
        weights: of some of them, see `EnsembleModel`.
        seconds: wall time of the weighting.
    """
    used = {name: fitted[name] for name, weight in weights.items() if weight > 0}
    own = {name: weights[name] for name in used}
    return FittedMethod(
        EnsembleModel(own, {name: method.model for name, method in used.items()}),
        np.sum([weights[name] * method.out_of_fold for name, method in used.items()], axis=0),
        seconds + sum(fitted[name].seconds for name in weights),
        needs_linear=True,
        refitted=EnsembleModel(own, {name: method.in_use for name, method in used.items()}),
    )
