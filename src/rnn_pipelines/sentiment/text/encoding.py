"""Encoding of texts as word numbers in one long array, which is cut and padded for each batch."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.cleaning import tokenize
from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, PADDING, UNKNOWN

# Four characters fit into an int64.
CHARACTER_BITS = 15


class PaddingSpec(ParameterModel, frozen=True):
    """The truncation and padding of texts of different lengths to one array.

    Attributes:
        max_length: maximum number of words that the network reads of a text.
        truncating: the part of a longer text that is dropped: `pre` its beginning, `post` its end, `middle` its middle,
            so that its head and its tail keep half of the words each.
        padding: the position of the padding, which is masked: `pre` before, `post` after a shorter text.
    """

    max_length: int = Field(400, ge=1, le=10**5)
    truncating: Literal["pre", "post", "middle"] = "middle"
    padding: Literal["pre", "post"] = "post"


@dataclass(frozen=True)
class EncodedTexts:
    """Encoded texts, concatenated.

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
        """The number of words of each text, int64[num_texts]."""
        return np.diff(self.offsets)

    def count_known(self) -> np.ndarray:
        """Return the number of known words of each text, int64[num_texts]."""
        return np.diff(np.cumsum(np.concatenate([[0], self.ids != UNKNOWN]))[self.offsets])

    def select(self, texts: np.ndarray) -> "EncodedTexts":
        """Return the texts with these positions, int64[num_selected], in this order."""
        words, offsets = self.find_words(texts)
        return EncodedTexts(self.ids[words], offsets)

    def find_words(self, texts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Return the positions in `ids` of the words of some texts, int64[num_found], and the texts' new offsets."""
        lengths = self.lengths[texts]
        offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum(lengths)])
        return np.arange(offsets[-1]) + np.repeat(
            self.offsets[texts] - offsets[:-1], lengths
        ), offsets


def encode_texts(
    texts: Iterable[str], vocabulary: Sequence[str], signs: bool = True
) -> EncodedTexts:
    """Replace every word of raw texts by its number in the vocabulary, and other words by `UNKNOWN`.

    `signs` is the same as for the vocabulary, see `VocabularySpec`.
    """
    numbers = {word: number for number, word in enumerate(vocabulary, start=FIRST_WORD)}
    arrays = [
        np.array([numbers.get(word, UNKNOWN) for word in tokenize(text, signs)], np.int32)
        for text in texts
    ]
    offsets = np.cumsum([0, *(len(array) for array in arrays)], dtype=np.int64)
    return EncodedTexts(np.concatenate([np.zeros(0, np.int32), *arrays]), offsets)


def encode_characters(texts: Iterable[str], signs: bool = True) -> EncodedTexts:
    """Return the numbers of the characters of the words of raw texts, with a blank between two words.

    The number of a character is its code point, of which the last 15 bits are kept.
    """
    arrays = [
        np.frombuffer(
            " ".join(tokenize(text, signs)).encode("utf-32-le", "surrogatepass"), np.int32
        )
        for text in texts
    ]
    offsets = np.cumsum([0, *(len(array) for array in arrays)], dtype=np.int64)
    codes = np.concatenate([np.zeros(0, np.int32), *arrays])
    return EncodedTexts(codes & (1 << CHARACTER_BITS) - 1, offsets)


def place_words(lengths: np.ndarray, padding: PaddingSpec) -> np.ndarray:
    """Return the word at each position of a padded batch, as its index in the text: int64[batch, time], −1 for padding.

    `lengths`, int64[batch], are the numbers of words of the texts. `time` is that of the longest text, at most
    `max_length` and at least 1.
    """
    kept = np.minimum(lengths, padding.max_length)
    time = np.arange(max(kept.max(initial=1), 1))[None, :]
    if padding.padding == "pre":
        time = time - (time.shape[1] - kept)[:, None]
    skipped = (lengths - kept)[:, None]
    # The first position after the skipped words.
    resume = {"pre": 0, "post": padding.max_length, "middle": padding.max_length // 2}[
        padding.truncating
    ]
    return np.where(
        (time >= 0) & (time < kept[:, None]), np.where(time >= resume, time + skipped, time), -1
    )


def pad_texts(encoded: EncodedTexts, texts: np.ndarray, padding: PaddingSpec) -> np.ndarray:
    """Return the texts at some positions, int64[batch], as one array: int32[batch, time], padded with `PADDING`."""
    places = place_words(encoded.lengths[texts], padding)
    is_word = places >= 0
    padded = np.full(places.shape, PADDING, np.int32)
    padded[is_word] = encoded.ids[(places + encoded.offsets[texts][:, None])[is_word]]
    return padded
