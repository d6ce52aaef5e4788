"""A trained classifier is taken where it is, and a small one trained where it isn't."""

import csv

import numpy as np
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.internals.sentiment.choice import choose_classifier
from rnn_pipelines.internals.specs import SmallClassifierSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

SMALL_CLASSIFIER = SmallClassifierSpec.model_validate(
    {
        "num_reviews": 80,
        "max_length": 20,
        "num_words": 60,
        "dimensions": 4,
        "units": 3,
        "training": {"epochs": 1, "jit_compile": False},
    }
)


@pytest.fixture(scope="module")
def own_reviews(tmp_path_factory: pytest.TempPathFactory) -> ReviewSourceSpec:
    """A table of 120 reviews, each one a text of its own."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("own") / "reviews.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(120):
            words = rng.choice(["good", "fine", "great"] if number % 2 else ["bad", "dull", "awful"], 4)
            writer.writerow([" ".join([*words, "film", f"no{number}"]), number % 2])
    return ReviewSourceSpec(path=str(path))


def test_trained_classifier_is_taken_with_its_test_reviews(text_classifier, make_reviews) -> None:
    reviews = make_reviews()
    chosen = choose_classifier(text_classifier, reviews, ReviewSourceSpec(path="nowhere.csv"), SMALL_CLASSIFIER)
    assert chosen.classifier is text_classifier
    assert list(chosen.texts) == list(reviews.loc[reviews["part"] == "test", "text"])
    assert chosen.origin == "trained by sentiment"


def test_trained_classifier_is_taken_without_reviews(text_classifier) -> None:
    chosen = choose_classifier(text_classifier, None, ReviewSourceSpec(path="nowhere.csv"), SMALL_CLASSIFIER)
    assert list(chosen.texts) == []


@pytest.fixture(scope="module")
def small(own_reviews: ReviewSourceSpec):
    return choose_classifier(None, None, own_reviews, SMALL_CLASSIFIER)


@pytest.mark.slow
def test_small_classifier_has_both_networks(small) -> None:
    assert list(small.classifier.networks) == ["lstm", "gru"]
    assert set(small.classifier.calibration["weights"]) == {"lstm", "gru", "nb_ngram"}


@pytest.mark.slow
def test_small_classifier_is_trained_on_so_many_reviews(small) -> None:
    assert small.origin.startswith("trained here, small, on 80 reviews of ")
    assert len(small.texts) == pytest.approx(0.2 * 80, abs=1)


def test_reviews_that_cannot_be_had_name_both_ways() -> None:
    with pytest.raises(ReviewError) as caught:
        choose_classifier(None, None, ReviewSourceSpec(path="nowhere.csv"), SMALL_CLASSIFIER)
    for part in (
        "nowhere.csv: no such file",
        "kedro run --pipelines=sentiment first",
        "IMDB_ARCHIVE",
        "internals.reviews.archive",
        "internals.reviews.path",
    ):
        assert part in str(caught.value)
