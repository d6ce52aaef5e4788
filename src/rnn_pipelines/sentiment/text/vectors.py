"""Word vectors from which words stand near each other in the texts at hand; no other data."""

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

# Large enough to outlast the first steps of training, small enough not to saturate the gates.
DEVIATION = np.float32(0.3)
# Of memory, while the matrix is decomposed: 21 to 22 were measured, at 10 to 50 million entries.
BYTES_PER_ENTRY = 24.0


class WordVectorSpec(ParameterModel, frozen=True):
    """The word vectors that a network may start from.

    Attributes:
        num_words: vectors, one for each of the lowest numbers: padding, unknown words, then the most frequent words.
        dimensions: length of a vector.
        window: words to either side that count as near; one at distance d counts 1 / d.
        seed: of the random projection that the decomposition begins with.
    """

    num_words: int = Field(30_000, ge=FIRST_WORD, le=10**7)
    dimensions: int = Field(64, ge=1, le=4096)
    window: int = Field(5, ge=1, le=1000)
    seed: Seed = 0


@dataclass(frozen=True)
class WordVectors:
    """A vector for each word.

    Attributes:
        vectors: float32[num_numbers, dimensions]: row `i` belongs to the word with number `i`, 0 to padding. The
            deviation over all entries is `DEVIATION`.
    """

    vectors: np.ndarray


def learn_word_vectors(encoded: EncodedTexts, spec: WordVectorSpec) -> WordVectors:
    """Factorises the positive pointwise mutual information of words that stand near each other.

    With C the counts of near pairs and P their shares: max(0, log(P(word, context) / (P(word) · P'(context)))), where
    P' ∝ P^0.75 dampens rare contexts; its singular vectors, each times the root of its singular value, are the vectors.

    Args:
        encoded: texts of the training part and, where there are any, unlabelled ones.
        spec: which vectors.
    Raises:
        ParameterError: they need more memory than there is.
    Source: Levy, Goldberg & Dagan (2015), Improving Distributional Similarity, sections 2.2 and 3, TACL 3.
    """
    from scipy.sparse import csr_array
    from sklearn.utils.extmath import randomized_svd

    require_memory(
        BYTES_PER_ENTRY * spec.num_words * spec.dimensions,
        f"learning {spec.num_words:,} word vectors of {spec.dimensions:,} dimensions",
        "word_vectors.num_words and dimensions",
    )
    ids = np.where(encoded.ids < spec.num_words, encoded.ids, UNKNOWN)
    counts = _count_near_pairs(EncodedTexts(ids, encoded.offsets), spec).tocoo()
    words = np.asarray(counts.sum(axis=1))
    # The sum is 0 where no text has two words, and above 1 everywhere else.
    contexts = words**0.75 / max((words**0.75).sum(), 1.0)
    information = np.log(counts.data / (words[counts.row] * contexts[counts.col]))
    positive = csr_array((np.maximum(information, 0).astype(np.float32), (counts.row, counts.col)), shape=counts.shape)
    # No more dimensions than a tiny vocabulary has words.
    rank = min(spec.dimensions, spec.num_words - 1)
    left, singular, _ = randomized_svd(positive, n_components=rank, n_iter=3, random_state=spec.seed)
    vectors = np.zeros((spec.num_words, spec.dimensions), np.float32)
    vectors[:, :rank] = left * np.sqrt(singular)
    return WordVectors(vectors * (DEVIATION / max(vectors.std(), np.finfo(np.float32).tiny)))


def _count_near_pairs(encoded: EncodedTexts, spec: WordVectorSpec) -> "csr_array":
    """float64[num_words, num_words], symmetric."""
    from scipy.sparse import coo_array, csr_array

    shape = (spec.num_words, spec.num_words)
    texts = np.repeat(np.arange(len(encoded)), encoded.lengths)
    counts = csr_array(shape)
    for distance in range(1, spec.window + 1):
        is_same_text = texts[:-distance] == texts[distance:]
        first, second = encoded.ids[:-distance][is_same_text], encoded.ids[distance:][is_same_text]
        counts += coo_array((np.full(len(first), 1 / distance), (first, second)), shape=shape).tocsr()
    return counts + counts.T
