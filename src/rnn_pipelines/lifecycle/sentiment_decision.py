"""The case of a challenger among text classifiers: what the holdout says, and what is decided."""

import logging
import math
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.evaluation.holdout import CHALLENGER, CHAMPION
from rnn_pipelines.evaluation.text_holdout import BASELINES, find_faults, measure_holdout
from rnn_pipelines.lifecycle import retraining
from rnn_pipelines.lifecycle.policy import Evidence
from rnn_pipelines.lifecycle.retraining import Candidate, LoadedChampion, RetrainSentimentSpec, decide
from rnn_pipelines.text.source import ReviewSourceSpec

if TYPE_CHECKING:
    from rnn_pipelines.training.scoring import TextClassifier

logger = logging.getLogger(__name__)

SEEN = "the champion has seen too much of the holdout, so that the two can't be compared"


def describe_run(
    table: pd.DataFrame,
    profile: Mapping[str, Any],
    parameters: Mapping[str, Any],
    spec: RetrainSentimentSpec,
    started: float,
) -> dict[str, Any]:
    """What a retraining is made of, for its record.

    Args:
        table: what `read_newest` returns.
        profile: what `split_reviews` returns.
        parameters, started: see `retraining.describe_run`.
        spec: of the retraining.
    """
    about = {
        "source": ReviewSourceSpec.model_validate(parameters["sentiment"]["source"]).origin,
        "num_reviews": sum(profile["num_reviews"].values()),
        "num_films": int(table["film"].nunique()),
    }
    if "time" in table:
        about |= {"first": str(table["time"].min()), "last": str(table["time"].max())}
    return retraining.describe_run(table, about, parameters, spec, started)


def decide_sentiment(
    challenger: "TextClassifier",
    champion: LoadedChampion | None,
    holdout: pd.DataFrame,
    training: dict[str, Any],
    run: dict[str, Any],
    spec: RetrainSentimentSpec,
) -> Candidate:
    """Weighs champion, challenger and baselines on the holdout, decides, and writes the record.

    Args:
        challenger: what was trained.
        champion: the classifier in use; None where there is none.
        holdout: what `score_holdout` returns.
        training: the record of `complete_challenger`.
        run: what `describe_run` returns.
        spec: with the policy.
    """
    measured = measure_holdout(holdout)
    for note in measured["notes"]:
        logger.warning(note)
    losses = {name: _get_loss(measures) for name, measures in measured["measures"].items()}
    evidence = Evidence(
        challenger_loss=losses[CHALLENGER],
        champion_loss=losses.get(CHAMPION),
        baseline_losses={name: losses[name] for name in BASELINES},
        p_value=measured["p_value"],
        champion_age_days=None if champion is None else champion.age_days,
        faults=tuple(find_faults(holdout)),
        objections=() if champion is None or measured["is_comparable"] else (SEEN,),
    )
    rest = {
        "task": "sentiment",
        "metrics": _describe_metrics(measured["measures"], training, champion),
        "seeds": training["seeds"],
        "training_seconds": training["training_seconds"],
        "training": {key: training[key] for key in ("chosen", "validation_losses", "networks")},
        "notes": measured["notes"],
        "champion": None if champion is None else champion.version,
    }
    return decide(challenger, evidence, spec.policy, run, rest)


def _describe_metrics(
    measures: Mapping[str, Mapping[str, float] | None], training: dict[str, Any], champion: LoadedChampion | None
) -> dict[str, Any]:
    promised = {} if champion is None else champion.record.get("metrics", {}).get(CHALLENGER, {})
    validation = {
        CHALLENGER: training["validation_losses"][training["chosen"]],
        CHAMPION: promised.get("validation_loss"),
    }
    of_both = {
        name: {"validation_loss": validation[name], "loss": _get_loss(measures[name])}
        | {key: value for key, value in (measures[name] or {}).items() if key != "log_loss"}
        if name in measures
        else None
        for name in (CHALLENGER, CHAMPION)
    }
    return of_both | {"baselines": {name: _get_loss(measures[name]) for name in BASELINES}}


def _get_loss(measures: Mapping[str, float] | None) -> float:
    return math.nan if measures is None else measures["log_loss"]
