"""Gradients through time are those of TensorFlow, and of finite differences, which know no calculus."""

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from rnn_pipelines.cells.gradients import Gradients, backpropagate
from rnn_pipelines.cells.lstm import LSTMState, LSTMWeights
from rnn_pipelines.cells.unroll import unroll

HOLES = np.array(
    [[0, 1, 0, 1, 1, 0, 1, 0], [1, 1, 0, 1, 0, 1, 1, 1], [0, 0, 1, 0, 0, 0, 0, 0]], bool
)
MASKS = {
    "no mask": None,
    "holes": HOLES,
    "front": np.sort(HOLES, axis=1),
    "back": np.sort(HOLES, axis=1)[:, ::-1],
}
PARTS = ("kernel", "recurrent_kernel", "bias", "inputs", "initial")


def draw_hidden_gradients(
    mask: np.ndarray | None, units: int = 8, batch: int = 3, time: int = 8
) -> np.ndarray:
    """float64[batch, time, units]; 0 before the first read step, where Keras' output is no state."""
    gradients = np.random.default_rng(3).normal(size=(batch, time, units))
    return (
        gradients
        if mask is None
        else gradients * np.logical_or.accumulate(mask, axis=1)[:, :, None]
    )


def list_parts(gradients: Gradients[Any, Any]) -> dict[str, np.ndarray]:
    parts = [*gradients.weights.to_list(), gradients.inputs, np.stack(gradients.initial)]
    return dict(zip(PARTS, parts, strict=True))


@pytest.fixture(scope="module", params=MASKS)
def run(
    request: pytest.FixtureRequest, kind: str, make_layer, read_layer, make_inputs, make_state
) -> SimpleNamespace:
    """Gradients of a weighted sum of outputs, by TensorFlow through Keras and by us: `keras, ours`."""
    import tensorflow as tf

    mask = MASKS[request.param]
    layer = make_layer(kind, dtype="float64")
    inputs = make_inputs(3, 8)
    weights = read_layer(layer)
    hidden_gradients = draw_hidden_gradients(mask)
    initial = make_state(weights, batch=3)
    watched = [tf.constant(inputs), *map(tf.constant, initial)]
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = tf.reduce_sum(
            layer(watched[0], mask=mask, initial_state=watched[1:])[0] * hidden_gradients
        )
    variables = [variable.value for variable in layer.weights]
    *of_weights, of_inputs, of_state = tape.gradient(loss, [*variables, watched[0], watched[1:]])
    trace = unroll(weights, inputs, mask, initial)
    ours = backpropagate(weights, inputs, trace, hidden_gradients, mask, initial)
    keras = [np.asarray(part) for part in (*of_weights, of_inputs, of_state)]
    return SimpleNamespace(keras=dict(zip(PARTS, keras, strict=True)), ours=list_parts(ours))


def test_gradients_equal_those_of_tensorflow(run: SimpleNamespace) -> None:
    for part in PARTS:
        scale = np.abs(run.keras[part]).max()
        assert np.abs(run.ours[part] - run.keras[part]).max() <= 1e-12 * scale, part


@pytest.mark.parametrize("side", ["front", "back"])
def test_backward_gradients_are_those_of_tensorflow(
    kind: str, side: str, make_layer, read_layer, make_inputs
) -> None:
    import tensorflow as tf

    layer = make_layer(kind, dtype="float64", go_backwards=True)
    inputs = make_inputs(3, 8)
    mask = MASKS[side]
    weights = read_layer(layer)
    hidden_gradients = draw_hidden_gradients(mask[:, ::-1])[:, ::-1]
    watched = tf.constant(inputs)
    with tf.GradientTape() as tape:
        tape.watch(watched)
        loss = tf.reduce_sum(layer(watched, mask=mask)[0][:, ::-1] * hidden_gradients)
    of_kernel, of_inputs = tape.gradient(loss, [layer.weights[0].value, watched])
    found = backpropagate(
        weights, inputs, unroll(weights, inputs, mask, backwards=True), hidden_gradients, mask
    )
    np.testing.assert_allclose(found.weights.kernel, of_kernel, rtol=0, atol=1e-12)
    np.testing.assert_allclose(found.inputs, of_inputs, rtol=0, atol=1e-12)


@pytest.fixture(scope="module")
def make_network(make_weights, make_inputs, make_state) -> Callable[..., SimpleNamespace]:
    """Makes a small network: `arrays` by part, `loss` as a function of them, `gradients` by part as we compute them."""

    def make(
        kind: str,
        shape: tuple[int, int, int],
        units: int,
        mask: np.ndarray | None,
        backwards: bool = False,
        seed: int = 0,
    ) -> SimpleNamespace:
        weights = make_weights(kind, shape[2], units, seed=seed)
        inputs = make_inputs(*shape)
        initial = make_state(weights, batch=shape[0])
        hidden_gradients = np.random.default_rng(3).normal(size=(*shape[:2], units))

        def calculate_loss(arrays: dict[str, np.ndarray]) -> float:
            *changed, values, state = (arrays[part] for part in PARTS)
            states = unroll(
                type(weights)(*changed), values, mask, type(initial)(*state), backwards
            ).states
            return float((states.hidden * hidden_gradients).sum())

        trace = unroll(weights, inputs, mask, initial, backwards)
        gradients = backpropagate(weights, inputs, trace, hidden_gradients, mask, initial)
        arrays = dict(zip(PARTS, [*weights.to_list(), inputs, np.stack(initial)], strict=True))
        return SimpleNamespace(arrays=arrays, loss=calculate_loss, gradients=list_parts(gradients))

    return make


@pytest.mark.parametrize("mask", MASKS.values(), ids=MASKS)
def test_gradients_equal_finite_differences(
    kind: str, make_network, mask: np.ndarray | None
) -> None:
    network = make_network(kind, (3, 8, 2), units=2, mask=mask)
    step = 1e-5
    for part, values in network.arrays.items():
        differences = np.zeros_like(values)
        for place in np.ndindex(values.shape):
            shift = np.zeros_like(values)
            shift[place] = step
            above, below = (
                network.loss(network.arrays | {part: values + move}) for move in (shift, -shift)
            )
            differences[place] = (above - below) / (2 * step)
        assert (
            np.abs(network.gradients[part] - differences).max() <= 1e-8 * np.abs(differences).max()
        ), part


@given(
    shape=st.tuples(st.integers(1, 3), st.integers(0, 6), st.integers(1, 4)),
    units=st.integers(1, 5),
    backwards=st.booleans(),
    seed=st.integers(0, 99),
)
def test_gradients_of_any_case_equal_finite_differences_along_a_line(
    kind: str, make_network, shape: tuple[int, int, int], units: int, backwards: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    network = make_network(kind, shape, units, rng.random(shape[:2]) < 0.7, backwards, seed)
    line = {part: rng.normal(size=array.shape) for part, array in network.arrays.items()}
    above, below = (
        network.loss({part: network.arrays[part] + step * line[part] for part in PARTS})
        for step in (1e-5, -1e-5)
    )
    slope = sum(float((network.gradients[part] * line[part]).sum()) for part in PARTS)
    assert slope == pytest.approx((above - below) / 2e-5, rel=1e-6, abs=1e-7)


def test_only_inputs_that_are_read_have_a_gradient(kind: str, make_weights, make_inputs) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(3, 8)
    gradients = backpropagate(
        weights, inputs, unroll(weights, inputs, HOLES), np.ones((3, 8, 4)), HOLES
    )
    np.testing.assert_array_equal(gradients.inputs.any(axis=2), HOLES)


def test_gradients_do_not_depend_on_masked_inputs(kind: str, make_weights, make_inputs) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(3, 8)
    ones = np.ones((3, 8, 4))
    changed = np.where(HOLES[:, :, None], inputs, np.nan)
    found, expected = (
        list_parts(backpropagate(weights, values, unroll(weights, values, HOLES), ones, HOLES))
        for values in (changed, inputs)
    )
    for part in PARTS:
        np.testing.assert_array_equal(found[part], expected[part])


def test_gradients_reach_what_was_read_before_alone(kind: str, make_weights, make_inputs) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(3, 8)
    mask = np.zeros((3, 8), bool)
    hidden_gradients = draw_hidden_gradients(None, units=4)
    gradients = backpropagate(
        weights, inputs, unroll(weights, inputs, mask), hidden_gradients, mask
    )
    np.testing.assert_allclose(gradients.initial.hidden, hidden_gradients.sum(axis=1), rtol=1e-12)
    assert not any(array.any() for array in gradients.weights.to_list())
    weights = make_weights(kind)
    inputs = np.zeros((2, 0, 3))
    gradients = backpropagate(weights, inputs, unroll(weights, inputs), np.zeros((2, 0, 4)))
    assert not any(part.any() for part in list_parts(gradients).values())
    weights = make_weights(kind)
    inputs = make_inputs(3, 8)
    hidden_gradients = np.zeros((3, 8, 4))
    hidden_gradients[:, 5] = 1
    gradients = backpropagate(weights, inputs, unroll(weights, inputs), hidden_gradients)
    assert gradients.inputs.any(axis=(0, 2)).tolist() == [True] * 6 + [False] * 2


def follow_the_cell_state(weights: LSTMWeights, forget_bias: float, num_steps: int) -> float:
    """How much of the last cell state's gradient is left at the first, where gates see nothing but their bias."""
    bias = np.repeat([-1000, forget_bias, 0, 0], weights.units)
    weights = LSTMWeights(0 * weights.kernel, 0 * weights.recurrent_kernel, bias.astype(np.float64))
    initial = LSTMState(np.zeros((1, weights.units)), np.full((1, weights.units), 1e-6))
    hidden_gradients = np.zeros((1, num_steps, weights.units))
    # The output gate is half open and the cell state so small that its tanh is itself.
    hidden_gradients[:, -1] = 2
    inputs = np.zeros((1, num_steps, len(weights.kernel)))
    trace = unroll(weights, inputs, initial=initial)
    gradients = backpropagate(weights, inputs, trace, hidden_gradients, initial=initial)
    return float(gradients.initial.cell[0, 0])


def test_forget_gate_carries_or_halves_the_gradient_at_each_step(make_weights) -> None:
    assert follow_the_cell_state(make_weights("lstm"), 1000.0, 200) == pytest.approx(1, abs=1e-9)
    assert follow_the_cell_state(make_weights("lstm"), 0.0, 200) == pytest.approx(
        0.5**200, rel=1e-9
    )


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_everything_is_of_the_dtype_of_the_weights(
    kind: str, make_weights, make_inputs, dtype: type
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(3, 8)
    weights = type(weights)(*(array.astype(dtype) for array in weights.to_list()))
    gradients = backpropagate(weights, inputs, unroll(weights, inputs), np.ones((3, 8, 4)))
    assert {part.dtype for part in list_parts(gradients).values()} == {np.dtype(dtype)}


def test_gradients_have_the_shapes_of_arrays_which_stay(
    kind: str, make_weights, make_inputs, make_state
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(3, 8)
    initial = make_state(weights, batch=3)
    trace = unroll(weights, inputs, initial=initial)
    found = list_parts(backpropagate(weights, inputs, trace, np.ones((3, 8, 4)), initial=initial))
    expected = dict(zip(PARTS, [*weights.to_list(), inputs, np.stack(initial)], strict=True))
    assert {part: found[part].shape for part in PARTS} == {
        part: expected[part].shape for part in PARTS
    }
    weights = make_weights(kind)
    inputs = make_inputs(3, 8)
    hidden_gradients = np.ones((3, 8, 4))
    initial = make_state(weights, batch=3)
    trace = unroll(weights, inputs, HOLES, initial)
    given_arrays = [
        *weights.to_list(),
        inputs,
        *trace.states,
        *trace.gates,
        hidden_gradients,
        HOLES,
        *initial,
    ]
    before = [array.copy() for array in given_arrays]
    backpropagate(weights, inputs, trace, hidden_gradients, HOLES, initial)
    for array, expected in zip(given_arrays, before, strict=True):
        np.testing.assert_array_equal(array, expected)
