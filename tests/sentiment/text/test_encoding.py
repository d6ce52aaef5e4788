"""Texts as numbers: what a loop over the words finds, cut and padded as the parameters say."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.sentiment.text.encoding import EncodedTexts, PaddingSpec, encode_texts, pad_texts
from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, PADDING, UNKNOWN

MakeEncoded = Callable[..., EncodedTexts]

WORDS = ["good", "bad", "film", "!"]
TEXTS = ["Good film!", "", "a bad, BAD film", "unheard of", "good"]


def list_texts(encoded: EncodedTexts) -> list[list[int]]:
    return [
        encoded.ids[start:stop].tolist()
        for start, stop in zip(encoded.offsets, encoded.offsets[1:], strict=False)
    ]


@pytest.fixture(scope="module")
def encoded() -> EncodedTexts:
    return encode_texts(TEXTS, WORDS)


def test_words_have_their_places_in_the_vocabulary_as_numbers(encoded: EncodedTexts) -> None:
    assert list_texts(encoded) == [[2, 4, 5], [], [1, 3, 1, 3, 4], [1, 1], [2]]


def test_signs_can_be_left_out() -> None:
    assert list_texts(encode_texts(["Good, film!"], ["good", "film"], signs=False)) == [[2, 3]]


def test_texts_have_their_lengths(encoded: EncodedTexts) -> None:
    assert (len(encoded), encoded.lengths.tolist()) == (5, [3, 0, 5, 2, 1])


def test_encoded_texts_have_their_types(encoded: EncodedTexts) -> None:
    assert (encoded.ids.dtype, encoded.offsets.dtype) == (np.int32, np.int64)


def test_a_text_of_any_length_is_encoded() -> None:
    found = encode_texts(["good bad " * 50_000, "film"], WORDS)
    assert (found.lengths.tolist(), found.ids.tolist()) == ([100_000, 1], [2, 3] * 50_000 + [4])


def test_selected_texts_share_no_memory(encoded: EncodedTexts) -> None:
    before = encoded.ids.copy(), encoded.offsets.copy()
    encoded.select(np.array([3, 0])).ids[:] = 9
    np.testing.assert_array_equal(encoded.ids, before[0])
    np.testing.assert_array_equal(encoded.offsets, before[1])


@given(st.lists(st.lists(st.sampled_from([*WORDS, "other", "words"]), max_size=8), max_size=6))
def test_words_come_back_from_their_numbers(texts: list[list[str]]) -> None:
    names = {UNKNOWN: "?"} | dict(enumerate(WORDS, start=FIRST_WORD))
    found = [
        [names[number] for number in text]
        for text in list_texts(encode_texts(map(" ".join, texts), WORDS))
    ]
    assert found == [[word if word in WORDS else "?" for word in text] for text in texts]


@pytest.mark.parametrize("texts", [[], [""], ["", " "]])
def test_nothing_to_encode_gives_no_words(texts: list[str]) -> None:
    found = encode_texts(texts, WORDS)
    assert (list_texts(found), found.ids.dtype) == ([[]] * len(texts), np.int32)


@given(st.lists(st.lists(st.integers(1, 9), max_size=4), min_size=1, max_size=6), st.data())
def test_selected_texts_are_those_of_the_numbers_in_their_order(
    make_encoded: MakeEncoded, texts: list[list[int]], data: st.DataObject
) -> None:
    numbers = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=8))
    found = make_encoded(texts).select(np.array(numbers, np.int64))
    assert list_texts(found) == [texts[number] for number in numbers]
    assert found.offsets.dtype == np.int64


def pad_naively(texts: list[list[int]], padding: PaddingSpec) -> list[list[int]]:
    """Row by row, with slices of lists."""
    size = padding.max_length
    head = padding.max_length // 2
    tail = size - head
    rows = []
    for text in texts:
        cut = {
            "pre": text[-size:],
            "post": text[:size],
            "middle": text[:head] + text[len(text) - tail :],
        }
        rows.append(text if len(text) <= size else cut[padding.truncating])
    width = max([1, *map(len, rows)])
    gaps = [[PADDING] * (width - len(row)) for row in rows]
    return [
        gap + row if padding.padding == "pre" else row + gap
        for gap, row in zip(gaps, rows, strict=True)
    ]


PADDINGS = st.builds(
    PaddingSpec,
    max_length=st.integers(1, 7),
    truncating=st.sampled_from(["pre", "post", "middle"]),
    padding=st.sampled_from(["pre", "post"]),
)


@given(st.lists(st.lists(st.integers(1, 9), max_size=12), max_size=6), PADDINGS, st.data())
def test_padded_texts_are_what_slices_of_lists_give(
    make_encoded: MakeEncoded, texts: list[list[int]], padding: PaddingSpec, data: st.DataObject
) -> None:
    numbers = data.draw(st.lists(st.integers(0, len(texts) - 1), max_size=6)) if texts else []
    found = pad_texts(make_encoded(texts), np.array(numbers, np.int64), padding)
    assert found.tolist() == pad_naively([texts[number] for number in numbers], padding)
    assert found.dtype == np.int32


@pytest.mark.parametrize(
    ("truncating", "expected"), [("pre", [4, 5, 6, 7]), ("post", [1, 2, 3, 4])]
)
def test_truncating_drops_words_at_an_end(
    make_encoded: MakeEncoded, truncating: str, expected: list[int]
) -> None:
    padding = PaddingSpec(max_length=4, truncating=truncating)
    assert pad_texts(make_encoded([[1, 2, 3, 4, 5, 6, 7]]), np.array([0]), padding).tolist() == [
        expected
    ]


@pytest.mark.parametrize(
    ("max_length", "expected"),
    [(4, [1, 2, 6, 7]), (5, [1, 2, 5, 6, 7]), (1, [7]), (7, [1, 2, 3, 4, 5, 6, 7])],
)
def test_truncating_in_the_middle_keeps_both_ends(
    make_encoded: MakeEncoded, max_length: int, expected: list[int]
) -> None:
    padding = PaddingSpec(max_length=max_length, truncating="middle")
    assert pad_texts(make_encoded([[1, 2, 3, 4, 5, 6, 7]]), np.array([0]), padding).tolist() == [
        expected
    ]


@pytest.mark.parametrize(("side", "expected"), [("pre", [0, 0, 8]), ("post", [8, 0, 0])])
def test_padding_stands_at_the_end_it_names(
    make_encoded: MakeEncoded, side: str, expected: list[int]
) -> None:
    padded = pad_texts(make_encoded([[8], [1, 2, 3]]), np.array([0, 1]), PaddingSpec(padding=side))
    assert padded.tolist() == [expected, [1, 2, 3]]
