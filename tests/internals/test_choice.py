"""Trained networks are taken where they are, small ones trained where they aren't, and others refused."""

import csv
from collections.abc import Callable
from types import SimpleNamespace

import keras
import numpy as np
import pytest

from rnn_pipelines.errors import NetworkError, ReviewError
from rnn_pipelines.forecast.networks import build_forecaster
from rnn_pipelines.forecast.series.windows import WindowedPanel, WindowSpec
from rnn_pipelines.forecast.specs import NetworkSpec
from rnn_pipelines.internals.choice import choose_classifier, choose_forecasters
from rnn_pipelines.internals.specs import SmallClassifierSpec, SmallForecasterSpec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec

SMALL_FORECASTER = SmallForecasterSpec.model_validate(
    {
        "source": {"name": "sine"},
        "window": {"lookback": 5, "horizon": 2},
        "units": 3,
        "training": {"epochs": 1, "min_steps": 0, "jit_compile": False},
    }
)
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


def make_forecasters(lookback: int = 4, horizon: int = 2, num_known: int = 0) -> dict[str, keras.Model]:
    return {
        cell: build_forecaster(NetworkSpec(cell=cell, units=[3]), lookback, horizon, num_known)
        for cell in ("lstm", "gru")
    }


@pytest.fixture(scope="module")
def panel(prepare: Callable[..., SimpleNamespace], make_values: Callable[..., list[float]]) -> WindowedPanel:
    """Windows of four steps, two ahead, and a pair of features for the week."""
    return prepare(make_values(60), window=WindowSpec(lookback=4, horizon=2)).windows


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


# Forecasters


def test_trained_forecasters_are_taken(panel: WindowedPanel) -> None:
    found = make_forecasters(num_known=panel.num_known)
    chosen = choose_forecasters(found, panel, SMALL_FORECASTER)
    assert chosen.networks == found
    assert chosen.panel is panel
    assert chosen.origin == "trained by forecast"


@pytest.mark.parametrize("missing", ["lstm", "gru", "panel"])
def test_small_forecasters_are_trained_where_anything_is_missing(panel: WindowedPanel, missing: str) -> None:
    found = make_forecasters(num_known=panel.num_known) | {missing: None}
    found.pop("panel", None)
    chosen = choose_forecasters(found, None if missing == "panel" else panel, SMALL_FORECASTER)
    assert (chosen.panel.lookback, chosen.panel.horizon) == (5, 2)
    assert chosen.origin == "trained here, small, on sine"
    assert {name: network.input["history"].shape for name, network in chosen.networks.items()} == {
        "lstm": (None, 5, 1 + chosen.panel.num_known),
        "gru": (None, 5, 1 + chosen.panel.num_known),
    }


@pytest.mark.parametrize("change", [{"lookback": 5}, {"horizon": 3}, {"num_known": 0}], ids=str)
def test_forecasters_of_other_windows_are_refused(panel: WindowedPanel, change: dict[str, int]) -> None:
    found = make_forecasters(**{"num_known": panel.num_known} | change)
    with pytest.raises(NetworkError, match=r"forecast_lstm_model: expected windows .*kedro run --pipelines=forecast"):
        choose_forecasters(found, panel, SMALL_FORECASTER)


# Classifier


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
