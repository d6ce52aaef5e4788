"""Both forms of the GRU are those of Keras, gate by gate; wrong ones are far from them."""

from collections.abc import Callable
from dataclasses import replace
from math import exp, tanh
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from rnn_pipelines.cells.conventions import GRU_GATES, sigmoid
from rnn_pipelines.cells.gru import GRUGates, GRUState, GRUWeights, initialize_gru, read_gru_weights, step_gru
from rnn_pipelines.cells.unroll import unroll

FORMS = ("gru_reset_after", "gru_reset_before")
TOLERANCES = {"float32": 1e-6, "float64": 1e-10}


@pytest.fixture(scope="module", params=FORMS)
def form(request: pytest.FixtureRequest) -> str:
    return request.param


# As in Keras


@pytest.fixture(scope="module", params=["float32", "float64"])
def run(request: pytest.FixtureRequest, form: str, make_layer, read_layer, make_inputs) -> SimpleNamespace:
    """120 steps of a layer in Keras and of ours: `layer, weights, inputs, keras, trace, tolerance`."""
    dtype = request.param
    layer = make_layer(form, num_inputs=5, units=16, dtype=dtype)
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
    assert np.abs(run.trace.states.hidden[:, -1] - run.keras[1]).max() <= run.tolerance


@pytest.fixture(scope="module", params=[1, 2], ids=["implementation 1", "implementation 2"])
def keras_gates(request: pytest.FixtureRequest, run: SimpleNamespace, record_gates) -> dict[str, np.ndarray]:
    """What both ways of Keras to compute a step give, once they are known to be the layer's."""
    outputs, calls = record_gates(run.layer, run.inputs, implementation=request.param)
    assert np.abs(outputs - run.keras[0]).max() <= run.tolerance
    return dict(zip(GRU_GATES, calls, strict=True))


def test_each_gate_equals_that_of_keras(run: SimpleNamespace, keras_gates: dict[str, np.ndarray]) -> None:
    for gate in GRU_GATES:
        assert np.abs(getattr(run.trace.gates, gate) - keras_gates[gate]).max() <= run.tolerance, gate


def test_layer_without_bias_is_one_whose_bias_is_0(form: str, make_layer, make_inputs) -> None:
    layer, inputs = make_layer(form, use_bias=False), make_inputs().astype(np.float32)
    weights = read_gru_weights(layer.get_weights(), layer.reset_after)
    assert np.abs(unroll(weights, inputs).states.hidden - layer(inputs)[0].numpy()).max() <= 1e-6


def test_layer_with_bias_is_read_as_it_is(run: SimpleNamespace) -> None:
    found = read_gru_weights(run.layer.get_weights(), run.layer.reset_after)
    for array, expected in zip(found.to_list(), run.weights.to_list(), strict=True):
        np.testing.assert_array_equal(array, expected)


def test_keras_takes_our_weights_back(form: str, make_layer, make_inputs) -> None:
    layer, inputs = make_layer(form), make_inputs()
    weights = initialize_gru(np.random.default_rng(5), num_inputs=3, units=8, reset_after=layer.reset_after)
    layer.set_weights(weights.to_list())
    assert np.abs(unroll(weights, inputs).states.hidden - layer(inputs)[0].numpy()).max() <= 1e-6


# The equations


def test_a_step_is_its_equations_number_by_number(form: str, make_weights) -> None:
    """Two inputs, one unit, and the functions of `math`."""
    weights = make_weights(form, num_inputs=2, units=1)
    (b, d) = weights.bias.tolist() if weights.reset_after else (weights.bias.tolist(), [0, 0, 0])
    u, (x, h) = weights.recurrent_kernel[0].tolist(), ([0.7, -1.2], 0.3)
    read = [x[0] * weights.kernel[0, gate] + x[1] * weights.kernel[1, gate] + b[gate] for gate in range(3)]
    z, r = (1 / (1 + exp(-(read[gate] + h * u[gate] + d[gate]))) for gate in (0, 1))
    g = tanh(read[2] + (r * (h * u[2] + d[2]) if weights.reset_after else (r * h) * u[2]))
    state, gates = step_gru(weights, np.array([x]), GRUState(np.array([[h]])))
    np.testing.assert_allclose(np.ravel(state), [z * h + (1 - z) * g], rtol=1e-14)
    np.testing.assert_allclose(np.ravel(gates), [z, r, g], rtol=1e-14)


def set_gates(weights: GRUWeights, **biases: float) -> GRUWeights:
    """Gates that see nothing but their bias; the recurrent kernel of the candidate stays."""
    bias = np.repeat([biases.get(gate, 0.0) for gate in GRU_GATES], weights.units)
    is_candidate = np.repeat([0, 0, 1], weights.units)
    return GRUWeights(
        0 * weights.kernel,
        weights.recurrent_kernel * is_candidate,
        np.stack([bias, 0 * bias]) if weights.reset_after else bias,
    )


def test_open_update_gate_keeps_the_state(form: str, make_weights, make_inputs, make_state) -> None:
    weights = set_gates(make_weights(form), update=1000, candidate=3)
    initial = make_state(weights, batch=4)
    hidden = unroll(weights, make_inputs(time=200), initial=initial).states.hidden
    np.testing.assert_array_equal(hidden, np.broadcast_to(initial.hidden[:, None], hidden.shape))


def test_closed_update_gate_writes_the_candidate(form: str, make_weights, make_inputs) -> None:
    trace = unroll(set_gates(make_weights(form), update=-1000, candidate=0.4), make_inputs())
    np.testing.assert_array_equal(trace.states.hidden, trace.gates.candidate)


def test_closed_reset_gate_hides_the_state_from_the_candidate(form: str, make_weights, make_inputs) -> None:
    trace = unroll(set_gates(make_weights(form), reset=-1000, candidate=0.4), make_inputs())
    np.testing.assert_allclose(trace.gates.candidate, tanh(0.4), rtol=1e-14)


def test_forms_are_the_same_where_the_reset_gate_is_open(make_weights, make_inputs) -> None:
    after = set_gates(make_weights("gru_reset_after"), reset=1000)
    hidden = unroll(after, make_inputs()).states.hidden
    np.testing.assert_allclose(unroll(replace(after, bias=after.bias[0]), make_inputs()).states.hidden, hidden)


# Wrong versions that run, which the comparison with Keras must tell from the right one


def feed_hidden_state_twice(weights: GRUWeights, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
    """Wrong: the kernel reads inputs and hidden state side by side, and the recurrent kernel the state once more."""
    wide = replace(weights, kernel=np.concatenate([weights.kernel, weights.recurrent_kernel]))
    return step_gru(wide, np.concatenate([inputs, state.hidden], axis=-1), state)


def never_use_the_reset_gate(weights: GRUWeights, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
    """Wrong: the reset gate is computed, and the candidate sees the whole state."""
    input_bias, recurrent_bias = weights.split_biases()
    read = np.split(inputs @ weights.kernel + input_bias, 3, axis=-1)
    remembered = np.split(state.hidden @ weights.recurrent_kernel + recurrent_bias, 3, axis=-1)
    z, r = sigmoid(read[0] + remembered[0]), sigmoid(read[1] + remembered[1])
    candidate = np.tanh(read[2] + remembered[2])
    return GRUState(z * state.hidden + (1 - z) * candidate), GRUGates(z, r, candidate)


def mix_the_other_way(weights: GRUWeights, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
    """Wrong for Keras: z and 1 − z swapped, as in Chung et al. (2014)."""
    _, gates = step_gru(weights, inputs, state)
    return GRUState((1 - gates.update) * state.hidden + gates.update * gates.candidate), gates


def swap_update_and_reset(weights: GRUWeights, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
    """Wrong: reads the columns as reset, update, candidate, as in PyTorch."""
    parts = [np.split(array, 3, axis=-1) for array in weights.to_list()]
    return step_gru(GRUWeights(*(np.concatenate([z, r, h], -1) for r, z, h in parts)), inputs, state)


def reset_at_the_other_side(weights: GRUWeights, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
    """Wrong: takes one form for the other; with two biases, their sum for the one."""
    bias = weights.bias.sum(axis=0) if weights.reset_after else np.stack([weights.bias, 0 * weights.bias])
    return step_gru(replace(weights, bias=bias), inputs, state)


def test_right_step_passes_the_comparison(run: SimpleNamespace, step_through: Callable[..., np.ndarray]) -> None:
    hidden = step_through(step_gru, run.weights, run.inputs)
    assert np.abs(hidden - run.keras[0]).max() <= run.tolerance


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
    assert np.abs(hidden - run.keras[0]).max() > 10_000 * TOLERANCES["float32"]


# Weights


def test_shape_of_the_bias_says_which_form_it_is(form: str, make_weights) -> None:
    assert make_weights(form).reset_after == (form == "gru_reset_after")


def test_form_with_reset_before_has_no_bias_of_the_state(make_weights) -> None:
    weights = make_weights("gru_reset_before")
    input_bias, recurrent_bias = weights.split_biases()
    np.testing.assert_array_equal(input_bias, weights.bias)
    assert (recurrent_bias.shape, recurrent_bias.any()) == (weights.bias.shape, False)


@pytest.mark.parametrize(
    "shapes",
    [
        [(3, 16), (4, 16), (16,)],
        [(3, 12), (4, 12), (3, 12)],
        [(3, 12), (4, 12), (1,)],
        [(4, 12), (3, 12), (12,)],
        [(3, 12), (4, 12), (4, 12)],
    ],
)
def test_weights_of_another_cell_or_order_are_refused(shapes: list[tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"expected kernel, recurrent kernel and bias of shapes .* received"):
        GRUWeights(*map(np.zeros, shapes))


def test_bias_of_the_other_form_is_refused(form: str, make_weights) -> None:
    weights = make_weights(form)
    with pytest.raises(ValueError, match=f"reset_after: received {not weights.reset_after} and a bias of shape"):
        read_gru_weights(weights.to_list(), reset_after=not weights.reset_after)


# Weights before training


def test_biases_before_training_are_those_of_keras(form: str, make_layer) -> None:
    layer = make_layer(form, bias_scale=0.0)
    weights = initialize_gru(np.random.default_rng(0), 3, 8, reset_after=layer.reset_after)
    np.testing.assert_array_equal(weights.bias, layer.get_weights()[2])


def test_reset_after_is_the_default() -> None:
    assert initialize_gru(np.random.default_rng(0), num_inputs=3, units=2).reset_after


def test_spread_of_the_kernel_is_that_of_keras(make_layer) -> None:
    expected, *_ = make_layer("gru_reset_after", num_inputs=50, units=40).get_weights()
    kernel = initialize_gru(np.random.default_rng(0), num_inputs=50, units=40).kernel
    assert kernel.std() == pytest.approx(expected.std(), rel=0.03)


def test_rows_of_the_recurrent_kernel_are_orthonormal_as_in_keras(make_layer) -> None:
    ours = initialize_gru(np.random.default_rng(0), num_inputs=3, units=8).recurrent_kernel
    theirs = make_layer("gru_reset_after", units=8).get_weights()[1]
    np.testing.assert_allclose(ours @ ours.T, np.eye(8), rtol=0, atol=1e-14)
    np.testing.assert_allclose(theirs @ theirs.T, np.eye(8), rtol=0, atol=1e-5)
