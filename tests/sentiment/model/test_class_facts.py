"""The facts of the classes: the words that tell them."""

from collections.abc import Callable

import numpy as np

from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.methods.nb_ngram import NgramClassifier
from rnn_pipelines.sentiment.model.class_facts import list_words_by_class
from rnn_pipelines.sentiment.text.encoding import EncodedTexts


def test_words_of_a_class_are_those_that_tell_it(three_classes: FittedClassifier) -> None:
    words = three_classes.parts.class_facts["words_by_class"]
    assert {name: words[name][0] in telling for name, telling in TELLING.items()} == dict.fromkeys(
        TELLING, True
    )


TELLING = {
    "bad": {"bad", "awful", "dull"},
    "good": {"good", "great", "fine"},
    "loud": {"long", "short", "loud"},
}


def test_words_of_the_first_of_two_classes_lower_the_logit(
    make_encoded: Callable[..., EncodedTexts],
) -> None:
    ngrams = NgramClassifier(
        np.array([2, 3, 2 | 3 << 21]), np.float32([[-1], [2], [-3]]), np.zeros(1), 2
    )
    train = make_encoded([[2, 3], [2]])
    words = list_words_by_class(ngrams, train, ["bad", "good"], ["negative", "positive"])
    assert words == {"negative": ["bad good", "bad"], "positive": ["good"]}


def test_frequent_words_come_before_rare_ones_of_twice_the_weight(
    make_encoded: Callable[..., EncodedTexts],
) -> None:
    ngrams = NgramClassifier(np.array([2, 3]), np.float32([[1], [2]]), np.zeros(1), 1)
    train = make_encoded([[2, 2, 2, 3], [2, 2]])
    words = list_words_by_class(ngrams, train, ["fine", "great"], ["negative", "positive"])
    assert words == {"negative": [], "positive": ["fine", "great"]}
