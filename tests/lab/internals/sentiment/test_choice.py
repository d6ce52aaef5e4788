"""A trained classifier is taken where it is, and a small one trained where it isn't."""

import csv
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.lab.internals.sentiment.choice import choose_classifier
from rnn_pipelines.lab.internals.specs import SmallClassifierSpec, TracedReviewsSpec
from rnn_pipelines.sentiment.text import source
from rnn_pipelines.sentiment.text.download import IMDB, fetch_archive

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
def own_reviews(tmp_path_factory: pytest.TempPathFactory) -> TracedReviewsSpec:
    """A table of 120 reviews, each one a text of its own."""
    rng = np.random.default_rng(0)
    path = tmp_path_factory.mktemp("own") / "reviews.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["text", "label"])
        for number in range(120):
            words = rng.choice(
                ["good", "fine", "great"] if number % 2 else ["bad", "dull", "awful"], 4
            )
            writer.writerow([" ".join([*words, "film", f"no{number}"]), number % 2])
    return TracedReviewsSpec(path=str(path))


def test_trained_classifier_is_taken(text_classifier, make_reviews) -> None:
    reviews = make_reviews()
    chosen = choose_classifier(
        text_classifier, reviews, TracedReviewsSpec(path="nowhere.csv"), SMALL_CLASSIFIER
    )
    assert chosen.classifier is text_classifier
    assert chosen.origin == "trained by sentiment"


def test_trained_classifier_is_taken_with_its_test_reviews(text_classifier, make_reviews) -> None:
    reviews = make_reviews()
    chosen = choose_classifier(
        text_classifier, reviews, TracedReviewsSpec(path="nowhere.csv"), SMALL_CLASSIFIER
    )
    assert list(chosen.texts) == list(reviews.loc[reviews["part"] == "test", "text"])
    labels = reviews.loc[reviews["part"] == "test", "label"]
    assert list(chosen.labels) == list(labels.cat.codes)


def test_trained_classifier_may_have_no_reviews(text_classifier) -> None:
    chosen = choose_classifier(
        text_classifier, None, TracedReviewsSpec(path="nowhere.csv"), SMALL_CLASSIFIER
    )
    assert list(chosen.texts) == []


@pytest.fixture(scope="module")
def small(own_reviews: TracedReviewsSpec):
    return choose_classifier(None, None, own_reviews, SMALL_CLASSIFIER)


@pytest.mark.slow
def test_small_classifier_has_both_networks(small) -> None:
    assert list(small.classifier.networks) == ["lstm", "gru"]
    assert set(small.classifier.calibration["weights"]) == {"lstm", "gru", "nb_ngram"}


@pytest.mark.slow
def test_small_classifier_has_so_many_reviews(small) -> None:
    assert small.origin.startswith("trained here, small, on 80 reviews of ")
    assert len(small.texts) == len(small.labels) == pytest.approx(0.2 * 80, abs=1)


def test_reviews_that_cannot_be_had_name_both_ways() -> None:
    with pytest.raises(ReviewError) as caught:
        choose_classifier(None, None, TracedReviewsSpec(path="nowhere.csv"), SMALL_CLASSIFIER)
    for part in (
        "nowhere.csv: no such file",
        "kedro run --pipelines=sentiment first",
        "IMDB_ARCHIVE",
        "internals.reviews.archive",
        "internals.reviews.path",
    ):
        assert part in str(caught.value)


def test_nothing_is_downloaded_unless_it_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    monkeypatch.delenv("IMDB_ARCHIVE", raising=False)
    monkeypatch.setattr(source, "fetch_archive", lambda *_: pytest.fail("a download"))
    with caplog.at_level("INFO"):
        chosen = choose_classifier(
            None, None, TracedReviewsSpec(download_to=str(tmp_path)), SMALL_CLASSIFIER
        )
    assert (chosen.classifier, chosen.texts, chosen.labels) == (None, [], [])
    (line,) = [record.getMessage() for record in caplog.records]
    assert "internals.reviews.download=true" in line


def test_failed_download_leaves_no_classifier(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog
) -> None:
    monkeypatch.delenv("IMDB_ARCHIVE", raising=False)
    unreachable = replace(IMDB, url="http://127.0.0.1:1/aclImdb_v1.tar.gz")
    monkeypatch.setattr(source, "fetch_archive", partial(fetch_archive, remote=unreachable))
    chosen = choose_classifier(
        None, None, TracedReviewsSpec(download_to=str(tmp_path), download=True), SMALL_CLASSIFIER
    )
    assert chosen.classifier is None
    assert (chosen.texts, chosen.labels) == ([], [])
    (warning,) = [record for record in caplog.records if record.levelname == "WARNING"]
    assert unreachable.url in warning.getMessage()


@pytest.mark.parametrize("name", ["archive", "download_to"])
def test_file_that_is_no_archive_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """One that is named, and one that lies where a download would."""
    monkeypatch.delenv("IMDB_ARCHIVE", raising=False)
    path = tmp_path / "aclImdb_v1.tar.gz"
    path.write_bytes(b"no archive")
    spec = TracedReviewsSpec.model_validate({name: str(path if name == "archive" else tmp_path)})
    with pytest.raises(ReviewError, match=path.name):
        choose_classifier(None, None, spec, SMALL_CLASSIFIER)


def test_archive_that_is_not_there_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IMDB_ARCHIVE", "nowhere.tar.gz")
    with pytest.raises(ReviewError, match=r"nowhere\.tar\.gz"):
        choose_classifier(None, None, TracedReviewsSpec(), SMALL_CLASSIFIER)
