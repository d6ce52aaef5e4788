"""N-grams of one to three words as single integers, so that NumPy can count and look them up."""

import numpy as np

from rnn_pipelines.sentiment.text.encoding import EncodedTexts

BITS = 21
MAX_ORDER = 3


def number_ngrams(encoded: EncodedTexts, order: int) -> np.ndarray:
    """Return the n-grams that begin at each word.

    Args:
        encoded: texts with word numbers below 2²¹.
        order: number of words of the longest n-grams, 1 to 3.
    Returns:
        int64[num_words, order]: column `n − 1` holds the n-gram of `n` words that begins at each word, with 21 bits for
        the number of each word; 0 if the text ends before the n-gram.
    """
    num_words = len(encoded.ids)
    # Number of words from here to the end of the text.
    rest = np.repeat(encoded.offsets[1:], encoded.lengths) - np.arange(num_words)
    ngrams = np.zeros((num_words, order), np.int64)
    run = np.zeros(num_words, np.int64)
    for n in range(order):
        following = np.zeros(num_words, np.int64)
        following[: num_words - n] = encoded.ids[n:]
        run = run | following << BITS * n
        ngrams[:, n] = np.where(rest > n, run, 0)
    return ngrams


def find_ngrams(ngrams: np.ndarray, known: np.ndarray) -> np.ndarray:
    """Return the index of each n-gram in `known`.

    Args:
        ngrams: int64, of any shape.
        known: int64[num_known], sorted, without 0.
    Returns:
        int64 of the shape of `ngrams`; −1 for unknown n-grams.
    """
    if not len(known):
        return np.full(ngrams.shape, -1)
    places = np.minimum(np.searchsorted(known, ngrams), len(known) - 1)
    return np.where(known[places] == ngrams, places, -1)
