"""Pretraining: before a network sees a label, its states learn to predict the next words in each direction.

Training on the labels starts from the word vectors and the recurrent layer that it leaves.

Source: Dai & Le (2015), Semi-supervised Sequence Learning, arXiv:1511.01432. The targets are all words of a region, as
in Johnson & Zhang (2016), Supervised and Semi-Supervised Text Categorization using LSTM for Region Embeddings,
arXiv:1602.02373. Each target is distinguished from words that are drawn at random, by the contrastive loss of van den
Oord, Li & Vinyals (2018), Representation Learning with Contrastive Predictive Coding, arXiv:1807.03748, equation 4.
"""

from typing import Any

import keras
import numpy as np
from keras import layers, ops

from rnn_pipelines.sentiment.text.vocabulary import FIRST_WORD, PADDING, UNKNOWN

# Number of next words that the state of a word predicts.
WINDOW = 5
# Number of words, drawn for each batch, from which the next words are distinguished.
NUM_DRAWN = 256
# A target that is more frequent than this share of all words weighs √(this share / its share) instead of 1.
FREQUENT_SHARE = 1e-4


class NextWordsLoss(layers.Layer):
    """The loss of predicting the next words from the states: the weighted mean over all targets of a text."""

    def __init__(self, counts: np.ndarray, num_directions: int, seed: int) -> None:
        """Take how often each word occurs, int64[num_words], and the number of directions of the states, 1 or 2."""
        super().__init__(name="next_words")
        self.supports_masking = True
        self.num_directions = num_directions
        self.seeds = keras.random.SeedGenerator(seed)
        is_word = np.arange(len(counts)) >= FIRST_WORD
        counts = np.maximum(counts, 1)
        shares = counts / counts.sum()
        importance = is_word * np.minimum(np.sqrt(FREQUENT_SHARE / shares), 1.0)
        # Rare words are drawn more often than they occur, see Mikolov et al. (2013), arXiv:1310.4546.
        draws = is_word * counts**0.75
        self.importance = importance.astype(np.float32)
        self.log_draws = np.log(np.maximum(draws, 1e-30)).astype(np.float32)

    def build(self, states_shape: Any, words_shape: Any) -> None:
        size = len(self.importance), states_shape[-1] // self.num_directions
        initializer = keras.initializers.RandomNormal(stddev=0.05, seed=self.seeds)
        self.targets = self.add_weight(shape=size, initializer=initializer, name="targets")

    def call(self, states: Any, words: Any) -> Any:
        """Return float32[batch, 1].

        Args:
            states: float32[batch, time, unit], after each word; those of the second direction are the last units.
            words: int32[batch, time].
        """
        words = ops.where(words < len(self.importance), words, UNKNOWN)
        forwards, *backwards = ops.split(states, self.num_directions, axis=-1)
        # What was read backwards is turned, so that the next words are those that follow.
        states = ops.concatenate([forwards, *(ops.flip(half, axis=1) for half in backwards)])
        words = ops.concatenate([words, *(ops.flip(words, axis=1) for _ in backwards)])
        total, weight = self._predict(states, words)
        total, weight = (sum(ops.split(each, self.num_directions)) for each in (total, weight))
        return (total / ops.maximum(weight, 1e-6))[:, None]

    def compute_mask(self, *inputs: Any) -> None:
        """Return no mask, because the output has no steps."""

    def _predict(self, states: Any, words: Any) -> tuple[Any, Any]:
        """Return the weighted sum of a text's losses, and the sum of the weights: each float32[batch]."""
        drawn = keras.random.categorical(self.log_draws[None], NUM_DRAWN, seed=self.seeds)[0]
        scores = ops.matmul(states, ops.transpose(ops.take(self.targets, drawn, axis=0)))
        others = ops.logsumexp(scores, axis=-1)
        targets = ops.take(self.targets, words, axis=0)
        importance = ops.take(self.importance, words)
        is_word = ops.cast(words != PADDING, states.dtype)
        total, weight = 0.0, 0.0
        for distance in range(1, WINDOW + 1):
            score = ops.sum(states[:, :-distance] * targets[:, distance:], axis=-1)
            loss = ops.softplus(others[:, :-distance] - score)
            counted = is_word[:, :-distance] * importance[:, distance:]
            total += ops.sum(counted * loss, axis=1)
            weight += ops.sum(counted, axis=1)
        return total, weight


def add_next_words(
    classifier: keras.Model, counts: np.ndarray, num_directions: int, seed: int
) -> keras.Model:
    """Return a model with the layers of a classifier; its output is the loss of each text, float32[batch, 1]."""
    states, _ = classifier.get_layer("pooling").input
    loss = NextWordsLoss(counts, num_directions, seed)(states, classifier.input["words"])
    return keras.Model(classifier.input, loss, name=f"{classifier.name}_pretraining")
