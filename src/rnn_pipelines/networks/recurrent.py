"""The classes of recurrent layers, and the summary of a network's layers."""

from typing import Any

import keras
from keras import layers

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.networks import layers as own_layers
from rnn_pipelines.networks.records import LayerRecord


def find_layer(name: str) -> Any:
    """Return a class of recurrent layers, of Keras or of `networks.layers`."""
    return getattr(layers, name, None) or getattr(own_layers, name)


# The layer of each cell. A simple recurrent layer has no gates, and no entry in `CELLS`.
RECURRENT_LAYERS = {"rnn": layers.SimpleRNN} | {name: find_layer(cell.keras_layer) for name, cell in CELLS.items()}


def summarize_layers(model: keras.Model) -> list[LayerRecord]:
    """Return a record of each layer, from input to output."""
    return [
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output_shape": list(layer.output.shape[1:]),
            "num_parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
