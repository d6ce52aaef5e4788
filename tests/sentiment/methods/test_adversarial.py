"""Adversarial training moves the word vectors against the label, by a share of their length."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.sentiment.methods.specs import ClassifierSpec

pytestmark = pytest.mark.usefixtures("no_graphs")

PERTURBATION = 0.05
WORDS = np.array([[2, 3, 4, 0], [4, 4, 5, 2], [5, 3, 0, 0]], np.int32)
TARGETS = np.array([[1.0], [0.0], [1.0]], np.float32)


@pytest.fixture
def case() -> SimpleNamespace:
    """A network without dropout, and its trainer: `network, trainer`."""
    import keras

    from rnn_pipelines.sentiment.methods.adversarial import add_perturbation
    from rnn_pipelines.sentiment.methods.network import build_classifier

    keras.utils.set_random_seed(0)
    spec = ClassifierSpec(
        cell="gru",
        units=3,
        ngram_inputs=False,
        word_dropout=0.0,
        vector_dropout=0.0,
        dropout=0.0,
        perturbation=PERTURBATION,
    )
    vectors = np.random.default_rng(0).normal(0, 0.3, (6, 4)).astype(np.float32)
    network = build_classifier(spec, vectors, 0)
    trainer = add_perturbation(network, PERTURBATION)
    loss = keras.losses.BinaryCrossentropy(from_logits=True)
    trainer.compile(keras.optimizers.SGD(0.1), loss)
    return SimpleNamespace(network=network, trainer=trainer)


def find_move(case: SimpleNamespace) -> tuple[Any, Any]:
    """The word vectors of the texts, and their move."""
    import tensorflow as tf

    look_up, read = case.trainer.parts
    words = tf.constant(WORDS)
    vectors = look_up(words)
    with tf.GradientTape() as tape:
        tape.watch(vectors)
        loss = case.trainer.compute_loss(y=TARGETS, y_pred=read([vectors, words]))
    slopes = tape.gradient(loss, vectors)
    return vectors.numpy(), case.trainer._find_move(slopes, vectors, words).numpy()


def measure_loss(case: SimpleNamespace, vectors: np.ndarray) -> float:
    import tensorflow as tf

    _, read = case.trainer.parts
    predicted = read([tf.constant(vectors), tf.constant(WORDS)])
    return float(case.trainer.compute_loss(y=TARGETS, y_pred=predicted))


def test_move_raises_the_loss(case: SimpleNamespace) -> None:
    vectors, move = find_move(case)
    assert measure_loss(case, vectors + move) > measure_loss(case, vectors)


def test_move_has_a_share_of_the_length_of_the_vectors(case: SimpleNamespace) -> None:
    vectors, move = find_move(case)
    is_word = (WORDS != 0)[:, :, None]
    lengths = np.linalg.norm((vectors * is_word).reshape(3, -1), axis=1)
    moved = np.linalg.norm(move.reshape(3, -1), axis=1)
    np.testing.assert_allclose(moved, PERTURBATION * lengths, rtol=1e-5)


def test_padding_is_not_moved(case: SimpleNamespace) -> None:
    _, move = find_move(case)
    assert not move[WORDS == 0].any()


def test_step_follows_the_mean_of_both_losses(case: SimpleNamespace) -> None:
    import tensorflow as tf

    vectors, move = find_move(case)
    kernel = case.network.get_layer("logit").kernel
    _, read = case.trainer.parts
    words = tf.constant(WORDS)
    with tf.GradientTape() as tape:
        losses = [
            case.trainer.compute_loss(y=TARGETS, y_pred=read([tf.constant(each), words]))
            for each in (vectors, vectors + move)
        ]
        mean = sum(losses) / 2
    expected = kernel.numpy() - 0.1 * tape.gradient(mean, kernel.value).numpy()
    result = case.trainer.train_step(({"words": words}, TARGETS))
    np.testing.assert_allclose(kernel.numpy(), expected, rtol=1e-4, atol=1e-6)
    assert float(result["loss"]) == pytest.approx(float(losses[0]), rel=1e-5)


def test_trainer_has_the_weights_of_the_network_once(case: SimpleNamespace) -> None:
    assert [id(each) for each in case.trainer.weights] == [
        id(each) for each in case.network.weights
    ]
