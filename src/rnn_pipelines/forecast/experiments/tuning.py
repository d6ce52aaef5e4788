"""Parameter search by the error on the validation part; the test part is removed before the search."""

import hashlib
import json
import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError, TrainingError
from rnn_pipelines.forecast.experiments.cross_validation import keep_back, open_gaps
from rnn_pipelines.forecast.experiments.search_space import DimensionSpec, TuningSpec
from rnn_pipelines.forecast.fitting import ForecastSpec, fit_forecasters, rank_forecasters
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.intervals import LevelSpec
from rnn_pipelines.forecast.series.preparation import prepare_series
from rnn_pipelines.forecast.series.splits import find_unjudged
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.networks.fan_out import ParallelSpec, count_workers, fan_out
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.storage.tables import Column, Table

if TYPE_CHECKING:
    from optuna import Study, Trial

logger = logging.getLogger(__name__)

STORAGE = "study.db"
# Smallest number of complete trials for parameter importances.
MIN_TRIALS = 8


class TrialsTable(Table):
    """One row for each trial: parameters as JSON, loss on the validation part (missing if it failed), and seconds."""

    key = ("trial",)
    trial = Column("int")
    parameters = Column("text")
    loss = Column("float", can_be_empty=True)
    baseline_loss = Column("float", can_be_empty=True)
    seconds = Column("float")


Trials = Annotated[pd.DataFrame, TrialsTable]


@dataclass(frozen=True)
class TrialJob:
    """One trial, which may run in another process.

    Attributes:
        number: of the trial.
        table: up to the end of the validation part.
        covariate_table: of all steps; past covariates are not read after the cut-off of a window.
        spec: with the validation part as its test part.
    """

    number: int
    table: Source
    covariate_table: pd.DataFrame | None
    spec: ForecastSpec


@dataclass(frozen=True)
class TrialResult:
    """The result of a trial.

    Attributes:
        number: of the trial.
        loss: of the ensemble on the validation part: MSE of one series, MASE of several; None if the trial failed.
        baseline_loss: the lowest one of a simple method.
        seconds: wall time.
        reason: of the failure; empty without one.
    """

    number: int
    loss: float | None
    baseline_loss: float | None
    seconds: float
    reason: str = ""


def tune(
    table: Source,
    covariate_table: pd.DataFrame | None,
    spec: ForecastSpec,
    tuning: TuningSpec,
    parallel: ParallelSpec,
    folder: Path,
) -> tuple[Trials, dict[str, Any], dict[str, Any]]:
    """Search for the parameters with the lowest loss of the ensemble on the validation part.

    An interrupted search, or one with more trials, is continued. Other data or parameters start a new study in the same
    file. As many trials run in parallel as there are workers, so that the result depends on their number.

    Args:
        table: the series as read.
        covariate_table: see `read_series`; None if there are none.
        spec: the parameters outside the space.
        tuning: the search.
        parallel: the processes for the trials.
        folder: of the search's file.
    Returns:
        All trials. The best parameters as in a parameter file for `forecast`: blocks under `forecast`. And a summary:
        `metric`, `loss`, `first_loss` (of the current parameters), `importances` of the parameters in the space.
    Raises:
        SeriesError: the series cannot be used, or all trials failed.
        TrainingError: Optuna is not installed.
    """
    known, judge = cut_test_part(table, spec)
    study = _open_study(folder, _fingerprint(known, covariate_table, (judge, tuning.space, tuning.seed)), tuning)
    if not study.trials:
        study.enqueue_trial(list_values(judge, tuning))
    started = time.monotonic()
    while (missing := tuning.num_samples - (num_ended := _count_ended(study))) > 0:
        is_over = tuning.time_budget is not None and time.monotonic() - started >= tuning.time_budget
        if is_over and num_ended:
            logger.warning("the time budget of %g s is over, %d trials were not made", tuning.time_budget, missing)
            break
        _run_trials(study, TrialJob(0, known, covariate_table, judge), tuning, parallel, missing)
    return _summarize(study, "mase" if known["unique_id"].nunique() > 1 else "mse")


def cut_test_part(table: Source, spec: ForecastSpec) -> tuple[Source, ForecastSpec]:
    """Return the series up to the end of their validation part, and the spec with that part as its test part.

    Series without a validation part are left out. Open window lengths are derived from the whole series.
    """
    recipe = spec.recipe
    _, series, profile, cutoffs = prepare_series(
        table, recipe.source, recipe.gaps, recipe.split, recipe.window, recipe.evaluation
    )
    cutoffs = cutoffs[~find_unjudged(cutoffs)]
    stops = cutoffs.set_index("unique_id")["validation_stop"]
    place = series.groupby("unique_id", sort=False).cumcount()
    known = open_gaps(series)[(place < series["unique_id"].map(stops)).to_numpy()]
    num_steps = int((cutoffs["validation_stop"] - cutoffs["train_stop"]).min())
    source = recipe.source.model_copy(update={"freq": profile["freq"]})
    split = recipe.split.model_copy(update={"validation": num_steps})
    # Trials need no intervals.
    known_of_all = {"source": source, "split": split, "window": recipe.window.fill(profile)}
    judge = replace(spec, recipe=recipe.model_copy(update=known_of_all), level=LevelSpec(()))
    return known, keep_back(judge, num_steps)


def change_spec(spec: ForecastSpec, values: Mapping[str, Any]) -> ForecastSpec:
    """Return the spec with other values of some parameters.

    Args:
        spec: the methods to fit.
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
    values = {
        name: getattr(_get_parameters(spec, name.partition(".")[0]), name.partition(".")[2]) for name in tuning.space
    }
    return {name: value for name, value in values.items() if _is_inside(tuning.space[name], value)}


def _is_inside(dimension: DimensionSpec, value: Any) -> bool:
    if dimension.choices is not None:
        return value in dimension.choices
    return value is not None and dimension.low <= value <= dimension.high


def _get_parameters(spec: ForecastSpec, name: str) -> BaseModel:
    blocks: dict[str, BaseModel] = {**spec.recipe.list_values(), **spec.networks, "training": spec.training}
    return blocks[name]


def run_trial(job: TrialJob) -> TrialResult:
    """Fit with the parameters of a trial, and measure the loss."""
    started = time.monotonic()
    try:
        ranked = rank_forecasters(fit_forecasters(job.table, job.covariate_table, job.spec)).set_index("forecaster")
    except (SeriesError, TrainingError) as error:
        return TrialResult(job.number, None, None, time.monotonic() - started, str(error))
    losses = ranked["mase" if "relative_mae" in ranked else "mse"]
    simple = losses.drop([ENSEMBLE, *job.spec.networks]).min()
    return TrialResult(job.number, float(losses[ENSEMBLE]), float(simple), time.monotonic() - started)


def _run_trials(study: "Study", first: TrialJob, tuning: TuningSpec, parallel: ParallelSpec, most: int) -> None:
    """Run as many trials in parallel as there are workers; `first` has their common inputs."""
    num = min(most, 1 if parallel.backend == "dask" else count_workers(parallel))
    trials = {trial.number: trial for trial in (study.ask() for _ in range(num))}
    asked = {
        number: {name: _suggest(trial, name, dimension) for name, dimension in tuning.space.items()}
        for number, trial in trials.items()
    }
    jobs = [replace(first, number=number, spec=change_spec(first.spec, values)) for number, values in asked.items()]
    for _, trial_result in fan_out(run_trial, jobs, parallel):
        _log_trial(study, trials[trial_result.number], trial_result)


def _suggest(trial: "Trial", name: str, dimension: DimensionSpec) -> Any:
    if dimension.choices is not None:
        return trial.suggest_categorical(name, dimension.choices)
    if isinstance(dimension.low, int) and isinstance(dimension.high, int):
        return trial.suggest_int(name, dimension.low, dimension.high, log=dimension.log)
    assert dimension.low is not None
    assert dimension.high is not None
    return trial.suggest_float(name, dimension.low, dimension.high, log=dimension.log)


def _log_trial(study: "Study", trial: "Trial", trial_result: TrialResult) -> None:
    from optuna.trial import TrialState

    trial.set_user_attr("seconds", trial_result.seconds)
    trial.set_user_attr("baseline_loss", trial_result.baseline_loss)
    if trial_result.loss is None:
        logger.warning("trial %d failed: %s", trial_result.number, trial_result.reason)
        study.tell(trial, state=TrialState.FAIL)
        return
    study.tell(trial, trial_result.loss)
    logger.info("trial %d: %.4g, least %.4g", trial_result.number, trial_result.loss, study.best_value)


def _open_study(folder: Path, name: str, tuning: TuningSpec) -> "Study":
    try:
        import optuna
    except ModuleNotFoundError as error:
        raise TrainingError(
            "tune_forecast needs Optuna, which is not installed: make tune, or pip install rnn-pipelines[tune]"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    storage = f"sqlite:///{folder / STORAGE}"
    study = optuna.create_study(storage=storage, study_name=name, load_if_exists=True, direction="minimize")
    # A continued search has another seed, so that it does not repeat earlier samples.
    study.sampler = optuna.samplers.TPESampler(seed=tuning.seed + len(study.trials), constant_liar=True)
    return study


def _count_ended(study: "Study") -> int:
    return len(study.get_trials(deepcopy=False, states=_get_ended()))


def _get_ended() -> Any:
    from optuna.trial import TrialState

    return (TrialState.COMPLETE, TrialState.FAIL)


def _summarize(study: "Study", metric: str) -> tuple[Trials, dict[str, Any], dict[str, Any]]:
    """Return the results of `tune`."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    ended = study.get_trials(deepcopy=False, states=_get_ended())
    complete = [trial for trial in ended if trial.value is not None]
    if not complete:
        raise SeriesError("tune_forecast: no trial could be fitted; the log says why. Give another space.")
    best = study.best_trial
    importances = {}
    if len(complete) >= MIN_TRIALS:
        importances = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    parameters: dict[str, Any] = {}
    for name, value in best.params.items():
        block, _, field = name.partition(".")
        parameters.setdefault(block, {})[field] = value
    trials = pd.DataFrame(
        {
            "trial": [trial.number for trial in ended],
            "parameters": [json.dumps(trial.params) for trial in ended],
            "loss": pd.array([trial.value for trial in ended], "float64"),
            "baseline_loss": [trial.user_attrs["baseline_loss"] for trial in ended],
            "seconds": [trial.user_attrs["seconds"] for trial in ended],
        }
    ).astype({"loss": "float64", "baseline_loss": "float64", "seconds": "float64", "trial": "int64"})
    summary = {
        "metric": metric,
        "loss": best.value,
        "baseline_loss": best.user_attrs["baseline_loss"],
        "first_loss": ended[0].value if ended[0].number == 0 else None,
        "num_trials": len(ended),
        "num_failed": len(ended) - len(complete),
        "importances": {name: float(value) for name, value in importances.items()},
    }
    return trials, {"forecast": parameters}, summary


def _fingerprint(table: Source, covariate_table: pd.DataFrame | None, asked: object) -> str:
    """Return a hash of all that trials depend on, except their number."""
    digest = hashlib.sha256(repr(asked).encode())
    for rows in (table, covariate_table):
        if rows is not None:
            digest.update(pd.util.hash_pandas_object(rows, index=False).to_numpy().tobytes())
    return digest.hexdigest()[:16]
