"""The ensemble: a convex combination of methods, weighted by their out-of-fold errors. It makes the final forecast."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.baselines import BASELINE_ENSEMBLE
from rnn_pipelines.forecast.methods.contributions import Contributions, add_weighted
from rnn_pipelines.forecast.methods.local.intermittent import ZERO
from rnn_pipelines.forecast.methods.local.method import LocalModel
from rnn_pipelines.forecast.methods.local.short_series_rule import SHORT_SERIES_RULE
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, Model, find_errors
from rnn_pipelines.forecast.methods.networks.model import NetworkModel, describe_network, is_copy
from rnn_pipelines.forecast.methods.networks.network import Network
from rnn_pipelines.forecast.methods.past import count_few, measure_seasonal_change
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED, PretrainedModel
from rnn_pipelines.forecast.methods.registry import (
    NETWORKS,
    fit_methods,
    fit_trained_before,
    get_method,
    list_ensemble_candidates,
)
from rnn_pipelines.forecast.methods.weights import Loss, average_loss, find_weights
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets
from rnn_pipelines.networks.threads import use_one_thread
from rnn_pipelines.report.styles import Style

ENSEMBLE, ENSEMBLE_MEDIAN = "ensemble", "ensemble_median"
ENSEMBLE_STYLES = {
    ENSEMBLE: Style("ensemble", "#cc79a7"),
    ENSEMBLE_MEDIAN: Style("ensemble, median", "#9d4f7e", "dot"),
}
# The weight of the pretrained network with too few windows for validation; it is ours, see decisions 44 and 54.
SHARE = 0.5
# With two seasons before as many held-out origins, the past counts: the weight of each further local method before it,
# and the power of the losses.
PAST_SEASONS = 2
SHARE_OF_OTHERS = 0.1
LOSS_POWER = 3
# Networks that were trained on the table have no weight with at most so many independent windows, and their whole one
# with twice as many.
NUM_UNSURE = 10
# A horizon of more seasons is long.
FAR_SEASONS = 2
# The most windows that give the weights of a fold, which are for its errors alone.
MAX_WEIGHED = 500
# Suffix of packed weights; no part of a model has a colon in its name.
WEIGHT = ":weight"
# The name of the packed mark of a model that stands alone.
IS_ALONE = "is_alone"


@dataclass(frozen=True)
class EnsembleModel:
    """The weighted sum of models; see `Model`.

    Series of a panel with few values have other weights, because local methods fail on few values: those of the local
    methods go to the others. See decision 29.
    """

    weights: Mapping[str, float]  # by the name of the method, not negative, with sum 1
    # By the same names, those with a weight above 0, and at least one that is not a local method, if any.
    models: Mapping[str, Model]
    # Whether it stands for its only model, with the forecasts of that, also for series with few values.
    is_alone: bool = False

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        forecasts = {
            name: model.forecast(panel, windows, origins) for name, model in self.models.items()
        }
        return self.combine(forecasts, panel, windows, origins)

    def combine(
        self,
        forecasts: Mapping[str, np.ndarray],
        panel: WindowedPanel,
        windows: NormalizedWindows,
        origins: np.ndarray,
    ) -> np.ndarray:
        """Return the weighted sum of forecasts by method, scaled; methods outside the ensemble are ignored."""
        combined: np.ndarray = np.sum(
            [self.weights[name] * forecasts[name] for name in self.models], axis=0
        )
        has_few = self._find_few(panel, windows, origins)
        if has_few.any():
            weights = self.weigh_few()
            combined[has_few] = np.sum(
                [weights[name] * forecasts[name][has_few] for name in self.models], axis=0
            )
        return combined

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        weights = (
            self.weigh_few() if self._find_few(panel, windows, origins).any() else self.weights
        )
        parts = {
            name: model.contribute(panel, windows, origins) for name, model in self.models.items()
        }
        return add_weighted([(weights[name], part) for name, part in parts.items()])

    def _find_few(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        """Return whether a window of a panel has few values before it: bool[window]; see `count_few`."""
        num_known = origins - panel.find_starts(origins)
        has_few = num_known < count_few(panel.season_length, panel.horizon)
        return has_few & (windows.normalizer.kind != "series") & (not self.is_alone)

    def weigh_few(self) -> Mapping[str, float]:
        """Return the weights of series with few values: those of the local methods go to the others in proportion."""
        if SHORT_SERIES_RULE in self.models:
            return self.weights  # it takes the number of values into account
        others = {
            name: self.weights[name]
            for name, model in self.models.items()
            if not isinstance(model, LocalModel)
        }
        total = sum(others.values())
        if not others:
            return self.weights
        shares = {
            name: weight / total if total else 1 / len(others) for name, weight in others.items()
        }
        return {**dict.fromkeys(self.models, 0.0), **shares}

    def pack(self) -> dict[str, Any]:
        """Return the weight and the arrays of each model, under the name of the method."""
        packed: dict[str, Any] = {IS_ALONE: True} if self.is_alone else {}
        for name, model in self.models.items():
            packed[f"{name}{WEIGHT}"] = self.weights[name]
            packed |= {f"{name}.{part}": value for part, value in model.pack().items()}
        return packed


def unpack_ensemble(values: Mapping[str, Any]) -> EnsembleModel:
    """Return the model whose `pack` gave these values; raise a KeyError for a method that is not in the registry."""
    weights = {
        name.removesuffix(WEIGHT): float(value)
        for name, value in values.items()
        if name.endswith(WEIGHT)
    }
    models = {}
    for name in weights:
        own = {
            part.removeprefix(f"{name}."): value
            for part, value in values.items()
            if part.startswith(f"{name}.")
        }
        models[name] = get_method(name).unpack(own)
    return EnsembleModel(weights, models, IS_ALONE in values)


def fit_ensemble(
    data: FittingData, fitted: Mapping[str, FittedMethod], loss: Loss
) -> tuple[FittedMethod, dict[str, Any]]:
    """Weight the methods by their errors on the validation windows.

    Return the ensemble. And a record: `weights` by name; `losses` of each method and of the ensemble on the validation
    windows, in units of MASE, None if there are too few; `seconds`, wall time of the weighting.
    """
    started = time.perf_counter()
    candidates = _choose_candidates(fitted, loss)
    losses: dict[str, float | None] = dict.fromkeys([*candidates, ENSEMBLE])
    weights = dict.fromkeys(candidates, 0.0)
    if data.linear.is_enough:
        errors = {
            name: error.ravel() for name, error in _find_scaled_errors(data, candidates).items()
        }
        pool = _leave_out_copies(errors, candidates)
        weights |= weigh_far_ahead(data, weigh_by_errors(pool, data.linear.num_independent, loss))
        errors[ENSEMBLE] = np.sum([weights[name] * errors[name] for name in pool], axis=0)
        losses = {name: float(average_loss(error, loss)) for name, error in errors.items()}
    else:
        weights |= weigh_by_past(data, candidates, choose_weights_of_few(data), loss)
    seconds = time.perf_counter() - started
    return make_ensemble(data, candidates, weights, seconds), {
        "weights": weights,
        "losses": losses,
        "seconds": seconds,
    }


def _choose_candidates(fitted: Mapping[str, FittedMethod], loss: Loss) -> dict[str, FittedMethod]:
    """Return the methods that can have a weight in the ensemble of a loss."""
    names = list_ensemble_candidates(fitted)
    if loss == "absolute" and ZERO in fitted:
        names.append(ZERO)  # it can be the median, but never the mean
    return {name: fitted[name] for name in names}


def _leave_out_copies(
    errors: Mapping[str, np.ndarray], candidates: Mapping[str, FittedMethod]
) -> dict[str, np.ndarray]:
    """Return the errors without those of copies of a forecast, which would take weight from the others."""
    return {name: errors[name] for name, method in candidates.items() if not is_copy(method.model)}


def forecast_other_folds(
    data: FittingData, fitted: Mapping[str, FittedMethod], name: str
) -> np.ndarray:
    """Return forecasts of the validation windows by an ensemble whose weights come from the other folds.

    Its own `out_of_fold` has the weights of all folds, so that its error is too low by what the weights have learnt of
    the same windows. At most `MAX_WEIGHED` windows, evenly spaced, give the weights of each fold.

    Returns:
        float64[validation, horizon], scaled.
    """
    loss = _choose_losses(data)[name]
    candidates = _choose_candidates(fitted, loss)
    errors = _leave_out_copies(_find_scaled_errors(data, candidates), candidates)
    fold = data.linear.fold[: len(data.validation)]
    step = -(-len(fold) // MAX_WEIGHED)
    forecasts = fitted[name].out_of_fold.copy()
    for held_out in np.unique(fold):
        is_other = fold != held_out
        if not is_other.any():
            continue
        num_independent = data.linear.num_independent * float(is_other.mean())
        seen = {one: error[is_other][::step].ravel() for one, error in errors.items()}
        weights = weigh_far_ahead(data, weigh_by_errors(seen, num_independent, loss))
        forecasts[~is_other] = np.sum(
            [weights[one] * fitted[one].out_of_fold[~is_other] for one in errors], axis=0
        )
    return forecasts


def weigh_by_errors(
    errors: Mapping[str, np.ndarray], num_independent: float, loss: Loss
) -> dict[str, float]:
    """Return weights by out-of-fold errors, float64[value] by name, with the networks trained on the table and without.

    With few independent windows, the weights are those without, because errors in so few do not tell a gain by training
    from chance. See decision 51.
    """
    share = float(np.clip(num_independent / NUM_UNSURE - 1, 0, 1))
    weights = dict.fromkeys(errors, 0.0)
    for part, names in (
        (share, list(errors)),
        (1 - share, [name for name in errors if name not in NETWORKS]),
    ):
        if part:
            found = find_weights(np.stack([errors[name] for name in names]), num_independent, loss)
            weights |= {
                name: weights[name] + part * one
                for name, one in zip(names, found.tolist(), strict=True)
            }
    return weights


def weigh_far_ahead(data: FittingData, weights: Mapping[str, float]) -> dict[str, float]:
    """Return weights that are drawn to half of the pretrained network if the horizon exceeds two seasons.

    So few independent windows of a series tell its other methods apart; the pull is 10 / (10 + their number).
    """
    panel = data.panel
    is_far = 1 < panel.season_length < panel.horizon / FAR_SEASONS
    if not is_far or not weights.get(PRETRAINED, 1.0) < 1:
        return dict(weights)
    num_independent = data.linear.num_independent / len(panel.series_starts)
    pull = NUM_UNSURE / (NUM_UNSURE + num_independent)
    own = (1 - pull) * weights[PRETRAINED] + pull * SHARE
    factor = (1 - own) / (1 - weights[PRETRAINED])
    return {
        name: own if name == PRETRAINED else factor * weight for name, weight in weights.items()
    }


def _find_scaled_errors(
    data: FittingData, fitted: Mapping[str, FittedMethod]
) -> dict[str, np.ndarray]:
    """Return the out-of-fold errors over the seasonal change of their series: float64[validation, horizon]."""
    series = data.panel.find_series(data.validation)
    changes = measure_seasonal_change(data.panel)[series][:, None]
    return {name: errors / changes for name, errors in find_errors(data, fitted).items()}


def _choose_losses(data: FittingData) -> dict[str, Loss]:
    """Return the loss of each ensemble. Squared errors of a panel are limited, so that no series decides alone."""
    of_mean: Loss = "squared" if len(data.panel.series_starts) == 1 else "huber"
    match data.linear.target:
        case "mean":
            return {ENSEMBLE: of_mean}
        case "median":
            return {ENSEMBLE: "absolute"}
        case "both":
            return {ENSEMBLE: of_mean, ENSEMBLE_MEDIAN: "absolute"}


def choose_weights_of_few(data: FittingData) -> dict[str, float]:
    """Return the weights with too few windows for validation. A panel also has the linear models of all its series."""
    is_alone = len(data.panel.series_starts) == 1 or not len(data.linear.fitted)
    weights = (
        {SHORT_SERIES_RULE: 1.0} if is_alone else {BASELINE_ENSEMBLE: 0.5, SHORT_SERIES_RULE: 0.5}
    )
    if not data.pretrained.is_used:
        return weights
    others = {name: (1 - SHARE) * weight for name, weight in weights.items()}
    return {PRETRAINED: SHARE, **others}


def weigh_by_past(
    data: FittingData, fitted: Mapping[str, FittedMethod], weights: Mapping[str, float], loss: Loss
) -> dict[str, float]:
    """Return the weights of few values w, by the losses of local methods in two seasons before the test part.

        w ← w (min loss / loss)³

    Each further local method starts with a tenth. Weights of a panel, of series without a season, with fewer than four
    of them or with gaps do not change. A far better method wins; see decision 51.
    """
    panel = data.panel
    num_held_out = PAST_SEASONS * data.panel.season_length
    start = int(panel.series_starts[0])
    stop = int(panel.past_stops[0])
    is_single = len(panel.series_starts) == 1 and panel.season_length > 1
    if (
        not is_single
        or stop - start < 2 * num_held_out
        or np.isnan(panel.values[start:stop, 0]).any()
    ):
        return dict(weights)
    origins = np.arange(stop - num_held_out, stop)
    is_known = origins[:, None] + np.arange(panel.horizon) < stop
    actual = gather_targets(panel, origins)[is_known]
    local = {
        name: one.model
        for name, one in fitted.items()
        if isinstance(one.model, LocalModel | PretrainedModel)
    }
    forecasts = [model.forecast(panel, data.windows, origins)[is_known] for model in local.values()]
    losses = average_loss(actual - np.stack(forecasts), loss) + np.finfo(np.float64).tiny
    prior = np.array([weights.get(name, SHARE_OF_OTHERS) for name in local])
    found = prior * (losses.min() / losses) ** LOSS_POWER
    return dict(zip(local, (found / found.sum()).tolist(), strict=True))


@use_one_thread()
def fit_all_methods(
    data: FittingData, networks: Mapping[str, Network]
) -> tuple[dict[str, FittedMethod], dict[str, Any]]:
    """Fit the simple methods, and the ensemble of these and the networks that were trained on the same data.

    With too few windows for validation none was trained, and they are left out. Return all fitted methods by name:
    networks, also those that were trained before, ensemble, ensemble of the median if wanted, simple methods. And the
    record of `fit_ensemble`, with the losses of all methods.
    """
    simple = fit_methods(data)
    trained = {}
    if data.linear.is_enough and not data.pretrained.is_alone:
        trained = {name: describe_network(data, network) for name, network in networks.items()}
    trained |= fit_trained_before(data)
    fitted = {
        name: fit_ensemble(data, {**simple, **trained}, loss)
        for name, loss in _choose_losses(data).items()
    }
    record = fitted[ENSEMBLE][1]
    methods = {**trained, **{name: ensemble for name, (ensemble, _) in fitted.items()}, **simple}
    if data.linear.is_enough:
        others = {name: method for name, method in methods.items() if name not in record["losses"]}
        errors = _find_scaled_errors(data, others)
        loss = _choose_losses(data)[ENSEMBLE]
        record["losses"] |= {
            name: float(average_loss(error.ravel(), loss)) for name, error in errors.items()
        }
    return methods, record


def replace_network(
    fitted: Mapping[str, FittedMethod], name: str, network: Network
) -> dict[str, FittedMethod]:
    """Return the methods with another network in the models in use. The evaluated models do not change."""
    model = fitted[name].in_use
    assert isinstance(model, NetworkModel)
    changed = replace(model, network=network)
    replaced = {**fitted, name: replace(fitted[name], refitted=changed)}
    for own, method in fitted.items():
        ensemble = method.in_use
        if isinstance(ensemble, EnsembleModel) and name in ensemble.models:
            replaced[own] = replace(
                method, refitted=replace(ensemble, models={**ensemble.models, name: changed})
            )
    return replaced


def make_ensemble(
    data: FittingData,
    fitted: Mapping[str, FittedMethod],
    weights: Mapping[str, float],
    seconds: float = 0.0,
) -> FittedMethod:
    used = {name: fitted[name] for name, weight in weights.items() if weight > 0}
    has_only_local = all(isinstance(method.model, LocalModel) for method in used.values())
    if has_only_local and SHORT_SERIES_RULE not in used and data.linear.kind != "series":
        used[BASELINE_ENSEMBLE] = fitted[BASELINE_ENSEMBLE]  # for series with few values
    own = {name: weights.get(name, 0.0) for name in used}
    model = EnsembleModel(own, {name: one.model for name, one in used.items()})
    out_of_fold = {name: method.out_of_fold for name, method in used.items()}
    return FittedMethod(
        model,
        model.combine(out_of_fold, data.panel, data.windows, data.validation),
        seconds + sum(fitted[name].seconds for name in weights),
        needs_linear=True,
        refitted=EnsembleModel(own, {name: method.in_use for name, method in used.items()}),
    )
