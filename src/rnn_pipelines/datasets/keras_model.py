"""Keras models in the `.keras` format, versioned. Keras is imported at the first use."""

import json
import zipfile
from collections.abc import Mapping

from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.networks.hints import KerasModel
from rnn_pipelines.networks.packing import pack_model, unpack_model


class KerasModelDataset(OneFileDataset):
    """Dataset of a Keras model for prediction: a `.keras` file of architecture and weights, without the optimizer.

    kedro-datasets' own TensorFlow dataset imports TensorFlow with its class, which would slow down every Kedro command.
    """

    def load(self) -> KerasModel | Mapping[str, KerasModel]:
        """Return the model, ready for prediction, not compiled; an empty mapping if there is none."""
        if not self.exists():
            return {}
        with self._open_to_read() as file:
            return unpack_model(file.read())

    def save(self, data: KerasModel | Mapping[str, KerasModel]) -> None:
        """Save a model. An empty mapping stands for no model, because a node cannot omit an output or return None."""
        if isinstance(data, Mapping):
            self._remove()
            return
        packed = pack_model(data)
        with self._open_to_write() as file:
            file.write(packed)

    def preview(self) -> TablePreview:
        """Return name, kind and units of each layer, from the archive's own JSON, for kedro-viz."""
        with self._open_to_read() as file, zipfile.ZipFile(file) as archive:
            layers = json.loads(archive.read("config.json"))["config"]["layers"]
        rows = [
            [layer["config"]["name"], layer["class_name"], layer["config"].get("units", "")]
            for layer in layers
        ]
        return TablePreview(
            {"index": list(range(len(rows))), "columns": ["layer", "kind", "units"], "data": rows}
        )
