"""Classifiers of two and three classes, fitted on few texts: n-grams alone, in seconds and without TensorFlow."""

from collections.abc import Callable, Sequence

import pandas as pd
import pytest

from rnn_pipelines.sentiment.fitting import FittedClassifier, fit_classifier
from rnn_pipelines.sentiment.interface import read_sentiment_spec
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec, parse_reviews

NGRAMS = {"order": 2, "min_texts": 1, "folds": 2}


@pytest.fixture(scope="session")
def fit_texts(make_reviews: Callable[..., pd.DataFrame]) -> Callable[..., FittedClassifier]:
    """Fits a classifier of these classes on 240 texts."""

    def fit(classes: Sequence[str]) -> FittedClassifier:
        columns = make_reviews(240, classes=classes)[["text", "label", "group"]]
        source = ReviewSourceSpec(path="the texts", group="group")
        spec = read_sentiment_spec({"vocabulary": {"min_count": 1}, "ngrams": NGRAMS})
        return fit_classifier(parse_reviews(columns, source), spec)

    return fit


@pytest.fixture(scope="session")
def two_classes(fit_texts: Callable[..., FittedClassifier]) -> FittedClassifier:
    return fit_texts(("negative", "positive"))


@pytest.fixture(scope="session")
def three_classes(fit_texts: Callable[..., FittedClassifier]) -> FittedClassifier:
    return fit_texts(("bad", "good", "loud"))
