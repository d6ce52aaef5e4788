"""Vocabulary and word vectors are learnt from the training part and texts without labels alone."""

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.sentiment.methods.preparation import (
    build_vocabulary,
    encode_reviews,
    learn_word_vectors,
)
from rnn_pipelines.sentiment.text.vectors import WordVectorSpec
from rnn_pipelines.sentiment.text.vocabulary import VocabularySpec


@pytest.fixture
def reviews() -> pd.DataFrame:
    """Two texts of each part; no two parts share a word."""
    parts = ["train", "validation", "test", "unlabelled"]
    return pd.DataFrame(
        [{"part": part, "text": f"{part}{word} {part}a"} for part in parts for word in "bc"]
    )


def test_vocabulary_sees_no_text_that_judges(reviews: pd.DataFrame) -> None:
    words = build_vocabulary(reviews, VocabularySpec(min_count=1))
    assert sorted(words) == [f"{part}{word}" for part in ("train", "unlabelled") for word in "abc"]


@pytest.mark.parametrize(
    ("part", "is_learnt"),
    [("train", True), ("unlabelled", True), ("validation", False), ("test", False)],
)
def test_word_vectors_see_no_text_that_judges(
    reviews: pd.DataFrame, part: str, is_learnt: bool
) -> None:
    words = [f"{part}{word}" for word in "abc"]
    encoded = encode_reviews(reviews, words, VocabularySpec())
    learnt = learn_word_vectors(encoded, reviews, WordVectorSpec(num_words=5, dimensions=2))
    assert np.any(learnt.vectors[2:]) == is_learnt
