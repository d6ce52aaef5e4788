"""The type of a Keras model in hints, without an import of Keras."""

from typing import TYPE_CHECKING, Any

# Kedro resolves the hints of nodes when it checks parameters. That must not load Keras.
if TYPE_CHECKING:
    from keras import Model as KerasModel
else:
    KerasModel = Any

__all__ = ["KerasModel"]
