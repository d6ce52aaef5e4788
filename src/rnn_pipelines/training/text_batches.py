"""Batches of texts of like length, padded when they are needed."""

from collections.abc import Iterator

import numpy as np
import tensorflow as tf

from rnn_pipelines.evaluation.nb_ngram import TextFeatures
from rnn_pipelines.text.encoding import PaddingSpec, pad_texts, place_words

# Words by which a text may stray from its place in the order of lengths, so that batches differ between epochs.
JITTER = 20


def batch_texts(
    features: TextFeatures,
    texts: np.ndarray,
    labels: np.ndarray,
    padding: PaddingSpec,
    batch_size: int,
    shuffle_seed: int | None = None,
) -> tf.data.Dataset:
    """Some texts as a data set for Keras. Texts of like length share a batch, which saves most of the padding.

    Args:
        features: all texts.
        texts: int64[num_chosen], which of them.
        labels: [num_chosen], 0 or 1.
        padding: how to cut and pad.
        batch_size: texts in a batch; the last one may be smaller.
        shuffle_seed: for other batches in another order in each epoch; None keeps the order of `sort_by_length`.
    Returns:
        Pairs of inputs (`words` int32[batch, time], `ngrams` float32[batch, time, order]) and float32[batch, 1].
    """
    targets = labels.astype(np.float32)[:, None]
    rng = None if shuffle_seed is None else np.random.default_rng(shuffle_seed)
    kept = np.minimum(features.encoded.lengths[texts], padding.max_length)
    num_batches = -(-len(texts) // batch_size)

    def generate() -> Iterator[tuple[dict[str, np.ndarray], np.ndarray]]:
        strayed = kept if rng is None else kept + rng.uniform(-JITTER, JITTER, len(kept))
        batches = np.array_split(np.argsort(strayed, kind="stable"), range(batch_size, len(texts), batch_size))
        for number in range(num_batches) if rng is None else rng.permutation(num_batches):
            batch = batches[number]
            yield _gather(features, texts[batch], padding), targets[batch]

    signature = (
        {
            "words": tf.TensorSpec((None, None), tf.int32),
            "ngrams": tf.TensorSpec((None, None, features.ngrams.shape[1]), tf.float32),
        },
        tf.TensorSpec((None, 1), tf.float32),
    )
    dataset = tf.data.Dataset.from_generator(generate, output_signature=signature)
    return dataset.apply(tf.data.experimental.assert_cardinality(num_batches)).prefetch(4)


def sort_by_length(features: TextFeatures, texts: np.ndarray, padding: PaddingSpec) -> np.ndarray:
    """The order in which `batch_texts` goes through `texts` where it doesn't shuffle, int64[num_chosen]."""
    return np.argsort(np.minimum(features.encoded.lengths[texts], padding.max_length), kind="stable")


def _gather(features: TextFeatures, texts: np.ndarray, padding: PaddingSpec) -> dict[str, np.ndarray]:
    encoded = features.encoded
    places = place_words(encoded.lengths[texts], padding)
    is_word = places >= 0
    ngrams = np.zeros((*places.shape, features.ngrams.shape[1]), np.float32)
    ngrams[is_word] = features.ngrams[(places + encoded.offsets[texts][:, None])[is_word]]
    return {"words": pad_texts(encoded, texts, padding), "ngrams": ngrams}
