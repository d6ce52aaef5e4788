"""The classical classifier follows its equations, and no training text meets a classifier that saw its label."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression

from rnn_pipelines.sentiment.methods import nb_ngram
from rnn_pipelines.sentiment.methods.nb_ngram import (
    BITS,
    MAX_ORDER,
    NgramSpec,
    add_ngram_features,
    find_ngrams,
    fit_ngram_classifier,
    number_ngrams,
    score_ngrams,
    weigh_words,
)
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vocabulary import MAX_WORDS

MakeEncoded = Callable[..., EncodedTexts]

SPEC = NgramSpec(order=2, min_texts=1, inverse_penalty=1.0, folds=2)
# Four logits and the intercept of `make_texts` by the last version that knew only two classes.
EARLIER = [-1.083786227, 1.322933094, -0.9180131336, 0.6282010846, -0.07028236689]


def make_texts(num_texts: int = 40, seed: int = 0) -> tuple[list[list[int]], np.ndarray]:
    """Texts of the words 2 to 9, of which positive ones hold more small numbers; and their labels."""
    random = np.random.default_rng(seed)
    labels = np.arange(num_texts) % 2
    texts = [
        np.clip(random.normal(6 - 1.5 * label, 2, random.integers(1, 9)), 2, 9).astype(int).tolist()
        for label in labels
    ]
    return texts, labels


def get_weights(classifier: nb_ngram.NgramClassifier) -> dict[int, float]:
    return dict(zip(classifier.ngrams.tolist(), classifier.weights[:, 0].tolist(), strict=True))


def fit_naively(
    texts: list[list[int]], labels: np.ndarray, spec: NgramSpec, seen: np.ndarray | None = None
) -> Callable[..., np.ndarray]:
    """Naive Bayes features and logistic regression on dense arrays, from scikit-learn's own n-grams; returns a scorer.

    p = α + Σ f over positive texts, q likewise over negative ones, r = log((p / |p|) / (q / |q|)). N-grams are those
    of all texts; labels, those of the `seen` ones alone.
    """
    seen = np.full(len(texts), True) if seen is None else seen
    lines = [" ".join(map(str, text)) for text in texts]
    counter = CountVectorizer(
        binary=True,
        ngram_range=(1, spec.order),
        token_pattern=r"\d+",
        min_df=spec.min_texts,
        dtype=np.float64,
    )
    f = counter.fit_transform(lines).toarray()[seen]
    labels = labels[seen]
    p, q = (spec.smoothing + f[labels == label].sum(axis=0) for label in (1, 0))
    r = np.log((p / np.abs(p).sum()) / (q / np.abs(q).sum()))
    regression = LogisticRegression(
        C=spec.inverse_penalty, solver="liblinear", dual=True, tol=1e-8, max_iter=100_000
    ).fit(f * r, labels)

    def score(others: list[list[int]]) -> np.ndarray:
        present = counter.transform([" ".join(map(str, text)) for text in others]).toarray()
        return regression.decision_function(present * r)

    return score


@pytest.mark.parametrize(
    ("order", "min_texts", "smoothing"), [(1, 1, 1.0), (2, 3, 0.1), (3, 3, 1.0)]
)
def test_logits_are_those_of_sklearn(
    make_encoded: MakeEncoded, order: int, min_texts: int, smoothing: float
) -> None:
    texts, labels = make_texts()
    spec = NgramSpec(order=order, min_texts=min_texts, smoothing=smoothing, inverse_penalty=1.0)
    others, _ = make_texts(30, seed=1)
    classifier = fit_ngram_classifier(make_encoded(texts), labels, 2, spec)
    logits = score_ngrams(classifier, make_encoded(others))
    # As close as liblinear's tolerance lets two runs of it be.
    np.testing.assert_allclose(logits[:, 0], fit_naively(texts, labels, spec)(others), atol=2e-3)


def test_ratio_compares_smoothed_shares_of_texts_in_both_classes(
    monkeypatch: pytest.MonkeyPatch, make_encoded: MakeEncoded
) -> None:
    """Word 2 stands in two positive texts, 3 in one of each class, 4 in one negative text."""
    # The log-count ratios of single words: the weights of a regression whose coefficients are all 1.

    class Ones:
        def __init__(self, **options: object) -> None:
            self.intercept_ = np.zeros(1)

        def fit(self, features: Any, labels: np.ndarray) -> "Ones":
            self.coef_ = np.ones((1, features.shape[1]))
            return self

    monkeypatch.setattr("sklearn.linear_model.LogisticRegression", Ones)

    def ratios(texts: list[list[int]], labels: list[int], **options: float) -> list[float]:
        spec = NgramSpec(order=1, **{"min_texts": 1, **options})
        encoded = make_encoded(texts)
        return fit_ngram_classifier(encoded, np.array(labels), 2, spec).weights[:, 0].tolist()

    p = np.array([3, 2, 1]) / 6
    q = np.array([1, 2, 2]) / 5
    assert ratios([[2], [2, 3], [3, 4]], [1, 1, 0]) == pytest.approx(
        np.log(p / q).tolist(), rel=1e-6
    )
    p = np.array([2.5, 0.5]) / 3
    q = np.array([0.5, 1.5]) / 2
    assert ratios([[2], [2], [3]], [1, 1, 0], smoothing=0.5) == pytest.approx(
        np.log(p / q).tolist(), rel=1e-6
    )
    assert ratios([[2, 2, 2, 3], [3, 4]], [1, 0]) == ratios([[2, 3], [3, 4]], [1, 0])


@pytest.mark.parametrize(
    ("texts", "min_texts", "known"),
    [
        ([[2, 2, 3], [2, 3, 4], [4, 3, 5], [5, 5]], 2, [2, 3, 4, 5, 2 | 3 << 21]),
        ([[2, 3, 4], [2]], 1, [2, 3, 4, 2 | 3 << 21, 3 | 4 << 21]),
    ],
)
def test_known_ngrams_are_those_of_enough_texts(
    make_encoded: MakeEncoded, texts: list[list[int]], min_texts: int, known: list[int]
) -> None:
    labels = np.arange(len(texts)) % 2
    classifier = fit_ngram_classifier(
        make_encoded(texts), labels, 2, NgramSpec(order=2, min_texts=min_texts)
    )
    assert (classifier.ngrams.tolist(), classifier.order) == (known, 2)


def test_a_logit_above_0_is_positive(make_encoded: MakeEncoded) -> None:
    texts = [[2, 9], [2, 8], [3, 9], [3, 8]] * 5
    labels = np.array([1, 1, 0, 0] * 5)
    logits = score_ngrams(
        fit_ngram_classifier(make_encoded(texts), labels, 2, SPEC), make_encoded([[2], [3]])
    )
    assert (logits[:, 0] > 0).tolist() == [True, False]


def test_fitting_twice_gives_the_same_weights(make_encoded: MakeEncoded) -> None:
    texts, labels = make_texts()
    one, other = (fit_ngram_classifier(make_encoded(texts), labels, 2, SPEC) for _ in range(2))
    np.testing.assert_array_equal(one.weights, other.weights)


@pytest.fixture(scope="module")
def fitted(make_encoded: MakeEncoded) -> nb_ngram.NgramClassifier:
    texts, labels = make_texts()
    spec = SPEC.model_copy(update={"order": 3})
    return fit_ngram_classifier(make_encoded(texts), labels, 2, spec)


@pytest.mark.parametrize("text", [[], [1, 1], [40, 41]], ids=["empty", "unknown", "never seen"])
def test_text_without_known_ngrams_has_the_intercept_as_logit(
    fitted: nb_ngram.NgramClassifier, make_encoded: MakeEncoded, text: list[int]
) -> None:
    assert score_ngrams(fitted, make_encoded([text])).tolist() == [fitted.intercept.tolist()]


def test_first_occurrences_add_up_to_the_logit(
    fitted: nb_ngram.NgramClassifier, make_encoded: MakeEncoded
) -> None:
    texts = [*make_texts(30, seed=2)[0], []]
    encoded = make_encoded(texts)
    weights = weigh_words(fitted, encoded)
    numbers = number_ngrams(encoded, fitted.order)
    sums = []
    for start, stop in zip(encoded.offsets, encoded.offsets[1:], strict=False):
        first = dict(
            zip(
                numbers[start:stop].ravel().tolist(),
                weights[start:stop].ravel().tolist(),
                strict=True,
            )
        )
        sums.append(sum(first.values()) + fitted.intercept[0])
    np.testing.assert_allclose(score_ngrams(fitted, encoded)[:, 0], sums, atol=1e-6)
    text = [*make_texts()[0][1], 40]
    known = get_weights(fitted)
    expected = np.zeros((len(text), 3), np.float32)
    for start in range(len(text)):
        for order in range(1, min(3, len(text) - start) + 1):
            number = sum(word << 21 * n for n, word in enumerate(text[start : start + order]))
            expected[start, order - 1] = known.get(number, 0.0)
    found = weigh_words(fitted, make_encoded([text]))
    np.testing.assert_array_equal(found, expected)
    assert (np.abs(found[0]).min() > 0, found.dtype) == (True, np.float32)
    encoded = make_encoded([])
    assert (score_ngrams(fitted, encoded).shape, weigh_words(fitted, encoded).shape) == (
        (0, 1),
        (0, 3),
    )


def test_chunks_give_the_same_scores_as_all_at_once(
    fitted: nb_ngram.NgramClassifier, make_encoded: MakeEncoded, monkeypatch: pytest.MonkeyPatch
) -> None:
    encoded = make_encoded(make_texts(20, seed=3)[0])
    whole = score_ngrams(fitted, encoded), weigh_words(fitted, encoded)
    monkeypatch.setattr(nb_ngram, "CHUNK", 7)
    np.testing.assert_allclose(score_ngrams(fitted, encoded), whole[0], rtol=1e-12)
    np.testing.assert_array_equal(weigh_words(fitted, encoded), whole[1])


@pytest.fixture(scope="module")
def corpus(make_encoded: MakeEncoded) -> SimpleNamespace:
    """30 training texts in 3 folds and 10 others, without a class (−1): `texts, encoded, labels, folds`."""
    texts, labels = make_texts(40, seed=4)
    folds = np.where(np.arange(40) % 4 == 3, -1, np.arange(40) // 2 % 3)
    # Each text has a word of its own, which tells its label to whoever has seen it.
    texts = [[*text, 100 + number, 100 + number] for number, text in enumerate(texts)]
    labels = np.where(folds < 0, -1, labels)
    return SimpleNamespace(texts=texts, encoded=make_encoded(texts), labels=labels, folds=folds)


def add(corpus: SimpleNamespace, labels: np.ndarray | None = None) -> SimpleNamespace:
    labels = corpus.labels if labels is None else labels
    classifier, features, record = add_ngram_features(corpus.encoded, labels, 2, corpus.folds, SPEC)
    return SimpleNamespace(classifier=classifier, features=features, record=record)


@pytest.fixture(scope="module")
def added(corpus: SimpleNamespace) -> SimpleNamespace:
    return add(corpus)


def get_ngrams(features: nb_ngram.TextFeatures, text: int) -> np.ndarray:
    return features.ngrams[features.offsets[text] : features.offsets[text + 1]]


@pytest.mark.parametrize("text", [0, 14])
def test_a_training_texts_ngram_weights_never_come_from_a_classifier_that_saw_its_label(
    corpus: SimpleNamespace, added: SimpleNamespace, text: int
) -> None:
    flipped = corpus.labels.copy()
    flipped[text] = 1 - flipped[text]
    features = add(corpus, flipped).features
    np.testing.assert_array_equal(get_ngrams(features, text), get_ngrams(added.features, text))
    assert features.logits[text] == added.features.logits[text]


def test_weights_come_from_classifiers_that_saw_other_folds(
    corpus: SimpleNamespace, added: SimpleNamespace
) -> None:
    is_fold = corpus.folds == 1
    features = add(corpus, np.where(is_fold, 1 - corpus.labels, corpus.labels)).features
    words = np.repeat(is_fold, corpus.encoded.lengths)
    np.testing.assert_array_equal(features.ngrams[words], added.features.ngrams[words])
    assert not np.array_equal(features.ngrams[~words], added.features.ngrams[~words])


def test_weights_of_other_parts_come_from_the_whole_classifier(
    corpus: SimpleNamespace, added: SimpleNamespace
) -> None:
    others = corpus.encoded.select(np.flatnonzero(corpus.folds < 0))
    words = np.repeat(corpus.folds < 0, corpus.encoded.lengths)
    np.testing.assert_array_equal(
        added.features.ngrams[words], weigh_words(added.classifier, others)
    )


def test_logits_of_other_parts_come_from_the_whole_classifier(
    corpus: SimpleNamespace, added: SimpleNamespace
) -> None:
    others = corpus.encoded.select(np.flatnonzero(corpus.folds < 0))
    np.testing.assert_allclose(
        added.features.logits[corpus.folds < 0], score_ngrams(added.classifier, others)
    )


def test_the_whole_classifier_learns_the_training_part(
    corpus: SimpleNamespace, added: SimpleNamespace
) -> None:
    train = np.flatnonzero(corpus.folds >= 0)
    expected = fit_ngram_classifier(corpus.encoded.select(train), corpus.labels[train], 2, SPEC)
    assert get_weights(added.classifier) == get_weights(expected)


def test_labels_of_other_parts_are_not_read(
    corpus: SimpleNamespace, added: SimpleNamespace
) -> None:
    garbage = np.where(corpus.folds < 0, 99, corpus.labels)
    features = add(corpus, garbage).features
    np.testing.assert_array_equal(features.ngrams, added.features.ngrams)
    np.testing.assert_array_equal(features.logits, added.features.logits)


def test_features_have_their_types(added: SimpleNamespace) -> None:
    assert (added.features.ngrams.dtype, added.features.logits.dtype) == (np.float32, np.float64)


def test_the_time_of_fitting_is_on_record(added: SimpleNamespace) -> None:
    assert 0 < added.record["training_seconds"] < 5


@pytest.mark.parametrize("fold", [0, 2])
def test_training_texts_have_the_logits_of_a_classifier_fitted_without_their_fold(
    corpus: SimpleNamespace, added: SimpleNamespace, fold: int
) -> None:
    train = corpus.folds >= 0
    texts = [text for text, is_train in zip(corpus.texts, train, strict=True) if is_train]
    score = fit_naively(texts, corpus.labels[train], SPEC, seen=corpus.folds[train] != fold)
    here = np.flatnonzero(corpus.folds == fold)
    expected = score([corpus.texts[text] for text in here])
    np.testing.assert_allclose(added.features.logits[here, 0], expected, atol=2e-3)
    whole = score_ngrams(added.classifier, corpus.encoded.select(here))[:, 0]
    assert np.abs(whole - expected).min() > 2e-3


def test_fold_with_all_texts_of_a_class_gives_the_logit_of_the_smoothed_share(
    make_encoded: MakeEncoded,
) -> None:
    """Outside of fold 0, none of 3 texts is of class 0: its share is (0 + 1) / (3 + 2)."""
    encoded = make_encoded([[2], [3], [4], [5]])
    labels = np.array([0, 1, 1, 2])
    _, features, _ = add_ngram_features(encoded, labels, 3, np.array([0, 1, 1, 1]), SPEC)
    assert features.logits[0, 0] == pytest.approx(np.log(1 / 4))


@pytest.fixture(scope="module")
def three_classes() -> tuple[list[list[int]], np.ndarray]:
    """Texts of the words 2 to 9, whose mean depends on the class; and the numbers of their classes."""
    random = np.random.default_rng(5)
    labels = np.arange(60) % 3
    texts = [
        np.clip(random.normal(4 + 1.5 * label, 1.5, 6), 2, 9).astype(int).tolist()
        for label in labels
    ]
    return texts, labels


@pytest.mark.parametrize("number", [0, 1, 2])
def test_logit_of_a_class_is_that_of_the_class_against_the_rest(
    make_encoded: MakeEncoded, three_classes: tuple[list[list[int]], np.ndarray], number: int
) -> None:
    texts, labels = three_classes
    encoded = make_encoded(texts)
    against_rest = fit_ngram_classifier(encoded, (labels == number).astype(int), 2, SPEC)
    logits = score_ngrams(fit_ngram_classifier(encoded, labels, 3, SPEC), encoded)
    np.testing.assert_array_equal(logits[:, number], score_ngrams(against_rest, encoded)[:, 0])


def test_words_have_the_weights_of_each_class(
    make_encoded: MakeEncoded, three_classes: tuple[list[list[int]], np.ndarray]
) -> None:
    texts, labels = three_classes
    encoded = make_encoded(texts)
    classifier = fit_ngram_classifier(encoded, labels, 3, SPEC)
    by_word = classifier.weights[find_ngrams(number_ngrams(encoded, 1), classifier.ngrams)[:, 0]]
    np.testing.assert_array_equal(weigh_words(classifier, encoded)[:, :3], by_word)


def test_two_classes_have_the_numbers_of_earlier_versions(make_encoded: MakeEncoded) -> None:
    texts, labels = make_texts()
    classifier = fit_ngram_classifier(make_encoded(texts), labels, 2, NgramSpec(min_texts=1))
    logits = score_ngrams(classifier, make_encoded(texts[:4]))[:, 0]
    assert [*logits, *classifier.intercept] == pytest.approx(EARLIER, rel=1e-6)


# Numbered n-grams are the runs of words that a loop finds, and never cross the end of a text.


LARGEST = MAX_WORDS - 1
TEXTS = st.lists(st.lists(st.sampled_from([1, 2, 3, LARGEST]), max_size=5), max_size=6)


def list_naively(texts: list[list[int]], order: int) -> list[list[tuple[int, ...] | None]]:
    """A row for each word: the runs of 1 to `order` words that begin there, None where the text ends before."""
    return [
        [
            tuple(text[start : start + n]) if start + n <= len(text) else None
            for n in range(1, order + 1)
        ]
        for text in texts
        for start in range(len(text))
    ]


def unpack(number: int) -> tuple[int, ...] | None:
    """The words of an n-gram, of which none has the number 0."""
    words = [int(number) >> BITS * n & 2**BITS - 1 for n in range(MAX_ORDER)]
    return tuple(word for word in words if word) or None


@given(TEXTS, st.integers(1, MAX_ORDER))
def test_ngrams_are_those_that_a_loop_finds(
    make_encoded: MakeEncoded, texts: list[list[int]], order: int
) -> None:
    numbered = number_ngrams(make_encoded(texts), order)
    assert [[unpack(number) for number in row] for row in numbered] == list_naively(texts, order)
    assert (numbered.dtype, numbered.shape[1]) == (np.int64, order)
    names = {ngram for row in list_naively(texts, order) for ngram in row if ngram}
    numbers = {
        number
        for row in number_ngrams(make_encoded(texts), order).tolist()
        for number in row
        if number
    }
    assert len(numbers) == len(names)


def test_no_ngram_crosses_the_end_of_a_text(make_encoded: MakeEncoded) -> None:
    numbered = number_ngrams(make_encoded([[2, 3], [4, 5]]), 3)
    assert [[unpack(number) for number in row] for row in numbered] == [
        [(2,), (2, 3), None],
        [(3,), None, None],
        [(4,), (4, 5), None],
        [(5,), None, None],
    ]
    [row, *_] = number_ngrams(make_encoded([[LARGEST] * 3]), 3)
    assert row.tolist() == [2**21 - 1, 2**42 - 1, 2**63 - 1]
    encoded = make_encoded([[2, 3], [4]])
    number_ngrams(encoded, 3)
    assert (encoded.ids.tolist(), encoded.offsets.tolist()) == ([2, 3, 4], [0, 2, 3])


@given(
    st.sets(st.integers(1, 2**63 - 1), max_size=8),
    st.lists(st.integers(0, 2**63 - 1), max_size=8),
    st.data(),
)
def test_known_ngrams_are_found_where_they_stand(
    known: set[int], others: list[int], data: st.DataObject
) -> None:
    ranked = sorted(known)
    asked = data.draw(st.permutations([*ranked, *others]))
    expected = [ranked.index(number) if number in known else -1 for number in asked]
    assert find_ngrams(np.array(asked, np.int64), np.array(ranked, np.int64)).tolist() == expected


def test_nothing_is_found_where_nothing_is_known() -> None:
    assert find_ngrams(np.array([[5, 0]]), np.zeros(0, np.int64)).tolist() == [[-1, -1]]
