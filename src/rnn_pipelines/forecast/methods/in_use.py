"""The method in use: it makes the next values, and is the champion of a retraining. By default it is the ensemble."""

import logging
from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, RootModel

from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, ENSEMBLE_STYLES, EnsembleModel
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, find_errors
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.parameter_models import suggest

BEST = "best"
NAIVE = ("last_value", "seasonal_naive")
# The newest origins of each series; the multiple of the error of the better naive method there that fails; and the
# error, in deviations of the training part, below which nothing fails.
NUM_NEWEST = 20
MAX_MULTIPLE = 2.0
MIN_ERROR = 0.1

logger = logging.getLogger(__name__)


def _check_name(name: str) -> str:
    known = [ENSEMBLE, BEST, *ENSEMBLE_STYLES, *METHODS, *TRAINED_BEFORE, *NETWORKS]
    if name not in known:
        raise ValueError(
            f"there is no method {show(name)}. {suggest(name, sorted(set(known)))}".removesuffix(
                "."
            )
        )
    return name


class UseSpec(RootModel[Annotated[str, AfterValidator(_check_name)]], frozen=True):
    """The method in use: `ensemble`, a name of the registry, or `best` for the least error on validation windows."""

    root: Annotated[str, AfterValidator(_check_name)] = ENSEMBLE


def choose_used(
    use: UseSpec,
    data: FittingData,
    fitted: Mapping[str, FittedMethod],
    losses: Mapping[str, float | None],
) -> str:
    """Return the name of the method in use; `best` never reads the test part, but the losses on the validation windows.

    Without losses it is the ensemble. A simple method takes the place of either if its error on the newest validation
    windows is a multiple of that of a naive method, as after a change that it has not learnt. Raise a ParameterError if
    the method does not exist for these series, or was not trained.
    """
    if use.root == BEST:
        measured = {
            name: loss for name, loss in losses.items() if loss is not None and name in fitted
        }
        return replace_failing(
            data, fitted, min(measured, key=lambda name: measured[name], default=ENSEMBLE)
        )
    if use.root == ENSEMBLE:
        return replace_failing(data, fitted, ENSEMBLE)
    if use.root not in fitted:
        message = f"use: '{use.root}' does not exist for these series. Expected one of {sorted([BEST, *fitted])}."
        raise ParameterError(message)
    return use.root


def replace_failing(data: FittingData, fitted: Mapping[str, FittedMethod], name: str) -> str:
    """Return the best simple method on the newest validation windows if a method fails there, else its name."""
    if not len(data.validation):
        return name
    series = data.panel.find_series(data.validation)
    last = np.zeros(len(data.panel.series_starts), np.int64)
    np.maximum.at(last, series, data.validation)
    is_newest = data.validation > last[series] - NUM_NEWEST
    simple = {one: method for one, method in fitted.items() if one in METHODS}
    found = find_errors(data, {**simple, name: fitted[name]})
    errors = {one: float(np.nanmean(np.abs(error[is_newest]))) for one, error in found.items()}
    naive = min(errors[one] for one in NAIVE if one in errors)
    if errors[name] <= max(MAX_MULTIPLE * naive, MIN_ERROR):
        return name
    best = min(simple, key=lambda one: errors[one])
    multiple = errors[name] / max(naive, np.finfo(float).tiny)
    error = f"whose error on the newest validation windows is {multiple:.1f} times that of a naive method"
    logger.warning("%s is used in place of %s, %s", best, name, error)
    return best


def wrap_in_ensemble(fitted: Mapping[str, FittedMethod], name: str) -> FittedMethod:
    """Return the method in use as an ensemble, in which form a forecaster is saved, with the same forecasts."""
    method = fitted[name]

    def wrap(model: Any) -> Any:
        return (
            model
            if isinstance(model, EnsembleModel)
            else EnsembleModel({name: 1.0}, {name: model}, is_alone=True)
        )

    refitted = None if method.refitted is None else wrap(method.refitted)
    return replace(method, model=wrap(method.model), refitted=refitted)
