"""The n-gram classifier: logistic regression on n-grams, each weighted by its naive Bayes log-count ratio.

With more than two classes, each class has a regression of its own, against all other classes. Of very many texts, it
reads which n-grams of words occur. Otherwise it reads how often they occur, relative to the length of the text, and, of
short texts, n-grams of characters too.
"""

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from types import ModuleType
from typing import TYPE_CHECKING, TypedDict

import numpy as np
from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.methods.logits import mark_classes, to_logits
from rnn_pipelines.sentiment.text.encoding import CHARACTER_BITS, EncodedTexts
from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, UNKNOWN

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# An n-gram of up to three words, or four characters, is a single integer, so that NumPy can count and look it up.
BITS = 21
MAX_ORDER = 3
CHARACTER_ORDER = 4
# Number of texts whose n-grams are in memory at once.
CHUNK = 5000


class NgramSpec(ParameterModel, frozen=True):
    """The parameters of the n-gram classifier.

    Attributes:
        order: number of words of the longest n-grams.
        min_texts: n-grams that occur in fewer training texts are left out.
        smoothing: added to the count of every n-gram in a class and in the others.
        inverse_penalty: weight of the training error relative to the squared weights (C of liblinear).
        unit_length: whether n-grams are counted and the features of each text have a length of 1; otherwise an n-gram
            occurs or not.
        folds: number of folds of the training texts, by group; see `add_ngram_features`.
        few_texts: with fewer training texts, the other attributes are those of `FEW_TEXTS`, and n-grams of characters
            are read too, if all texts together are short.
    """

    order: int = Field(3, ge=1, le=MAX_ORDER)
    min_texts: int = Field(2, ge=1, le=10**9)
    smoothing: float = Field(1.0, gt=0, le=1e9)
    inverse_penalty: float = Field(0.1, gt=0, le=1e9)
    unit_length: bool = False
    folds: int = Field(10, ge=2, le=1000)
    few_texts: int = Field(20_000, ge=0, le=10**9)


# Chosen on the training parts of four sets, see "Own texts" in benchmarks/README.md.
FEW_TEXTS = NgramSpec(
    order=2, min_texts=1, smoothing=0.1, inverse_penalty=10.0, unit_length=True, folds=5
)


@dataclass(frozen=True)
class NgramClassifier:
    """A linear classifier on the n-grams of a text.

    Without `ratios`, it adds the weights of the n-grams that a text contains. With them, each weight is multiplied by
    c = 1 + log(number of occurrences), and the sum over words, like that over characters, is divided by a length: the
    root of the sum of (c · ratio)². The mean length of the training texts is 1.

    Attributes:
        ngrams: int64[num_ngrams], the known n-grams of words as numbers of `number_ngrams`, sorted.
        weights: float32[num_ngrams + num_characters, num_outputs], of the n-grams of words, then of characters.
        intercept: float64[num_outputs], the logits of a text without known n-grams.
        order: number of words of the longest n-grams.
        characters: int64[num_characters], the known n-grams of characters, sorted; may be empty.
        ratios: float32[num_ngrams + num_characters, num_outputs], the log-count ratios; empty without unit length.
    """

    ngrams: np.ndarray
    weights: np.ndarray
    intercept: np.ndarray
    order: int
    characters: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    ratios: np.ndarray = field(default_factory=lambda: np.zeros((0, 1), np.float32))

    @property
    def has_unit_length(self) -> bool:
        return self.ratios.size > 0


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
    encoded: EncodedTexts,
    labels: np.ndarray,
    num_classes: int,
    folds: np.ndarray,
    spec: NgramSpec,
    characters: EncodedTexts | None = None,
) -> tuple[NgramClassifier, TextFeatures, FitRecord]:
    """Fit the classifier on the training texts, and compute its weights and logits for all texts.

    Those of training texts are out-of-fold. In-sample logits are overconfident, and a network that reads them would
    learn to rely on them too much.

    Args:
        labels: int[num_texts], the number of each text's class; only those of training texts are read.
        folds: int[num_texts], the fold of each training text, −1 for all other texts.
        characters: the characters of all texts, if their n-grams are read.
    Returns:
        The classifier, the features of all texts, and the fit record of the classifier, without the folds.
    """
    started = time.perf_counter()
    train = np.flatnonzero(folds >= 0)
    known = _choose_known(encoded.select(train), _select(characters, train), spec)
    blocks = _count_known(known, encoded.select(train), _select(characters, train))
    targets = mark_classes(labels[train], num_classes)
    classifier = _fit(blocks, targets, known, spec)
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
        texts = np.flatnonzero(folds == fold)
        here = encoded.select(texts)
        blind = classifier
        if fold >= 0:
            blind = _fit([block[others] for block in blocks], targets[others], known, spec)
        ngrams[fold_of_word == fold] = weigh_words(blind, here)
        logits[folds == fold] = score_ngrams(blind, here, _select(characters, texts))
    return classifier, TextFeatures(encoded.ids, encoded.offsets, ngrams, logits), record


def fit_ngram_classifier(
    encoded: EncodedTexts,
    labels: np.ndarray,
    num_classes: int,
    spec: NgramSpec,
    characters: EncodedTexts | None = None,
) -> NgramClassifier:
    """Fit the classifier on training texts and the numbers of their classes, and on the texts' characters, if given.

    p and q are the smoothed shares of an n-gram among all n-grams of a class and of the other texts. The feature of a
    text is log(p / q) if it contains the n-gram, else 0. With unit length, it is multiplied by 1 + log(number of
    occurrences), and the features of words, and those of characters, have a length of 1.

    Source: Wang & Manning (2012), Baselines and Bigrams, equations 2 to 4; with logistic loss instead of the SVM's.
    """
    known = _choose_known(encoded, characters, spec)
    blocks = _count_known(known, encoded, characters)
    return _fit(blocks, mark_classes(labels, num_classes), known, spec)


def score_ngrams(
    classifier: NgramClassifier, encoded: EncodedTexts, characters: EncodedTexts | None = None
) -> np.ndarray:
    """Return the logits of each text, float64[num_texts, num_outputs]; `characters` as in the fit."""
    logits = [np.zeros((0, classifier.weights.shape[1]))]
    for texts in _split_texts(len(encoded)):
        blocks = _count_known(classifier, encoded.select(texts), _select(characters, texts))
        logits.append(_sum_weights(classifier, blocks))
    return np.concatenate(logits) + classifier.intercept


def _sum_weights(classifier: NgramClassifier, blocks: Sequence["csr_array"]) -> np.ndarray:
    """Return the weighted sums of the blocks of `_count_known`, float64[num_texts, num_outputs]."""
    sums = np.zeros((blocks[0].shape[0], classifier.weights.shape[1]))
    first = 0
    for block in blocks:
        columns = slice(first, first + block.shape[1])
        weighted = block @ classifier.weights[columns].astype(np.float64)
        if classifier.has_unit_length:
            weighted /= _measure_lengths(block, classifier.ratios[columns].astype(np.float64))
        sums += weighted
        first += block.shape[1]
    return sums


def _measure_lengths(block: "csr_array", ratios: np.ndarray) -> np.ndarray:
    """Return the lengths of the features of texts, float64[num_texts, num_outputs]; 1 without features."""
    lengths: np.ndarray = np.sqrt(block.power(2) @ ratios**2)
    return np.where(lengths > 0, lengths, 1.0)


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
    of_words = classifier.weights[: len(classifier.ngrams)]
    weights = np.concatenate([of_words, np.zeros((1, num_outputs), np.float32)])
    order = classifier.order
    chunks = [
        weights[find_ngrams(number_ngrams(encoded.select(texts), order), classifier.ngrams)]
        for texts in _split_texts(len(encoded))
    ]
    none = np.zeros((0, order, num_outputs), np.float32)
    return np.concatenate([none, *chunks]).reshape(-1, order * num_outputs)


def _fit(
    blocks: Sequence["csr_array"], targets: np.ndarray, known: NgramClassifier, spec: NgramSpec
) -> NgramClassifier:
    """Fit a regression for each column of the targets, bool[num_texts, num_outputs]."""
    outputs = [_fit_output(blocks, is_class, spec) for is_class in targets.T]
    weights, intercepts, ratios = zip(*outputs, strict=True)
    fitted = replace(known, weights=np.stack(weights, axis=1), intercept=np.array(intercepts))
    return replace(fitted, ratios=np.stack(ratios, axis=1)) if spec.unit_length else fitted


def _fit_output(
    blocks: Sequence["csr_array"], is_class: np.ndarray, spec: NgramSpec
) -> tuple[np.ndarray, float, np.ndarray]:
    """Return the weights, float32[num_ngrams], the intercept and the ratios of one class against the others."""
    from sklearn.linear_model import LogisticRegression

    if is_class.all() or not is_class.any():
        # A fold may hold all texts of a rare class. Without n-grams, the logit is that of the smoothed share.
        share = (is_class.sum() + 1) / (len(is_class) + 2)
        logit = to_logits(np.array([[1 - share, share]]))[0, 0]
        none = np.zeros(sum(block.shape[1] for block in blocks), np.float32)
        return none, float(logit), none
    all_ratios = []
    all_features = []
    for block in blocks:
        ratios = _compare_counts(block, is_class, spec.smoothing).astype(np.float32)
        features = block.copy()
        if spec.unit_length:
            lengths = _measure_lengths(block, ratios[:, None])[:, 0]
            ratios /= lengths.mean()
            features.data /= np.repeat(lengths / lengths.mean(), np.diff(block.indptr))
        features.data *= ratios[block.indices]
        all_ratios.append(ratios)
        all_features.append(features)
    ratios = np.concatenate(all_ratios)
    # The dual problem has one variable for each text, and there are far fewer texts than n-grams.
    options = {"solver": "liblinear", "dual": True, "max_iter": 1000, "random_state": 0}
    # Fitted nearly twice as fast, with the same macro F1.
    tolerance = 0.1 if spec.unit_length else 1e-4
    regression = LogisticRegression(C=spec.inverse_penalty, tol=tolerance, **options)
    regression.fit(_load_sparse().hstack(all_features, format="csr"), is_class)
    return (
        (regression.coef_[0] * ratios).astype(np.float32),
        float(regression.intercept_[0]),
        ratios,
    )


def _compare_counts(block: "csr_array", is_class: np.ndarray, smoothing: float) -> np.ndarray:
    """Return the logarithm of the smoothed share of each n-gram in a class, relative to that in the other texts."""
    inside, outside = (smoothing + block[is_class == side].sum(axis=0) for side in (True, False))
    ratios: np.ndarray = np.log(inside / inside.sum()) - np.log(outside / outside.sum())
    return ratios


def _choose_known(
    encoded: EncodedTexts, characters: EncodedTexts | None, spec: NgramSpec
) -> NgramClassifier:
    """Return a classifier that knows the n-grams of training texts, without weights."""
    known = NgramClassifier(
        ngrams=_choose_ngrams(number_ngrams(encoded, spec.order), encoded.lengths, spec.min_texts),
        weights=np.zeros((0, 1), np.float32),
        intercept=np.zeros(0),
        order=spec.order,
    )
    if spec.unit_length:
        known = replace(known, ratios=np.zeros((1, 1), np.float32))
    if characters is None:
        return known
    numbered = number_characters(characters)
    return replace(known, characters=_choose_ngrams(numbered, characters.lengths, spec.min_texts))


def _count_known(
    classifier: NgramClassifier, encoded: EncodedTexts, characters: EncodedTexts | None
) -> list["csr_array"]:
    """Return the known n-grams of words in texts, and of characters: float32[num_texts, num_known], sparse.

    With unit length, an n-gram is 1 + log(number of occurrences), otherwise 1.
    """
    words = find_ngrams(number_ngrams(encoded, classifier.order), classifier.ngrams)
    blocks = [_count_columns(words, encoded.lengths, len(classifier.ngrams))]
    if characters is not None:
        spelt = find_ngrams(number_characters(characters), classifier.characters)
        blocks.append(_count_columns(spelt, characters.lengths, len(classifier.characters)))
    for block in blocks:
        block.data = 1 + np.log(block.data) if classifier.has_unit_length else block.data**0
    return blocks


def _choose_ngrams(numbered: np.ndarray, lengths: np.ndarray, min_texts: int) -> np.ndarray:
    """Return the n-grams that occur in at least `min_texts` texts: int64, sorted.

    `numbered` are the n-grams at each place, int64[num_places, order], and `lengths` the places of each text.
    """
    ngrams = np.zeros(0, np.int64)
    counts = np.zeros(0, np.int64)
    texts = np.repeat(np.arange(len(lengths)), lengths)
    for column in numbered.T:
        order = np.argsort(column, kind="stable")
        ngram = column[order]
        text = texts[order]
        is_first = np.ones(len(ngram), bool)
        is_first[1:] = (ngram[1:] != ngram[:-1]) | (text[1:] != text[:-1])
        distinct, count = np.unique(ngram[is_first], return_counts=True)
        ngrams = np.concatenate([ngrams, distinct])
        counts = np.concatenate([counts, count])
    return np.sort(ngrams[(counts >= min_texts) & (ngrams > 0)])


def _count_columns(columns: np.ndarray, lengths: np.ndarray, num_columns: int) -> "csr_array":
    """Return how often each column occurs in each text: float32[num_texts, num_columns], sparse.

    `columns` are those of the n-grams at each place, int64[num_places, order], −1 for none; `lengths` the places of
    each text.
    """
    texts = np.repeat(np.arange(len(lengths)), lengths)[:, None]
    is_known = columns >= 0
    # liblinear reads 32-bit indices only.
    rows = np.broadcast_to(texts, columns.shape)[is_known].astype(np.int32)
    places = (rows, columns[is_known].astype(np.int32))
    counts: csr_array = _load_sparse().csr_array(
        (np.ones(len(rows), np.float32), places), shape=(len(lengths), num_columns)
    )
    counts.sum_duplicates()
    return counts


def _load_sparse() -> ModuleType:
    """Return SciPy's module of sparse matrices; only a fit or a score loads it, so that commands start fast."""
    from scipy import sparse

    return sparse


def _select(characters: EncodedTexts | None, texts: np.ndarray) -> EncodedTexts | None:
    return None if characters is None else characters.select(texts)


def _split_texts(num_texts: int) -> Iterator[np.ndarray]:
    for first in range(0, num_texts, CHUNK):
        yield np.arange(first, min(first + CHUNK, num_texts))


def number_ngrams(encoded: EncodedTexts, order: int, bits: int = BITS) -> np.ndarray:
    """Return the n-grams of up to `order` words that begin at each word: int64[num_words, order].

    Column `n − 1` holds the n-gram of `n` words, with `bits` for the number of each word; 0 if the text ends before the
    n-gram. The numbers must be below 2^bits, and `order · bits` at most 63.
    """
    num_words = len(encoded.ids)
    # Number of words from here to the end of the text.
    rest = np.repeat(encoded.offsets[1:], encoded.lengths) - np.arange(num_words)
    ngrams = np.zeros((num_words, order), np.int64)
    run = np.zeros(num_words, np.int64)
    for n in range(min(order, num_words)):
        following = np.zeros(num_words, np.int64)
        following[: num_words - n] = encoded.ids[n:]
        run = run | following << bits * n
        ngrams[:, n] = np.where(rest > n, run, 0)
    return ngrams


def number_characters(characters: EncodedTexts) -> np.ndarray:
    """Return the n-grams of characters that begin at each character, as `number_ngrams` those of words."""
    return number_ngrams(characters, CHARACTER_ORDER, CHARACTER_BITS)


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
