"""The known words, their order and their number."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.vocabulary import MAX_WORDS, VocabularySpec, choose_words

ALL = VocabularySpec(min_count=1)


def test_frequent_words_come_first_then_the_alphabet() -> None:
    assert choose_words(["z z z y", "y x"], ALL) == ["z", "y", "x"]
    assert choose_words(["c a b", "b c a d"], ALL) == ["a", "b", "c", "d"]
    assert VocabularySpec(max_words=MAX_WORDS - 2).max_words + 1 < 2**21


@pytest.mark.parametrize(("signs", "expected"), [(True, ["!", "…", "good"]), (False, ["good"])])
def test_signs_are_words_unless_texts_are_read_without_them(
    signs: bool, expected: list[str]
) -> None:
    assert sorted(choose_words(["good! … !"], VocabularySpec(min_count=1, signs=signs))) == sorted(
        expected
    )


@given(
    st.lists(st.text("ab cd.", max_size=12), max_size=8),
    st.integers(1, 3),
    st.none() | st.integers(1, 4),
)
def test_vocabulary_is_what_counting_finds(
    texts: list[str], min_count: int, max_words: int | None
) -> None:
    counts = Counter(tokenize(" ".join(texts)))
    ranked = sorted(sorted(counts), key=counts.__getitem__, reverse=True)
    expected = [word for word in ranked if counts[word] >= min_count][:max_words]
    assert choose_words(texts, VocabularySpec(min_count=min_count, max_words=max_words)) == expected
