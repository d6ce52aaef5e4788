"""The vocabulary: the known words and their numbers."""

from collections import Counter
from collections.abc import Iterable

from pydantic import Field

from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.cleaning import tokenize

PADDING, UNKNOWN = 0, 1
FIRST_WORD = 2
# With 21 bits for a word number, three words fit into an int64.
MAX_WORDS = 2**21


class VocabularySpec(ParameterModel, frozen=True):
    """The selection of known words from the training and unlabelled texts.

    Attributes:
        min_count: minimum number of occurrences of a known word.
        max_words: maximum number of words, the most frequent ones; None for all.
        signs: whether single signs, such as "!", count as words; otherwise they are skipped.
    """

    min_count: int = Field(2, ge=1, le=10**9)
    max_words: int | None = Field(None, ge=1, le=MAX_WORDS - FIRST_WORD)
    signs: bool = True


def choose_words(texts: Iterable[str], vocabulary: VocabularySpec) -> list[str]:
    """Return the known words of texts by descending frequency, then in alphabetical order.

    The word with number `i + FIRST_WORD` is at index `i`; the lower numbers are `PADDING` and `UNKNOWN`.
    """
    counts = Counter(word for text in texts for word in tokenize(text, vocabulary.signs))
    frequent = [(-count, word) for word, count in counts.items() if count >= vocabulary.min_count]
    return [word for _, word in sorted(frequent)[: vocabulary.max_words or MAX_WORDS - FIRST_WORD]]
