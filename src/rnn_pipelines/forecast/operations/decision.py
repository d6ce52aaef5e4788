"""The case of a challenger among forecasters: what the holdout says, and what is decided."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.decision import Case, decide
from rnn_pipelines.champion.manifest import describe_run as describe
from rnn_pipelines.champion.manifest import join_covariates
from rnn_pipelines.champion.policy import CHAMPION
from rnn_pipelines.champion.records import ChallengerTraining, Run
from rnn_pipelines.forecast.evaluation.holdout import find_faults, measure_holdout
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.operations.challenger import TrainingPlan, find_seen
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.series.tables import Profile, Source
from rnn_pipelines.report.numbers import format_p_value

# What of the data profile stays on record of a retraining.
FACTS = ("source", "num_series", "num_steps", "first", "last")


def describe_run(
    table: Source,
    covariate_table: pd.DataFrame,
    profile: Profile,
    forecast: dict[str, Any],
    retraining: RetrainForecastSpec,
    started: float,
) -> Run:
    """Fingerprints data, parameters and code, and notes the versions of everything.

    Args:
        table: the data as it was read, up to the day of the retraining.
        covariate_table: see `read_covariates`.
        profile: of the series.
        forecast, retraining: all parameters of the two pipelines.
        started: when, in seconds since 1970.
    """
    parameters = {"forecast": forecast, "retrain_forecast": retraining}
    data = {name: value for name, value in profile.items() if name in FACTS}
    return describe(join_covariates(table, covariate_table), data, parameters, retraining.as_of, started)


def plan_training(retraining: RetrainForecastSpec, checkpoints: Path) -> TrainingPlan:
    """Says what the training may cost, and where it leaves what it needs to go on."""
    return TrainingPlan(retraining.budget, checkpoints)


def decide_promotion(
    challenger: Forecaster,
    champion: LoadedChampion | None,
    holdout: Predictions,
    training: ChallengerTraining,
    run: Run,
    retraining: RetrainForecastSpec,
) -> Candidate:
    """Compares the two on the holdout, decides by the policy, and writes the record with the reasons.

    Args:
        challenger: what was trained.
        champion: the forecaster in use; None where there is none.
        holdout: forecasts of everyone beside what happened.
        training: the record of `choose_challenger`.
        run: what the retraining is made of.
        retraining: with the policy.
    """
    found = measure_holdout(holdout, challenger.settings.horizon)
    # Series without a season, to name one, have no seasonal method; that the names are known was checked before.
    policy = retraining.policy
    missing = [name for name in policy.must_beat if name not in found.measures]
    policy = policy.model_copy(update={"must_beat": tuple(n for n in policy.must_beat if n not in missing)})
    case = Case(
        task="forecast",
        measures=found.measures,
        p_value=found.p_value,
        faults=tuple(find_faults(holdout)),
        objections=() if champion is None else _find_objections(challenger, champion, found.measures),
        notes=(*found.notes, *(f"there is no {name} of these series to be beaten" for name in missing)),
        ahead=(*_list_better(found.better), *_list_cut(training["networks"])),
    )
    return decide(challenger, champion, case, training, run, policy)


def _list_better(better: Mapping[str, tuple[float, float]]) -> Iterator[str]:
    """Simple methods that forecast the holdout better: nothing that is worse goes into use in silence.

    None of them keeps the challenger back unless `must_beat` names it: the champion may be worse still.
    """
    for name, (ratio, p_value) in better.items():
        yield f"its loss is {100 * (1 / ratio - 1):.1f} % above that of {name} ({format_p_value(p_value)})"


def _list_cut(networks: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Trainings that ran out of time: the same seed would come to something else on a faster machine."""
    for name, record in networks.items():
        if record.get("is_cut_short"):
            yield f"the budget of time cut the training of {name} short, after {record['num_steps']:,} steps"


def _find_objections(challenger: Forecaster, champion: LoadedChampion, measures: Mapping[str, Any]) -> tuple[str, ...]:
    if CHAMPION not in measures:
        return ("the champion can't forecast these series, so that the two can't be compared: promote it by hand",)
    seen = find_seen(champion.artefact, challenger.settings)
    if seen:
        return (f"the champion has seen a part of the holdout (series {seen[0]}), so that the two can't be compared",)
    return ()
