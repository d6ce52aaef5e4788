"""Networks and arrays as bytes, the contents of files; nothing is pickled."""

import io
import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from keras import Model


def pack_model(model: "Model") -> bytes:
    """The `.keras` file of a model: architecture and weights, no optimizer."""
    # A copy that was never compiled, because Keras keeps the optimizer in a `.keras` file whatever `save` is told.
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, "model.keras")
        plain.save(local)
        return local.read_bytes()


def unpack_model(packed: bytes) -> "Model":
    """The model in a `.keras` file, ready for prediction, not compiled."""
    import keras

    # Keras finds the project's own layers by name once they are imported.
    import rnn_pipelines.networks.layers  # noqa: F401

    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, "model.keras")
        local.write_bytes(packed)
        # An archive may hold code in its layers; safe mode refuses to run it.
        return keras.saving.load_model(local, compile=False, safe_mode=True)


def pack_networks(networks: "Mapping[str, Model]") -> dict[str, bytes]:
    """A `.keras` file for each network: content by file name."""
    return {f"{name}.keras": pack_model(network) for name, network in networks.items()}


def unpack_networks(files: Mapping[str, bytes]) -> "dict[str, Model]":
    """The networks among some files, by the names that `pack_networks` was given."""
    return {PurePosixPath(name).stem: unpack_model(files[name]) for name in files if name.endswith(".keras")}


def pack_arrays(arrays: Mapping[str, Any]) -> bytes:
    """A `.npz` file of arrays and numbers."""
    packed = io.BytesIO()
    np.savez(packed, allow_pickle=False, **arrays)
    return packed.getvalue()


def unpack_arrays(content: bytes) -> dict[str, np.ndarray]:
    """The arrays of a `.npz` file by name; a number is an array without axes."""
    with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
        return dict(arrays)
