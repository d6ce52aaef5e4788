"""The decision on promoting a challenger, from its results on the holdout."""

import math
from dataclasses import replace
from typing import Any, cast

import pandas as pd

from rnn_pipelines.champion import manifest
from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.decision import Case, decide
from rnn_pipelines.champion.records import ChallengerTraining, Measures, RetrainingInputs
from rnn_pipelines.errors import count
from rnn_pipelines.sentiment.evaluation.holdout import find_score_faults, measure_text_holdout
from rnn_pipelines.sentiment.methods.specs import RetrainSentimentSpec
from rnn_pipelines.sentiment.methods.tables import Holdout
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from rnn_pipelines.sentiment.operations.reference import pack_reference
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec
from rnn_pipelines.sentiment.text.splits import ReviewProfile

SEEN = "champion and challenger can't be compared, because the champion was trained on too much of the holdout"


def describe_run(
    table: pd.DataFrame,
    profile: ReviewProfile,
    sentiment: dict[str, Any],
    retrain_spec: RetrainSentimentSpec,
    started: float,
) -> RetrainingInputs:
    """Return the provenance of a retraining: fingerprints of data, parameters and code, and all versions.

    The reviews are as they were read, with their `time` if there is one. `started` is in seconds since 1970.
    """
    origin = ReviewSourceSpec.model_validate(sentiment["source"]).origin
    num_reviews = sum(profile["num_reviews"].values())
    about: dict[str, object] = {
        "source": origin,
        "num_reviews": num_reviews,
        "num_groups": int(table["group"].nunique()),
    }
    if "time" in table:
        about["first"] = str(table["time"].min())
        about["last"] = str(table["time"].max())
    parameters = {"sentiment": sentiment, "retrain_sentiment": retrain_spec}
    return manifest.describe_retraining(table, about, parameters, retrain_spec.as_of, started)


def decide_promotion(
    challenger: ClassifierArtefact,
    champion: LoadedChampion | None,
    holdout: Holdout,
    training: ChallengerTraining,
    run: RetrainingInputs,
    retrain_spec: RetrainSentimentSpec,
) -> Candidate:
    """Compare champion, challenger and baselines on the holdout, and decide whether the challenger is promoted.

    Return the challenger with the record of the decision and the reference for monitoring.
    """
    holdout_measures = measure_text_holdout(holdout)
    measures = {
        name: measured or {"log_loss": math.nan}
        for name, measured in holdout_measures.measures.items()
    }
    renamed = {
        name: cast(
            Measures,
            {"loss" if key == "log_loss" else key: value for key, value in measured.items()},
        )
        for name, measured in measures.items()
    }
    objections = () if champion is None or holdout_measures.is_comparable else (SEEN,)
    case = Case(
        "sentiment",
        renamed,
        holdout_measures.p_value,
        tuple(find_score_faults(holdout)),
        objections,
        (*holdout_measures.notes, *note_new_classes(champion, holdout)),
    )
    candidate = decide(challenger, champion, case, training, run, retrain_spec.policy)
    return replace(candidate, files=pack_reference(holdout))


def note_new_classes(champion: LoadedChampion | None, holdout: Holdout) -> tuple[str, ...]:
    """Return a note on the classes that the champion lacks, if there are any, with the number of held-out texts."""
    if champion is None:
        return ()
    labels = holdout["label"]
    new = [
        name
        for name in labels.cat.categories
        if name not in champion.artefact.class_facts["classes"]
    ]
    if not new:
        return ()
    num_texts = int(labels.isin(new).sum())
    return (f"new classes: {', '.join(new)} ({count(num_texts, 'text')} of the holdout)",)
