"""A challenger knows which texts it has seen, and everyone is scored on the same holdout."""

import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from flipped_labels import flip_labels
from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.methods.logits import read_logits, to_probabilities
from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec, TextFeatures, add_ngram_features
from rnn_pipelines.sentiment.methods.specs import (
    ClassifierSpec,
    RetrainSentimentSpec,
    TextTrainingPlan,
)
from rnn_pipelines.sentiment.methods.tables import HoldoutTable
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact, score_sentiment
from rnn_pipelines.sentiment.operations.challenger import (
    complete_challenger,
    plan_training,
    score_holdout,
    train_challenger,
)
from rnn_pipelines.sentiment.text.as_of import hash_texts
from rnn_pipelines.sentiment.text.encoding import PaddingSpec, encode_texts
from rnn_pipelines.sentiment.text.splits import assign_folds
from rnn_pipelines.sentiment.text.vectors import WordVectors
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec, choose_words

BreakOff = Callable[[int], AbstractContextManager[None]]
PADDING = PaddingSpec(max_length=8)
LOSSES = {"lstm": 0.3, "gru": 0.2, "ensemble": 0.25, "nb_ngram": 0.4}


@pytest.fixture
def reviews(make_reviews: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_reviews()


@pytest.fixture
def predictions(reviews: pd.DataFrame) -> pd.DataFrame:
    test = reviews[reviews["part"] == "test"].reset_index(drop=True)
    return test[["review_id", "label", "rating"]].assign(num_words=3, nb_ngram=0.5, lstm=0.0)


def test_budget_ends_epochs_early_or_leaves_them(tmp_path: Path) -> None:
    for epochs, expected in ((3, 3), (None, 7)):
        budget = {"epochs": epochs, "max_seconds": 5}
        spec = RetrainSentimentSpec.model_validate({"policy": {}, "budget": budget})
        plan = plan_training(PaddingSpec(), TrainingSpec(epochs=7), spec, tmp_path)
        assert (plan.training.epochs, plan.max_seconds, plan.checkpoints) == (expected, 5, tmp_path)


TRAINING = TrainingSpec(epochs=4, patience=4, batch_size=16, learning_rate=0.05, jit_compile=False)


@pytest.fixture
def features(reviews: pd.DataFrame) -> TextFeatures:
    encoded = encode_texts(reviews["text"], choose_words(reviews["text"], VocabularySpec()))
    labels = reviews["label"].cat.codes.to_numpy(int)
    spec = NgramSpec(order=2, folds=2)
    return add_ngram_features(encoded, labels, 2, assign_folds(reviews, 2), spec)[1]


@pytest.fixture
def flipped(reviews: pd.DataFrame) -> pd.DataFrame:
    """Reviews whose validation labels are wrong: each epoch is worse than the one before."""
    return flip_labels(reviews, reviews["part"] == "validation")


def train(
    features: TextFeatures,
    reviews: pd.DataFrame,
    checkpoints: Path | None = None,
    cell: str = "gru",
) -> tuple[Any, dict[str, Any]]:
    """Trains a tiny network: the model and its record."""
    network = ClassifierSpec(cell=cell, units=3, bidirectional=False, min_texts=0)
    vectors = WordVectors(np.random.default_rng(0).normal(0, 0.3, (12, 4)).astype(np.float32))
    return train_challenger(
        features, reviews, vectors, network, TextTrainingPlan(PADDING, TRAINING, None, checkpoints)
    )


@pytest.mark.slow
def test_interrupted_training_goes_on_from_its_last_epoch_with_its_best_weights(
    features: TextFeatures,
    flipped: pd.DataFrame,
    break_off: BreakOff,
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Which are those of the first one here, and of a training that was not interrupted, to the last digit."""
    whole, record = train(features, flipped)
    assert record["best_epoch"] == 1
    with break_off(2):
        train(features, flipped, tmp_path)
    assert os.listdir(tmp_path) == ["gru.npz"]
    with caplog.at_level("INFO", "rnn_pipelines"):
        resumed, its_record = train(features, flipped, tmp_path)
    assert "gru_classifier: resumed after epoch 2" in caplog.messages
    for one, other in zip(whole.get_weights(), resumed.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)
    for key in ("num_epochs", "num_steps", "best_epoch"):
        assert record[key] == its_record[key]
    assert os.listdir(tmp_path) == []


@pytest.mark.slow
def test_checkpoint_of_other_reviews_is_not_taken_up(
    features: TextFeatures,
    reviews: pd.DataFrame,
    flipped: pd.DataFrame,
    break_off: BreakOff,
    tmp_path: Path,
) -> None:
    """Though words, parts and weights of the network are the same."""
    with break_off(2):
        train(features, flipped, tmp_path, "pointwise")
    expected = train(features, reviews, cell="pointwise")[0]
    found = train(features, reviews, tmp_path, "pointwise")[0]
    for one, other in zip(expected.get_weights(), found.get_weights(), strict=True):
        np.testing.assert_array_equal(one, other)


def test_challenger_remembers_all_texts_but_the_holdout(
    text_classifier: ClassifierArtefact, reviews: pd.DataFrame
) -> None:
    record = {"seeds": [0], "training_seconds": 1.0, "compile_seconds": 0.5}
    calibrations = {name: {"validation_log_loss": loss} for name, loss in LOSSES.items()}
    challenger, training = complete_challenger(
        text_classifier, reviews, calibrations, lstm=record, gru=record | {"seeds": [1]}
    )
    learnt = reviews.loc[reviews["part"].isin(["train", "validation"]), "text"]
    assert set(challenger.seen) == set(hash_texts(learnt))
    assert training["validation_losses"] == LOSSES
    assert (training["chosen"], training["seeds"], training["training_seconds"]) == (
        "gru",
        [0, 1],
        3.0,
    )


def test_holdout_has_everyones_logits(
    text_classifier: ClassifierArtefact, reviews: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    test = reviews[reviews["part"] == "test"]
    artefact = replace(text_classifier, seen=hash_texts(test["text"].iloc[:2]).to_numpy())
    champion = LoadedChampion("v1", artefact, "", (), {})
    holdout = HoldoutTable.validate(score_holdout(reviews, predictions, text_classifier, champion))
    assert holdout["review_id"].tolist() == test["review_id"].tolist()
    scored = score_sentiment(text_classifier, test.rename(columns={"review_id": "row"}))
    for name in ("challenger", "champion"):
        np.testing.assert_allclose(
            to_probabilities(read_logits(holdout, name))[:, 1], scored["probability"], rtol=1e-12
        )
    share = (reviews.loc[reviews["part"] == "train", "label"] == "positive").mean()
    np.testing.assert_allclose(to_probabilities(read_logits(holdout, "majority"))[:, 1], share)
    assert holdout["num_known_words"].tolist() == scored["num_known_words"].tolist()
    assert holdout["is_seen"].tolist() == test["text"].isin(test["text"].iloc[:2]).tolist()


@pytest.fixture(scope="module")
def of_three_classes(
    three_classes: FittedClassifier, two_classes: FittedClassifier
) -> pd.DataFrame:
    """A holdout of bad, good and loud texts; the champion knows bad and good."""
    names = {**two_classes.classifier.class_facts, "classes": ["bad", "good"]}
    champion = LoadedChampion("v1", replace(two_classes.classifier, class_facts=names), "", (), {})
    fitted = three_classes
    return score_holdout(fitted.reviews, fitted.parts.predictions, fitted.classifier, champion)


def test_holdout_of_three_classes_is_a_valid_table(of_three_classes: pd.DataFrame) -> None:
    assert HoldoutTable.validate(of_three_classes) is of_three_classes


def test_class_that_the_champion_does_not_know_has_a_probability_of_0(
    of_three_classes: pd.DataFrame,
) -> None:
    probabilities = to_probabilities(read_logits(of_three_classes, "champion"))
    np.testing.assert_allclose(probabilities[:, 2], 0, atol=1e-14)


def test_champion_keeps_the_probabilities_of_its_own_classes(
    of_three_classes: pd.DataFrame, two_classes: FittedClassifier, three_classes: FittedClassifier
) -> None:
    reviews = three_classes.reviews
    test = reviews[reviews["part"] == "test"].rename(columns={"review_id": "row"})
    scored = score_sentiment(two_classes.classifier, test)
    probabilities = to_probabilities(read_logits(of_three_classes, "champion"))
    np.testing.assert_allclose(probabilities[:, 1], scored["probability"], atol=1e-12)


def test_majority_of_three_classes_has_their_shares(
    of_three_classes: pd.DataFrame, three_classes: FittedClassifier
) -> None:
    reviews = three_classes.reviews
    shares = reviews.loc[reviews["part"] == "train", "label"].value_counts(
        normalize=True, sort=False
    )
    probabilities = to_probabilities(read_logits(of_three_classes, "majority"))
    np.testing.assert_allclose(probabilities[0], shares)


def test_without_a_champion_nothing_is_seen(
    text_classifier: ClassifierArtefact, reviews: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    holdout = score_holdout(reviews, predictions, text_classifier, None)
    assert not holdout["is_seen"].any()
    assert "champion" not in holdout
