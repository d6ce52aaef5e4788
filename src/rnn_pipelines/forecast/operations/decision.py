"""The decision on a challenger: the evidence of the holdout, and the result of the policy."""

from collections.abc import Iterator, Mapping
from dataclasses import replace
from math import isfinite
from pathlib import Path
from typing import Any

import pandas as pd

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion, name_promotion
from rnn_pipelines.champion.decision import Case, decide
from rnn_pipelines.champion.manifest import describe_retraining as describe
from rnn_pipelines.champion.manifest import join_covariates
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import ChallengerTraining, Measures, RetrainingInputs
from rnn_pipelines.errors import count
from rnn_pipelines.forecast.evaluation.holdout import find_forecast_faults, measure_forecast_holdout
from rnn_pipelines.forecast.methods.in_use import BEST
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.training.specs import TrainingPlan
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.operations.challenger import find_seen
from rnn_pipelines.forecast.operations.fixed_parameters import (
    describe_other_parameters,
    find_other_parameters,
    find_trained_parameters,
)
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.preparation.reference import measure_reference
from rnn_pipelines.forecast.series.tables import Profile, Series, Source
from rnn_pipelines.report.numbers import format_test

# Facts of the data profile in the record of a retraining.
FACTS = ("source", "num_series", "num_steps", "first", "last")


def describe_run(
    table: Source,
    covariate_table: pd.DataFrame,
    profile: Profile,
    forecast: dict[str, Any],
    retraining: RetrainForecastSpec,
    started: float,
) -> RetrainingInputs:
    """Return the fingerprints of the data as read up to the day, of parameters and code, and all versions."""
    parameters = {"forecast": forecast, "retrain_forecast": retraining}
    data = {name: value for name, value in profile.items() if name in FACTS}
    return describe(
        join_covariates(table, covariate_table), data, parameters, retraining.as_of, started
    )


def plan_training(retraining: RetrainForecastSpec, checkpoints: Path) -> TrainingPlan:
    """Return the budget of the training, and the folder of its checkpoints."""
    return TrainingPlan(retraining.budget, checkpoints)


def decide_promotion(
    challenger: Forecaster,
    champion: LoadedChampion | None,
    holdout: Predictions,
    training: ChallengerTraining,
    run: RetrainingInputs,
    retraining: RetrainForecastSpec,
) -> Candidate:
    """Compare challenger and champion on the holdout, decide by the policy, and record the reasons."""
    result = measure_forecast_holdout(holdout, challenger.settings.horizon)
    # Some baselines do not exist for all series: seasonal ones need a season. Unknown names were rejected before.
    policy = retraining.policy
    measures = result.measures
    named = tuple(name for name in policy.must_beat if name != BEST)
    # The best simple method is held against no other one.
    if training["chosen"] == _find_best(measures):
        named = ()
    missing = [name for name in named if name not in measures]
    notes = (
        [f"must_beat: {name} does not exist for these series" for name in missing]
        if len(holdout.table)
        else []
    )
    objections = () if champion is None else _find_objections(challenger, champion, measures)
    proven = _list_proven(result.better, policy.significance) if BEST in policy.must_beat else ()
    objections = (*proven, *objections)
    # On the night of a promotion, the forecast of a date changes from the champion's to the challenger's. A model that
    # moves much each night does so on this one, too.
    usual, change = (
        measures.get(name, Measures()).get("change") for name in (CHAMPION, CHALLENGER)
    )
    reservations: tuple[str, ...] = ()
    if policy.stability is not None and CHAMPION in measures and usual is None:
        notes.append(
            "policy.stability: not applied, because no date of the holdout has two forecasts"
        )
    elif (
        policy.stability
        and usual is not None
        and change is not None
        and change > policy.stability * usual
    ):
        reservations = (
            f"its promotion changes the forecast of a date by {change:.4g}, more than {policy.stability:g} times the "
            f"{usual:.4g} by which the champion changes it from origin to origin (policy.stability)",
        )
    if len(holdout.table) <= challenger.settings.horizon:
        missing = list(named)
        notes.append("the test part has at most one window, so that nothing is compared")
        objections = (
            () if champion is None else ("the test part has at most one window. Give more rows",)
        )
    policy = policy.model_copy(
        update={"must_beat": tuple(name for name in named if name not in missing)}
    )
    case = Case(
        task="forecast",
        measures=measures,
        p_value=result.p_value,
        faults=tuple(find_forecast_faults(holdout)),
        objections=objections,
        notes=(*result.notes, *notes),
        ahead=tuple(_list_notes({} if proven else result.better, training)),
        reservations=reservations,
        if_kept=tuple(_list_not_acting(champion, run)),
    )
    return decide(challenger, champion, case, training, run, policy)


def keep_reference(candidate: Candidate, series: Series) -> Candidate:
    """Return the candidate with the statistics of the series that it has learnt, against which it is monitored."""
    settings = candidate.artefact.settings
    reference = measure_reference(series, settings.trained_until, settings.freq)
    return replace(candidate, artefact=replace(candidate.artefact, reference=reference))


def _find_best(measures: Mapping[str, Measures]) -> str | None:
    """Return the simple method with the lowest loss; None if no loss is finite."""
    losses = {
        name: one.get("loss")
        for name, one in measures.items()
        if name not in (CHALLENGER, CHAMPION)
    }
    finite = {name: loss for name, loss in losses.items() if loss is not None and isfinite(loss)}
    return min(finite, key=lambda name: finite[name], default=None)


def _list_proven(better: Mapping[str, tuple[float, float]], significance: float) -> tuple[str, ...]:
    """Return a reason against a challenger that is significantly worse than the best of the simple methods."""
    proven = {name: ratio for name, (ratio, p_value) in better.items() if p_value <= significance}
    if not proven:
        return ()
    name = min(proven, key=lambda one: proven[one])
    remedy = f"forecast.use=ensemble puts {name} in its place, and {name_promotion('forecast')} uses it nevertheless"
    return (f"{_describe_better(name, *better[name])}. {remedy}",)


def _describe_better(name: str, ratio: float, p_value: float) -> str:
    return f"its loss is {100 * (1 / ratio - 1):.1f} % above that of {name}{format_test(p_value)}"


def _list_notes(
    better: Mapping[str, tuple[float, float]], training: ChallengerTraining
) -> Iterator[str]:
    """Yield notes on a better simple method, its use, trainings that were cut short, and a refit without use.

    A simple method with a lower loss on the holdout does not prevent the promotion unless `must_beat` names it, because
    the champion may be worse still. A training that ran out of time gives another result on a faster machine.
    """
    if better:
        best = min(better, key=lambda name: better[name][0])
        yield _describe_better(best, *better[best])
    if training.get("instead_of"):
        yield f"{training['chosen']} takes the place of {training['instead_of']}, which is significantly worse"
    for name, record in training["networks"].items():
        if record.get("is_cut_short"):
            yield f"the time budget ended the training of {name} after {count(record['num_steps'], 'step')}"
    if not training.get("is_refitted", True):
        yield "its refit on all rows is not used, because its errors on the newest windows are larger"


def _list_not_acting(champion: LoadedChampion | None, run: RetrainingInputs) -> Iterator[str]:
    """Yield the parameters of this retraining that do not act if the champion, which has fixed others, is kept."""
    if champion is not None:
        asked = run.get("parameters", {}).get("forecast", {})
        if others := find_other_parameters(find_trained_parameters(champion.record), asked):
            yield describe_other_parameters(champion.version, others)


def _find_objections(
    challenger: Forecaster, champion: LoadedChampion, measures: Mapping[str, Any]
) -> tuple[str, ...]:
    # First, because a table that ends before the champion's training has lost values for that reason alone.
    if seen := find_seen(champion.artefact, challenger.settings):
        part = f"a part of the holdout (series {seen[0]})"
        return (f"the champion was trained on {part}, so the models cannot be compared",)
    if CHAMPION not in measures:
        reason = "the champion cannot forecast these series or has learnt another history, or newest values are gross"
        remedy = f"If the table is right, {name_promotion('forecast')} puts the challenger into use"
        return (f"{reason} (see the log), so the models cannot be compared. {remedy}",)
    return ()
