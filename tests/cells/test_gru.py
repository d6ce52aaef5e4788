"""Both forms of the GRU are those of Keras, equation by equation; wrong ones are far from them."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, tanh
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.cells.conventions import sigmoid
from rnn_pipelines.cells.gru import GRUGates, GRUState, GRUWeights
from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import unroll

FORMS = ("gru_reset_after", "gru_reset_before")


@pytest.fixture(scope="session", params=FORMS)
def kind(request: pytest.FixtureRequest) -> str:
    """Override the kinds of all cells."""
    return request.param


def test_a_step_is_its_equations_number_by_number(kind: str, make_weights) -> None:
    """Two inputs, one unit, and the functions of `math`."""
    weights = make_weights(kind, num_inputs=2, units=1)
    b, d = weights.bias.tolist() if weights.reset_after else (weights.bias.tolist(), [0, 0, 0])
    u = weights.recurrent_kernel[0].tolist()
    x, h = ([0.7, -1.2], 0.3)
    read = [
        x[0] * weights.kernel[0, gate] + x[1] * weights.kernel[1, gate] + b[gate]
        for gate in range(3)
    ]
    z, r = (1 / (1 + exp(-(read[gate] + h * u[gate] + d[gate]))) for gate in (0, 1))
    g = tanh(read[2] + (r * (h * u[2] + d[2]) if weights.reset_after else (r * h) * u[2]))
    state, gates = GRUWeights.step(weights, np.array([x]), GRUState(np.array([[h]])))
    np.testing.assert_allclose(np.ravel(state), [z * h + (1 - z) * g], rtol=1e-14)
    np.testing.assert_allclose(np.ravel(gates), [z, r, g], rtol=1e-14)


def set_gates(weights: GRUWeights, **biases: float) -> GRUWeights:
    """Gates that see nothing but their bias; the recurrent kernel of the candidate stays."""
    bias = np.repeat([biases.get(gate, 0.0) for gate in CELLS["gru"].gates], weights.units)
    is_candidate = np.repeat([0, 0, 1], weights.units)
    return GRUWeights(
        0 * weights.kernel,
        weights.recurrent_kernel * is_candidate,
        np.stack([bias, 0 * bias]) if weights.reset_after else bias,
    )


def test_an_open_update_gate_keeps_the_state_for_200_steps(
    kind: str, make_weights, make_inputs, make_state
) -> None:
    weights = set_gates(make_weights(kind), update=1000, candidate=3)
    initial = make_state(weights, batch=4)
    hidden = unroll(weights, make_inputs(time=200), initial=initial).states.hidden
    np.testing.assert_array_equal(hidden, np.broadcast_to(initial.hidden[:, None], hidden.shape))


def test_a_closed_update_gate_writes_the_candidate(kind: str, make_weights, make_inputs) -> None:
    trace = unroll(set_gates(make_weights(kind), update=-1000, candidate=0.4), make_inputs())
    np.testing.assert_array_equal(trace.states.hidden, trace.gates.candidate)


def test_a_closed_reset_gate_hides_the_state_from_the_candidate(
    kind: str, make_weights, make_inputs
) -> None:
    trace = unroll(set_gates(make_weights(kind), reset=-1000, candidate=0.4), make_inputs())
    np.testing.assert_allclose(trace.gates.candidate, tanh(0.4), rtol=1e-14)


def test_forms_are_the_same_where_the_reset_gate_is_open(make_weights, make_inputs) -> None:
    after = set_gates(make_weights("gru_reset_after"), reset=1000)
    hidden = unroll(after, make_inputs()).states.hidden
    np.testing.assert_allclose(
        unroll(replace(after, bias=after.bias[0]), make_inputs()).states.hidden, hidden
    )


def feed_hidden_state_twice(
    weights: GRUWeights, inputs: np.ndarray, state: GRUState
) -> tuple[GRUState, GRUGates]:
    """Wrong: the kernel reads inputs and hidden state side by side, and the recurrent kernel the state once more."""
    wide = replace(weights, kernel=np.concatenate([weights.kernel, weights.recurrent_kernel]))
    return GRUWeights.step(wide, np.concatenate([inputs, state.hidden], axis=-1), state)


def never_use_the_reset_gate(
    weights: GRUWeights, inputs: np.ndarray, state: GRUState
) -> tuple[GRUState, GRUGates]:
    """Wrong: the reset gate is computed, and the candidate sees the whole state."""
    input_bias, recurrent_bias = weights.split_biases()
    read = np.split(inputs @ weights.kernel + input_bias, 3, axis=-1)
    remembered = np.split(state.hidden @ weights.recurrent_kernel + recurrent_bias, 3, axis=-1)
    z = sigmoid(read[0] + remembered[0])
    r = sigmoid(read[1] + remembered[1])
    candidate = np.tanh(read[2] + remembered[2])
    return GRUState(z * state.hidden + (1 - z) * candidate), GRUGates(z, r, candidate)


def mix_the_other_way(
    weights: GRUWeights, inputs: np.ndarray, state: GRUState
) -> tuple[GRUState, GRUGates]:
    """Wrong for Keras: z and 1 − z swapped, as in Chung et al. (2014)."""
    _, gates = GRUWeights.step(weights, inputs, state)
    return GRUState((1 - gates.update) * state.hidden + gates.update * gates.candidate), gates


def swap_update_and_reset(
    weights: GRUWeights, inputs: np.ndarray, state: GRUState
) -> tuple[GRUState, GRUGates]:
    """Wrong: reads the columns as reset, update, candidate, as in PyTorch."""
    parts = [np.split(array, 3, axis=-1) for array in weights.to_list()]
    return GRUWeights.step(
        GRUWeights(*(np.concatenate([z, r, h], -1) for r, z, h in parts)), inputs, state
    )


def reset_at_the_other_side(
    weights: GRUWeights, inputs: np.ndarray, state: GRUState
) -> tuple[GRUState, GRUGates]:
    """Wrong: takes one form for the other; with two biases, their sum for the one."""
    bias = (
        weights.bias.sum(axis=0)
        if weights.reset_after
        else np.stack([weights.bias, 0 * weights.bias])
    )
    return GRUWeights.step(replace(weights, bias=bias), inputs, state)


@pytest.mark.parametrize(
    "wrong_step",
    [
        feed_hidden_state_twice,
        never_use_the_reset_gate,
        mix_the_other_way,
        swap_update_and_reset,
        reset_at_the_other_side,
    ],
)
def test_wrong_step_is_10_000_tolerances_away(
    run: SimpleNamespace, step_through: Callable[..., np.ndarray], wrong_step: Callable[..., Any]
) -> None:
    hidden = step_through(wrong_step, run.weights, run.inputs)
    assert np.abs(hidden - run.keras[0]).max() > 10_000 * 1e-6


def test_shape_of_the_bias_says_which_form_it_is(kind: str, make_weights) -> None:
    assert make_weights(kind).reset_after == (kind == "gru_reset_after")
    weights = make_weights("gru_reset_before")
    input_bias, recurrent_bias = weights.split_biases()
    np.testing.assert_array_equal(input_bias, weights.bias)
    assert (recurrent_bias.shape, recurrent_bias.any()) == (weights.bias.shape, False)
