"""Of few texts, the n-gram classifier reads words and characters, and learns the validation labels too."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import hstack
from sklearn.feature_extraction.text import CountVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import normalize

from rnn_pipelines.sentiment.methods import preparation
from rnn_pipelines.sentiment.methods.nb_ngram import (
    FEW_TEXTS,
    NgramClassifier,
    NgramSpec,
    TextFeatures,
    fit_ngram_classifier,
    score_ngrams,
)
from rnn_pipelines.sentiment.methods.preparation import fit_nb_ngram
from rnn_pipelines.sentiment.text.encoding import encode_characters, encode_texts
from rnn_pipelines.sentiment.text.splits import find_texts
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec, choose_words

TEXTS = [
    "a good film, so good",
    "a bad film!",
    "great, GREAT, great",
    "so dull it was",
    "the good one",
    "awful and long",
] * 3
LABELS = np.array([1, 0, 1, 0, 1, 0] * 3)
NEW_TEXTS = ["a goodish film", "badly dull, so bad so bad", "", "xyz"]
EVERY_WORD = VocabularySpec(min_count=1)
SPELT = {"analyzer": "char", "ngram_range": (1, 4)}
WORDS = {"token_pattern": r"\S+", "ngram_range": (1, 2)}


def separate_signs(texts: list[str]) -> list[str]:
    return [text.lower().replace(",", " ,").replace("!", " !") for text in texts]


def score_naively(texts: list[str]) -> np.ndarray:
    """Logits by scikit-learn: blocks of words and of characters, log counts times log-count ratios, of length 1."""
    train, new = [], []
    for options in (WORDS, SPELT):
        counter = CountVectorizer(**options)
        counts = counter.fit_transform(separate_signs(TEXTS)).astype(float)
        others = counter.transform(separate_signs(texts)).astype(float)
        for each in (counts, others):
            each.data = 1 + np.log(each.data)
        p, q = (0.1 + counts[label == LABELS].sum(axis=0) for label in (1, 0))
        ratios = np.asarray(np.log(p / p.sum()) - np.log(q / q.sum()))
        train.append(normalize(counts.multiply(ratios).tocsr()))
        new.append(normalize(others.multiply(ratios).tocsr()))
    regression = LogisticRegression(C=10, solver="liblinear", dual=True, tol=1e-8, max_iter=100_000)
    return regression.fit(hstack(train), LABELS).decision_function(hstack(new).tocsr())


@pytest.fixture(scope="module")
def words() -> list[str]:
    return choose_words(TEXTS, EVERY_WORD)


@pytest.fixture(scope="module")
def fitted(words: list[str]) -> NgramClassifier:
    characters = encode_characters(TEXTS)
    return fit_ngram_classifier(encode_texts(TEXTS, words), LABELS, 2, FEW_TEXTS, characters)


def test_logits_are_those_of_sklearn(fitted: NgramClassifier, words: list[str]) -> None:
    logits = score_ngrams(fitted, encode_texts(NEW_TEXTS, words), encode_characters(NEW_TEXTS))
    # As close as the tolerance of the fit lets two runs be.
    np.testing.assert_allclose(logits[:, 0], score_naively(NEW_TEXTS), atol=0.05)


def test_text_without_known_ngrams_has_the_intercept_as_logit(
    fitted: NgramClassifier, words: list[str]
) -> None:
    logits = score_ngrams(fitted, encode_texts(["§"], words), encode_characters(["§"]))
    np.testing.assert_array_equal(logits, [fitted.intercept])


def test_unknown_word_counts_by_its_characters(fitted: NgramClassifier, words: list[str]) -> None:
    texts = ["goodish", "awfully"]
    logits = score_ngrams(fitted, encode_texts(texts, words), encode_characters(texts))[:, 0]
    assert logits[0] > fitted.intercept[0] > logits[1]


def test_number_of_a_character_is_its_code_point() -> None:
    encoded = encode_characters(["Ab  c!", "", "ё"])
    assert encoded.ids.tolist() == [*map(ord, "ab c !"), ord("ё")]
    assert encoded.offsets.tolist() == [0, 6, 6, 7]


def test_code_points_are_kept_to_15_bits() -> None:
    assert encode_characters(["😀"]).ids.tolist() == [ord("😀") % 2**15]


def fit(reviews: pd.DataFrame, few_texts: int = 4000) -> tuple[NgramClassifier, TextFeatures]:
    words = choose_words(reviews["text"], EVERY_WORD)
    encoded = encode_texts(reviews["text"], words)
    spec = NgramSpec(folds=2, few_texts=few_texts)
    return fit_nb_ngram(encoded, reviews, EVERY_WORD, spec)[:2]


def swap_labels(reviews: pd.DataFrame, part: str) -> pd.DataFrame:
    """The reviews with the other label in a part."""
    labels = reviews["label"].cat.codes.to_numpy()
    swapped = np.where(reviews["part"] == part, 1 - labels, labels)
    return reviews.assign(label=pd.Categorical.from_codes(swapped, dtype=reviews["label"].dtype))


@pytest.fixture(scope="module")
def reviews(make_reviews: Callable[..., pd.DataFrame]) -> pd.DataFrame:
    return make_reviews()


def test_validation_labels_are_learnt(reviews: pd.DataFrame) -> None:
    (one, _), (other, _) = fit(reviews), fit(swap_labels(reviews, "validation"))
    assert not np.array_equal(one.weights, other.weights)


def test_logits_of_validation_texts_do_not_depend_on_their_labels(reviews: pd.DataFrame) -> None:
    (_, one), (_, other) = fit(reviews), fit(swap_labels(reviews, "validation"))
    texts = find_texts(reviews, "validation")
    np.testing.assert_array_equal(one.logits[texts], other.logits[texts])


def test_test_labels_are_never_read(reviews: pd.DataFrame) -> None:
    (one, features), (other, others) = fit(reviews), fit(swap_labels(reviews, "test"))
    np.testing.assert_array_equal(one.weights, other.weights)
    np.testing.assert_array_equal(features.logits, others.logits)


@pytest.mark.parametrize("excess", [0, 1])
def test_characters_are_read_below_the_number_of_texts(reviews: pd.DataFrame, excess: int) -> None:
    num_training = len(find_texts(reviews, "train"))
    classifier, _ = fit(reviews, few_texts=num_training + excess)
    assert bool(len(classifier.characters)) == bool(excess)


def test_characters_of_long_texts_are_not_read(
    reviews: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(preparation, "MAX_CHARACTERS", 100)
    classifier, _ = fit(reviews)
    assert (len(classifier.characters), classifier.has_unit_length) == (0, True)
