"""Layers that Keras lacks."""

from typing import Any

import keras
from keras import ops


@keras.saving.register_keras_serializable("rnn_pipelines")
class MaskedPooling(keras.layers.Layer):
    """Maximum and mean of each feature over all steps except padding, concatenated.

    Args:
        kinds: `max`, `mean` or both.
    """

    def __init__(self, kinds: tuple[str, ...] = ("max", "mean"), **options: Any) -> None:
        super().__init__(**options)
        self.kinds = tuple(kinds)
        self.supports_masking = True

    def call(self, values: Any, mask: Any) -> Any:
        """Pool float32[batch, time, feature] with a bool[batch, time] mask to float32[batch, num_kinds · feature].

        The result is 0 if all steps are padding.
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
