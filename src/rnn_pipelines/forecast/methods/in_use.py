"""The method in use: it makes the next values, and is the champion of a retraining. By default it is the ensemble."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Annotated, Any

from pydantic import AfterValidator, RootModel

from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, ENSEMBLE_STYLES, EnsembleModel
from rnn_pipelines.forecast.methods.method import FittedMethod
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.parameter_models import suggest

BEST = "best"


def _check_name(name: str) -> str:
    known = [ENSEMBLE, BEST, *ENSEMBLE_STYLES, *METHODS, *TRAINED_BEFORE, *NETWORKS]
    if name not in known:
        raise ValueError(f"there is no method {show(name)}. {suggest(name, sorted(set(known)))}".removesuffix("."))
    return name


class UseSpec(RootModel[Annotated[str, AfterValidator(_check_name)]], frozen=True):
    """The method in use: `ensemble`, a name of the registry, or `best` for the least error on validation windows."""

    root: Annotated[str, AfterValidator(_check_name)] = ENSEMBLE


def choose_used(use: UseSpec, fitted: Mapping[str, FittedMethod], losses: Mapping[str, float | None]) -> str:
    """Return the name of the method in use; `best` never reads the test part, but the losses on the validation windows.

    Without losses it is the ensemble. Raise a ParameterError if the method does not exist for these series, or was not
    trained.
    """
    if use.root == BEST:
        measured = {name: loss for name, loss in losses.items() if loss is not None and name in fitted}
        return min(measured, key=lambda name: measured[name], default=ENSEMBLE)
    if use.root not in fitted:
        message = f"use: '{use.root}' does not exist for these series. Expected one of {sorted([BEST, *fitted])}."
        raise ParameterError(message)
    return use.root


def wrap_in_ensemble(fitted: Mapping[str, FittedMethod], name: str) -> FittedMethod:
    """Return the method in use as an ensemble, the form in which a forecaster is saved; its forecasts do not change."""
    method = fitted[name]

    def wrap(model: Any) -> Any:
        return model if isinstance(model, EnsembleModel) else EnsembleModel({name: 1.0}, {name: model}, is_alone=True)

    refitted = None if method.refitted is None else wrap(method.refitted)
    return replace(method, model=wrap(method.model), refitted=refitted)
