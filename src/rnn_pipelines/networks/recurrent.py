"""The recurrent layers by name, and the summary of a network's layers."""

import keras
from keras import layers

from rnn_pipelines.networks.records import LayerRecord

RECURRENT_LAYERS = {"rnn": layers.SimpleRNN, "lstm": layers.LSTM, "gru": layers.GRU}


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
