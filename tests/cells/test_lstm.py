"""The LSTM is the one of Keras, equation by equation; wrong ones are far from it."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, tanh
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.cells.lstm import LSTMGates, LSTMState, LSTMWeights
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import unroll


@pytest.fixture(scope="session")
def kind() -> str:
    """Override the kinds of all cells."""
    return "lstm"


def test_a_step_is_its_equations_number_by_number(make_weights) -> None:
    """Two inputs, one unit, and the functions of `math`."""
    kernel, recurrent_kernel, bias = make_weights("lstm", num_inputs=2, units=1).to_list()
    x = [0.7, -1.2]
    h = 0.3
    c = -0.8
    i, f, g, o = (
        x[0] * kernel[0, gate] + x[1] * kernel[1, gate] + h * recurrent_kernel[0, gate] + bias[gate]
        for gate in range(4)
    )
    i = 1 / (1 + exp(-i))
    f = 1 / (1 + exp(-f))
    g = tanh(g)
    o = 1 / (1 + exp(-o))
    cell = f * c + i * g
    state = LSTMState(hidden=np.array([[h]]), cell=np.array([[c]]))
    found = LSTMWeights.step(LSTMWeights(kernel, recurrent_kernel, bias), np.array([x]), state)
    np.testing.assert_allclose(np.ravel(found[0]), [o * tanh(cell), cell], rtol=1e-14)
    np.testing.assert_allclose(np.ravel(found[1]), [i, f, g, o], rtol=1e-14)
    assert make_weights("lstm", num_inputs=3, units=4).units == 4


def set_gates(weights: LSTMWeights, **biases: float) -> LSTMWeights:
    """Gates that see nothing but their bias."""
    bias = np.repeat([biases.get(gate, 0.0) for gate in CELLS["lstm"].gates], weights.units)
    return LSTMWeights(0 * weights.kernel, 0 * weights.recurrent_kernel, bias)


def test_an_open_forget_gate_keeps_the_cell_state_for_200_steps(
    make_weights, make_inputs, make_state
) -> None:
    weights = set_gates(make_weights("lstm"), input=-1000, forget=1000, candidate=3)
    initial = make_state(weights, batch=4)
    cell = unroll(weights, make_inputs(time=200), initial=initial).states.cell
    np.testing.assert_array_equal(cell, np.broadcast_to(initial.cell[:, None], cell.shape))


def test_an_open_input_gate_writes_the_candidate(make_weights, make_inputs, make_state) -> None:
    weights = set_gates(make_weights("lstm"), input=1000, forget=-1000, candidate=0.4)
    trace = unroll(weights, make_inputs(), initial=make_state(weights, batch=4))
    np.testing.assert_allclose(trace.states.cell, tanh(0.4), rtol=1e-14)


def test_a_closed_output_gate_hides_the_cell_state(make_weights, make_inputs, make_state) -> None:
    weights = set_gates(make_weights("lstm"), input=-1000, forget=1000, output=-1000)
    initial = make_state(weights, batch=4)
    states = unroll(weights, make_inputs(), initial=initial).states
    assert not states.hidden.any()
    np.testing.assert_array_equal(states.cell[:, -1], initial.cell)


def feed_hidden_state_twice(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong: the kernel reads inputs and hidden state side by side, and the recurrent kernel the state once more."""
    wide = replace(weights, kernel=np.concatenate([weights.kernel, weights.recurrent_kernel]))
    return LSTMWeights.step(wide, np.concatenate([inputs, state.hidden], axis=-1), state)


def swap_candidate_and_output(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong: reads the columns as input, forget, output, candidate."""
    parts = [np.split(array, 4, axis=-1) for array in weights.to_list()]
    return LSTMWeights.step(
        LSTMWeights(*(np.concatenate([i, f, c, o], -1) for i, f, o, c in parts)), inputs, state
    )


def swap_input_and_forget(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong: reads the columns as forget, input, candidate, output."""
    parts = [np.split(array, 4, axis=-1) for array in weights.to_list()]
    return LSTMWeights.step(
        LSTMWeights(*(np.concatenate([i, f, c, o], -1) for f, i, c, o in parts)), inputs, state
    )


def leave_out_the_forget_gate(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong for Keras: the LSTM of 1997, whose cell state only grows."""
    _, gates = LSTMWeights.step(weights, inputs, state)
    cell = state.cell + gates.input * gates.candidate
    return LSTMState(gates.output * np.tanh(cell), cell), gates


def show_the_cell_state_before_the_step(
    weights: LSTMWeights, inputs: np.ndarray, state: LSTMState
) -> tuple[LSTMState, LSTMGates]:
    """Wrong: the output gate shows the old cell state."""
    after, gates = LSTMWeights.step(weights, inputs, state)
    return LSTMState(gates.output * np.tanh(state.cell), after.cell), gates


@pytest.mark.parametrize(
    "wrong_step",
    [
        feed_hidden_state_twice,
        swap_candidate_and_output,
        swap_input_and_forget,
        leave_out_the_forget_gate,
        show_the_cell_state_before_the_step,
    ],
)
def test_wrong_step_is_10_000_tolerances_away(
    run: SimpleNamespace, step_through: Callable[..., np.ndarray], wrong_step: Callable[..., Any]
) -> None:
    hidden = step_through(wrong_step, run.weights, run.inputs)
    assert np.abs(hidden - run.keras[0]).max() > 10_000 * 1e-6
