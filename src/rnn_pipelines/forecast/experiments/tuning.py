"""Parameter search by the error of trials on the validation part; the test part is removed before the search."""

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

from rnn_pipelines.errors import SeriesError, SeriesTooShortError, TrainingError, count
from rnn_pipelines.forecast.experiments.rolling import FitJob, cut_series, keep_back, rolling
from rnn_pipelines.forecast.experiments.search_space import DimensionSpec, TuningSpec
from rnn_pipelines.forecast.fitting import evaluate_fitted, fit_forecasters, rank_forecasters
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.networks.fan_out import ParallelSpec, count_workers
from rnn_pipelines.networks.specs import format_units
from rnn_pipelines.networks.time_left import TimeLeft
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.storage.tables import Column, Table

if TYPE_CHECKING:
    from optuna import Study, Trial

logger = logging.getLogger(__name__)

STORAGE = "study.db"
# Smallest number of complete trials for parameter importances.
MIN_TRIALS = 8


@dataclass(frozen=True)
class TrialResult:
    """The result of a trial.

    Attributes:
        loss: of the ensemble on the validation part: MSE of one series, MASE of several; None if the trial failed.
        baseline_loss: the lowest one of a simple method.
        seconds: wall time.
    """

    loss: float | None
    baseline_loss: float | None
    seconds: float
    reason: str = ""


def cut_test_part(table: Source, spec: ForecastSpec) -> tuple[Source, ForecastSpec]:
    """Return the series up to the end of their validation part, and the spec with that part as its test part.

    Series without a validation part are left out; a SeriesTooShortError if all are. Open window lengths are derived
    from the whole series.
    """
    # Each trial mends the breaks that its own part shows.
    blocks = spec.gaps, BreakPolicy("keep"), spec.split, spec.window, spec.evaluation
    _, series, profile, cutoffs = prepare_series(table, spec.source, *blocks)
    cutoffs = cutoffs[cutoffs["train_stop"] < cutoffs["validation_stop"]]
    if cutoffs.empty:
        reason = "no series is long enough for a validation part, by which trials are compared"
        raise SeriesTooShortError(
            f"{spec.source.label}: {reason}. Give more rows, or a shorter window.horizon."
        )
    stops = cutoffs.set_index("unique_id")["validation_stop"]
    place = series.groupby("unique_id", sort=False).cumcount()
    table = cut_series(series, place < series["unique_id"].map(stops))
    num_steps = int((cutoffs["validation_stop"] - cutoffs["train_stop"]).min())
    source = spec.source.model_copy(update={"freq": profile["freq"]})
    split = spec.split.model_copy(update={"validation": num_steps})
    # Trials need no intervals.
    changes = {
        "source": source,
        "split": split,
        "window": spec.window.fill(profile),
        "level": LevelSpec(()),
    }
    return table, keep_back(spec.model_copy(update=changes), num_steps)


def change_spec(spec: ForecastSpec, values: Mapping[str, Any]) -> ForecastSpec:
    """Return the spec with other values of some parameters, by names such as `gru.units`."""
    for name, value in values.items():
        block, _, field = name.partition(".")
        old = _get_parameters(spec, block)
        new = read_parameter_model(block, type(old), {**old.model_dump(), field: value})
        changes = {block: new}
        if block in spec.networks:
            changes = {"networks": {**spec.networks, block: new}}
        spec = spec.model_copy(update=changes)
    return spec


def list_current_values(spec: ForecastSpec, tuning: TuningSpec) -> dict[str, Any]:
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
    block: BaseModel = spec.networks[name] if name in spec.networks else getattr(spec, name)
    return block


def run_trial(job: FitJob) -> TrialResult:
    """Fit with the parameters of a trial, and measure the loss."""
    started = time.monotonic()
    try:
        fitted = fit_forecasters(job.table, job.covariate_table, job.spec)
        ranked = rank_forecasters(evaluate_fitted(fitted).metrics).set_index("forecaster")
    except (SeriesError, TrainingError) as error:
        return TrialResult(None, None, time.monotonic() - started, str(error))
    losses = ranked["mase" if "relative_mae" in ranked else "mse"]
    simple = losses[losses.index.isin(list(METHODS))].min()
    return TrialResult(float(losses[ENSEMBLE]), float(simple), time.monotonic() - started)


class TrialsTable(Table):
    """One row for each trial: parameters as JSON, loss on the validation part (missing if it failed), and seconds."""

    key = ("trial",)
    trial = Column("int")
    parameters = Column("text")
    loss = baseline_loss = Column("float", can_be_empty=True)
    seconds = Column("float")


Trials = Annotated[pd.DataFrame, TrialsTable]


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

    Returns:
        All trials. The best parameters as in a parameter file for `forecast`: blocks under `forecast`. And a summary:
        `metric`, `loss`, `first_loss` (of the current parameters), `importances` of the parameters in the space.
    Raises:
        SeriesError: the series cannot be used, or all trials failed.
        TrainingError: Optuna is not installed.
    """
    table, spec = cut_test_part(table, spec)
    study = _open_study(
        folder, _fingerprint(table, covariate_table, (spec, tuning.space, tuning.seed)), tuning
    )
    if not study.trials:
        study.enqueue_trial(list_current_values(spec, tuning))
    started = time.monotonic()
    num_before = len(_list_ended(study))
    time_left = TimeLeft(
        tuning.num_samples, "trials", num_before, can_stop=tuning.time_budget is not None
    )
    while (missing := tuning.num_samples - (num_ended := len(_list_ended(study)))) > 0:
        is_over = (
            tuning.time_budget is not None and time.monotonic() - started >= tuning.time_budget
        )
        if is_over and num_ended:
            logger.warning(
                "the time budget of %g s is over, without %s",
                tuning.time_budget,
                count(missing, "trial"),
            )
            break
        _run_trials(study, FitJob(0, table, covariate_table, spec), tuning, parallel, missing)
        time_left.log(len(_list_ended(study)))
    return _summarize(study, "mase" if table["unique_id"].nunique() > 1 else "mse")


def _run_trials(
    study: "Study", first: FitJob, tuning: TuningSpec, parallel: ParallelSpec, most: int
) -> None:
    """Run as many trials in parallel as there are workers; `first` has their common inputs."""
    num = min(most, 1 if parallel.backend == "dask" else count_workers(parallel))
    trials = {trial.number: trial for trial in (study.ask() for _ in range(num))}
    space = tuning.space.items()
    asked = {
        number: {name: _suggest(trial, name, one) for name, one in space}
        for number, trial in trials.items()
    }
    jobs = [
        replace(first, number=number, spec=change_spec(first.spec, values))
        for number, values in asked.items()
    ]
    rolling(
        run_trial, jobs, parallel, lambda job, result: _log_trial(study, trials[job.number], result)
    )


def _suggest(trial: "Trial", name: str, dimension: DimensionSpec) -> Any:
    if dimension.choices is not None:
        return trial.suggest_categorical(name, dimension.choices)
    low = dimension.low
    high = dimension.high
    suggest: Any = (
        trial.suggest_int if isinstance(low, int) and isinstance(high, int) else trial.suggest_float
    )
    return suggest(name, low, high, log=dimension.log)


def _log_trial(study: "Study", trial: "Trial", result: TrialResult) -> None:
    from optuna.trial import TrialState

    trial.set_user_attr("seconds", result.seconds)
    trial.set_user_attr("baseline_loss", result.baseline_loss)
    if result.loss is None:
        logger.warning("trial %d failed: %s", trial.number, result.reason)
        study.tell(trial, state=TrialState.FAIL)
        return
    study.tell(trial, result.loss)
    logger.info("trial %d: loss %.4g, lowest %.4g", trial.number, result.loss, study.best_value)


def _open_study(folder: Path, name: str, tuning: TuningSpec) -> "Study":
    try:
        import optuna
    except ModuleNotFoundError as error:
        remedy = "make tune, or pip install rnn-pipelines[tune]"
        raise TrainingError(
            f"tune_forecast needs Optuna, which is not installed: {remedy}"
        ) from error
    optuna.logging.set_verbosity(optuna.logging.WARNING)
    folder.mkdir(parents=True, exist_ok=True)
    storage = f"sqlite:///{folder / STORAGE}"
    study = optuna.create_study(
        storage=storage, study_name=name, load_if_exists=True, direction="minimize"
    )
    # A continued search has another seed, so that it does not repeat earlier samples.
    study.sampler = optuna.samplers.TPESampler(
        seed=tuning.seed + len(study.trials), constant_liar=True
    )
    return study


def _list_ended(study: "Study") -> list[Any]:
    """Return the trials that are complete or failed."""
    from optuna.trial import TrialState

    return study.get_trials(deepcopy=False, states=(TrialState.COMPLETE, TrialState.FAIL))


def _summarize(study: "Study", metric: str) -> tuple[Trials, dict[str, Any], dict[str, Any]]:
    """Return the results of `tune`."""
    from optuna.importance import PedAnovaImportanceEvaluator, get_param_importances

    ended = _list_ended(study)
    complete = [trial for trial in ended if trial.value is not None]
    if not complete:
        raise SeriesError(
            "tune_forecast: all trials failed, see the log. Give another tune_forecast.space."
        )
    best = study.best_trial
    importances = {}
    if len(complete) >= MIN_TRIALS:
        importances = get_param_importances(study, evaluator=PedAnovaImportanceEvaluator())
    parameters: dict[str, Any] = {}
    for name, value in best.params.items():
        block, _, field = name.partition(".")
        parameters.setdefault(block, {})[field] = value
    rows = []
    for trial in ended:
        measured = trial.user_attrs["baseline_loss"], trial.user_attrs["seconds"]
        rows.append((trial.number, json.dumps(trial.params), trial.value, *measured))
    trials = pd.DataFrame(rows, columns=list(TrialsTable.columns)).astype(
        TrialsTable.make_empty().dtypes
    )
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
