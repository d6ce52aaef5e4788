"""Reviews whose test part has lost its labels, for what learns from texts without a label."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.methods.nb_ngram import NgramSpec, TextFeatures
from rnn_pipelines.sentiment.methods.preparation import fit_nb_ngram
from rnn_pipelines.sentiment.text.encoding import encode_texts
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec, choose_words

MakeUnlabelled = Callable[[list[str]], tuple[TextFeatures, pd.DataFrame, np.ndarray]]


@pytest.fixture(scope="session")
def make_unlabelled(make_reviews: Callable[..., pd.DataFrame]) -> MakeUnlabelled:
    """Makes features, reviews of some classes whose test part has become unlabelled, and its true classes."""

    def make(classes: list[str]) -> tuple[TextFeatures, pd.DataFrame, np.ndarray]:
        reviews = make_reviews(classes=classes)
        is_unlabelled = (reviews["part"] == "test").to_numpy()
        codes = reviews["label"].cat.codes.to_numpy()
        reviews = reviews.assign(
            label=reviews["label"].mask(is_unlabelled),
            part=reviews["part"].mask(is_unlabelled, "unlabelled"),
        )
        encoded = encode_texts(reviews["text"], choose_words(reviews["text"], VocabularySpec()))
        spec = NgramSpec(order=2, folds=2, few_texts=0)
        features = fit_nb_ngram(encoded, reviews, VocabularySpec(), spec)[1]
        return features, reviews, codes[is_unlabelled]

    return make
