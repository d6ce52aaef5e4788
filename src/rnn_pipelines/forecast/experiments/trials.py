"""The trials of a parameter search: their data, parameters and loss. Independent of Optuna."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError, SeriesTooShortError, TrainingError
from rnn_pipelines.forecast.experiments.rolling import FitJob, cut_series, keep_back
from rnn_pipelines.forecast.experiments.search_space import TuningSpec
from rnn_pipelines.forecast.fitting import evaluate, fit_forecasters, rank_forecasters
from rnn_pipelines.forecast.intervals.fitting import LevelSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.networks.specs import format_units
from rnn_pipelines.parameter_models import read_parameter_model


@dataclass(frozen=True)
class TrialResult:
    """The result of a trial.

    Attributes:
        loss: of the ensemble on the validation part: MSE of one series, MASE of several; None if the trial failed.
        baseline_loss: the lowest one of a simple method.
        seconds: wall time.
        reason: of the failure; empty without one.
    """

    loss: float | None
    baseline_loss: float | None
    seconds: float
    reason: str = ""


def cut_test_part(table: Source, spec: ForecastSpec) -> tuple[Source, ForecastSpec]:
    """Return the series up to the end of their validation part, and the spec with that part as its test part.

    Series without a validation part are left out. Open window lengths are derived from the whole series.

    Raises:
        SeriesTooShortError: no series has a validation part.
    """
    recipe = spec.recipe
    _, series, profile, cutoffs = prepare_series(
        table, recipe.source, recipe.gaps, recipe.split, recipe.window, recipe.evaluation
    )
    cutoffs = cutoffs[cutoffs["train_stop"] < cutoffs["validation_stop"]]
    if cutoffs.empty:
        raise SeriesTooShortError(
            f"{recipe.source.label}: no series is long enough for a validation part, by which trials are compared. "
            "Give more rows, or a shorter window.horizon."
        )
    stops = cutoffs.set_index("unique_id")["validation_stop"]
    place = series.groupby("unique_id", sort=False).cumcount()
    table = cut_series(series, place < series["unique_id"].map(stops))
    num_steps = int((cutoffs["validation_stop"] - cutoffs["train_stop"]).min())
    source = recipe.source.model_copy(update={"freq": profile["freq"]})
    split = recipe.split.model_copy(update={"validation": num_steps})
    # Trials need no intervals.
    resolved = {"source": source, "split": split, "window": recipe.window.fill(profile)}
    spec = replace(spec, recipe=recipe.model_copy(update=resolved), level=LevelSpec(()))
    return table, keep_back(spec, num_steps)


def change_spec(spec: ForecastSpec, values: Mapping[str, Any]) -> ForecastSpec:
    """Return the spec with other values of some parameters.

    Args:
        values: by name, such as `gru.units`.
    """
    for name, value in values.items():
        block, _, field = name.partition(".")
        old = _get_parameters(spec, block)
        new = read_parameter_model(block, type(old), {**old.model_dump(), field: value})
        if block in spec.networks:
            spec = replace(spec, networks={**spec.networks, block: new})
        elif block == "training":
            spec = replace(spec, training=new)
        else:
            spec = replace(spec, recipe=spec.recipe.model_copy(update={block: new}))
    return spec


def list_values(spec: ForecastSpec, tuning: TuningSpec) -> dict[str, Any]:
    """Return the current values of the searched parameters, without those that lie outside the space."""
    values = {}
    for name, dimension in tuning.space.items():
        block, _, field = name.partition(".")
        value = getattr(_get_parameters(spec, block), field)
        value = format_units(value) if isinstance(value, tuple) else value
        if dimension.contains(value):
            values[name] = value
    return values


def _get_parameters(spec: ForecastSpec, name: str) -> BaseModel:
    blocks: dict[str, BaseModel] = {**spec.recipe.list_values(), **spec.networks, "training": spec.training}
    return blocks[name]


def run_trial(job: FitJob) -> TrialResult:
    """Fit with the parameters of a trial, and measure the loss."""
    started = time.monotonic()
    try:
        fitted = fit_forecasters(job.table, job.covariate_table, job.spec)
        ranked = rank_forecasters(evaluate(fitted).metrics).set_index("forecaster")
    except (SeriesError, TrainingError) as error:
        return TrialResult(None, None, time.monotonic() - started, str(error))
    losses = ranked["mase" if "relative_mae" in ranked else "mse"]
    simple = losses[losses.index.isin(list(METHODS))].min()
    return TrialResult(float(losses[ENSEMBLE]), float(simple), time.monotonic() - started)
