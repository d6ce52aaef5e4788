"""A trained network's recurrent layer from its equations: what went into it, every gate and state, held against Keras.

The equations are those of `rnn_pipelines.cells`; Keras gives the layer's inputs and weights, and what it makes of them.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import keras
import numpy as np
import tensorflow as tf
from keras import layers

from rnn_pipelines.cells.conventions import count_weights_by_gate
from rnn_pipelines.cells.gru import read_gru_weights
from rnn_pipelines.cells.lstm import read_lstm_weights
from rnn_pipelines.cells.unroll import Trace, unroll
from rnn_pipelines.errors import NetworkError
from rnn_pipelines.internals.records import LayerTrace, NetworkSummary
from rnn_pipelines.networks.recurrent import summarize_layers

# Hidden states lie within ±1; what float32 rounds off in hundreds of steps is a hundred times less than this.
MAX_DIFFERENCE = 1e-4
ACTIVATIONS = {"activation": "tanh", "recurrent_activation": "sigmoid"}


def trace_layer(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> list[LayerTrace]:
    """Follows the first recurrent layer of a network through a batch, in each of its directions.

    Of a network with members, that is the layer of the first member.

    Args:
        model: a forecaster or a classifier, trained or not.
        inputs: by name; the model may need fewer of them.
    Raises:
        NetworkError: there is no such layer, it isn't what the equations say, or its states are not those of Keras.
    """
    model, layer = find_recurrent_layer(model)
    tensors = _list_inputs(layer)
    probe = keras.Model(model.input, [*tensors, layer.output])
    steps, *masks, outputs = probe.predict_on_batch({name: inputs[name] for name in model.input})
    mask = masks[0] if masks else np.ones(steps.shape[:2], bool)
    directions = _list_directions(layer)
    parts = np.split(outputs, len(directions), axis=-1)
    return [_trace_direction(part, steps, mask, expected) for part, expected in zip(directions, parts, strict=True)]


def find_recurrent_layer(model: keras.Model) -> tuple[keras.Model, keras.Layer]:
    """The first recurrent layer from the input on, and the network or member in which it stands."""
    for layer in model.layers:
        if isinstance(layer, keras.Model):
            return find_recurrent_layer(layer)
        if isinstance(layer, (layers.LSTM, layers.GRU, layers.Bidirectional)):
            return model, layer
    raise NetworkError(
        f"{model.name}: expected an LSTM or GRU layer, received {[layer.name for layer in model.layers]}."
    )


def summarize_network(model: keras.Model) -> NetworkSummary:
    """The layers of a network or of its first member, and the number of parameters of all members."""
    member, _ = find_recurrent_layer(model)
    return {"layers": summarize_layers(member), "num_parameters": model.count_params()}


def differentiate_forecast(model: keras.Model, inputs: Mapping[str, np.ndarray]) -> np.ndarray:
    """The gradient of the forecast one step ahead with respect to the history, through all of the network.

    Not through the recurrent layer alone: with `centre`, the level of the window reaches the forecast on its own way.

    Args:
        model: a forecaster.
        inputs: by name; the model may need fewer of them.
    Returns:
        float32[batch, lookback, feature].
    """
    tensors = {name: tf.constant(inputs[name]) for name in model.input}
    with tf.GradientTape() as tape:
        tape.watch(tensors["history"])
        first = tf.reduce_sum(model(tensors, training=False)[:, 0])
    gradients: np.ndarray = tape.gradient(first, tensors["history"]).numpy()
    return gradients


def _list_inputs(layer: keras.Layer) -> list[Any]:
    """What the layer reads, and its mask if it has one."""
    return list(layer.input) if isinstance(layer.input, (list, tuple)) else [layer.input]


def _list_directions(layer: keras.Layer) -> list[keras.Layer]:
    return [layer.forward_layer, layer.backward_layer] if isinstance(layer, layers.Bidirectional) else [layer]


def _trace_direction(layer: keras.Layer, steps: np.ndarray, mask: np.ndarray, expected: np.ndarray) -> LayerTrace:
    _refuse_other_activations(layer)
    cell: Literal["lstm", "gru"] = "lstm" if isinstance(layer, layers.LSTM) else "gru"
    arrays = layer.get_weights()
    weights = read_lstm_weights(arrays) if cell == "lstm" else read_gru_weights(arrays, layer.reset_after)
    trace: Trace[Any, Any] = unroll(weights, steps, mask, backwards=layer.go_backwards)
    return LayerTrace(
        cell=cell,
        weights=weights,
        inputs=steps,
        mask=mask,
        trace=trace,
        max_difference=_compare(layer.name, trace, mask, expected),
        num_weights_by_gate=_count_by_gate(layer.name, cell, arrays),
    )


def _refuse_other_activations(layer: keras.Layer) -> None:
    for name, expected in ACTIVATIONS.items():
        received = getattr(layer, name).__name__
        if received != expected:
            raise NetworkError(
                f"{layer.name}: expected the {name} {expected}, for which the equations are written, received "
                f"{received}. Train the network with {expected}, as forecast.lstm.activation and "
                "forecast.gru.activation say."
            )


def _compare(name: str, trace: Trace[Any, Any], mask: np.ndarray, expected: np.ndarray) -> float:
    """The largest difference to what Keras gives: the states of all steps, or the last one that was read."""
    hidden = trace.states.hidden
    if expected.ndim == 3:
        differences = np.abs(hidden - expected)[mask]
    else:
        differences = np.abs(hidden[:, 0 if trace.backwards else -1] - expected)
    largest = float(differences.max(initial=0.0))
    # Not "above", which NaN never is.
    if not largest <= MAX_DIFFERENCE:
        raise NetworkError(
            f"{name}: expected hidden states within {MAX_DIFFERENCE:g} of those of Keras, received a difference of "
            f"{largest:.2g}. The layer does something that the equations in rnn_pipelines.cells don't say; look at its "
            "options."
        )
    return largest


def _count_by_gate(name: str, cell: Literal["lstm", "gru"], arrays: Sequence[np.ndarray]) -> dict[str, int]:
    """Counts the columns of each gate in all arrays, and holds them against the formula."""
    kernel, recurrent_kernel, *_ = arrays
    formula = count_weights_by_gate(cell, len(kernel), len(recurrent_kernel))
    counted = dict.fromkeys(formula, sum(array.size for array in arrays) // len(formula))
    if counted != formula:
        raise NetworkError(
            f"{name}: expected as many weights as the formula says, {formula}, received {counted}. Train the layer "
            "with its biases, as it has them by default."
        )
    return counted
