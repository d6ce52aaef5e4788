"""The words behind an answer: how much the log odds of a text's class fall if a word is removed from the text."""

from collections.abc import Sequence
from typing import TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.networks.time_limit import check_time
from rnn_pipelines.sentiment.methods.calibration import apply_calibration
from rnn_pipelines.sentiment.methods.logits import compute_log_probabilities
from rnn_pipelines.sentiment.methods.nb_ngram import weigh_words
from rnn_pipelines.sentiment.model.classifier import (
    ClassifierArtefact,
    make_text_features,
    score_parts,
)
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.encoding import EncodedTexts, encode_texts
from rnn_pipelines.sentiment.text.vocabulary import UNKNOWN

# The keys of an `Explanation`, and the columns of its words in tables.
WORDS = ("words_for", "words_against")
NUM_WORDS = 5
# Of a text with more known words, only so many are removed in turn.
MAX_CANDIDATES = 300
# Words of all texts that are scored at once.
MAX_WORDS_AT_ONCE = 1_000_000


class Explanation(TypedDict):
    """The words that speak most for the class of a text, and those that speak most against it.

    The effect of a word, in descending size, is the difference of the log odds of the class with and without all
    occurrences of the word.
    """

    words_for: dict[str, float]
    words_against: dict[str, float]


def explain_texts(classifier: ClassifierArtefact, texts: Sequence[str]) -> list[Explanation]:
    """Return the words for and against the most probable class of each text, by the complete classifier.

    Words that the classifier does not know are left out, and so are words without an effect.
    """
    return [_explain_text(classifier, text) for text in texts]


def _explain_text(classifier: ClassifierArtefact, text: str) -> Explanation:
    words = np.array(tokenize(text, classifier.signs), dtype=object)
    encoded = encode_texts([text], classifier.vocabulary, classifier.signs)
    candidates = _list_candidates(classifier, words, encoded)
    if not candidates:
        return {"words_for": {}, "words_against": {}}
    whole = _measure_log_probabilities(classifier, words, [np.ones(len(words), bool)])
    label = int(whole[0].argmax())
    size = max(MAX_WORDS_AT_ONCE // len(words), 1)
    effects: dict[str, float] = {}
    for first in range(0, len(candidates), size):
        removed = candidates[first : first + size]
        left = _measure_log_probabilities(classifier, words, [words != word for word in removed])
        falls = _find_log_odds(whole, label) - _find_log_odds(left, label)
        effects |= dict(zip(removed, falls.tolist(), strict=True))
    return {
        "words_for": _select_largest(effects, 1.0),
        "words_against": _select_largest(effects, -1.0),
    }


def _list_candidates(
    classifier: ClassifierArtefact, words: np.ndarray, encoded: EncodedTexts
) -> list[str]:
    """Return the known words of a text; of very many, those whose n-grams have the largest weights."""
    is_known = encoded.ids != UNKNOWN
    weights = np.abs(weigh_words(classifier.ngrams, encoded)).sum(axis=1)
    by_word = pd.Series(weights[is_known]).groupby(words[is_known], sort=False).sum()
    if len(by_word) > MAX_CANDIDATES:
        by_word = by_word.nlargest(MAX_CANDIDATES)
    return by_word.index.tolist()


def _measure_log_probabilities(
    classifier: ClassifierArtefact, words: np.ndarray, kept: list[np.ndarray]
) -> np.ndarray:
    """Return the log probability of each class, float64[num_texts, num_classes], for the kept words of a text."""
    check_time()
    features = make_text_features(classifier, [" ".join(words[is_kept]) for is_kept in kept])
    logits = apply_calibration(classifier.calibration, score_parts(classifier, features))
    return compute_log_probabilities(logits)


def _find_log_odds(log_probabilities: np.ndarray, label: int) -> np.ndarray:
    others = np.delete(log_probabilities, label, axis=1)
    return log_probabilities[:, label] - np.logaddexp.reduce(others, axis=1)


def _select_largest(effects: dict[str, float], sign: float) -> dict[str, float]:
    """Return the words with the largest effects of this sign."""
    signed = {word: float(effect) for word, effect in effects.items() if sign * effect > 0}
    largest = sorted(signed, key=lambda word: -sign * signed[word])[:NUM_WORDS]
    return {word: signed[word] for word in largest}
