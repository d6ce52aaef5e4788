"""The n-gram classifier: logistic regression on n-grams, each weighted by its naive Bayes log-count ratio.

With more than two classes, each class has a regression of its own, against all other classes.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.methods.logits import mark_classes, to_logits
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, UNKNOWN

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# An n-gram of up to three words is a single integer, so that NumPy can count and look it up.
BITS = 21
MAX_ORDER = 3
# Number of texts whose n-grams are in memory at once.
CHUNK = 5000


class NgramSpec(ParameterModel, frozen=True):
    """The parameters of the n-gram classifier.

    Attributes:
        order: number of words of the longest n-grams.
        min_texts: n-grams that occur in fewer training texts are left out.
        smoothing: added to the count of every n-gram in a class and in the others.
        inverse_penalty: weight of the training error relative to the squared weights (C of liblinear).
        folds: number of folds of the training texts, by group; see `add_ngram_features`.
    """

    order: int = Field(3, ge=1, le=MAX_ORDER)
    min_texts: int = Field(2, ge=1, le=10**9)
    smoothing: float = Field(1.0, gt=0, le=1e9)
    inverse_penalty: float = Field(0.1, gt=0, le=1e9)
    folds: int = Field(10, ge=2, le=1000)


@dataclass(frozen=True)
class NgramClassifier:
    """A linear classifier on the presence of n-grams in a text.

    Attributes:
        ngrams: int64[num_ngrams], the known n-grams as numbers of `number_ngrams`, sorted.
        weights: float32[num_ngrams, num_outputs], added to the logits of each text that contains the n-gram.
        intercept: float64[num_outputs], the logits of a text without known n-grams.
        order: number of words of the longest n-grams.
    """

    ngrams: np.ndarray
    weights: np.ndarray
    intercept: np.ndarray
    order: int


@dataclass(frozen=True)
class TextFeatures:
    """The inputs of the networks, and the logits of the n-gram classifier.

    Attributes:
        ids, offsets: as in `EncodedTexts`.
        ngrams: float32[num_words, order · num_outputs], the n-gram classifier's weights of the n-grams that begin at
            each word.
        logits: float64[num_texts, num_outputs], the n-gram classifier's logits.
    """

    ids: np.ndarray
    offsets: np.ndarray
    ngrams: np.ndarray
    logits: np.ndarray

    @property
    def encoded(self) -> EncodedTexts:
        return EncodedTexts(self.ids, self.offsets)

    def select(self, texts: np.ndarray) -> "TextFeatures":
        """Return the texts with these positions, int64[num_selected], in this order."""
        words, offsets = self.encoded.find_words(texts)
        return TextFeatures(self.ids[words], offsets, self.ngrams[words], self.logits[texts])


class FitRecord(TypedDict):
    """The duration of a fit, `training_seconds`, and the size of the model, `num_parameters`."""

    training_seconds: float
    num_parameters: int


def add_ngram_features(
    encoded: EncodedTexts, labels: np.ndarray, num_classes: int, folds: np.ndarray, spec: NgramSpec
) -> tuple[NgramClassifier, TextFeatures, FitRecord]:
    """Fit the classifier on the training texts, and compute its weights and logits for all texts.

    Those of training texts are out-of-fold. In-sample logits are overconfident, and a network that reads them would
    learn to rely on them too much.

    Args:
        labels: int[num_texts], the number of each text's class; only those of training texts are read.
        folds: int[num_texts], the fold of each training text, −1 for all other texts.
    Returns:
        The classifier, the features of all texts, and the fit record of the classifier, without the folds.
    """
    started = time.perf_counter()
    train = np.flatnonzero(folds >= 0)
    known = _choose_ngrams(encoded.select(train), spec)
    present = _mark_ngrams(encoded.select(train), known, spec.order)
    targets = mark_classes(labels[train], num_classes)
    classifier = _fit(present, targets, known, spec)
    record = FitRecord(
        training_seconds=time.perf_counter() - started,
        num_parameters=classifier.weights.size + classifier.intercept.size,
    )
    num_outputs = targets.shape[1]
    ngrams = np.zeros((len(encoded.ids), spec.order * num_outputs), np.float32)
    logits = np.zeros((len(encoded), num_outputs))
    fold_of_word = np.repeat(folds, encoded.lengths)
    for fold in np.unique(folds):
        others = folds[train] != fold
        here = encoded.select(np.flatnonzero(folds == fold))
        blind = _fit(present[others], targets[others], known, spec) if fold >= 0 else classifier
        ngrams[fold_of_word == fold] = weigh_words(blind, here)
        logits[folds == fold] = score_ngrams(blind, here)
    return classifier, TextFeatures(encoded.ids, encoded.offsets, ngrams, logits), record


def fit_ngram_classifier(
    encoded: EncodedTexts, labels: np.ndarray, num_classes: int, spec: NgramSpec
) -> NgramClassifier:
    """Fit the classifier on training texts and the numbers of their classes.

    p and q are the smoothed shares of an n-gram among all n-grams of a class and of the other texts. The feature of a
    text is log(p / q) if it contains the n-gram, else 0.

    Source: Wang & Manning (2012), Baselines and Bigrams, equations 2 to 4; with logistic loss instead of the SVM's.
    """
    known = _choose_ngrams(encoded, spec)
    targets = mark_classes(labels, num_classes)
    return _fit(_mark_ngrams(encoded, known, spec.order), targets, known, spec)


def score_ngrams(classifier: NgramClassifier, encoded: EncodedTexts) -> np.ndarray:
    """Return the logits of each text, float64[num_texts, num_outputs]."""
    known = classifier.ngrams
    weights = classifier.weights.astype(np.float64)
    logits = [
        _mark_ngrams(chunk, known, classifier.order) @ weights for chunk in _split_texts(encoded)
    ]
    none = np.zeros((0, weights.shape[1]))
    return np.concatenate([none, *logits]) + classifier.intercept


def measure_familiarity(classifier: NgramClassifier, encoded: EncodedTexts) -> np.ndarray:
    """Return the share of the words and pairs of words of each text that the classifier knows, float64[num_texts].

    That of a text without words is 0.
    """
    known_words = encoded.ids != UNKNOWN
    pairs = number_ngrams(encoded, 2)[:, 1]
    is_pair = pairs > 0
    known_pairs = is_pair & known_words & (pairs >> BITS != UNKNOWN)
    known_pairs &= find_ngrams(pairs, classifier.ngrams) >= 0

    def count(marks: np.ndarray) -> np.ndarray:
        return np.diff(np.concatenate([[0], np.cumsum(marks)])[encoded.offsets])

    num_known = count(known_words) + count(known_pairs)
    return num_known / np.maximum(encoded.lengths + count(is_pair), 1)


def weigh_words(classifier: NgramClassifier, encoded: EncodedTexts) -> np.ndarray:
    """Return the weights of the n-grams that begin at each word, float32[num_words, order · num_outputs].

    Those of an unknown n-gram are 0.
    """
    num_outputs = classifier.weights.shape[1]
    weights = np.concatenate([classifier.weights, np.zeros((1, num_outputs), np.float32)])
    order = classifier.order
    chunks = [
        weights[find_ngrams(number_ngrams(chunk, order), classifier.ngrams)]
        for chunk in _split_texts(encoded)
    ]
    none = np.zeros((0, order, num_outputs), np.float32)
    return np.concatenate([none, *chunks]).reshape(-1, order * num_outputs)


def _fit(
    present: "csr_array", targets: np.ndarray, known: np.ndarray, spec: NgramSpec
) -> NgramClassifier:
    """Fit a regression for each column of the targets, bool[num_texts, num_outputs]."""
    outputs = [_fit_output(present, is_class, spec) for is_class in targets.T]
    weights, intercepts = zip(*outputs, strict=True)
    return NgramClassifier(known, np.stack(weights, axis=1), np.array(intercepts), spec.order)


def _fit_output(
    present: "csr_array", is_class: np.ndarray, spec: NgramSpec
) -> tuple[np.ndarray, float]:
    """Return the weights, float32[num_ngrams], and the intercept of one class against the others."""
    from sklearn.linear_model import LogisticRegression

    if is_class.all() or not is_class.any():
        # A fold may hold all texts of a rare class. Without n-grams, the logit is that of the smoothed share.
        share = (is_class.sum() + 1) / (len(is_class) + 2)
        logit = to_logits(np.array([[1 - share, share]]))[0, 0]
        return np.zeros(present.shape[1], np.float32), float(logit)
    positive, negative = (
        spec.smoothing + present[is_class == side].sum(axis=0) for side in (True, False)
    )
    ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    features = present.multiply(ratios[None, :].astype(np.float32)).tocsr()
    # The dual problem has one variable for each text, and there are far fewer texts than n-grams.
    options = {"solver": "liblinear", "dual": True, "max_iter": 1000, "random_state": 0}
    regression = LogisticRegression(C=spec.inverse_penalty, **options).fit(features, is_class)
    return (regression.coef_[0] * ratios).astype(np.float32), float(regression.intercept_[0])


def _choose_ngrams(encoded: EncodedTexts, spec: NgramSpec) -> np.ndarray:
    """Return the n-grams that occur in at least `min_texts` texts: int64, sorted."""
    ngrams = np.zeros(0, np.int64)
    counts = np.zeros(0, np.int64)
    numbered = number_ngrams(encoded, spec.order)
    texts = np.repeat(np.arange(len(encoded)), encoded.lengths)
    for column in numbered.T:
        order = np.argsort(column, kind="stable")
        ngram = column[order]
        text = texts[order]
        is_first = np.ones(len(ngram), bool)
        is_first[1:] = (ngram[1:] != ngram[:-1]) | (text[1:] != text[:-1])
        distinct, count = np.unique(ngram[is_first], return_counts=True)
        ngrams = np.concatenate([ngrams, distinct])
        counts = np.concatenate([counts, count])
    return np.sort(ngrams[(counts >= spec.min_texts) & (ngrams > 0)])


def _mark_ngrams(encoded: EncodedTexts, known: np.ndarray, order: int) -> "csr_array":
    """Return the presence of known n-grams in texts: float32[num_texts, num_ngrams], sparse, 0 or 1."""
    from scipy.sparse import csr_array

    columns = find_ngrams(number_ngrams(encoded, order), known)
    texts = np.repeat(np.arange(len(encoded)), encoded.lengths)[:, None]
    is_known = columns >= 0
    # liblinear reads 32-bit indices only.
    rows = np.broadcast_to(texts, columns.shape)[is_known].astype(np.int32)
    places = (rows, columns[is_known].astype(np.int32))
    marks = csr_array((np.ones(len(rows), np.float32), places), shape=(len(encoded), len(known)))
    marks.sum_duplicates()
    marks.data[:] = 1
    return marks


def _split_texts(encoded: EncodedTexts) -> Iterator[EncodedTexts]:
    for first in range(0, len(encoded), CHUNK):
        yield encoded.select(np.arange(first, min(first + CHUNK, len(encoded))))


def number_ngrams(encoded: EncodedTexts, order: int) -> np.ndarray:
    """Return the n-grams of up to `order` words, 1 to 3, that begin at each word: int64[num_words, order].

    Column `n − 1` holds the n-gram of `n` words, with 21 bits for the number of each word, which is below 2²¹; 0 if the
    text ends before the n-gram.
    """
    num_words = len(encoded.ids)
    # Number of words from here to the end of the text.
    rest = np.repeat(encoded.offsets[1:], encoded.lengths) - np.arange(num_words)
    ngrams = np.zeros((num_words, order), np.int64)
    run = np.zeros(num_words, np.int64)
    for n in range(order):
        following = np.zeros(num_words, np.int64)
        following[: num_words - n] = encoded.ids[n:]
        run = run | following << BITS * n
        ngrams[:, n] = np.where(rest > n, run, 0)
    return ngrams


def find_ngrams(ngrams: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the index of each n-gram in `known`, int64[num_known], sorted, without 0; −1 for unknown n-grams."""
    if not len(known):
        return np.full(ngrams.shape, -1)
    places = np.minimum(np.searchsorted(known, ngrams), len(known) - 1)
    return np.where(known[places] == ngrams, places, -1)


def read_ngram(number: int, words: Sequence[str]) -> str:
    """Return the words of an n-gram of `number_ngrams`, "…" for an unknown word, from the vocabulary."""
    numbers = [int(number) >> BITS * place & (1 << BITS) - 1 for place in range(MAX_ORDER)]
    return " ".join(
        "…" if each == UNKNOWN else words[each - FIRST_WORD] for each in numbers if each
    )
