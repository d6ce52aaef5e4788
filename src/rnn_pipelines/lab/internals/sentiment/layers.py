"""Traces of a classifier's recurrent layer: inputs, gates and states from its equations, checked against Keras.

The equations are those of `rnn_pipelines.cells`. Keras provides the inputs, weights and outputs of the layer.
"""

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np
from keras import layers

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.cells.unroll import Trace, unroll
from rnn_pipelines.errors import NetworkError
from rnn_pipelines.lab.internals.checks import compare_states, count_by_gate
from rnn_pipelines.lab.internals.records import LayerTrace, NetworkSummary
from rnn_pipelines.networks.layers import summarize_layers

ACTIVATIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}


def trace_layer(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> list[LayerTrace]:
    """Trace the first recurrent layer of a network over a batch, in each of its directions.

    The model may use only some of the inputs. A NetworkError is raised if there is no recurrent layer, the equations do
    not cover its options, or the states differ from those of Keras.
    """
    layer = find_recurrent_layer(model)
    # The inputs of the layer, and its mask if it has one.
    tensors = list(layer.input) if isinstance(layer.input, (list, tuple)) else [layer.input]
    probe = keras.Model(model.input, [*tensors, layer.output])
    steps, *masks, outputs = probe.predict_on_batch({name: inputs[name] for name in model.input})
    mask = masks[0] if masks else np.ones(steps.shape[:2], bool)
    is_bidirectional = isinstance(layer, layers.Bidirectional)
    directions = [layer.forward_layer, layer.backward_layer] if is_bidirectional else [layer]
    parts = np.split(outputs, len(directions), axis=-1)
    return [
        _trace_direction(part, steps, mask, expected)
        for part, expected in zip(directions, parts, strict=True)
    ]


def find_recurrent_layer(model: keras.Model) -> keras.Layer:
    """Return the first recurrent layer after the input."""
    for layer in model.layers:
        if isinstance(layer, (layers.LSTM, layers.GRU, layers.Bidirectional)):
            return layer
    received = [layer.name for layer in model.layers]
    raise NetworkError(f"{model.name}: expected an LSTM or GRU layer, received {received}.")


def summarize_classifier(model: keras.Model) -> NetworkSummary:
    """Return the layers of a network and the number of its parameters."""
    return {"layers": summarize_layers(model), "num_parameters": model.count_params()}


def _trace_direction(
    layer: keras.Layer, steps: np.ndarray, mask: np.ndarray, expected: np.ndarray
) -> LayerTrace:
    for name, expected_name in ACTIVATIONS.items():
        received = getattr(layer, name).__name__
        if received != expected_name:
            raise NetworkError(
                f"{layer.name}: expected the {name} {expected_name} of the equations, received {received}. "
                f"Train the network with {expected_name}."
            )
    cell = next(cell for cell in CELLS.values() if cell.keras_layer == type(layer).__name__)
    arrays = layer.get_weights()
    by_gate = count_by_gate(layer.name, cell, arrays)
    weights = cell.weights.from_list(arrays)
    trace: Trace[Any, Any] = unroll(weights, steps, mask, backwards=layer.go_backwards)
    return LayerTrace(
        cell,
        weights,
        steps,
        mask,
        trace,
        compare_states(layer.name, trace, mask, expected),
        by_gate,
    )
