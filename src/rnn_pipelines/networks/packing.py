"""Networks as the bytes of files; nothing is pickled."""

import tempfile
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.keras_start import prepare_keras
from rnn_pipelines.storage.arrays import check_finite
from rnn_pipelines.storage.formats import naming_damage


def pack_model(model: KerasModel) -> bytes:
    """Return the `.keras` file of a model: architecture and weights, no optimizer."""
    # A copy that was never compiled, because Keras always saves the optimizer of a compiled model.
    plain = type(model).from_config(model.get_config())
    plain.set_weights(model.get_weights())
    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, "model.keras")
        plain.save(local)
        return local.read_bytes()


def unpack_model(packed: bytes) -> KerasModel:
    """Return the model in a `.keras` file, ready for prediction, not compiled."""
    prepare_keras()
    # Keras finds the project's own layers by name once they are imported.
    from rnn_pipelines.networks.layers import load_keras_model

    with tempfile.TemporaryDirectory() as folder:
        local = Path(folder, "model.keras")
        local.write_bytes(packed)
        return load_keras_model(local)


def pack_networks(networks: Mapping[str, KerasModel]) -> dict[str, bytes]:
    """Return a `.keras` file for each network: content by file name."""
    return {f"{name}.keras": pack_model(network) for name, network in networks.items()}


def unpack_networks(files: Mapping[str, bytes]) -> dict[str, KerasModel]:
    """Return the networks among some files, by the names given to `pack_networks`.

    Raise a ChampionError that names the file if one is damaged, or has weights that are not finite.
    """
    networks = {}
    for name in files:
        if name.endswith(".keras"):
            with naming_damage(name):
                network = unpack_model(files[name])
                check_finite({variable.path: variable.numpy() for variable in network.weights})
                networks[PurePosixPath(name).stem] = network
    return networks
