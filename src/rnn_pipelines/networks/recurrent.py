"""What all networks of the project share."""

from typing import Any

import keras
from keras import layers

RECURRENT_LAYERS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


def summarize_layers(model: keras.Model) -> list[dict[str, Any]]:
    """What stands in the network: `layer, kind, output_shape, num_parameters` of each layer, from input to output."""
    return [
        {
            "layer": layer.name,
            "kind": type(layer).__name__,
            "output_shape": list(layer.output.shape[1:]),
            "num_parameters": layer.count_params(),
        }
        for layer in model.layers
    ]
