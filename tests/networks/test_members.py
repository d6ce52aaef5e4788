"""Members side by side are the cells of `cells` and the layers of Keras, their gradients those of the equations."""

from typing import Any

import numpy as np
import pytest

from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.networks.gradients import find_gradients, find_input_gradients
from rnn_pipelines.networks.members import (
    MemberShape,
    Weights,
    forward,
    initialize_members,
    read_cell,
)

CELLS = ("lstm", "gru")
NUM_MEMBERS, TIME, BATCH = 3, 6, 5
SHAPES = {
    f"{cell}{' with embedding' if embedding else ''}": MemberShape(cell, 2, embedding, 4, num_static_inputs, 3)
    for cell in CELLS
    for embedding, num_static_inputs in ((0, 0), (5, 2))
}
ARRAYS = {name: list(initialize_members(0, 1, shape)) for name, shape in SHAPES.items()}


def draw_weights(shape: MemberShape, seed: int = 0) -> Weights:
    """Weights as after some training: nothing is 0."""
    rng = np.random.default_rng(seed)
    weights = initialize_members(seed, NUM_MEMBERS, shape)
    return {name: (array + rng.normal(0, 0.3, array.shape)).astype(np.float32) for name, array in weights.items()}


def draw_inputs(shape: MemberShape, *members: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """What is read: float32[time, batch, feature] and float32[batch, known]; with a number, for each member its own."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(*members, TIME, BATCH, shape.num_inputs)).astype(np.float32)
    return steps, rng.normal(size=(*members, BATCH, shape.num_static_inputs)).astype(np.float32)


def run_one(weights: Weights, member: int, steps: np.ndarray, known: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Hidden states and outputs of one member, by the equations of `cells`, in float64."""
    own = {name: array.astype(np.float64) for name, array in weights.items()}
    inputs = steps.astype(np.float64).swapaxes(0, 1)
    if "embedding_kernel" in own:
        inputs = np.maximum(0, inputs @ own["embedding_kernel"][member] + own["embedding_bias"][member])
    cell: Any = read_cell(own, member)
    hidden = unroll(cell, inputs).states.hidden
    joined = np.concatenate([hidden[:, -1], known], axis=1)
    return hidden, joined @ own["head_kernel"][member] + own["head_bias"][member]


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> MemberShape:
    """LSTM and GRU, on windows as they are and behind an embedding."""
    return SHAPES[request.param]


# From inputs to outputs


def test_hidden_states_are_those_of_the_cells(shape: MemberShape) -> None:
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape)
    _, cache = forward(weights, steps, known)
    for member in range(NUM_MEMBERS):
        hidden, _ = run_one(weights, member, steps, known)
        np.testing.assert_allclose(cache.states[member, 1:].transpose(2, 0, 1), hidden, rtol=0, atol=1e-6)


def test_outputs_are_those_of_the_cells_and_a_matrix(shape: MemberShape) -> None:
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape)
    outputs, _ = forward(weights, steps, known)
    expected = np.stack([run_one(weights, member, steps, known)[1] for member in range(NUM_MEMBERS)])
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=2e-6)


def test_members_may_read_inputs_of_their_own(shape: MemberShape) -> None:
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape, NUM_MEMBERS)
    outputs, _ = forward(weights, steps, known)
    expected = np.stack([run_one(weights, member, steps[member], known[member])[1] for member in range(NUM_MEMBERS)])
    np.testing.assert_allclose(outputs, expected, rtol=0, atol=2e-6)


def test_members_do_not_depend_on_each_other(shape: MemberShape) -> None:
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape)
    alone, _ = forward({name: array[1:2] for name, array in weights.items()}, steps, known)
    np.testing.assert_allclose(alone[0], forward(weights, steps, known)[0][1], rtol=0, atol=1e-6)


def test_outputs_are_float32(shape: MemberShape) -> None:
    assert forward(draw_weights(shape), *draw_inputs(shape))[0].dtype == np.float32


def test_inputs_and_weights_are_not_changed(shape: MemberShape) -> None:
    weights, inputs = draw_weights(shape), draw_inputs(shape)
    before = [array.copy() for array in (*weights.values(), *inputs)]
    outputs, cache = forward(weights, *inputs)
    find_gradients(weights, cache, np.ones_like(outputs))
    for array, copy in zip((*weights.values(), *inputs), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("cell", CELLS)
def test_outputs_are_those_of_keras(cell: str) -> None:
    """An embedding, a recurrent layer and a head of Keras with the same weights."""
    import keras

    shape = SHAPES[f"{cell} with embedding"]
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape)
    embedding, head = keras.layers.Dense(shape.embedding, activation="relu"), keras.layers.Dense(shape.num_outputs)
    recurrent = (keras.layers.LSTM if cell == "lstm" else keras.layers.GRU)(shape.units)
    for layer, width in (
        (embedding, shape.num_inputs),
        (recurrent, shape.embedding),
        (head, shape.units + shape.num_static_inputs),
    ):
        layer.build((None, None, width) if layer is recurrent else (None, width))
    embedding.set_weights([weights["embedding_kernel"][2], weights["embedding_bias"][2, 0]])
    recurrent.set_weights(read_cell(weights, 2).to_list())
    head.set_weights([weights["head_kernel"][2], weights["head_bias"][2, 0]])
    last = recurrent(embedding(steps.swapaxes(0, 1)))
    expected = head(keras.ops.concatenate([last, known], axis=1)).numpy()
    np.testing.assert_allclose(forward(weights, steps, known)[0][2], expected, rtol=0, atol=2e-6)


# Before training


def test_untrained_members_say_nothing(shape: MemberShape) -> None:
    assert not forward(initialize_members(0, NUM_MEMBERS, shape), *draw_inputs(shape))[0].any()


def test_weights_of_a_member_do_not_depend_on_how_many_there_are(shape: MemberShape) -> None:
    few, many = initialize_members(3, 2, shape), initialize_members(3, 5, shape)
    for name, array in few.items():
        np.testing.assert_array_equal(array, many[name][:2])


def test_weights_of_members_differ(shape: MemberShape) -> None:
    first, second = initialize_members(0, 2, shape)["kernel"]
    assert not np.isclose(first, second).any()


def test_weights_depend_on_the_seed(shape: MemberShape) -> None:
    one, other = (initialize_members(seed, 1, shape)["kernel"] for seed in (0, 1))
    assert not np.isclose(one, other).any()


def test_weights_do_not_depend_on_the_global_random_state(shape: MemberShape) -> None:
    first = initialize_members(0, 1, shape)
    np.random.seed(5)
    np.testing.assert_array_equal(first["kernel"], initialize_members(0, 1, shape)["kernel"])


def test_recurrent_kernels_are_orthogonal(shape: MemberShape) -> None:
    for kernel in initialize_members(0, NUM_MEMBERS, shape)["recurrent_kernel"]:
        np.testing.assert_allclose(kernel @ kernel.T, np.eye(shape.units), atol=1e-6)


def test_forget_gates_of_lstms_begin_open() -> None:
    """Their bias is 1, all others are 0; the order is input, forget, candidate, output."""
    bias = initialize_members(0, 1, SHAPES["lstm"])["bias"][0, 0]
    assert bias.tolist() == [*[0] * 4, *[1] * 4, *[0] * 8]


def test_biases_of_grus_begin_at_0() -> None:
    weights = initialize_members(0, 1, SHAPES["gru"])
    assert not weights["bias"].any()
    assert not weights["recurrent_bias"].any()


# Gradients


def find_loss(weights: dict[str, np.ndarray], steps: np.ndarray, known: np.ndarray, slopes: np.ndarray) -> float:
    """A loss whose gradient with respect to the outputs is `slopes`, of all members, in float64."""
    return float(sum((run_one(weights, member, steps, known)[1] * own).sum() for member, own in enumerate(slopes)))


@pytest.mark.parametrize(("name", "array"), [(name, array) for name, arrays in ARRAYS.items() for array in arrays])
def test_gradient_is_the_finite_difference(name: str, array: str) -> None:
    shape = SHAPES[name]
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape)
    outputs, cache = forward(weights, steps, known)
    slopes = np.random.default_rng(2).normal(size=outputs.shape).astype(np.float32)
    found = find_gradients(weights, cache, slopes)[array]
    exact = {key: value.astype(np.float64) for key, value in weights.items()}
    expected, step = np.empty(found.shape), 1e-5
    for place in np.ndindex(found.shape):
        losses = []
        for sign in (1, -1):
            moved = exact[array].copy()
            moved[place] += sign * step
            losses.append(find_loss(exact | {array: moved}, steps, known, slopes))
        expected[place] = (losses[0] - losses[1]) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


def test_gradient_of_what_is_read_is_the_finite_difference(shape: MemberShape) -> None:
    """Of a weighted sum of the outputs of member 1, by the equations of `cells` in float64."""
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape)
    _, cache = forward(weights, steps, known)
    slopes = np.random.default_rng(2).normal(size=(NUM_MEMBERS, BATCH, shape.num_outputs)).astype(np.float32)
    of_steps, of_known = find_input_gradients(weights, cache, slopes)

    def measure(moved: np.ndarray, place: int) -> float:
        read = [array.astype(np.float64) for array in (steps, known)]
        read[place] += moved
        return float((run_one(weights, 1, *read)[1] * slopes[1]).sum())

    for place, found in enumerate((of_steps[1], of_known[1])):
        for entry in np.ndindex(found.shape):
            moved = np.zeros(found.shape)
            moved[entry] = 1e-5
            expected = (measure(moved, place) - measure(-moved, place)) / 2e-5
            assert found[entry] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_there_is_a_gradient_of_every_array(shape: MemberShape) -> None:
    weights = draw_weights(shape)
    outputs, cache = forward(weights, *draw_inputs(shape))
    found = find_gradients(weights, cache, np.ones_like(outputs))
    assert {name: array.shape for name, array in found.items()} == {n: array.shape for n, array in weights.items()}


def test_gradients_of_members_with_inputs_of_their_own_are_those_of_each_alone(shape: MemberShape) -> None:
    weights, (steps, known) = draw_weights(shape), draw_inputs(shape, NUM_MEMBERS)
    outputs, cache = forward(weights, steps, known)
    slopes = np.random.default_rng(2).normal(size=outputs.shape).astype(np.float32)
    found = find_gradients(weights, cache, slopes)
    own = {name: array[1:2] for name, array in weights.items()}
    _, alone = forward(own, steps[1], known[1])
    for name, expected in find_gradients(own, alone, slopes[1:2]).items():
        np.testing.assert_allclose(found[name][1], expected[0], rtol=1e-4, atol=1e-5)


# One member as a cell


@pytest.mark.parametrize("cell", CELLS)
def test_cell_of_a_member_is_its_recurrent_layer(cell: str) -> None:
    weights = draw_weights(SHAPES[cell])
    np.testing.assert_array_equal(read_cell(weights, 1).recurrent_kernel, weights["recurrent_kernel"][1])


def test_bias_of_a_gru_has_that_of_the_inputs_before_that_of_the_state() -> None:
    weights = draw_weights(SHAPES["gru"])
    expected = np.stack([weights["bias"][1, 0], weights["recurrent_bias"][1, 0]])
    np.testing.assert_array_equal(read_cell(weights, 1).bias, expected)
