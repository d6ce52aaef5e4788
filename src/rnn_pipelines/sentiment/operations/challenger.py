"""Training of a challenger, and scoring of the holdout by challenger, champion and baselines."""

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import ChallengerTraining
from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.methods.calibration import Calibration, choose_best_classifier
from rnn_pipelines.sentiment.methods.logits import tabulate_logits, to_logits
from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.methods.registry import BASELINES, ENSEMBLE, NB_NGRAM
from rnn_pipelines.sentiment.methods.specs import (
    ClassifierSpec,
    RetrainSentimentSpec,
    TextTrainingPlan,
)
from rnn_pipelines.sentiment.methods.tables import Holdout, Predictions
from rnn_pipelines.sentiment.methods.training import train_text_network
from rnn_pipelines.sentiment.model.classifier import (
    ClassifierArtefact,
    read_probabilities,
    score_sentiment,
)
from rnn_pipelines.sentiment.text.as_of import hash_texts
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.schema import Reviews
from rnn_pipelines.sentiment.text.vectors import WordVectors


def plan_training(
    padding: PaddingSpec,
    training: TrainingSpec,
    retrain_spec: RetrainSentimentSpec,
    checkpoints: Path,
) -> TextTrainingPlan:
    """Return the training settings of `sentiment`, limited by the budget.

    Training always starts from scratch, because earlier weights do not fit the vocabulary and the n-gram weights of the
    newest texts.
    """
    budget = retrain_spec.budget
    changes: dict[str, Any] = {} if budget.epochs is None else {"epochs": budget.epochs}
    return TextTrainingPlan(
        padding, training.model_copy(update=changes), budget.max_seconds, checkpoints
    )


def train_challenger(
    features: TextFeatures,
    reviews: Reviews,
    word_vectors: WordVectors,
    network: ClassifierSpec,
    plan: TextTrainingPlan,
) -> tuple[KerasModel, dict[str, Any]]:
    """Train one network within the budget, and keep the weights that are best on validation.

    The holdout is not used. Return the network, and its training record with `seeds`; see `train_text_network`.
    """
    model, _, record = train_text_network(features, reviews, word_vectors, network, plan)
    return model, {key: value for key, value in record.items() if key != "layers"} | {
        "seeds": [plan.training.seed]
    }


def complete_challenger(
    classifier: ClassifierArtefact,
    reviews: Reviews,
    calibrations: dict[str, Calibration],
    **records: Mapping[str, Any],
) -> tuple[ClassifierArtefact, ChallengerTraining]:
    """Add the hashes of the seen texts to a challenger, and return it with the record of its training and selection."""
    seen = hash_texts(reviews.loc[reviews["part"].isin(["train", "validation"]), "text"])
    training = ChallengerTraining(
        validation_losses={
            name: calibration["validation_log_loss"]
            for name, calibration in calibrations.items()
            if name in (*records, ENSEMBLE, NB_NGRAM)
        },
        chosen=choose_best_classifier(calibrations),
        seeds=sorted({seed for record in records.values() for seed in record["seeds"]}),
        training_seconds=sum(
            record["training_seconds"] + record["compile_seconds"] for record in records.values()
        ),
        networks={name: dict(record) for name, record in records.items()},
    )
    return replace(classifier, seen=np.unique(seen.to_numpy())), training


def score_holdout(
    reviews: Reviews,
    predictions: Predictions,
    challenger: ClassifierArtefact,
    champion: LoadedChampion | None,
) -> Holdout:
    """Score the newest holdout, with its `predictions`, by all classifiers, from the raw text as in use.

    A class that the champion does not know has a probability of 0.
    """
    texts = predictions[["review_id"]].merge(reviews[["review_id", "text"]], validate="one_to_one")
    rows = texts.rename(columns={"review_id": "row"})
    holdout = predictions[["review_id", "label", "rating", "num_words"]]
    for name, baseline in BASELINES.items():
        holdout = holdout.assign(**tabulate_logits(name, baseline.score(reviews, predictions)))
    classifiers = {CHALLENGER: challenger} | (
        {} if champion is None else {CHAMPION: champion.artefact}
    )
    scores = {name: score_sentiment(classifier, rows) for name, classifier in classifiers.items()}
    classes = predictions["label"].cat.categories.tolist()
    for name, scored in scores.items():
        probabilities = read_probabilities(scored, classifiers[name].class_facts["classes"])
        logits = to_logits(probabilities.reindex(columns=classes, fill_value=0.0).to_numpy())
        holdout = holdout.assign(**tabulate_logits(name, logits))
    seen = hash_texts(texts["text"]).isin([] if champion is None else champion.artefact.seen)
    return holdout.assign(
        num_known_words=scores[CHALLENGER]["num_known_words"].to_numpy(), is_seen=seen.to_numpy()
    )
