"""Whole sequences: masks, directions and states are those of Keras, and no step sees what it must not see."""

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rnn_pipelines.cells.unroll import unroll

MASKS = {
    "front": [[0, 0, 0, 1, 1, 1, 1, 1], [1, 1, 1, 1, 1, 1, 1, 1], [0, 0, 0, 0, 0, 0, 0, 1]],
    "back": [[1, 1, 1, 1, 1, 0, 0, 0], [1, 1, 1, 1, 1, 1, 1, 1], [1, 0, 0, 0, 0, 0, 0, 0]],
    "holes": [[0, 1, 0, 1, 1, 0, 0, 1], [1, 1, 0, 1, 0, 1, 1, 0], [0, 0, 0, 0, 0, 0, 0, 0]],
}


@pytest.fixture(params=MASKS)
def mask(request: pytest.FixtureRequest) -> np.ndarray:
    """bool[3, 8], true where a step is read."""
    return np.array(MASKS[request.param], bool)


@st.composite
def draw_masks(draw: st.DrawFn, min_time: int = 0) -> np.ndarray:
    """bool[batch, time], any."""
    shape = draw(st.integers(1, 4)), draw(st.integers(min_time, 7))
    size = shape[0] * shape[1]
    return np.array(draw(st.lists(st.booleans(), min_size=size, max_size=size)), bool).reshape(
        shape
    )


def measure_difference(found: Any, expected: Any) -> float:
    return float(np.abs(found - np.asarray(expected)).max())


def test_masked_outputs_equal_those_of_keras(
    kind: str, mask: np.ndarray, make_layer, read_layer, make_inputs
) -> None:
    layer = make_layer(kind)
    inputs = make_inputs(*mask.shape).astype(np.float32)
    trace = unroll(read_layer(layer), inputs, mask)
    assert measure_difference(trace.states.hidden, layer(inputs, mask=mask)[0]) <= 1e-6
    for found, expected in zip(trace.states, layer(inputs, mask=mask)[1:], strict=True):
        assert measure_difference(found[:, -1], expected) <= 1e-6


def test_reading_backwards_equals_the_backward_half_in_keras_which_puts_out_0_where_masked(
    kind: str, mask: np.ndarray, make_layer, read_layer, make_inputs
) -> None:
    import keras

    inputs = make_inputs(*mask.shape).astype(np.float32)
    layer = keras.layers.Bidirectional(make_layer(kind, return_state=False))
    layer.build(inputs.shape)
    hidden = unroll(read_layer(layer.backward_layer), inputs, mask, backwards=True).states.hidden
    expected = layer(inputs, mask=mask).numpy()[:, :, 8:]
    assert measure_difference(hidden[mask], expected[mask]) <= 1e-6
    assert not expected[~mask].any()


def test_backwards_it_is_as_keras(kind: str, make_layer, read_layer, make_inputs) -> None:
    layer = make_layer(kind, go_backwards=True)
    inputs = make_inputs().astype(np.float32)
    trace = unroll(read_layer(layer), inputs, backwards=True)
    for found, expected in zip(trace.states, layer(inputs)[1:], strict=True):
        assert measure_difference(found[:, 0], expected) <= 1e-6


def test_from_a_state_it_is_as_keras(
    kind: str, make_layer, read_layer, make_inputs, make_state
) -> None:
    layer = make_layer(kind)
    inputs = make_inputs().astype(np.float32)
    weights = read_layer(layer)
    initial = make_state(weights, batch=4)
    trace = unroll(weights, inputs, initial=initial)
    assert (
        measure_difference(trace.states.hidden, layer(inputs, initial_state=list(initial))[0])
        <= 1e-6
    )


def test_before_the_first_read_step_keras_puts_out_0_with_the_initial_state_kept_as_by_us(
    kind: str, make_layer, read_layer, make_inputs, make_state
) -> None:
    layer = make_layer(kind)
    inputs = make_inputs(batch=1, time=3).astype(np.float32)
    weights = read_layer(layer)
    mask = np.zeros((1, 3), bool)
    initial = make_state(weights, batch=1)
    outputs, *last = layer(inputs, mask=mask, initial_state=list(initial))
    trace = unroll(weights, inputs, mask, initial)
    assert not outputs.numpy().any()
    for found, theirs, expected in zip(trace.states, last, initial, strict=True):
        np.testing.assert_array_equal(theirs, expected)
        np.testing.assert_array_equal(found, np.repeat(expected[:, None], 3, axis=1))


@settings(max_examples=15)
@given(
    mask=draw_masks(min_time=1),
    sizes=st.tuples(st.integers(1, 4), st.integers(1, 5), st.sampled_from([0.0, 1.0, 5.0])),
    backwards=st.booleans(),
)
def test_any_layer_with_any_mask_gives_the_outputs_of_keras(
    kind: str,
    *,
    make_layer,
    read_layer,
    make_inputs,
    mask: np.ndarray,
    sizes: tuple[int, int, float],
    backwards: bool,
) -> None:
    num_inputs, units, bias_scale = sizes
    layer = make_layer(kind, num_inputs, units, bias_scale, go_backwards=backwards, dtype="float64")
    inputs = make_inputs(*mask.shape, num_inputs)
    expected = layer(inputs, mask=mask)[0].numpy()
    trace = unroll(read_layer(layer), inputs, mask, backwards=backwards)
    assert (
        measure_difference(trace.states.hidden, expected[:, ::-1] if backwards else expected)
        <= 1e-10
    )


@given(mask=draw_masks(), backwards=st.booleans())
def test_mask_keeps_state(
    kind: str, make_weights, make_inputs, make_state, mask: np.ndarray, backwards: bool
) -> None:
    weights = make_weights(kind)
    initial = make_state(weights, len(mask))
    trace = unroll(weights, make_inputs(*mask.shape), mask, initial, backwards)
    for states, first in zip(trace.states, initial, strict=True):
        parts = [states, first[:, None]] if backwards else [first[:, None], states]
        joined = np.concatenate(parts, axis=1)
        is_same = (joined[:, 1:] == joined[:, :-1]).all(axis=2)
        np.testing.assert_array_equal(is_same, ~mask)


@given(mask=draw_masks())
def test_gates_are_nan_exactly_where_masked(
    kind: str, make_weights, make_inputs, mask: np.ndarray
) -> None:
    trace = unroll(make_weights(kind), make_inputs(*mask.shape), mask)
    for gate in trace.gates:
        np.testing.assert_array_equal(
            np.isnan(gate), np.broadcast_to(~mask[:, :, None], gate.shape)
        )


@given(mask=draw_masks(), value=st.sampled_from([np.nan, np.inf, 1e30, -5.0]))
def test_masked_values_do_not_matter(
    kind: str, make_weights, make_inputs, mask: np.ndarray, value: float
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(*mask.shape)
    changed = np.where(mask[:, :, None], inputs, value)
    assert_same(unroll(weights, changed, mask), unroll(weights, inputs, mask))


def assert_same(one: Any, other: Any, steps: slice = slice(None)) -> None:
    """Traces are equal in some steps, bit by bit."""
    for found, expected in zip(
        [*one.states, *one.gates], [*other.states, *other.gates], strict=True
    ):
        np.testing.assert_array_equal(found[:, steps], expected[:, steps])


def test_masks_of_integers_are_as_those_of_booleans(
    kind: str, make_weights, make_inputs, mask: np.ndarray
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(*mask.shape)
    assert_same(unroll(weights, inputs, mask.astype(np.int32)), unroll(weights, inputs, mask))


def test_sequences_of_a_batch_do_not_depend_on_each_other(
    kind: str, make_weights, make_inputs, mask: np.ndarray
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(*mask.shape)
    together = unroll(weights, inputs, mask).states.hidden
    alone = [
        unroll(weights, inputs[row : row + 1], mask[row : row + 1]).states.hidden[0]
        for row in range(len(mask))
    ]
    np.testing.assert_allclose(alone, together, rtol=0, atol=1e-14)


def test_a_trace_shares_no_array_with_its_inputs(
    kind: str, make_weights, make_inputs, mask: np.ndarray, make_state
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(*mask.shape)
    initial = make_state(weights, len(mask))
    given_arrays = [*weights.to_list(), inputs, mask, *initial]
    before = [array.copy() for array in given_arrays]
    trace = unroll(weights, inputs, mask, initial)
    for values in [*trace.states, *trace.gates]:
        values[:] = 7
    for array, expected in zip(given_arrays, before, strict=True):
        np.testing.assert_array_equal(array, expected)


def test_no_mask_reads_every_step(kind: str, make_weights, make_inputs) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(2, 5)
    assert_same(unroll(weights, inputs), unroll(weights, inputs, np.ones((2, 5), bool)))


def test_no_steps_leave_an_empty_trace(kind: str, make_weights) -> None:
    trace = unroll(make_weights(kind), np.zeros((2, 0, 3)))
    assert {values.shape for values in [*trace.states, *trace.gates]} == {(2, 0, 4)}


@given(mask=draw_masks(), num_more=st.integers(1, 4))
def test_padding_changes_nothing_before(
    kind: str, make_weights, make_inputs, mask: np.ndarray, num_more: int
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(*mask.shape)
    longer = np.pad(inputs, ((0, 0), (0, num_more), (0, 0)), constant_values=3.0)
    found = unroll(weights, longer, np.pad(mask, ((0, 0), (0, num_more))))
    assert_same(found, unroll(weights, inputs, mask), slice(mask.shape[1]))


@pytest.mark.parametrize(
    ("backwards", "unaffected"), [(False, slice(0, 6)), (True, slice(7, None))]
)
def test_a_step_reaches_nothing_that_is_read_before_it(
    kind: str, make_weights, make_inputs, backwards: bool, unaffected: slice
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(time=10)
    changed = inputs.copy()
    changed[:, 6] += 1
    one, other = (unroll(weights, values, backwards=backwards) for values in (inputs, changed))
    assert_same(one, other, unaffected)
    is_same = (one.states.hidden == other.states.hidden).all(axis=(0, 2))
    assert is_same.tolist() == [step in range(10)[unaffected] for step in range(10)]


@given(split=st.integers(0, 10))
def test_sequence_can_be_read_in_two_parts(
    kind: str, make_weights, make_inputs, split: int
) -> None:
    weights = make_weights(kind)
    inputs = make_inputs(time=10)
    whole = unroll(weights, inputs)
    first = unroll(weights, inputs[:, :split])
    middle = type(first.states)(*(states[:, -1] for states in first.states)) if split else None
    second = unroll(weights, inputs[:, split:], initial=middle)
    for found, expected in zip(second.states, whole.states, strict=True):
        np.testing.assert_array_equal(found, expected[:, split:])


@pytest.mark.parametrize("backwards", [False, True])
def test_trace_says_from_which_end_time_was_read(
    kind: str, make_weights, make_inputs, backwards: bool
) -> None:
    assert unroll(make_weights(kind), make_inputs(), backwards=backwards).backwards is backwards


@given(bias_scale=st.floats(0, 1000), input_scale=st.floats(0, 1000), seed=st.integers(0, 9))
def test_gates_are_between_0_and_1(
    kind: str, make_weights, make_inputs, bias_scale: float, input_scale: float, seed: int
) -> None:
    weights = make_weights(kind, bias_scale=bias_scale, seed=seed)
    trace = unroll(weights, make_inputs(seed=seed) * input_scale)
    gates = trace.gates._asdict()
    gates.pop("candidate")
    assert all(((gate >= 0) & (gate <= 1)).all() for gate in gates.values())


@given(bias_scale=st.floats(0, 1000), input_scale=st.floats(0, 1000), seed=st.integers(0, 9))
def test_outputs_are_within_1(
    kind: str, make_weights, make_inputs, bias_scale: float, input_scale: float, seed: int
) -> None:
    weights = make_weights(kind, bias_scale=bias_scale, seed=seed)
    trace = unroll(weights, make_inputs(seed=seed) * input_scale)
    gates = trace.gates._asdict()
    candidate = gates.pop("candidate")
    assert (np.abs([candidate, trace.states.hidden]) <= 1).all()


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
def test_all_is_of_the_dtype_of_the_weights(
    kind: str, make_weights, make_inputs, make_state, dtype: type
) -> None:
    weights = make_weights(kind)
    weights = type(weights)(*(array.astype(dtype) for array in weights.to_list()))
    for inputs, initial in [
        (make_inputs().astype(np.float32), None),
        (make_inputs(), make_state(make_weights(kind), batch=4)),
    ]:
        trace = unroll(weights, inputs, initial=initial)
        assert {values.dtype for values in [*trace.states, *trace.gates]} == {np.dtype(dtype)}


@pytest.mark.parametrize("shape", [(4, 10, 2), (10, 3)])
def test_inputs_that_do_not_fit_the_kernel_are_refused(
    make_weights, shape: tuple[int, ...]
) -> None:
    with pytest.raises(
        ValueError, match=r"inputs: expected batch, time .* rows, 3, received an array of shape"
    ):
        unroll(make_weights("lstm"), np.zeros(shape))


@pytest.mark.parametrize("shape", [(1, 10), (10, 4)])
def test_mask_that_does_not_fit_the_inputs_is_refused(
    make_weights, make_inputs, shape: tuple[int, ...]
) -> None:
    with pytest.raises(
        ValueError, match=r"mask: expected batch and time of the inputs, \(4, 10\), received"
    ):
        unroll(make_weights("lstm"), make_inputs(), np.ones(shape, bool))
