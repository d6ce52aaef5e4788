"""The case of a challenger among text classifiers: what the holdout says, and what is decided."""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Literal, cast

import pandas as pd

from rnn_pipelines.champion import manifest
from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.decision import Case, decide
from rnn_pipelines.champion.policy import PolicySpec
from rnn_pipelines.champion.records import ChallengerTraining, Measures, Run
from rnn_pipelines.networks.specs import LimitsSpec
from rnn_pipelines.sentiment.evaluation.holdout import find_faults, measure_holdout
from rnn_pipelines.sentiment.reference import pack_reference
from rnn_pipelines.sentiment.text.newest import NewestReviewsSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

if TYPE_CHECKING:
    from rnn_pipelines.sentiment.classifier import TextClassifier


class SentimentPolicySpec(PolicySpec, frozen=True):
    """When a text classifier is promoted.

    Attributes:
        must_beat: baselines whose loss the challenger must be below.
    """

    must_beat: tuple[Literal["majority", "nb_ngram"], ...] = ("majority",)


class RetrainSentimentSpec(NewestReviewsSpec, frozen=True):
    """How text classifiers are retrained; data, networks and training are those of `sentiment`.

    Attributes:
        policy: when the challenger is promoted.
        budget: what its training may cost.
    """

    policy: SentimentPolicySpec
    budget: LimitsSpec


SEEN = "the champion has seen too much of the holdout, so that the two can't be compared"


def describe_run(
    table: pd.DataFrame,
    profile: Mapping[str, Any],
    parameters: Mapping[str, Any],
    spec: RetrainSentimentSpec,
    started: float,
) -> Run:
    """What a retraining is made of, for its record.

    Args:
        table: what `read_newest` returns.
        profile: what `split_reviews` returns.
        parameters, started: see `manifest.describe_run`.
        spec: of the retraining.
    """
    about = {
        "source": ReviewSourceSpec.model_validate(parameters["sentiment"]["source"]).origin,
        "num_reviews": sum(profile["num_reviews"].values()),
        "num_films": int(table["film"].nunique()),
    }
    if "time" in table:
        about |= {"first": str(table["time"].min()), "last": str(table["time"].max())}
    return manifest.describe_run(table, about, parameters, spec.as_of, started)


def decide_sentiment(
    challenger: "TextClassifier",
    champion: LoadedChampion | None,
    holdout: pd.DataFrame,
    training: ChallengerTraining,
    run: Run,
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
    found = measure_holdout(holdout)
    case = Case(
        task="sentiment",
        measures={name: _name_loss(measures) for name, measures in found["measures"].items()},
        p_value=found["p_value"],
        faults=tuple(find_faults(holdout)),
        objections=() if champion is None or found["is_comparable"] else (SEEN,),
        notes=tuple(found["notes"]),
    )
    candidate = decide(challenger, champion, case, training, run, spec.policy)
    return replace(candidate, files=pack_reference(holdout))


def _name_loss(measures: Mapping[str, float] | None) -> Measures:
    if measures is None:
        return {"loss": math.nan}
    return cast(Measures, {"loss" if name == "log_loss" else name: value for name, value in measures.items()})
