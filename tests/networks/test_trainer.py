"""Both engines take the same steps."""

from typing import Any

import numpy as np
import pytest

from rnn_pipelines.networks.engines import make_trainer
from rnn_pipelines.networks.members import MemberShape, Weights, draw_masks, initialize_members
from rnn_pipelines.networks.trainer import Adam, Batch, StepSettings, Trainer

NUM_MEMBERS, NUM_STEPS = 2, 50
SHAPES = {
    "lstm": MemberShape("lstm", 2, 0, (4,), 0, 2),
    "gru": MemberShape("gru", 2, 0, (4,), 0, 2),
    "mingru": MemberShape("mingru", 2, 0, (4,), 0, 2),
    "lstm stack": MemberShape("lstm", 2, 3, (5, 3), 2, 2),
    "gru stack": MemberShape("gru", 2, 3, (5, 3), 2, 2),
}


def draw_batch(shape: MemberShape, step: int) -> Batch:
    """Of 6 steps and 8 or 9 windows, as parts of a series have different sizes."""
    rng = np.random.default_rng([7, step])
    size = 8 + step % 2
    return Batch(
        rng.normal(size=(6, size, shape.num_inputs)).astype(np.float32),
        rng.normal(size=(size, shape.num_static_inputs)).astype(np.float32),
        rng.normal(size=(NUM_MEMBERS, size, shape.num_outputs)).astype(np.float32),
        rng.random((NUM_MEMBERS, size, 1)) > 0.2,
        draw_masks((0, step), 0.2 * (len(shape.units) > 1), shape.units, NUM_MEMBERS, size),
    )


def make(engine: Any, shape: MemberShape, is_absolute: bool = False) -> Trainer:
    settings = StepSettings(0.01, 0.98, clip_norm=0.5, is_absolute=is_absolute)
    return make_trainer(engine, shape.cell, initialize_members(0, NUM_MEMBERS, shape), settings)


@pytest.mark.parametrize(
    "name",
    [pytest.param(name, marks=[pytest.mark.slow] * (name != "gru stack")) for name in SHAPES],
)
def test_fifty_steps_of_the_engines_agree(name: str) -> None:
    """Losses, weights, running means and both means of Adam, from one seed, with clipping; of stacks with dropout."""
    shape = SHAPES[name]
    numpy, keras = (make(engine, shape, is_absolute=name == "gru") for engine in ("numpy", "keras"))
    for step in range(NUM_STEPS):
        batch = draw_batch(shape, step)
        assert numpy.step(batch) == pytest.approx(keras.step(batch), abs=1e-4)
    assert numpy.num_steps == keras.num_steps == NUM_STEPS
    one = numpy.list_state()
    other = keras.list_state()
    assert one.keys() == other.keys()
    for key, array in one.items():
        np.testing.assert_allclose(other[key], array, rtol=0, atol=1e-4, err_msg=key)
    steps, static_inputs, *_ = draw_batch(shape, 0)
    found, expected = (trainer.forward(1, steps, static_inputs) for trainer in (keras, numpy))
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-4)


@pytest.mark.parametrize("engine", ["numpy", pytest.param("keras", marks=pytest.mark.slow)])
def test_state_continues_bit_for_bit(engine: str) -> None:
    shape = SHAPES["gru stack"]
    whole, resumed = (make(engine, shape) for _ in range(2))
    for step in range(2):
        whole.step(draw_batch(shape, step))
    resumed.set_state(
        {name: array.copy() for name, array in whole.list_state().items()}, whole.num_steps
    )
    for step in range(2, 4):
        whole.step(draw_batch(shape, step))
        resumed.step(draw_batch(shape, step))
    for name, array in resumed.list_state().items():
        np.testing.assert_array_equal(array, whole.list_state()[name])


def test_copies_of_the_running_mean_do_not_change() -> None:
    for engine in ("numpy", "keras"):
        trainer = make(engine, SHAPES["lstm"])
        before = trainer.copy_averages()
        kept = {name: array.copy() for name, array in before.items()}
        trainer.step(draw_batch(SHAPES["lstm"], 0))
        for name, array in kept.items():
            np.testing.assert_array_equal(before[name], array)


# Adam's steps are those of Keras, of each member by itself.


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
        gradients = [
            keras.ops.convert_to_tensor(array[member]) for array in draw_gradients(step).values()
        ]
        optimizer.apply(gradients, variables)
    return [variable.numpy() for variable in variables]


@pytest.mark.parametrize("member", [0, 1])
def test_steps_are_those_of_keras_adam_for_each_member(member: int) -> None:
    adam = train(5)
    for found, expected in zip(adam.weights.values(), train_keras(5, member), strict=True):
        np.testing.assert_allclose(found[member], expected, rtol=1e-6, atol=1e-7)
    # As Keras does with a network that is alone, where the length is that of all arrays together.
    adam = train(5, clip_norm=3.5)
    for found, expected in zip(
        adam.weights.values(), train_keras(5, member, global_clipnorm=3.5), strict=True
    ):
        np.testing.assert_allclose(found[member], expected, rtol=1e-5, atol=1e-6)


def test_average_is_the_running_mean_of_the_weights() -> None:
    """Its decay grows to the one that is asked for, so that the start is forgotten."""
    adam = Adam(draw_gradients(99), learning_rate=0.01, weight_average=0.3)
    expected = adam.weights["kernel"].astype(np.float64)
    for step, decay in enumerate([2 / 11, 3 / 12, 0.3, 0.3]):
        adam.step(draw_gradients(step))
        expected = decay * expected + (1 - decay) * adam.weights["kernel"]
    np.testing.assert_allclose(adam.averages["kernel"], expected, rtol=1e-5)
    adam = train(3, weight_average=0.0)
    np.testing.assert_allclose(adam.averages["kernel"], adam.weights["kernel"], rtol=1e-6)
    for found, expected in zip(
        train(5, clip_norm=1e3).weights.values(), train(5).weights.values(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_the_state_of_training_goes_on_bit_for_bit() -> None:
    whole = train(6)
    half = train(3)
    resumed = train(0)
    resumed.set_state(
        {name: array.copy() for name, array in half.list_state().items()}, half.num_steps
    )
    for step in range(3, 6):
        resumed.step(draw_gradients(step))
    for name, array in resumed.list_state().items():
        np.testing.assert_array_equal(array, whole.list_state()[name])


def test_the_state_of_training_has_weights_averages_moments() -> None:
    kinds = [name.split(".")[0] for name in train(1).list_state() if name.endswith(".kernel")]
    assert kinds == ["weights", "averages", "first", "second"]
