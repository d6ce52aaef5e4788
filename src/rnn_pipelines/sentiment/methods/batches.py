"""Batches of texts of similar length, cut and padded on demand.

Only TensorFlow operations are used: a data set that calls Python can keep the process from ending after an error.
"""

from collections.abc import Callable

import numpy as np
import tensorflow as tf

from rnn_pipelines.sentiment.methods.nb_ngram import TextFeatures
from rnn_pipelines.sentiment.text.encoding import PaddingSpec
from rnn_pipelines.sentiment.text.vocabulary import PADDING

# Maximum random change of a length, in words, before texts are sorted, so that batches differ between epochs.
JITTER = 20.0


def batch_texts(
    features: TextFeatures, labels: np.ndarray, padding: PaddingSpec, batch_size: int, shuffle_seed: int | None = None
) -> tf.data.Dataset:
    """Return texts as a data set for Keras; texts of similar length share a batch, which saves most of the padding.

    Args:
        features: of the texts.
        labels: [num_texts], 0 or 1.
        batch_size: texts in a batch; the last one in the order of lengths may be smaller.
        shuffle_seed: seed of the random batches of each epoch; None keeps the order of `sort_by_length`.
    Returns:
        Pairs of inputs (`words` int32[batch, time], `ngrams` float32[batch, time, order]) and float32[batch, 1].
    """
    num_batches = -(-len(labels) // batch_size)
    targets = tf.constant(labels, tf.float32)
    gather = _make_gather(features, padding)
    order = tf.constant(sort_by_length(features, padding))
    kept = tf.constant(np.minimum(features.encoded.lengths, padding.max_length), tf.float32)

    def make_epoch(seed: tf.Tensor) -> tf.data.Dataset:
        epoch, numbers = order, tf.range(num_batches, dtype=tf.int64)
        if shuffle_seed is not None:
            strayed = kept + tf.random.stateless_uniform(tf.shape(kept), [seed, 0], -JITTER, JITTER)
            epoch = tf.cast(tf.argsort(strayed), tf.int64)
            numbers = tf.random.experimental.stateless_shuffle(numbers, [seed, 1])
        return tf.data.Dataset.from_tensor_slices(numbers).map(
            lambda number: epoch[number * batch_size : (number + 1) * batch_size]
        )

    seeds = tf.data.Dataset.random(shuffle_seed or 0, rerandomize_each_iteration=True).take(1)
    batches = seeds.flat_map(make_epoch).apply(tf.data.experimental.assert_cardinality(num_batches))
    return batches.map(lambda texts: (gather(texts), tf.gather(targets, texts)[:, None])).prefetch(2)


def sort_by_length(features: TextFeatures, padding: PaddingSpec) -> np.ndarray:
    """Return the order of the texts in `batch_texts` without shuffling, int64[num_texts]."""
    return np.argsort(np.minimum(features.encoded.lengths, padding.max_length), kind="stable")


def _make_gather(features: TextFeatures, padding: PaddingSpec) -> Callable[[tf.Tensor], dict[str, tf.Tensor]]:
    # One extra row, so that gathering also works if no text has a word.
    ids, ngrams = tf.pad(features.ids, [[0, 1]]), tf.pad(features.ngrams, [[0, 1], [0, 0]])
    begins, lengths = tf.constant(features.offsets[:-1]), tf.constant(features.encoded.lengths)
    # The first position in a batch whose word follows the dropped words.
    resume = {"pre": 0, "post": padding.max_length, "middle": padding.max_length // 2}[padding.truncating]

    def gather(texts: tf.Tensor) -> dict[str, tf.Tensor]:
        length = tf.gather(lengths, texts)[:, None]
        kept = tf.minimum(length, padding.max_length)
        # At least one step, because a recurrent layer needs it.
        num_steps = tf.maximum(tf.reduce_max(kept), 1)
        place = tf.range(num_steps)[None, :] - (num_steps - kept if padding.padding == "pre" else 0)
        is_word = (place >= 0) & (place < kept)
        word = tf.gather(begins, texts)[:, None] + place + tf.where(place >= resume, length - kept, 0)
        word = tf.where(is_word, word, 0)
        return {
            "words": tf.where(is_word, tf.gather(ids, word), PADDING),
            "ngrams": tf.where(is_word[:, :, None], tf.gather(ngrams, word), 0.0),
        }

    return gather
