"""Which words are known, and by which number."""

from collections import Counter
from collections.abc import Iterable

from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.cleaning import tokenize

PADDING, UNKNOWN = 0, 1
FIRST_WORD = 2
# So many bits for a word's number leave room for three words in an int64.
MAX_WORDS = 2**21


class VocabularySpec(ParameterModel, frozen=True):
    """Which words of the training part are known.

    Attributes:
        min_count: words that stand less often in it are unknown.
        max_words: at most so many, the most frequent ones; None for all.
        signs: whether a sign by itself, such as "!", is a word too; else texts are read without signs.
    """

    min_count: int = Field(2, ge=1, le=10**9)
    max_words: int | None = Field(None, ge=1, le=MAX_WORDS - FIRST_WORD)
    signs: bool = True


def build_vocabulary(texts: Iterable[str], vocabulary: VocabularySpec) -> list[str]:
    """The known words, from the most to the least frequent; of equally frequent ones, in alphabetical order.

    Args:
        texts: of the training part.
        vocabulary: which to keep.
    Returns:
        The word with number `i + FIRST_WORD` at place `i`; `PADDING` and `UNKNOWN` are the numbers before.
    """
    counts = Counter(word for text in texts for word in tokenize(text, vocabulary.signs))
    frequent = [(-count, word) for word, count in counts.items() if count >= vocabulary.min_count]
    return [word for _, word in sorted(frequent)[: vocabulary.max_words or MAX_WORDS - FIRST_WORD]]
