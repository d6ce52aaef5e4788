"""The facts of the classes: the words that tell them."""

import numpy as np

from rnn_pipelines.sentiment.fitting import FittedClassifier
from rnn_pipelines.sentiment.methods.nb_ngram import NgramClassifier
from rnn_pipelines.sentiment.model.class_facts import list_words_by_class


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


def test_words_of_the_first_of_two_classes_lower_the_logit() -> None:
    ngrams = NgramClassifier(
        np.array([2, 3, 2 | 3 << 21]), np.float32([[-1], [2], [-3]]), np.zeros(1), 2
    )
    words = list_words_by_class(ngrams, ["bad", "good"], ["negative", "positive"])
    assert words == {"negative": ["bad good", "bad"], "positive": ["good"]}
