"""Members side by side are the cells of `cells` and the layers of Keras, their gradients those of the equations."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import unroll
from rnn_pipelines.networks.gradients import find_gradients, find_input_gradients
from rnn_pipelines.networks.members import (
    MemberShape,
    Weights,
    draw_masks,
    forward,
    initialize_members,
    list_layers,
    name_array,
    read_cell,
)

NUM_MEMBERS = 3
TIME = 6
BATCH = 5
SHAPES = {
    f"{cell}{kind}": MemberShape(cell, 2, embedding, units, num_static_inputs, 3)
    for cell in CELLS
    for kind, embedding, units, num_static_inputs in (
        ("", 0, (4,), 0),
        (" with embedding", 5, (4,), 2),
        (" stack", 0, (4, 3), 0),
        (" stack with embedding", 5, (3, 4, 2), 2),
    )
}
ARRAYS = {name: list(initialize_members(0, 1, shape)) for name, shape in SHAPES.items()}


def draw_weights(shape: MemberShape, seed: int = 0) -> Weights:
    """Weights as after some training: nothing is 0."""
    rng = np.random.default_rng(seed)
    weights = initialize_members(seed, NUM_MEMBERS, shape)
    return {
        name: (array + rng.normal(0, 0.3, array.shape)).astype(np.float32)
        for name, array in weights.items()
    }


def draw_inputs(shape: MemberShape, *members: int, seed: int = 1) -> tuple[np.ndarray, np.ndarray]:
    """What is read: float32[time, batch, feature] and float32[batch, known]; with a number, for each member its own."""
    rng = np.random.default_rng(seed)
    steps = rng.normal(size=(*members, TIME, BATCH, shape.num_inputs)).astype(np.float32)
    return steps, rng.normal(size=(*members, BATCH, shape.num_static_inputs)).astype(np.float32)


def run_one(
    cell: str,
    weights: Weights,
    member: int,
    steps: np.ndarray,
    known: np.ndarray,
    masks: Sequence[np.ndarray] = (),
) -> tuple[list[np.ndarray], np.ndarray]:
    """Hidden states of each layer and outputs of one member, by the equations of `cells`, in float64."""
    own = {name: array.astype(np.float64) for name, array in weights.items()}
    inputs = steps.astype(np.float64).swapaxes(0, 1)
    if "embedding_kernel" in own:
        inputs = np.maximum(
            0, inputs @ own["embedding_kernel"][member] + own["embedding_bias"][member]
        )
    hidden = []
    for number in range(len(list_layers(cell, own))):
        layer: Any = read_cell(cell, own, member, number)
        hidden.append(unroll(layer, inputs).states.hidden)
        inputs = hidden[-1] * masks[number][member].T[:, None] if masks else hidden[-1]
    joined = np.concatenate([inputs[:, -1], known], axis=1)
    return hidden, joined @ own["head_kernel"][member] + own["head_bias"][member]


@pytest.fixture(params=SHAPES)
def shape(request: pytest.FixtureRequest) -> MemberShape:
    """LSTM and GRU, on windows as they are and behind an embedding."""
    return SHAPES[request.param]


@pytest.mark.parametrize("members", [(), (NUM_MEMBERS,)], ids=["shared inputs", "own inputs"])
def test_outputs_are_float32(shape: MemberShape, members: tuple[int, ...]) -> None:
    weights = draw_weights(shape)
    inputs = draw_inputs(shape, *members)
    outputs, _cache = forward(shape.cell, weights, *inputs)
    assert outputs.dtype == np.float32


@pytest.mark.parametrize("members", [(), (NUM_MEMBERS,)], ids=["shared inputs", "own inputs"])
def test_every_member_is_a_network_of_the_cells(
    shape: MemberShape, members: tuple[int, ...]
) -> None:
    weights = draw_weights(shape)
    inputs = draw_inputs(shape, *members)
    outputs, cache = forward(shape.cell, weights, *inputs)
    for member in range(NUM_MEMBERS):
        steps, known = (array[member] for array in inputs) if members else inputs
        hidden, expected = run_one(shape.cell, weights, member, steps, known)
        np.testing.assert_allclose(outputs[member], expected, rtol=0, atol=2e-6)
        for layer, states in zip(cache.layers, hidden, strict=True):
            np.testing.assert_allclose(
                layer.states[member, 1:].transpose(2, 0, 1), states, rtol=0, atol=1e-6
            )


def test_members_do_not_depend_on_each_other(shape: MemberShape) -> None:
    weights = draw_weights(shape)
    steps, known = draw_inputs(shape)
    alone, _ = forward(
        shape.cell, {name: array[1:2] for name, array in weights.items()}, steps, known
    )
    np.testing.assert_allclose(
        alone[0], forward(shape.cell, weights, steps, known)[0][1], rtol=0, atol=1e-6
    )


def test_neither_inputs_nor_weights_are_changed(shape: MemberShape) -> None:
    weights = draw_weights(shape)
    inputs = draw_inputs(shape)
    before = [array.copy() for array in (*weights.values(), *inputs)]
    outputs, cache = forward(shape.cell, weights, *inputs)
    find_gradients(weights, cache, np.ones_like(outputs))
    for array, copy in zip((*weights.values(), *inputs), before, strict=True):
        np.testing.assert_array_equal(array, copy)


@pytest.mark.parametrize("masked", [False, True])
@pytest.mark.parametrize("name", [name for name in SHAPES if "embedding" in name])
def test_outputs_are_those_of_keras(name: str, masked: bool) -> None:
    """An embedding, recurrent layers and a head of Keras with the same weights, and the factors of dropout."""
    import keras

    from rnn_pipelines.networks.layers import find_layer

    shape = SHAPES[name]
    weights = draw_weights(shape)
    steps, known = draw_inputs(shape)
    masks = draw_masks((0, 1), 0.5 * masked, shape.units, NUM_MEMBERS, BATCH)
    embedding = keras.layers.Dense(shape.embedding, activation="relu")
    head = keras.layers.Dense(shape.num_outputs)
    embedding.build((None, None, shape.num_inputs))
    embedding.set_weights([weights["embedding_kernel"][2], weights["embedding_bias"][2, 0]])
    hidden = embedding(steps.swapaxes(0, 1))
    for number, units in enumerate(shape.units):
        layer = find_layer(CELLS[shape.cell].keras_layer)(units, return_sequences=True)
        layer.build(hidden.shape)
        layer.set_weights(read_cell(shape.cell, weights, 2, number).to_list())
        hidden = layer(hidden) * (masks[number][2].T[:, None] if masked else 1)
    head.build((None, shape.units[-1] + shape.num_static_inputs))
    head.set_weights([weights["head_kernel"][2], weights["head_bias"][2, 0]])
    expected = head(keras.ops.concatenate([hidden[:, -1], known], axis=1)).numpy()
    np.testing.assert_allclose(
        forward(shape.cell, weights, steps, known, masks)[0][2], expected, rtol=0, atol=2e-6
    )


def test_masks_of_dropout_keep_the_mean() -> None:
    masks = draw_masks((0, 1), 0.25, (40, 30), 3, 50)
    assert [mask.shape for mask in masks] == [(3, 40, 50), (3, 30, 50)]
    for mask in masks:
        np.testing.assert_allclose(np.unique(mask), [0, 4 / 3], rtol=1e-6)
        assert mask.mean() == pytest.approx(1, abs=0.03)
        assert mask.dtype == np.float32


def test_masks_of_dropout_depend_on_seed_with_step() -> None:
    one, again, other = (draw_masks((3, step), 0.5, (4,), 2, 5)[0] for step in (1, 1, 2))
    np.testing.assert_array_equal(one, again)
    assert (one != other).any()


def test_dropout_is_that_of_keras() -> None:
    """A unit of an example is dropped at all steps or at none, and the others are scaled."""
    # A unit of an example is dropped at all steps or at none, and the others are scaled.
    import keras

    inputs = np.ones((64, 3, 5), np.float32)
    cell = keras.layers.LSTM(2, dropout=0.5).cell
    mask = cell.get_dropout_mask(keras.ops.convert_to_tensor(inputs[:, 0])).numpy()
    (own,) = draw_masks((0, 0), 0.5, (5,), 1, 64)
    assert mask.shape == own[0].T.shape
    assert np.unique(mask).tolist() == np.unique(own).tolist() == [0, 2]


def test_first_members_do_not_depend_on_the_number_of_members(shape: MemberShape) -> None:
    few = initialize_members(3, 2, shape)
    np.random.seed(5)
    many = initialize_members(3, 5, shape)
    for name, array in few.items():
        np.testing.assert_array_equal(array, many[name][:2])


def test_members_begin_with_different_weights(shape: MemberShape) -> None:
    few = initialize_members(3, 2, shape)
    assert not np.isclose(few["kernel"][0], few["kernel"][1]).any()


def test_another_seed_gives_other_weights(shape: MemberShape) -> None:
    few = initialize_members(3, 2, shape)
    other = initialize_members(4, 2, shape)
    assert not np.isclose(few["kernel"], other["kernel"]).any()


def test_untrained_members_forecast_0(shape: MemberShape) -> None:
    few = initialize_members(3, 2, shape)
    # Untrained members forecast 0.
    assert not forward(shape.cell, few, *draw_inputs(shape))[0].any()


@pytest.mark.parametrize(
    ("cell", "biases"),
    [
        ("lstm", {"bias": [*[0] * 4, *[1] * 4, *[0] * 8]}),
        ("gru", {"bias": 12 * [0], "recurrent_bias": 12 * [0]}),
    ],
)
def test_only_biases_of_forget_gates_begin_at_1(cell: str, biases: dict[str, list[int]]) -> None:
    """The order is input, forget, candidate, output."""
    weights = initialize_members(0, 1, SHAPES[cell])
    assert {name: weights[name][0, 0].tolist() for name in biases} == biases


@pytest.mark.parametrize(
    "shape", [shape for shape in SHAPES.values() if CELLS[shape.cell].reads_state]
)
def test_recurrent_kernels_are_orthogonal(shape: MemberShape) -> None:
    for kernel in initialize_members(0, NUM_MEMBERS, shape)["recurrent_kernel"]:
        np.testing.assert_allclose(kernel @ kernel.T, np.eye(shape.units[0]), atol=1e-6)


def find_loss(
    shape: MemberShape, weights: Weights, steps: np.ndarray, known: np.ndarray, slopes: np.ndarray
) -> float:
    """A loss whose gradient with respect to the outputs is `slopes`, of all members, in float64."""
    return float(
        sum(
            (run_one(shape.cell, weights, member, steps, known)[1] * own).sum()
            for member, own in enumerate(slopes)
        )
    )


@pytest.mark.parametrize(
    ("name", "array"),
    [
        pytest.param(name, array, marks=[pytest.mark.slow] * (name not in CELLS))
        for name, arrays in ARRAYS.items()
        for array in arrays
        if "stack" not in name or "_2" in array
    ],
)
def test_gradient_is_the_finite_difference(name: str, array: str) -> None:
    shape = SHAPES[name]
    weights = draw_weights(shape)
    steps, known = draw_inputs(shape)
    outputs, cache = forward(shape.cell, weights, steps, known)
    slopes = np.random.default_rng(2).normal(size=outputs.shape).astype(np.float32)
    found = find_gradients(weights, cache, slopes)[array]
    exact = {key: value.astype(np.float64) for key, value in weights.items()}
    expected = np.empty(found.shape)
    step = 1e-5
    for place in np.ndindex(found.shape):
        losses = []
        for sign in (1, -1):
            moved = exact[array].copy()
            moved[place] += sign * step
            losses.append(find_loss(shape, exact | {array: moved}, steps, known, slopes))
        expected[place] = (losses[0] - losses[1]) / (2 * step)
    np.testing.assert_allclose(found, expected, rtol=1e-4, atol=2e-5)


def test_gradient_of_what_is_read_is_the_finite_difference(shape: MemberShape) -> None:
    """Of a weighted sum of the outputs of member 1, by the equations of `cells` in float64."""
    weights = draw_weights(shape)
    steps, known = draw_inputs(shape)
    _, cache = forward(shape.cell, weights, steps, known)
    slopes = (
        np.random.default_rng(2)
        .normal(size=(NUM_MEMBERS, BATCH, shape.num_outputs))
        .astype(np.float32)
    )
    of_steps, of_known = find_input_gradients(weights, cache, slopes)

    def measure(moved: np.ndarray, place: int) -> float:
        read = [array.astype(np.float64) for array in (steps, known)]
        read[place] += moved
        return float((run_one(shape.cell, weights, 1, *read)[1] * slopes[1]).sum())

    for place, found in enumerate((of_steps[1], of_known[1])):
        for entry in np.ndindex(found.shape):
            moved = np.zeros(found.shape)
            moved[entry] = 1e-5
            expected = (measure(moved, place) - measure(-moved, place)) / 2e-5
            assert found[entry] == pytest.approx(expected, rel=1e-3, abs=1e-4)


def test_gradients_of_members_with_inputs_of_their_own_are_those_of_each_alone(
    shape: MemberShape,
) -> None:
    weights = draw_weights(shape)
    steps, known = draw_inputs(shape, NUM_MEMBERS)
    outputs, cache = forward(shape.cell, weights, steps, known)
    slopes = np.random.default_rng(2).normal(size=outputs.shape).astype(np.float32)
    found = find_gradients(weights, cache, slopes)
    assert {name: array.shape for name, array in found.items()} == {
        n: array.shape for n, array in weights.items()
    }
    own = {name: array[1:2] for name, array in weights.items()}
    _, alone = forward(shape.cell, own, steps[1], known[1])
    for name, expected in find_gradients(own, alone, slopes[1:2]).items():
        np.testing.assert_allclose(found[name][1], expected[0], rtol=1e-4, atol=1e-5)


def assert_close(found: np.ndarray, expected: np.ndarray) -> None:
    """Within 1e-6 of the largest value, beside rounding in float32."""
    np.testing.assert_allclose(found, expected, rtol=0, atol=1e-6 * max(1, np.abs(expected).max()))


@settings(max_examples=60, deadline=None)
@given(
    cell=st.sampled_from(list(CELLS)),
    units=st.lists(st.integers(1, 5), min_size=1, max_size=3),
    embedding=st.integers(0, 4),
    dropout=st.sampled_from([0.0, 0.3]),
    seed=st.integers(0, 2**16),
)
def test_stacks_are_those_of_the_cells_in_both_directions(
    cell: Any, units: list[int], embedding: int, dropout: float, seed: int
) -> None:
    """States, outputs, and the gradients of inputs and weights, by the equations of `cells` in float64."""
    shape = MemberShape(cell, 2, embedding, tuple(units), 1, 2)
    weights = draw_weights(shape, seed)
    steps, known = draw_inputs(shape, seed=seed)
    masks = draw_masks((seed, 1), dropout, units, NUM_MEMBERS, BATCH)
    outputs, cache = forward(shape.cell, weights, steps, known, masks)
    hidden, expected = run_one(shape.cell, weights, 1, steps, known, masks)
    assert_close(outputs[1], expected)
    for layer, states in zip(cache.layers, hidden, strict=True):
        assert_close(layer.states[1, 1:].transpose(2, 0, 1), states)
    slopes = np.random.default_rng(seed).normal(size=outputs.shape).astype(np.float32)
    found = find_gradients(weights, cache, slopes)
    of_inputs = find_input_gradients(weights, cache, slopes)[0]
    *by_layer, by_inputs = go_back(shape.cell, weights, steps, hidden, slopes[1], masks)
    for number, of_cell in enumerate(by_layer):
        biases = [
            name_array(name, number) for name in ("bias", "recurrent_bias") if name in weights
        ]
        kernels = [name for name in CELLS[cell].arrays if name.endswith("kernel")]
        own = [found[name_array(name, number)][1] for name in kernels]
        for array, exact in zip(
            [*own, np.concatenate([found[name][1] for name in biases])], of_cell, strict=True
        ):
            assert_close(array, exact.reshape(array.shape))
    assert_close(of_inputs[1].swapaxes(0, 1), by_inputs)


def go_back(
    cell: str,
    weights: Weights,
    steps: np.ndarray,
    hidden: list[np.ndarray],
    slopes: np.ndarray,
    masks: Sequence[np.ndarray],
) -> list[Any]:
    """The gradients of member 1 by `cells.gradients`: of the arrays of each layer, and of the inputs of the network."""
    own = {name: array[1].astype(np.float64) for name, array in weights.items()}
    inputs = steps.astype(np.float64).swapaxes(0, 1)
    if "embedding_kernel" in own:
        inputs = np.maximum(0, inputs @ own["embedding_kernel"] + own["embedding_bias"])
    factors: list[Any] = [mask[1].T[:, None].astype(np.float64) for mask in masks] or [1.0] * len(
        hidden
    )
    of_states = np.zeros_like(hidden[-1])
    of_states[:, -1] = slopes @ own["head_kernel"][: hidden[-1].shape[2]].T
    found: list[Any] = []
    for number in reversed(range(len(hidden))):
        layer: Any = read_cell(
            cell, {name: array.astype(np.float64) for name, array in weights.items()}, 1, number
        )
        read = hidden[number - 1] * factors[number - 1] if number else inputs
        back = backpropagate(layer, read, unroll(layer, read), of_states * factors[number])
        found.insert(0, back.weights.to_list())
        of_states = back.inputs
    if "embedding_kernel" in own:
        of_states = (of_states * (inputs > 0)) @ own["embedding_kernel"].T
    return [*found, of_states]


@pytest.mark.parametrize("cell", CELLS)
def test_cell_of_a_member_is_its_recurrent_layer(cell: str) -> None:
    weights = draw_weights(SHAPES[cell])
    own = read_cell(cell, weights, 1)
    found = CELLS[cell].name_arrays(own)
    biases = [weights[name][1, 0] for name in ("bias", "recurrent_bias") if name in found]
    np.testing.assert_array_equal(np.atleast_2d(own.to_list()[-1]), biases)
    assert found.keys() == {*CELLS[cell].arrays}
    for name, array in found.items():
        np.testing.assert_array_equal(array, weights[name][1])
