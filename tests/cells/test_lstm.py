"""The LSTM is the one of Keras, gate by gate; wrong ones are far from it."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, tanh
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.cells.conventions import LSTM_GATES
from rnn_pipelines.cells.lstm import (
    LSTMGates,
    LSTMState,
    LSTMWeights,
    initialize_lstm,
    read_lstm_weights,
    step_lstm,
)
from rnn_pipelines.cells.unroll import unroll

TOLERANCES = {"float32": 1e-6, "float64": 1e-10}


# As in Keras


@pytest.fixture(scope="module", params=["float32", "float64"])
def run(request: pytest.FixtureRequest, make_layer, read_layer, make_inputs) -> SimpleNamespace:
    """120 steps of a layer in Keras and of ours: `layer, weights, inputs, keras, trace, tolerance`."""
    dtype = request.param
    layer = make_layer("lstm", num_inputs=5, units=16, dtype=dtype)
    inputs = make_inputs(batch=8, time=120, num_inputs=5).astype(dtype)
    weights = read_layer(layer)
    outputs = [tensor.numpy() for tensor in layer(inputs)]
    trace = unroll(weights, inputs)
    return SimpleNamespace(
        layer=layer, weights=weights, inputs=inputs, keras=outputs, trace=trace, tolerance=TOLERANCES[dtype]
    )


def test_120_outputs_equal_those_of_keras(run: SimpleNamespace) -> None:
    assert np.abs(run.trace.states.hidden - run.keras[0]).max() <= run.tolerance


def test_last_state_equals_that_of_keras(run: SimpleNamespace) -> None:
    for ours, expected in zip(run.trace.states, run.keras[1:], strict=True):
        assert np.abs(ours[:, -1] - expected).max() <= run.tolerance


@pytest.fixture(scope="module", params=[1, 2], ids=["implementation 1", "implementation 2"])
def keras_gates(request: pytest.FixtureRequest, run: SimpleNamespace, record_gates) -> dict[str, np.ndarray]:
    """What both ways of Keras to compute a step give, once they are known to be the layer's."""
    outputs, calls = record_gates(run.layer, run.inputs, implementation=request.param)
    assert np.abs(outputs - run.keras[0]).max() <= run.tolerance
    return dict(zip([*LSTM_GATES, "carry"], calls, strict=True))


def test_each_gate_equals_that_of_keras(run: SimpleNamespace, keras_gates: dict[str, np.ndarray]) -> None:
    for gate in LSTM_GATES:
        assert np.abs(getattr(run.trace.gates, gate) - keras_gates[gate]).max() <= run.tolerance, gate


def test_layer_without_bias_is_one_whose_bias_is_0(make_layer, make_inputs) -> None:
    layer, inputs = make_layer("lstm", use_bias=False), make_inputs().astype(np.float32)
    weights = read_lstm_weights(layer.get_weights())
    assert np.abs(unroll(weights, inputs).states.hidden - layer(inputs)[0].numpy()).max() <= 1e-6


def test_layer_with_bias_is_read_as_it_is(run: SimpleNamespace) -> None:
    for found, expected in zip(
        read_lstm_weights(run.layer.get_weights()).to_list(), run.weights.to_list(), strict=True
    ):
        np.testing.assert_array_equal(found, expected)


def test_keras_takes_our_weights_back(make_layer, make_inputs) -> None:
    layer, weights = make_layer("lstm"), initialize_lstm(np.random.default_rng(5), num_inputs=3, units=8)
    layer.set_weights(weights.to_list())
    inputs = make_inputs()
    assert np.abs(unroll(weights, inputs).states.hidden - layer(inputs)[0].numpy()).max() <= 1e-6


# The equations


def test_a_step_is_its_equations_number_by_number(make_weights) -> None:
    """Two inputs, one unit, and the functions of `math`."""
    kernel, recurrent_kernel, bias = make_weights("lstm", num_inputs=2, units=1).to_list()
    x, h, c = [0.7, -1.2], 0.3, -0.8
    i, f, g, o = (
        x[0] * kernel[0, gate] + x[1] * kernel[1, gate] + h * recurrent_kernel[0, gate] + bias[gate]
        for gate in range(4)
    )
    i, f, g, o = 1 / (1 + exp(-i)), 1 / (1 + exp(-f)), tanh(g), 1 / (1 + exp(-o))
    carry = f * c + i * g
    state = LSTMState(hidden=np.array([[h]]), carry=np.array([[c]]))
    found = step_lstm(LSTMWeights(kernel, recurrent_kernel, bias), np.array([x]), state)
    np.testing.assert_allclose(np.ravel(found[0]), [o * tanh(carry), carry], rtol=1e-14)
    np.testing.assert_allclose(np.ravel(found[1]), [i, f, g, o], rtol=1e-14)


def set_gates(weights: LSTMWeights, **biases: float) -> LSTMWeights:
    """Gates that see nothing but their bias."""
    bias = np.repeat([biases.get(gate, 0.0) for gate in LSTM_GATES], weights.units)
    return LSTMWeights(0 * weights.kernel, 0 * weights.recurrent_kernel, bias)


def test_open_forget_gate_and_closed_input_gate_keep_the_carry(make_weights, make_inputs, make_state) -> None:
    weights = set_gates(make_weights("lstm"), input=-1000, forget=1000, candidate=3)
    initial = make_state(weights, batch=4)
    carry = unroll(weights, make_inputs(time=200), initial=initial).states.carry
    np.testing.assert_array_equal(carry, np.broadcast_to(initial.carry[:, None], carry.shape))


def test_closed_forget_gate_and_open_input_gate_write_the_candidate(make_weights, make_inputs, make_state) -> None:
    weights = set_gates(make_weights("lstm"), input=1000, forget=-1000, candidate=0.4)
    trace = unroll(weights, make_inputs(), initial=make_state(weights, batch=4))
    np.testing.assert_allclose(trace.states.carry, tanh(0.4), rtol=1e-14)


def test_closed_output_gate_shows_nothing_and_forgets_nothing(make_weights, make_inputs, make_state) -> None:
    weights = set_gates(make_weights("lstm"), input=-1000, forget=1000, output=-1000)
    initial = make_state(weights, batch=4)
    states = unroll(weights, make_inputs(), initial=initial).states
    assert not states.hidden.any()
    np.testing.assert_array_equal(states.carry[:, -1], initial.carry)


# Wrong versions that run, which the comparison with Keras must tell from the right one


def feed_hidden_state_twice(weights: LSTMWeights, inputs: np.ndarray, state: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """Wrong: the kernel reads inputs and hidden state side by side, and the recurrent kernel the state once more."""
    wide = replace(weights, kernel=np.concatenate([weights.kernel, weights.recurrent_kernel]))
    return step_lstm(wide, np.concatenate([inputs, state.hidden], axis=-1), state)


def swap_candidate_and_output(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong: reads the columns as input, forget, output, candidate."""
    parts = [np.split(array, 4, axis=-1) for array in weights.to_list()]
    return step_lstm(LSTMWeights(*(np.concatenate([i, f, c, o], -1) for i, f, o, c in parts)), inputs, state)


def swap_input_and_forget(weights: LSTMWeights, inputs: np.ndarray, state: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """Wrong: reads the columns as forget, input, candidate, output."""
    parts = [np.split(array, 4, axis=-1) for array in weights.to_list()]
    return step_lstm(LSTMWeights(*(np.concatenate([i, f, c, o], -1) for f, i, c, o in parts)), inputs, state)


def leave_out_the_forget_gate(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong for Keras: the LSTM of 1997, whose carry only grows."""
    _, gates = step_lstm(weights, inputs, state)
    carry = state.carry + gates.input * gates.candidate
    return LSTMState(gates.output * np.tanh(carry), carry), gates


def show_the_carry_before_the_step(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong: the output gate shows the old carry."""
    after, gates = step_lstm(weights, inputs, state)
    return LSTMState(gates.output * np.tanh(state.carry), after.carry), gates


def test_right_step_passes_the_comparison(run: SimpleNamespace, step_through: Callable[..., np.ndarray]) -> None:
    hidden = step_through(step_lstm, run.weights, run.inputs)
    assert np.abs(hidden - run.keras[0]).max() <= run.tolerance


@pytest.mark.parametrize(
    "wrong_step",
    [
        feed_hidden_state_twice,
        swap_candidate_and_output,
        swap_input_and_forget,
        leave_out_the_forget_gate,
        show_the_carry_before_the_step,
    ],
)
def test_wrong_step_is_10_000_tolerances_away(
    run: SimpleNamespace, step_through: Callable[..., np.ndarray], wrong_step: Callable[..., Any]
) -> None:
    hidden = step_through(wrong_step, run.weights, run.inputs)
    assert np.abs(hidden - run.keras[0]).max() > 10_000 * TOLERANCES["float32"]


# Weights


def test_units_are_the_rows_of_the_recurrent_kernel(make_weights) -> None:
    assert make_weights("lstm", num_inputs=3, units=4).units == 4


@pytest.mark.parametrize(
    "shapes",
    [
        [(3, 16), (4, 16), (2, 16)],
        [(3, 12), (4, 12), (12,)],
        [(3, 12), (4, 12), (2, 12)],
        [(3, 16), (4, 16), (1,)],
        [(4, 16), (3, 16), (16,)],
        [(3, 16), (4, 16), (4, 16)],
    ],
)
def test_weights_of_another_cell_or_order_are_refused(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"expected kernel, recurrent kernel and bias of shapes .* received"):
        LSTMWeights(*map(np.zeros, shapes))


# Weights before training


def test_biases_are_0_but_those_of_the_forget_gates_are_1() -> None:
    bias = initialize_lstm(np.random.default_rng(0), num_inputs=3, units=2).bias
    assert bias.tolist() == [0, 0, 1, 1, 0, 0, 0, 0]


def test_bias_before_training_is_that_of_keras(make_layer) -> None:
    *_, expected = make_layer("lstm", bias_scale=0.0).get_weights()
    np.testing.assert_array_equal(initialize_lstm(np.random.default_rng(0), 3, 8).bias, expected)


def test_bias_of_the_forget_gate_can_be_chosen() -> None:
    bias = initialize_lstm(np.random.default_rng(0), num_inputs=3, units=1, forget_bias=2.5).bias
    assert bias.tolist() == [0, 2.5, 0, 0]


def test_spread_of_the_kernel_is_that_of_keras(make_layer) -> None:
    expected, *_ = make_layer("lstm", num_inputs=50, units=40).get_weights()
    kernel = initialize_lstm(np.random.default_rng(0), num_inputs=50, units=40).kernel
    assert kernel.std() == pytest.approx(expected.std(), rel=0.03)


def test_rows_of_the_recurrent_kernel_are_orthonormal_as_in_keras(make_layer) -> None:
    ours = initialize_lstm(np.random.default_rng(0), num_inputs=3, units=8).recurrent_kernel
    theirs = make_layer("lstm", units=8).get_weights()[1]
    np.testing.assert_allclose(ours @ ours.T, np.eye(8), rtol=0, atol=1e-14)
    np.testing.assert_allclose(theirs @ theirs.T, np.eye(8), rtol=0, atol=1e-5)


def test_same_generator_gives_the_same_weights() -> None:
    one, same, other = (initialize_lstm(np.random.default_rng(seed), 3, 2) for seed in (0, 0, 1))
    np.testing.assert_array_equal(one.kernel, same.kernel)
    np.testing.assert_array_equal(one.recurrent_kernel, same.recurrent_kernel)
    assert (one.kernel != other.kernel).all()
