"""Keras models in the `.keras` format, versioned, without loading Keras before it is needed."""

import json
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
from kedro.io.core import AbstractVersionedDataset, Version, get_filepath_str, get_protocol_and_path
from kedro_datasets._typing import TablePreview

from rnn_pipelines.networks.packing import pack_model, unpack_model

if TYPE_CHECKING:
    from keras import Model


class KerasModelDataset(AbstractVersionedDataset[Any, Any]):
    """Saves and loads a model for prediction: architecture and weights, no optimizer.

    kedro-datasets' own TensorFlow dataset imports TensorFlow with its class, which every Kedro command would pay for.

    Args:
        filepath: a file that ends in `.keras`, on any file system of fsspec that needs no
            credentials here (cloud SDKs find theirs in the environment).
        version: load and save version; kept by Kedro.
        metadata: for Kedro's plugins.
    """

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        protocol, path = get_protocol_and_path(filepath, version)
        self._protocol = protocol
        self._fs = fsspec.filesystem(protocol, **({"auto_mkdir": True} if protocol == "file" else {}))
        self.metadata = metadata
        super().__init__(
            filepath=PurePosixPath(path), version=version, exists_function=self._fs.exists, glob_function=self._fs.glob
        )

    def load(self) -> "Model":
        """The model, ready for prediction, not compiled."""
        with self._fs.open(get_filepath_str(self._get_load_path(), self._protocol), "rb") as file:
            return unpack_model(file.read())

    def save(self, data: "Model") -> None:
        packed = pack_model(data)
        with self._fs.transaction, self._fs.open(get_filepath_str(self._get_save_path(), self._protocol), "wb") as file:
            file.write(packed)
        self._fs.invalidate_cache(get_filepath_str(self._filepath, self._protocol))

    def preview(self) -> TablePreview:
        """The layers and their settings, read from the archive's own JSON, for kedro-viz."""
        path = get_filepath_str(self._get_load_path(), self._protocol)
        with self._fs.open(path, "rb") as file, zipfile.ZipFile(file) as archive:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
        rows = [[layer["config"]["name"], layer["class_name"], layer["config"].get("units", "")] for layer in layers]
        return TablePreview({"index": list(range(len(rows))), "columns": ["layer", "kind", "units"], "data": rows})

    def _exists(self) -> bool:
        return bool(self._fs.exists(get_filepath_str(self._get_load_path(), self._protocol)))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "protocol": self._protocol, "version": self._version}
