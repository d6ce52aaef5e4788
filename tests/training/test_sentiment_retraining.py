"""A challenger knows which texts it has seen, and everyone is scored on the same holdout."""

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.evaluation.classification import to_probability
from rnn_pipelines.text.encoding import PaddingSpec
from rnn_pipelines.text.newest import hash_texts
from rnn_pipelines.training.scoring import TextClassifier, score_sentiment
from rnn_pipelines.training.sentiment_retraining import allot_means, complete_challenger, score_holdout
from rnn_pipelines.training.specs import LimitsSpec, TrainingSpec

LOSSES = {"lstm": 0.3, "gru": 0.2, "ensemble": 0.25}


@pytest.fixture
def reviews(make_reviews: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_reviews()


@pytest.fixture
def predictions(reviews: pd.DataFrame) -> pd.DataFrame:
    test = reviews[reviews["part"] == "test"].reset_index(drop=True)
    return test[["review_id", "label", "rating"]].assign(num_words=3, nb_ngram=0.5, lstm=0.0)


def test_budget_ends_epochs_early_or_leaves_them(tmp_path: Path) -> None:
    for epochs, expected in ((3, 3), (None, 7)):
        means = allot_means(PaddingSpec(), TrainingSpec(epochs=7), LimitsSpec(epochs=epochs, max_seconds=5), tmp_path)
        assert (means.training.epochs, means.max_seconds, means.checkpoints) == (expected, 5, tmp_path)


def test_challenger_remembers_all_texts_but_the_holdout(text_classifier: TextClassifier, reviews: pd.DataFrame) -> None:
    record = {"seeds": [0], "training_seconds": 1.0, "compile_seconds": 0.5}
    calibrations = {name: {"validation_log_loss": loss} for name, loss in LOSSES.items()}
    challenger, training = complete_challenger(
        text_classifier, reviews, calibrations, {"lstm": record, "gru": record | {"seeds": [1]}}
    )
    learnt = reviews.loc[reviews["part"].isin(["train", "validation"]), "text"]
    assert set(challenger.seen) == set(hash_texts(learnt))
    assert training["validation_losses"] == LOSSES
    assert (training["chosen"], training["seeds"], training["training_seconds"]) == ("gru", [0, 1], 3.0)


def test_holdout_has_everyones_logits(
    text_classifier: TextClassifier, reviews: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    test = reviews[reviews["part"] == "test"]
    champion = replace(text_classifier, seen=hash_texts(test["text"].iloc[:2]).to_numpy())
    holdout = score_holdout(reviews, predictions, {"challenger": text_classifier, "champion": champion})
    assert holdout["review_id"].tolist() == test["review_id"].tolist()
    scored = score_sentiment(text_classifier, test.rename(columns={"review_id": "row"}))
    for name in ("challenger", "champion"):
        np.testing.assert_allclose(to_probability(holdout[name].to_numpy()), scored["probability"], rtol=1e-12)
    share = reviews.loc[reviews["part"] == "train", "label"].mean()
    np.testing.assert_allclose(to_probability(holdout["majority"].to_numpy()), share)
    assert holdout["num_known_words"].tolist() == scored["num_known_words"].tolist()
    assert holdout["is_seen"].tolist() == test["text"].isin(test["text"].iloc[:2]).tolist()


def test_without_a_champion_nothing_is_seen(
    text_classifier: TextClassifier, reviews: pd.DataFrame, predictions: pd.DataFrame
) -> None:
    holdout = score_holdout(reviews, predictions, {"challenger": text_classifier})
    assert not holdout["is_seen"].any()
    assert "champion" not in holdout
