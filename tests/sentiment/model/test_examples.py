"""Reviews to read are the first of the test part, and the worst mistakes of the classifier that was chosen."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.methods.calibration import Calibration
from rnn_pipelines.sentiment.model.examples import ExamplesTable, find_examples

# Which choose the GRU.
CALIBRATIONS: dict[str, Calibration] = {
    name: {"weights": {}, "intercept": [0.0], "validation_log_loss": 0.1 if name == "gru" else 0.2}
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
            "label": pd.Categorical.from_codes(labels, ["bad", "good"]),
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
def examples(
    predictions: pd.DataFrame, reviews: pd.DataFrame, two_classes: FittedClassifier
) -> pd.DataFrame:
    return find_examples(predictions, reviews, CALIBRATIONS, two_classes.classifier)


def test_the_sample_is_the_first_text(examples: pd.DataFrame) -> None:
    assert examples.loc[examples["kind"] == "sample", "review_id"].tolist() == ["test/0"]


def test_mistakes_are_the_worst_first(predictions: pd.DataFrame, examples: pd.DataFrame) -> None:
    is_good = predictions["label"] == "good"
    towards_the_label = np.where(is_good, predictions["gru"], -predictions["gru"])
    expected = predictions["review_id"].iloc[np.argsort(towards_the_label)[:10]].tolist()
    assert examples.loc[examples["kind"] == "mistake", "review_id"].tolist() == expected


def test_examples_have_their_label(predictions: pd.DataFrame, examples: pd.DataFrame) -> None:
    labels = predictions.set_index("review_id").loc[examples["review_id"], "label"]
    assert examples["label"].tolist() == labels.tolist()


@pytest.fixture(scope="module")
def probability(predictions: pd.DataFrame, examples: pd.DataFrame) -> np.ndarray:
    """Of good, of each example."""
    logits = predictions.set_index("review_id").loc[examples["review_id"], "gru"].to_numpy()
    return 1 / (1 + np.exp(-logits))


def test_examples_have_the_class_that_is_predicted(
    examples: pd.DataFrame, probability: np.ndarray
) -> None:
    assert examples["predicted"].tolist() == np.where(probability > 0.5, "good", "bad").tolist()


def test_examples_have_the_confidence_of_the_predicted_class(
    examples: pd.DataFrame, probability: np.ndarray
) -> None:
    expected = np.maximum(probability, 1 - probability)
    np.testing.assert_allclose(examples["confidence"], expected, rtol=1e-12)


def test_examples_have_their_text(examples: pd.DataFrame) -> None:
    assert examples["text"].tolist() == [f"text of {i}" for i in examples["review_id"]]


def test_examples_have_their_group(examples: pd.DataFrame) -> None:
    assert examples["group"].tolist() == [f"film of {i}" for i in examples["review_id"]]


def test_examples_are_a_valid_table(examples: pd.DataFrame) -> None:
    assert ExamplesTable.validate(examples) is examples


def test_examples_have_the_words_for_their_class(
    predictions: pd.DataFrame, reviews: pd.DataFrame, two_classes: FittedClassifier
) -> None:
    telling = reviews.assign(text="a great film")
    examples = find_examples(predictions, telling, CALIBRATIONS, two_classes.classifier)
    assert examples["words_for"].str.startswith("great").all()


def test_a_classifier_without_mistakes_has_a_sample_alone(
    predictions: pd.DataFrame, reviews: pd.DataFrame, two_classes: FittedClassifier
) -> None:
    right = predictions.assign(gru=np.where(predictions["label"] == "good", 1.0, -1.0))
    examples = find_examples(right, reviews, CALIBRATIONS, two_classes.classifier)
    assert examples["kind"].tolist() == ["sample"]


def test_a_small_mistake_is_one(
    predictions: pd.DataFrame, reviews: pd.DataFrame, two_classes: FittedClassifier
) -> None:
    hardly = predictions.assign(gru=np.where(predictions["label"] == "good", 0.001, -0.001))
    hardly.loc[5, "gru"] *= -1
    examples = find_examples(hardly, reviews, CALIBRATIONS, two_classes.classifier)
    assert examples["review_id"].tolist() == ["test/0", "test/5"]


def test_the_worst_of_three_classes_has_the_lowest_probability_of_its_label(
    three_classes: FittedClassifier,
) -> None:
    """The second text is wrong with less confidence, but its own label is less probable."""
    predictions = pd.DataFrame(
        {
            "review_id": ["a", "b"],
            "label": pd.Categorical(["bad", "bad"], ["bad", "good", "loud"]),
            "rating": pd.array([None, None], "Int8"),
            "num_words": 3,
            "gru 0": [2.0, -9.0],
            "gru 1": [2.5, 1.0],
            "gru 2": [-9.0, 0.9],
        }
    )
    reviews = pd.DataFrame({"review_id": ["a", "b"], "group": ["a", "b"], "text": ["x", "y"]})
    examples = find_examples(predictions, reviews, CALIBRATIONS, three_classes.classifier)
    assert examples.loc[examples["kind"] == "mistake", "review_id"].tolist() == ["b", "a"]
