"""The networks: word vectors, a recurrent layer, pooling over time, and the logits."""

from pkgutil import resolve_name
from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rnn_pipelines.networks.layers import MaskedPooling, find_layer
from rnn_pipelines.sentiment.methods.registry import NETWORKS
from rnn_pipelines.sentiment.methods.specs import ClassifierSpec
from rnn_pipelines.sentiment.text.vocabulary import PADDING, UNKNOWN

# The n-gram classifier's weights are of the order of 0.1.
NGRAM_SCALE = 10.0


def build_classifier(
    network: ClassifierSpec, word_vectors: np.ndarray, num_ngram_inputs: int, num_outputs: int = 1
) -> keras.Model:
    """Build a network that classifies texts.

    Padding is masked in the recurrent layer and in the pooling, so that it never changes a logit.

    Args:
        word_vectors: float32[num_words, dimensions]; words with larger numbers are unknown. Only its shape is used if
            the network starts from random vectors.
    Returns:
        A model, not compiled, from `words` int32[batch, time] and, with n-gram inputs, `ngrams` float32[batch, time,
        num_ngram_inputs] to logits float32[batch, num_outputs].
    """
    words = keras.Input((None,), dtype="int32", name="words")
    inputs = {"words": words}
    is_word = ops.not_equal(words, PADDING)
    embedding = layers.Embedding(*word_vectors.shape, name="word_vectors")
    steps = embedding(ops.where(words < len(word_vectors), words, UNKNOWN))
    if network.word_vectors:
        embedding.set_weights([word_vectors])
    if network.word_dropout:
        steps = layers.Dropout(
            network.word_dropout, noise_shape=(None, None, 1), name="word_dropout"
        )(steps)
    if network.vector_dropout:
        steps = layers.SpatialDropout1D(network.vector_dropout, name="vector_dropout")(steps)
    if network.ngram_inputs:
        ngrams = inputs["ngrams"] = keras.Input((None, num_ngram_inputs), name="ngrams")
        scaled = layers.Rescaling(NGRAM_SCALE, name="scaled_ngrams")(ngrams)
        steps = layers.Concatenate(name="words_and_ngrams")([steps, scaled])
    kinds = {"max": ("max",), "max_mean": ("max", "mean")}.get(network.pooling)
    outputs = resolve_name(NETWORKS[network.cell].reader)(network, steps, is_word)
    state = (
        outputs if kinds is None else MaskedPooling(kinds, name="pooling")(outputs, mask=is_word)
    )
    if network.dropout:
        state = layers.Dropout(network.dropout, name="dropout")(state)
    return keras.Model(
        inputs, layers.Dense(num_outputs, name="logit")(state), name=f"{network.cell}_classifier"
    )


def read_in_order(network: ClassifierSpec, steps: Any, is_word: Any) -> Any:
    """Apply a recurrent layer of the network's cell to the words.

    `steps` are float32[batch, time, feature], `is_word` is bool[batch, time], false at padding. The result is
    float32[batch, time, unit]; float32[batch, unit] if only the last output is pooled.
    """
    options = {
        "dropout": network.input_dropout,
        "recurrent_dropout": network.recurrent_dropout,
        "name": network.cell,
    }
    layer = find_layer(network.cell)(
        network.units, return_sequences=network.pooling != "last", **options
    )
    if network.bidirectional:
        layer = layers.Bidirectional(layer, name=f"bidirectional_{network.cell}")
    return layer(steps, mask=is_word)


def read_each_word(network: ClassifierSpec, steps: Any, is_word: Any) -> Any:
    """Apply a dense layer of the same width to each word separately; arguments as in `read_in_order`."""
    return layers.Dense(network.units * (1 + network.bidirectional), "tanh", name=network.cell)(
        steps
    )
