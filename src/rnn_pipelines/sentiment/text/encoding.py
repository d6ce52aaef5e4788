"""Texts as the numbers of their words: one long array, cut and padded only when a batch needs it."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, PADDING, UNKNOWN


class PaddingSpec(ParameterModel, frozen=True):
    """How texts of different lengths become one array.

    Attributes:
        max_length: words of a text that the network reads.
        truncating: where a longer text loses words: `pre` at its beginning, `post` at its end, `middle` between its
            head and its tail, which keep half of the words each.
        padding: where a shorter text gets padding, which is masked: `pre` before, `post` after it.
    """

    max_length: int = Field(400, ge=1, le=10**5)
    truncating: Literal["pre", "post", "middle"] = "middle"
    padding: Literal["pre", "post"] = "post"


@dataclass(frozen=True)
class EncodedTexts:
    """Texts one after another.

    Attributes:
        ids: int32[num_words], the number of each word; never `PADDING`.
        offsets: int64[num_texts + 1]: text `i` is `ids[offsets[i]:offsets[i + 1]]`.
    """

    ids: np.ndarray
    offsets: np.ndarray

    def __len__(self) -> int:
        return len(self.offsets) - 1

    @property
    def lengths(self) -> np.ndarray:
        """int64[num_texts], words of each text."""
        return np.diff(self.offsets)

    def count_known(self) -> np.ndarray:
        """int64[num_texts], words of each text that are in the vocabulary."""
        return np.diff(np.cumsum(np.concatenate([[0], self.ids != UNKNOWN]))[self.offsets])

    def select(self, texts: np.ndarray) -> "EncodedTexts":
        """The texts of these numbers, int64[num_selected], in their order."""
        words, offsets = self.find_words(texts)
        return EncodedTexts(self.ids[words], offsets)

    def find_words(self, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Where the words of some texts stand in `ids`, int64[num_found], and the offsets of these texts in them."""
        lengths = self.lengths[texts]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return np.arange(offsets[-1]) + np.repeat(self.offsets[texts] - offsets[:-1], lengths), offsets


def encode_texts(texts: Iterable[str], vocabulary: Sequence[str], signs: bool = True) -> EncodedTexts:
    """Looks every word up.

    Args:
        texts: as they were written.
        vocabulary: the known words by number; other words become `UNKNOWN`.
        signs: as the vocabulary was built, see `VocabularySpec`.
    """
    numbers = {word: number for number, word in enumerate(vocabulary, start=FIRST_WORD)}
    arrays = [np.array([numbers.get(word, UNKNOWN) for word in tokenize(text, signs)], np.int32) for text in texts]
    offsets = np.cumsum([0, *(len(array) for array in arrays)], dtype=np.int64)
    return EncodedTexts(np.concatenate([np.zeros(0, np.int32), *arrays]), offsets)


def place_words(lengths: np.ndarray, padding: PaddingSpec) -> np.ndarray:
    """Which word of its text stands at each place of a padded batch.

    Args:
        lengths: int64[batch], words of each text.
        padding: how to cut and pad.
    Returns:
        int64[batch, time], the word's place in its text, −1 for padding; `time` is the longest text's length, cut to
        `max_length`, and at least 1.
    """
    kept = np.minimum(lengths, padding.max_length)
    time = np.arange(max(kept.max(initial=1), 1))[None, :]
    if padding.padding == "pre":
        time = time - (time.shape[1] - kept)[:, None]
    skipped = (lengths - kept)[:, None]
    # The first place after the skipped words.
    resume = {"pre": 0, "post": padding.max_length, "middle": padding.max_length // 2}[padding.truncating]
    return np.where((time >= 0) & (time < kept[:, None]), np.where(time >= resume, time + skipped, time), -1)


def pad_texts(encoded: EncodedTexts, texts: np.ndarray, padding: PaddingSpec) -> np.ndarray:
    """Some texts as one array.

    Args:
        encoded: all texts.
        texts: int64[batch], which of them.
        padding: how to cut and pad.
    Returns:
        int32[batch, time], `PADDING` where a text has no word.
    """
    places = place_words(encoded.lengths[texts], padding)
    is_word = places >= 0
    padded = np.full(places.shape, PADDING, np.int32)
    padded[is_word] = encoded.ids[(places + encoded.offsets[texts][:, None])[is_word]]
    return padded
