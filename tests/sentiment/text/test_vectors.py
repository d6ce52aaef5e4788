"""Word vectors are the factors of a matrix that loops over the texts can build."""

import warnings
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vectors import DEVIATION, WordVectorSpec, learn_word_vectors

Learn = Callable[..., np.ndarray]

NUM_WORDS = 12


@pytest.fixture(scope="module")
def learn(make_encoded: Callable[..., EncodedTexts]) -> Learn:
    """Learns vectors, and lets nothing warn."""

    def learn_strictly(
        texts: list[list[int]], num_words: int = NUM_WORDS, dimensions: int = 4, **options: int
    ) -> np.ndarray:
        spec = WordVectorSpec(num_words=num_words, dimensions=dimensions, **options)
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            return learn_word_vectors(make_encoded(texts), spec).vectors

    return learn_strictly


def compute_information(
    texts: list[list[int]], window: int, num_words: int = NUM_WORDS
) -> np.ndarray:
    """The positive pointwise mutual information, pair by pair."""
    near: Any = Counter()
    for text in texts:
        words = [word if word < num_words else 1 for word in text]
        for here, word in enumerate(words):
            for there, context in enumerate(words):
                if 0 < abs(here - there) <= window:
                    near[word, context] += 1 / abs(here - there)
    total = sum(near.values())
    share = {
        word: sum(near[word, other] for other in range(num_words)) / total
        for word in range(num_words)
    }
    damped = {word: (share[word] * total) ** 0.75 for word in share}
    information = np.zeros((num_words, num_words))
    for (word, context), count in near.items():
        context_share = damped[context] / sum(damped.values())
        information[word, context] = max(0.0, np.log(count / total / (share[word] * context_share)))
    return information


@pytest.fixture(scope="module")
def texts() -> list[list[int]]:
    random = np.random.default_rng(0)
    return [random.integers(1, NUM_WORDS, size).tolist() for size in (30, 1, 0, 25, 2, 40)]


def rescale(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors)


@pytest.mark.parametrize("window", [1, 3])
@pytest.mark.parametrize("dimensions", [2, 5])
def test_vectors_are_the_best_factors(
    learn: Learn, texts: list[list[int]], window: int, dimensions: int
) -> None:
    """Products of the vectors don't depend on the signs, which a decomposition may choose."""
    left, singular, _ = np.linalg.svd(compute_information(texts, window))
    expected = left[:, :dimensions] * np.sqrt(singular[:dimensions])
    found = learn(texts, dimensions=dimensions, window=window)
    np.testing.assert_allclose(rescale(found @ found.T), rescale(expected @ expected.T), atol=1e-4)


def test_dimensions_weigh_as_singular_values(learn: Learn, texts: list[list[int]]) -> None:
    singular = np.linalg.svd(compute_information(texts, 3), compute_uv=False)[:4]
    found = np.linalg.norm(learn(texts, window=3), axis=0)
    np.testing.assert_allclose(rescale(found), rescale(np.sqrt(singular)), rtol=1e-4)


def test_vectors_have_the_stated_deviation(learn: Learn, texts: list[list[int]]) -> None:
    assert learn(texts).std() == pytest.approx(DEVIATION, rel=1e-4)


def test_alike_words_are_near(learn: Learn) -> None:
    found = learn([[2, 8], [3, 8], [4, 9], [5, 9]] * 3, dimensions=3, window=1)
    towards = found @ found.T
    assert towards[2, 3] > 10 * abs(towards[2, 4])


def test_vectors_do_not_depend_on_the_order_of_texts(learn: Learn) -> None:
    np.testing.assert_array_equal(
        learn([[2, 3, 2], [4, 5], [6]], window=5), learn([[6], [4, 5], [], [2, 3, 2]], window=5)
    )


def test_rare_words_are_unknown_ones(learn: Learn, texts: list[list[int]]) -> None:
    replaced = [[word if word < 6 else 1 for word in text] for text in texts]
    np.testing.assert_array_equal(learn(texts, num_words=6), learn(replaced, num_words=6))


def test_vectors_depend_on_the_seed_alone(learn: Learn, texts: list[list[int]]) -> None:
    np.testing.assert_array_equal(learn(texts, seed=3), learn(texts, seed=3))


def test_dimensions_beyond_the_words_are_0(learn: Learn) -> None:
    found = learn([[2, 3, 2, 3]], num_words=4, dimensions=64)
    assert (found.shape, np.abs(found[:, 3:]).max()) == ((4, 64), 0)


@pytest.mark.parametrize(
    "texts", [[], [[]], [[2], [3], [2]]], ids=["no text", "empty text", "texts of one word"]
)
def test_without_pairs_of_words_every_vector_is_0(learn: Learn, texts: list[list[int]]) -> None:
    assert np.abs(learn(texts)).max() == 0


@given(
    st.lists(st.lists(st.integers(1, 6), max_size=6), max_size=5),
    st.integers(2, 7),
    st.integers(1, 9),
)
def test_vectors_are_finite_float32(
    learn: Learn, texts: list[list[int]], num_words: int, dimensions: int
) -> None:
    found = learn(texts, num_words=num_words, dimensions=dimensions)
    assert (found.shape, found.dtype, np.isfinite(found).all()) == (
        (num_words, dimensions),
        np.float32,
        True,
    )
