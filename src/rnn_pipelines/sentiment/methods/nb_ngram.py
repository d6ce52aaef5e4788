"""The n-gram classifier: logistic regression on n-grams, each weighted by its naive Bayes log-count ratio."""

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypedDict

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import ReviewError
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.encoding import EncodedTexts

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
        smoothing: added to the count of every n-gram in both classes.
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
        weights: float32[num_ngrams], added to the logit once for each text that contains the n-gram.
        intercept: the logit of a text without known n-grams.
        order: number of words of the longest n-grams.
    """

    ngrams: np.ndarray
    weights: np.ndarray
    intercept: float
    order: int


@dataclass(frozen=True)
class TextFeatures:
    """The inputs of the networks, and the logits of the n-gram classifier.

    Attributes:
        ids, offsets: as in `EncodedTexts`.
        ngrams: float32[num_words, order], the n-gram classifier's weights of the n-grams that begin at each word.
        logits: float64[num_texts], the n-gram classifier's logits.
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
    encoded: EncodedTexts, labels: pd.Series, folds: np.ndarray, spec: NgramSpec
) -> tuple[NgramClassifier, TextFeatures, FitRecord]:
    """Fit the classifier on the training texts, and compute its weights and logits for all texts.

    Those of training texts are out-of-fold. In-sample logits are overconfident, and a network that reads them would
    learn to rely on them too much.

    Args:
        labels: 0 or 1 for each text; only those of training texts are read.
        folds: int[num_texts], the fold of each training text, −1 for all other texts.
    Returns:
        The classifier, the features of all texts, and the fit record of the classifier, without the folds. If the
        training texts outside a fold have only one class, a ReviewError is raised.
    """
    started = time.perf_counter()
    train = np.flatnonzero(folds >= 0)
    known = _choose_ngrams(encoded.select(train), spec)
    present = _mark_ngrams(encoded.select(train), known, spec.order)
    targets = labels.iloc[train].to_numpy(int)
    for fold in np.unique(folds[train]):
        others = targets[folds[train] != fold]
        if len(np.unique(others)) < 2:
            received = f"{len(others)} of one class" if len(others) else "none"
            raise ReviewError(
                f"train: expected negative and positive reviews outside each of the {len(np.unique(folds[train]))} "
                f"folds of groups, received {received} outside fold {fold}. Choose another sentiment.ngrams.folds or "
                "sentiment.split.seed, or add reviews of more groups."
            )
    classifier = _fit(present, targets, known, spec)
    record = FitRecord(
        training_seconds=time.perf_counter() - started, num_parameters=len(known) + 1
    )
    ngrams = np.zeros((len(encoded.ids), spec.order), np.float32)
    logits = np.zeros(len(encoded))
    fold_of_word = np.repeat(folds, encoded.lengths)
    for fold in np.unique(folds):
        others = folds[train] != fold
        here = encoded.select(np.flatnonzero(folds == fold))
        blind = _fit(present[others], targets[others], known, spec) if fold >= 0 else classifier
        ngrams[fold_of_word == fold] = weigh_words(blind, here)
        logits[folds == fold] = score_ngrams(blind, here)
    return classifier, TextFeatures(encoded.ids, encoded.offsets, ngrams, logits), record


def fit_ngram_classifier(
    encoded: EncodedTexts, labels: np.ndarray, spec: NgramSpec
) -> NgramClassifier:
    """Fit the classifier on training texts and their labels, 0 or 1.

    p and q are the smoothed shares of an n-gram among all n-grams of positive and of negative texts. The feature of a
    text is log(p / q) if it contains the n-gram, else 0.

    Source: Wang & Manning (2012), Baselines and Bigrams, equations 2 to 4; with logistic loss instead of the SVM's.
    """
    known = _choose_ngrams(encoded, spec)
    return _fit(_mark_ngrams(encoded, known, spec.order), labels, known, spec)


def score_ngrams(classifier: NgramClassifier, encoded: EncodedTexts) -> np.ndarray:
    """Return the logit of each text, float64[num_texts]."""
    known = classifier.ngrams
    weights = classifier.weights.astype(np.float64)
    logits = [
        _mark_ngrams(chunk, known, classifier.order) @ weights for chunk in _split_texts(encoded)
    ]
    return np.concatenate([np.zeros(0), *logits]) + classifier.intercept


def weigh_words(classifier: NgramClassifier, encoded: EncodedTexts) -> np.ndarray:
    """Return the weights of the n-grams that begin at each word, float32[num_words, order]; 0 for unknown n-grams."""
    weights = np.append(classifier.weights, np.float32(0))
    order = classifier.order
    chunks = [
        weights[find_ngrams(number_ngrams(chunk, order), classifier.ngrams)]
        for chunk in _split_texts(encoded)
    ]
    return np.concatenate([np.zeros((0, order), np.float32), *chunks])


def _fit(
    present: "csr_array", labels: np.ndarray, known: np.ndarray, spec: NgramSpec
) -> NgramClassifier:
    from sklearn.linear_model import LogisticRegression

    positive, negative = (spec.smoothing + present[labels == label].sum(axis=0) for label in (1, 0))
    ratios = np.log(positive / positive.sum()) - np.log(negative / negative.sum())
    features = present.multiply(ratios[None, :].astype(np.float32)).tocsr()
    # The dual problem has one variable for each text, and there are far fewer texts than n-grams.
    options = {"solver": "liblinear", "dual": True, "max_iter": 1000, "random_state": 0}
    regression = LogisticRegression(C=spec.inverse_penalty, **options).fit(features, labels)
    weights = (regression.coef_[0] * ratios).astype(np.float32)
    return NgramClassifier(known, weights, float(regression.intercept_[0]), spec.order)


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
