"""LSTM and both forms of the GRU are those of Keras, gate by gate."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from cell_weights import draw_weights
from rnn_pipelines.cells.gru import GRUWeights
from rnn_pipelines.cells.lstm import LSTMWeights
from rnn_pipelines.cells.unroll import unroll


def read_weights(layer: Any) -> LSTMWeights | GRUWeights:
    return (LSTMWeights if type(layer).__name__ == "LSTM" else GRUWeights)(*layer.get_weights())


def test_outputs_equal_those_of_keras(run: SimpleNamespace) -> None:
    assert np.abs(run.trace.states.hidden - run.keras[0]).max() <= run.tolerance


def test_the_last_state_equals_that_of_keras(run: SimpleNamespace) -> None:
    for ours, expected in zip(run.trace.states, run.keras[1:], strict=True):
        assert np.abs(ours[:, -1] - expected).max() <= run.tolerance


def test_weights_are_read_as_keras_lists_them(run: SimpleNamespace) -> None:
    for array, expected in zip(
        read_weights(run.layer).to_list(), run.weights.to_list(), strict=True
    ):
        np.testing.assert_array_equal(array, expected)


def test_steps_one_by_one_give_the_outputs_of_keras(run: SimpleNamespace, step_through) -> None:
    step: Any = LSTMWeights.step if isinstance(run.weights, LSTMWeights) else GRUWeights.step
    assert np.abs(step_through(step, run.weights, run.inputs) - run.keras[0]).max() <= run.tolerance


@pytest.mark.parametrize("implementation", [1, 2])
def test_each_gate_equals_that_of_keras(
    run: SimpleNamespace, record_gates, implementation: int
) -> None:
    """By both of the ways in which Keras computes a step."""
    outputs, calls = record_gates(run.layer, run.inputs, implementation=implementation)
    assert np.abs(outputs - run.keras[0]).max() <= run.tolerance
    # For an LSTM, Keras also applies an activation to the cell state, last.
    for gate, expected in zip(run.trace.gates._fields, calls, strict=False):
        assert np.abs(getattr(run.trace.gates, gate) - expected).max() <= run.tolerance, gate


def test_keras_takes_our_weights_back(kind: str, make_layer, make_inputs) -> None:
    layer = make_layer(kind)
    inputs = make_inputs()
    weights = draw_weights(np.random.default_rng(5), kind, num_inputs=3, units=8)
    layer.set_weights(weights.to_list())
    assert np.abs(unroll(weights, inputs).states.hidden - layer(inputs)[0].numpy()).max() <= 1e-6


@pytest.mark.parametrize(
    ("cell", "shapes"),
    [
        (LSTMWeights, [(3, 16), (4, 16), (2, 16)]),
        (LSTMWeights, [(3, 12), (4, 12), (12,)]),
        (LSTMWeights, [(3, 12), (4, 12), (2, 12)]),
        (LSTMWeights, [(3, 16), (4, 16), (1,)]),
        (LSTMWeights, [(4, 16), (3, 16), (16,)]),
        (LSTMWeights, [(3, 16), (4, 16), (4, 16)]),
        (GRUWeights, [(3, 16), (4, 16), (16,)]),
        (GRUWeights, [(3, 12), (4, 12), (3, 12)]),
        (GRUWeights, [(3, 12), (4, 12), (1,)]),
        (GRUWeights, [(4, 12), (3, 12), (12,)]),
        (GRUWeights, [(3, 12), (4, 12), (4, 12)]),
    ],
)
def test_weights_of_another_cell_or_order_are_refused(
    cell: type, shapes: list[tuple[int, ...]]
) -> None:
    with pytest.raises(ValueError, match="bias of shapes"):
        cell(*map(np.zeros, shapes))
