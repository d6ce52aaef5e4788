"""Adam's steps are those of Keras, of each member by itself."""

from typing import Any

import numpy as np
import pytest

from rnn_pipelines.networks.members import Weights
from rnn_pipelines.networks.trainer import Adam


def draw_gradients(step: int, scale: float = 1.0) -> Weights:
    """Of a small and a large array of two members."""
    rng = np.random.default_rng([7, step])
    return {
        "kernel": rng.normal(0, scale, (2, 3, 4)).astype(np.float32),
        "bias": rng.normal(0, scale, (2, 1, 4)).astype(np.float32),
    }


def train(num_steps: int, **options: Any) -> Adam:
    adam = Adam(draw_gradients(99), **{"learning_rate": 0.01, "weight_average": 0.9, **options})
    for step in range(num_steps):
        adam.step(draw_gradients(step))
    return adam


def train_keras(num_steps: int, member: int, **options: Any) -> list[np.ndarray]:
    """The same of one member, by Keras."""
    import keras

    variables = [keras.Variable(array[member]) for array in draw_gradients(99).values()]
    optimizer = keras.optimizers.Adam(0.01, **options)
    for step in range(num_steps):
        gradients = [keras.ops.convert_to_tensor(array[member]) for array in draw_gradients(step).values()]
        optimizer.apply(gradients, variables)
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("member", [0, 1])
def test_steps_are_those_of_keras_adam(member: int) -> None:
    adam = train(5)
    for found, expected in zip(adam.weights.values(), train_keras(5, member), strict=True):
        np.testing.assert_allclose(found[member], expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("member", [0, 1])
def test_gradient_of_a_member_is_shortened_by_itself(member: int) -> None:
    """As Keras does with a network that is alone, where the length is that of all arrays together."""
    adam = train(5, clip_norm=3.5)
    for found, expected in zip(adam.weights.values(), train_keras(5, member, global_clipnorm=3.5), strict=True):
        np.testing.assert_allclose(found[member], expected, rtol=1e-5, atol=1e-6)


def test_gradient_that_is_short_is_left_as_it_is() -> None:
    for found, expected in zip(train(5, clip_norm=1e3).weights.values(), train(5).weights.values(), strict=True):
        np.testing.assert_array_equal(found, expected)


def test_average_is_the_running_mean_of_the_weights() -> None:
    """Its decay grows to the one that is asked for, so that the start is forgotten."""
    adam = Adam(draw_gradients(99), learning_rate=0.01, weight_average=0.3)
    expected = adam.weights["kernel"].astype(np.float64)
    for step, decay in enumerate([2 / 11, 3 / 12, 0.3, 0.3]):
        adam.step(draw_gradients(step))
        expected = decay * expected + (1 - decay) * adam.weights["kernel"]
    np.testing.assert_allclose(adam.averages["kernel"], expected, rtol=1e-5)


def test_average_of_decay_0_is_the_weights_themselves() -> None:
    adam = train(3, weight_average=0.0)
    np.testing.assert_allclose(adam.averages["kernel"], adam.weights["kernel"], rtol=1e-6)


def test_state_goes_on_bit_for_bit() -> None:
    whole, half = train(6), train(3)
    resumed = train(0)
    resumed.set_state({name: array.copy() for name, array in half.list_state().items()}, half.num_steps)
    for step in range(3, 6):
        resumed.step(draw_gradients(step))
    for name, array in resumed.list_state().items():
        np.testing.assert_array_equal(array, whole.list_state()[name])


def test_state_is_of_weights_averages_and_both_moments() -> None:
    kinds = [name.split(".")[0] for name in train(1).list_state() if name.endswith(".kernel")]
    assert kinds == ["weights", "averages", "first", "second"]
