"""Facts of the classes: their names, their words, and the familiarity of their texts."""

from typing import TypedDict

import numpy as np

from rnn_pipelines.sentiment.methods.nb_ngram import (
    NgramClassifier,
    TextFeatures,
    find_ngrams,
    measure_familiarity,
    number_ngrams,
    read_ngram,
)
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.schema import Reviews, list_classes
from rnn_pipelines.sentiment.text.splits import find_texts

# Share of the held-out texts that count as unlike the training texts.
UNLIKE_SHARE = 0.01
NUM_WORDS = 10
# Format of the files of a classifier. Those of format 1 have no facts of their classes, negative and positive.
FORMAT = 2
FORMATS = (1, FORMAT)


class ClassFacts(TypedDict):
    """Facts of the classes, on which the answers of a classifier depend.

    `classes` are the names in the order of their numbers. `words_by_class` are the n-grams of words with the largest
    weights of the n-gram classifier for each of them, times the root of their number in the training texts. A text
    whose familiarity (`measure_familiarity`) is less than `unlike_below` is unlike the training texts.
    """

    classes: list[str]
    words_by_class: dict[str, list[str]]
    unlike_below: float


def describe_classes(
    reviews: Reviews, features: TextFeatures, ngrams: NgramClassifier, words: list[str]
) -> ClassFacts:
    """Return the facts of the classes of some reviews, from their test part and the n-gram classifier.

    The labels of the test part are not read. The validation part may be familiar, because few texts are learnt from it.
    """
    classes = list_classes(reviews)
    test = features.encoded.select(find_texts(reviews, "test"))
    familiarity = measure_familiarity(ngrams, test)
    train = features.encoded.select(find_texts(reviews, "train"))
    return {
        "classes": classes,
        "words_by_class": list_words_by_class(ngrams, train, words, classes),
        "unlike_below": float(np.quantile(familiarity, UNLIKE_SHARE)),
    }


def list_words_by_class(
    ngrams: NgramClassifier, train: EncodedTexts, words: list[str], classes: list[str]
) -> dict[str, list[str]]:
    """Return the n-grams that raise the logit of each class most; for the first of two classes, those that lower it.

    A weight is the more certain, the more often its n-gram occurs in the training texts.
    """
    places = find_ngrams(number_ngrams(train, ngrams.order), ngrams.ngrams)
    counts = np.bincount(places[places >= 0], minlength=len(ngrams.ngrams))
    effects = (ngrams.weights[: len(counts)] * np.sqrt(counts)[:, None]).T
    by_class = {}
    for label, values in zip(
        classes, effects if len(classes) > 2 else [-effects[0], effects[0]], strict=True
    ):
        largest = np.argsort(-values, kind="stable")[:NUM_WORDS]
        numbers = ngrams.ngrams[largest[values[largest] > 0]]
        by_class[label] = [read_ngram(number, words) for number in numbers]
    return by_class
