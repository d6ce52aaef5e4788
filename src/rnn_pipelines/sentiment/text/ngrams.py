"""Runs of one, two and three words as single numbers, so that arrays can count and look them up."""

import numpy as np

from rnn_pipelines.sentiment.text.encoding import EncodedTexts

BITS = 21
MAX_ORDER = 3


def number_ngrams(encoded: EncodedTexts, order: int) -> np.ndarray:
    """The n-grams that begin at each word.

    Args:
        encoded: texts whose words' numbers are below 2²¹.
        order: of the longest n-grams, 1 to 3.
    Returns:
        int64[num_words, order]: column `n − 1` holds the n-gram of `n` words that begins here, with 21 bits for the
        number of each word; 0 where the text ends before it does.
    """
    num_words = len(encoded.ids)
    # Words from here to the text's end.
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
    """Where each n-gram stands among the known ones.

    Args:
        ngrams: int64, of any shape.
        known: int64[num_known], sorted, without 0.
    Returns:
        int64 of the shape of `ngrams`; −1 for those that are not known.
    """
    if not len(known):
        return np.full(ngrams.shape, -1)
    places = np.minimum(np.searchsorted(known, ngrams), len(known) - 1)
    return np.where(known[places] == ngrams, places, -1)
