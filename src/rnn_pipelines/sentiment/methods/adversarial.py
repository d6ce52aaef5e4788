"""Adversarial training: each step also learns the texts with their word vectors moved against their labels.

Source: Miyato, Dai & Goodfellow (2017), Adversarial Training Methods for Semi-Supervised Text Classification,
arXiv:1605.07725, equations 3 to 5. There the vectors are normalised; here the move is relative to their length.
"""

from typing import Any

import keras
import tensorflow as tf

from rnn_pipelines.sentiment.text.vocabulary import PADDING


class AdversarialTrainer(keras.Model):
    """Trains a network that it shares its layers with; made by `add_perturbation`."""

    perturbation: float
    parts: tuple[keras.Model, keras.Model]

    def train_step(self, data: Any) -> dict[str, Any]:
        """Learn a batch and the same batch with moved vectors; return the mean loss of the former so far."""
        inputs, targets = data
        look_up, read = self.parts
        others = [inputs[name] for name in self.input]
        with tf.GradientTape() as tape:
            vectors = look_up(inputs["words"])
            with tf.GradientTape() as inner:
                inner.watch(vectors)
                loss = self.compute_loss(y=targets, y_pred=read([vectors, *others], training=True))
            slopes = inner.gradient(loss, vectors)
            moved = vectors + tf.stop_gradient(self._find_move(slopes, vectors, inputs["words"]))
            moved_loss = self.compute_loss(y=targets, y_pred=read([moved, *others], training=True))
            both = (loss + moved_loss) / 2
        gradients = tape.gradient(both, self.trainable_variables)
        self.optimizer.apply(gradients, self.trainable_variables)
        for metric in self.metrics:
            metric.update_state(loss)
        return {metric.name: metric.result() for metric in self.metrics}

    def _find_move(self, slopes: Any, vectors: Any, words: Any) -> Any:
        """Return the move of the vectors, float32[batch, time, dimension], in the direction in which the loss rises."""
        is_word = tf.cast(words != PADDING, tf.float32)[:, :, None]
        slopes = slopes * is_word
        size = self.perturbation * tf.norm(vectors * is_word, axis=(1, 2), keepdims=True)
        return size * tf.math.divide_no_nan(slopes, tf.norm(slopes, axis=(1, 2), keepdims=True))


def add_perturbation(model: keras.Model, perturbation: float) -> keras.Model:
    """Return a model that trains the layers of a text classifier adversarially.

    `perturbation` is the length of the move of a text's vectors, relative to the length of these vectors.
    """
    trainer = AdversarialTrainer(model.input, model.output, name=model.name)
    vectors = model.get_layer("word_vectors").output
    look_up = keras.Model(model.input["words"], vectors)
    read = keras.Model([vectors, *model.input.values()], model.output)
    # Not as attributes of Keras, which would count their weights a second time.
    object.__setattr__(trainer, "parts", (look_up, read))
    object.__setattr__(trainer, "perturbation", perturbation)
    return trainer
