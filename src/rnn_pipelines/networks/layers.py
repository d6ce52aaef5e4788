"""Recurrent layers of Keras and those that it lacks, and the summary of a network's layers."""

from pathlib import Path
from typing import Any

import keras
from keras import ops

from rnn_pipelines.cells.registry import CELLS
from rnn_pipelines.networks.records import LayerRecord


@keras.saving.register_keras_serializable("rnn_pipelines")
class MaskedPooling(keras.layers.Layer):
    """Maximum (`max`), `mean` or both of each feature over all steps except padding, concatenated."""

    def __init__(self, kinds: tuple[str, ...] = ("max", "mean"), **options: Any) -> None:
        super().__init__(**options)
        self.kinds = tuple(kinds)
        self.supports_masking = True

    def call(self, values: Any, mask: Any) -> Any:
        """Pool float32[batch, time, feature] with a bool[batch, time] mask to float32[batch, num_kinds · feature].

        It is 0 if all steps are padding.
        """
        weights = ops.cast(mask, values.dtype)[:, :, None]
        num_words = ops.sum(weights, axis=1)
        pooled = {}
        if "max" in self.kinds:
            greatest = ops.max(ops.where(weights > 0, values, -1e9), axis=1)
            pooled["max"] = ops.where(num_words > 0, greatest, 0.0)
        if "mean" in self.kinds:
            pooled["mean"] = ops.sum(values * weights, axis=1) / ops.maximum(num_words, 1.0)
        return ops.concatenate([pooled[kind] for kind in self.kinds], axis=-1)

    def compute_mask(self, values: Any, mask: Any = None) -> None:
        """Return no mask, because the output has no steps."""

    def get_config(self) -> dict[str, Any]:
        return super().get_config() | {"kinds": self.kinds}


class MinGRUCell(keras.layers.Layer):
    """A step of a minimal GRU, with the equations of `cells.min_gru`."""

    def __init__(self, units: int) -> None:
        super().__init__()
        self.units = self.state_size = units

    def build(self, shape: Any) -> None:
        self.kernel = self.add_weight(
            shape=(shape[-1], 2 * self.units), initializer="glorot_uniform", name="kernel"
        )
        self.bias = self.add_weight(shape=(2 * self.units,), initializer="zeros", name="bias")

    def call(self, inputs: Any, states: Any) -> tuple[Any, Any]:
        """Return the next state, float32[batch, units], as output and as state."""
        update, candidate = ops.split(ops.matmul(inputs, self.kernel) + self.bias, 2, axis=-1)
        update = ops.sigmoid(update)
        state = update * states[0] + (1 - update) * candidate
        return state, [state]


@keras.saving.register_keras_serializable("rnn_pipelines")
class MinGRU(keras.layers.RNN):
    """A minimal GRU over all steps; the options are those of `keras.layers.RNN`, such as `return_sequences`."""

    def __init__(self, units: int, **options: Any) -> None:
        super().__init__(MinGRUCell(units), **options)
        self.units = units

    def get_config(self) -> dict[str, Any]:
        return {name: value for name, value in super().get_config().items() if name != "cell"} | {
            "units": self.units
        }

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "MinGRU":
        """Return a layer with this configuration; that of Keras would expect its cell."""
        return cls(**config)


def find_layer(name: str) -> Any:
    """Return the class of recurrent layers of a cell, of `rnn` (no gates), or of a name in Keras or in this module."""
    kind = CELLS[name].keras_layer if name in CELLS else {"rnn": "SimpleRNN"}.get(name, name)
    return globals().get(kind) or getattr(keras.layers, kind)


def load_keras_model(path: Path) -> keras.Model:
    """Return the model in a `.keras` file, not compiled."""
    # The layers of an archive may contain code; safe mode refuses to run it.
    return keras.saving.load_model(path, compile=False, safe_mode=True)


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
