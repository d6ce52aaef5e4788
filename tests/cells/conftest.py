"""Keras layers with known weights, what Keras really computes in them, and small networks of our own."""

from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cell_weights import draw_weights
from rnn_pipelines.cells.gru import GRUState, GRUWeights
from rnn_pipelines.cells.lstm import LSTMState, LSTMWeights
from rnn_pipelines.cells.unroll import unroll

Weights = LSTMWeights | GRUWeights
State = LSTMState | GRUState

KINDS = ("lstm", "gru_reset_after", "gru_reset_before")
TOLERANCES = {"float32": 1e-6, "float64": 1e-10}


@pytest.fixture(scope="session", params=KINDS)
def kind(request: pytest.FixtureRequest) -> str:
    """The LSTM and both forms of the GRU, one after the other."""
    return request.param


@pytest.fixture(scope="session")
def make_layer() -> Callable[..., Any]:
    """Makes a Keras layer that gives all outputs and the last state: weights as drawn by Keras, and random biases."""
    import keras

    def make(
        kind: str, num_inputs: int = 3, units: int = 8, bias_scale: float = 0.3, **options: Any
    ) -> Any:
        keras.utils.set_random_seed(0)
        options = {"return_sequences": True, "return_state": True, **options}
        if kind == "lstm":
            layer = keras.layers.LSTM(units, **options)
        else:
            layer = keras.layers.GRU(units, reset_after=kind == "gru_reset_after", **options)
        layer.build((None, None, num_inputs))
        kernel, recurrent_kernel, *biases = layer.get_weights()
        rng = np.random.default_rng(0)
        layer.set_weights(
            [
                kernel,
                recurrent_kernel,
                *(bias + rng.normal(0, bias_scale, bias.shape) for bias in biases),
            ]
        )
        return layer

    return make


@pytest.fixture(scope="session")
def read_layer() -> Callable[[Any], Weights]:
    """Takes the weights out of a Keras layer."""

    def read(layer: Any) -> Weights:
        return (LSTMWeights if type(layer).__name__ == "LSTM" else GRUWeights)(*layer.get_weights())

    return read


@pytest.fixture(scope="module", params=["float32", "float64"])
def run(
    request: pytest.FixtureRequest, kind: str, make_layer, read_layer, make_inputs
) -> SimpleNamespace:
    """120 steps of a layer in Keras and of ours: `layer, weights, inputs, keras, trace, tolerance`."""
    dtype = request.param
    layer = make_layer(kind, num_inputs=5, units=16, dtype=dtype)
    inputs = make_inputs(batch=8, time=120, num_inputs=5).astype(dtype)
    weights = read_layer(layer)
    outputs = [tensor.numpy() for tensor in layer(inputs)]
    trace = unroll(weights, inputs)
    return SimpleNamespace(
        layer=layer,
        weights=weights,
        inputs=inputs,
        keras=outputs,
        trace=trace,
        tolerance=TOLERANCES[dtype],
    )


@pytest.fixture(scope="session")
def record_gates() -> Callable[..., tuple[np.ndarray, list[np.ndarray]]]:
    """Steps through a Keras cell with a layer's weights: its outputs, and what its activation functions returned.

    An LSTM calls them for input, forget, candidate and output gate, and for the cell state; a GRU for update gate,
    reset gate and candidate.
    """
    import keras

    def record(
        layer: Any, inputs: np.ndarray, implementation: int = 2
    ) -> tuple[np.ndarray, list[np.ndarray]]:
        calls: list[np.ndarray] = []

        def recording(function: Callable[[Any], Any]) -> Callable[[Any], Any]:
            def call(values: Any) -> Any:
                result = function(values)
                calls.append(result.numpy())
                return result

            return call

        cell = type(layer.cell).from_config(
            {**layer.cell.get_config(), "dtype": layer.compute_dtype}
        )
        cell.implementation = implementation
        cell.activation, cell.recurrent_activation = (
            recording(keras.ops.tanh),
            recording(keras.ops.sigmoid),
        )
        cell.build((None, inputs.shape[2]))
        cell.set_weights(layer.get_weights())
        state = cell.get_initial_state(len(inputs))
        outputs = []
        gates = []
        for time in range(inputs.shape[1]):
            calls.clear()
            output, state = cell(inputs[:, time], state)
            outputs.append(output.numpy())
            gates.append(np.stack(calls))
        return np.stack(outputs, axis=1), list(np.stack(gates, axis=2))

    return record


@pytest.fixture(scope="session")
def step_through() -> Callable[..., np.ndarray]:
    """Goes through sequences with any function for a step, right or wrong, and returns the hidden states."""

    def run(step: Callable[..., Any], weights: Weights, inputs: np.ndarray) -> np.ndarray:
        zeros = np.zeros((len(inputs), weights.units), inputs.dtype)
        state = LSTMState(zeros, zeros) if isinstance(weights, LSTMWeights) else GRUState(zeros)
        hidden = []
        for time in range(inputs.shape[1]):
            state, _ = step(weights, inputs[:, time], state)
            hidden.append(state.hidden)
        return np.stack(hidden, axis=1)

    return run


@pytest.fixture(scope="session")
def make_weights() -> Callable[..., Weights]:
    """Makes float64 weights without Keras, with random biases."""

    def make(
        kind: str, num_inputs: int = 3, units: int = 4, bias_scale: float = 0.3, seed: int = 0
    ) -> Weights:
        rng = np.random.default_rng(seed)
        weights = draw_weights(rng, kind, num_inputs, units)
        return replace(weights, bias=weights.bias + rng.normal(0, bias_scale, weights.bias.shape))

    return make


@pytest.fixture(scope="session")
def make_state() -> Callable[..., State]:
    """Makes a random state, as it could be at the beginning of a sequence."""

    def make(weights: Weights, batch: int, seed: int = 2) -> State:
        fields = (
            np.random.default_rng(seed)
            .normal(0, 0.5, (2, batch, weights.units))
            .astype(weights.kernel.dtype)
        )
        return LSTMState(*fields) if isinstance(weights, LSTMWeights) else GRUState(fields[0])

    return make


@pytest.fixture(scope="session")
def make_inputs() -> Callable[..., np.ndarray]:
    """Makes normally distributed inputs, float64[batch, time, feature]."""

    def make(batch: int = 4, time: int = 10, num_inputs: int = 3, seed: int = 1) -> np.ndarray:
        return np.random.default_rng(seed).normal(size=(batch, time, num_inputs))

    return make
