"""Training a text classifier as a challenger, and scoring the holdout beside the champion."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.records import ChallengerTraining
from rnn_pipelines.networks.specs import LimitsSpec, TrainingSpec
from rnn_pipelines.sentiment.calibration import choose_classifier
from rnn_pipelines.sentiment.evaluation.metrics import CLASSICAL, to_logit
from rnn_pipelines.sentiment.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.specs import ClassifierSpec, TextMeans
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.newest import hash_texts
from rnn_pipelines.sentiment.text.vectors import WordVectors

if TYPE_CHECKING:
    import keras

    from rnn_pipelines.sentiment.classifier import TextClassifier

KEYS = ("review_id", "label", "rating", "num_words")


def allot_means(padding: PaddingSpec, training: TrainingSpec, budget: LimitsSpec, checkpoints: Path) -> TextMeans:
    """Training as by hand, within the budget.

    Always from scratch: vocabulary and n-gram weights are those of the newest texts, and weights for other ones don't
    fit.
    """
    changes: dict[str, Any] = {} if budget.epochs is None else {"epochs": budget.epochs}
    return TextMeans(padding, training.model_copy(update=changes), budget.max_seconds, checkpoints)


def train_challenger(
    features: TextFeatures, reviews: pd.DataFrame, vectors: WordVectors, network: ClassifierSpec, means: TextMeans
) -> "tuple[keras.Model, dict[str, Any]]":
    """Trains one network; the holdout is not touched.

    Args:
        features, reviews, vectors, network: see `train_classifier`.
        means: how, and what it may cost.
    Returns:
        The network with its best weights, and the record of `fit` with `seeds`.
    """
    from rnn_pipelines.sentiment.training import train_within

    model, _, record = train_within(features, reviews, vectors, network, means)
    return model, {key: value for key, value in record.items() if key != "layers"} | {"seeds": [means.training.seed]}


def complete_challenger(
    classifier: "TextClassifier",
    reviews: pd.DataFrame,
    calibrations: Mapping[str, Any],
    records: Mapping[str, Mapping[str, Any]],
) -> "tuple[TextClassifier, ChallengerTraining]":
    """Lets a challenger remember which texts it has seen.

    Args:
        classifier: what `assemble_classifier` returns.
        reviews: `part` and `text` of each.
        calibrations: what `calibrate_classifiers` returns.
        records: of the networks, by name.
    Returns:
        The challenger. And a record: `validation_losses` (log loss) of each network and of both, `chosen`, `seeds`,
        `training_seconds`, and the records of `networks`.
    """
    seen = hash_texts(reviews.loc[reviews["part"].isin(["train", "validation"]), "text"])
    training: ChallengerTraining = {
        "validation_losses": {name: calibrations[name]["validation_log_loss"] for name in (*records, "ensemble")},
        "chosen": choose_classifier(calibrations),
        "seeds": sorted({seed for record in records.values() for seed in record["seeds"]}),
        "training_seconds": sum(record["training_seconds"] + record["compile_seconds"] for record in records.values()),
        "networks": {name: dict(record) for name, record in records.items()},
    }
    return replace(classifier, seen=np.unique(seen.to_numpy())), training


def score_holdout(
    reviews: pd.DataFrame, predictions: pd.DataFrame, classifiers: "Mapping[str, TextClassifier]"
) -> pd.DataFrame:
    """Scores of everyone on the holdout, each classifier from the text on, as on the day of use.

    Args:
        reviews: `review_id, part, label, text` of each.
        predictions: what `calibrate_classifiers` returns for the holdout.
        classifiers: by name, `challenger` and, where there is one, `champion`.
    Returns:
        `review_id, label, rating, num_words`; logits of `majority`, who says the share of positive training reviews of
        every text, of `nb_ngram`, and of the classifiers; `num_known_words`, by the challenger; and `is_seen`: the
        champion was trained, chosen or calibrated on the text.
    """
    from rnn_pipelines.sentiment.classifier import score_sentiment

    share = reviews.loc[reviews["part"] == "train", "label"].astype(float).mean()
    holdout = predictions[[*KEYS, CLASSICAL]].assign(majority=to_logit(np.full(len(predictions), share)))
    texts = predictions[["review_id"]].merge(reviews[["review_id", "text"]], validate="one_to_one")
    rows = texts.rename(columns={"review_id": "row"})
    scores = {name: score_sentiment(classifier, rows) for name, classifier in classifiers.items()}
    for name, scored in scores.items():
        holdout[name] = to_logit(scored["probability"].to_numpy())
    holdout["num_known_words"] = scores["challenger"]["num_known_words"].to_numpy()
    seen = classifiers["champion"].seen if "champion" in classifiers else np.zeros(0, np.uint64)
    return holdout.assign(is_seen=hash_texts(texts["text"]).isin(seen).to_numpy())
