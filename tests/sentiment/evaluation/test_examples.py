"""Reviews to read are the first of the test part, and the worst mistakes of the classifier that was chosen."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.evaluation.examples import ExamplesTable, find_examples
from rnn_pipelines.sentiment.methods.calibration import Calibration

# Which choose the GRU.
CALIBRATIONS: dict[str, Calibration] = {
    name: {"weights": {}, "intercept": 0.0, "validation_log_loss": 0.1 if name == "gru" else 0.2}
    for name in ("lstm", "gru", "ensemble")
}


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    """Random labels and logits that know something of them."""
    random = np.random.default_rng(0)
    labels = random.integers(0, 2, 200)
    return pd.DataFrame(
        {
            "review_id": [f"test/{number}" for number in range(200)],
            "label": pd.array(labels, dtype="Int8"),
            "rating": pd.array(np.where(labels == 1, 7, 1), dtype="Int8"),
            "num_words": random.integers(1, 1500, 200),
            "gru": random.normal(2 * labels - 1, 1.5),
        }
    )


@pytest.fixture(scope="module")
def reviews(predictions: pd.DataFrame) -> pd.DataFrame:
    """In another order, and more than were predicted."""
    ids = ["train/1", *predictions["review_id"][::-1]]
    return pd.DataFrame(
        {
            "review_id": ids,
            "group": [f"film of {i}" for i in ids],
            "text": [f"text of {i}" for i in ids],
        }
    )


@pytest.fixture(scope="module")
def examples(predictions: pd.DataFrame, reviews: pd.DataFrame) -> pd.DataFrame:
    return find_examples(predictions, reviews, CALIBRATIONS)


def test_the_sample_is_the_first_text(examples: pd.DataFrame) -> None:
    assert examples.loc[examples["kind"] == "sample", "review_id"].tolist() == ["test/0"]


def test_mistakes_are_the_worst_first(predictions: pd.DataFrame, examples: pd.DataFrame) -> None:
    towards_the_label = np.where(predictions["label"] == 1, predictions["gru"], -predictions["gru"])
    expected = predictions["review_id"].iloc[np.argsort(towards_the_label)[:10]].tolist()
    assert examples.loc[examples["kind"] == "mistake", "review_id"].tolist() == expected


def test_examples_have_their_probability(predictions: pd.DataFrame, examples: pd.DataFrame) -> None:
    logits = predictions.set_index("review_id").loc[examples["review_id"], "gru"].to_numpy()
    np.testing.assert_allclose(examples["probability"], 1 / (1 + np.exp(-logits)), rtol=1e-12)


def test_examples_have_their_text(examples: pd.DataFrame) -> None:
    assert examples["text"].tolist() == [f"text of {i}" for i in examples["review_id"]]


def test_examples_have_their_group(examples: pd.DataFrame) -> None:
    assert examples["group"].tolist() == [f"film of {i}" for i in examples["review_id"]]


def test_examples_are_a_valid_table(examples: pd.DataFrame) -> None:
    assert ExamplesTable.validate(examples) is examples


def test_a_classifier_without_mistakes_has_a_sample_alone(
    predictions: pd.DataFrame, reviews: pd.DataFrame
) -> None:
    right = predictions.assign(gru=np.where(predictions["label"] == 1, 1.0, -1.0))
    assert find_examples(right, reviews, CALIBRATIONS)["kind"].tolist() == ["sample"]


def test_a_small_mistake_is_one(predictions: pd.DataFrame, reviews: pd.DataFrame) -> None:
    hardly = predictions.assign(gru=np.where(predictions["label"] == 1, 0.001, -0.001))
    hardly.loc[5, "gru"] *= -1
    assert find_examples(hardly, reviews, CALIBRATIONS)["review_id"].tolist() == [
        "test/0",
        "test/5",
    ]
