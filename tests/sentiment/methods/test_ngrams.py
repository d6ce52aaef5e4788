"""Numbered n-grams are the runs of words that a loop finds, and never cross the end of a text."""

from collections.abc import Callable

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.sentiment.methods.nb_ngram import BITS, MAX_ORDER, find_ngrams, number_ngrams
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vocabulary import MAX_WORDS

MakeEncoded = Callable[..., EncodedTexts]

LARGEST = MAX_WORDS - 1
TEXTS = st.lists(st.lists(st.sampled_from([1, 2, 3, LARGEST]), max_size=5), max_size=6)


def list_naively(texts: list[list[int]], order: int) -> list[list[tuple[int, ...] | None]]:
    """A row for each word: the runs of 1 to `order` words that begin there, None where the text ends before."""
    return [
        [tuple(text[start : start + n]) if start + n <= len(text) else None for n in range(1, order + 1)]
        for text in texts
        for start in range(len(text))
    ]


def unpack(number: int) -> tuple[int, ...] | None:
    """The words of an n-gram, of which none has the number 0."""
    words = [int(number) >> BITS * n & 2**BITS - 1 for n in range(MAX_ORDER)]
    return tuple(word for word in words if word) or None


@given(TEXTS, st.integers(1, MAX_ORDER))
def test_ngrams_are_the_runs_of_words_that_a_loop_finds(
    make_encoded: MakeEncoded, texts: list[list[int]], order: int
) -> None:
    numbered = number_ngrams(make_encoded(texts), order)
    assert [[unpack(number) for number in row] for row in numbered] == list_naively(texts, order)
    assert (numbered.dtype, numbered.shape[1]) == (np.int64, order)


@given(TEXTS, st.integers(1, MAX_ORDER))
def test_two_ngrams_have_one_number_only_if_they_are_the_same(
    make_encoded: MakeEncoded, texts: list[list[int]], order: int
) -> None:
    names = {ngram for row in list_naively(texts, order) for ngram in row if ngram}
    numbers = {number for row in number_ngrams(make_encoded(texts), order).tolist() for number in row if number}
    assert len(numbers) == len(names)


def test_no_ngram_crosses_the_end_of_a_text(make_encoded: MakeEncoded) -> None:
    numbered = number_ngrams(make_encoded([[2, 3], [4, 5]]), 3)
    assert [[unpack(number) for number in row] for row in numbered] == [
        [(2,), (2, 3), None],
        [(3,), None, None],
        [(4,), (4, 5), None],
        [(5,), None, None],
    ]


def test_three_words_of_the_largest_number_fit(make_encoded: MakeEncoded) -> None:
    [row, *_] = number_ngrams(make_encoded([[LARGEST] * 3]), 3)
    assert row.tolist() == [2**21 - 1, 2**42 - 1, 2**63 - 1]


def test_numbering_changes_no_text(make_encoded: MakeEncoded) -> None:
    encoded = make_encoded([[2, 3], [4]])
    number_ngrams(encoded, 3)
    assert (encoded.ids.tolist(), encoded.offsets.tolist()) == ([2, 3, 4], [0, 2, 3])


# Known ones


@given(st.sets(st.integers(1, 2**63 - 1), max_size=8), st.lists(st.integers(0, 2**63 - 1), max_size=8), st.data())
def test_known_ngrams_are_found_where_they_stand(known: set[int], others: list[int], data: st.DataObject) -> None:
    ranked = sorted(known)
    asked = data.draw(st.permutations([*ranked, *others]))
    expected = [ranked.index(number) if number in known else -1 for number in asked]
    assert find_ngrams(np.array(asked, np.int64), np.array(ranked, np.int64)).tolist() == expected


def test_nothing_is_found_where_nothing_is_known() -> None:
    assert find_ngrams(np.array([[5, 0]]), np.zeros(0, np.int64)).tolist() == [[-1, -1]]
