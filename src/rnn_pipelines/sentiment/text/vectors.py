"""Word vectors, learnt from the co-occurrence of words in the given texts only."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from pydantic import Field

from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.sentiment.text.encoding import EncodedTexts
from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, UNKNOWN

if TYPE_CHECKING:
    from scipy.sparse import csr_array

# Large enough to persist through the first training steps, small enough not to saturate the gates.
DEVIATION = np.float32(0.3)
# Memory of the decomposition: 21 to 22 bytes were measured, at 10 to 50 million entries.
BYTES_PER_ENTRY = 24.0


class WordVectorSpec(ParameterModel, frozen=True):
    """The word vectors that can initialise a network's embedding.

    Attributes:
        num_words: number of vectors: padding, unknown words, then the most frequent words.
        dimensions: length of a vector.
        window: number of words to either side that count as near; a word at distance d has the weight 1 / d.
        seed: seed of the random projection of the decomposition.
    """

    num_words: int = Field(30_000, ge=FIRST_WORD, le=10**7)
    dimensions: int = Field(64, ge=1, le=4096)
    window: int = Field(5, ge=1, le=1000)
    seed: Seed = 0


@dataclass(frozen=True)
class WordVectors:
    """A vector for each word: float32[num_words, dimensions]; row `i` is that of word number `i`, row 0 is padding.

    The standard deviation of all entries is `DEVIATION`.
    """

    vectors: np.ndarray


# If no network is trained.
NO_WORD_VECTORS = WordVectors(np.zeros((FIRST_WORD, 1), np.float32))


def fit_word_vectors(encoded: EncodedTexts, spec: WordVectorSpec) -> WordVectors:
    """Factorise the positive pointwise mutual information (PPMI) of words near each other.

    PPMI = max(0, log(P(word, context) / (P(word) · P'(context)))). P are the shares of near pairs; P' ∝ P^0.75 reduces
    the effect of rare contexts. The vectors are the singular vectors times the square roots of the singular values.

    A vocabulary whose vectors need more memory than is available raises a ParameterError.

    Source: Levy, Goldberg & Dagan (2015), Improving Distributional Similarity, sections 2.2 and 3, TACL 3.
    """
    from scipy.sparse import csr_array
    from sklearn.utils.extmath import randomized_svd

    require_memory(
        BYTES_PER_ENTRY * spec.num_words * spec.dimensions,
        f"learning {spec.num_words:,} word vectors of {spec.dimensions:,} dimensions",
        "word_vectors.num_words and word_vectors.dimensions",
    )
    ids = np.where(encoded.ids < spec.num_words, encoded.ids, UNKNOWN)
    counts = _count_near_pairs(EncodedTexts(ids, encoded.offsets), spec).tocoo()
    words = np.asarray(counts.sum(axis=1))
    # The sum is 0 if no text has two words; otherwise it is above 1.
    contexts = words**0.75 / max((words**0.75).sum(), 1.0)
    information = np.log(counts.data / (words[counts.row] * contexts[counts.col]))
    positive = csr_array(
        (np.maximum(information, 0).astype(np.float32), (counts.row, counts.col)),
        shape=counts.shape,
    )
    # A tiny vocabulary limits the number of dimensions.
    rank = min(spec.dimensions, spec.num_words - 1)
    left, singular, _ = randomized_svd(
        positive, n_components=rank, n_iter=3, random_state=spec.seed
    )
    vectors = np.zeros((spec.num_words, spec.dimensions), np.float32)
    vectors[:, :rank] = left * np.sqrt(singular)
    return WordVectors(vectors * (DEVIATION / max(vectors.std(), np.finfo(np.float32).tiny)))


def _count_near_pairs(encoded: EncodedTexts, spec: WordVectorSpec) -> "csr_array":
    """Return the weighted counts of near pairs: float64[num_words, num_words], symmetric."""
    from scipy.sparse import coo_array, csr_array

    shape = (spec.num_words, spec.num_words)
    texts = np.repeat(np.arange(len(encoded)), encoded.lengths)
    counts = csr_array(shape)
    for distance in range(1, spec.window + 1):
        is_same_text = texts[:-distance] == texts[distance:]
        first = encoded.ids[:-distance][is_same_text]
        second = encoded.ids[distance:][is_same_text]
        counts += coo_array(
            (np.full(len(first), 1 / distance), (first, second)), shape=shape
        ).tocsr()
    return counts + counts.T
