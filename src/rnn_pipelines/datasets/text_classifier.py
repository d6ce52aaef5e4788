"""A text classifier with all that it needs in one file, so that its parts always belong together."""

import dataclasses
import io
import json
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
import numpy as np
from kedro.io.core import AbstractVersionedDataset, DatasetError, Version, get_filepath_str, get_protocol_and_path
from kedro_datasets._typing import JSONPreview

from rnn_pipelines.datasets.keras_model import pack_model, unpack_model

if TYPE_CHECKING:
    from rnn_pipelines.training.scoring import TextClassifier

SETTINGS, VOCABULARY, NGRAMS, NETWORKS = "settings.json", "vocabulary.json", "ngrams.npz", "networks/"


class TextClassifierDataset(AbstractVersionedDataset[Any, Any]):
    """Saves and loads a `TextClassifier` as a zip file of `.keras`, JSON and `.npz` files; nothing is pickled.

    Args:
        filepath: a file that ends in `.zip`, on any file system of fsspec that needs no credentials here.
        version: load and save version; kept by Kedro.
        metadata: for Kedro's plugins.
    """

    def __init__(
        self, *, filepath: str, version: Version | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._protocol, path = get_protocol_and_path(filepath, version)
        self._fs = fsspec.filesystem(self._protocol, **({"auto_mkdir": True} if self._protocol == "file" else {}))
        self.metadata = metadata
        super().__init__(
            filepath=PurePosixPath(path), version=version, exists_function=self._fs.exists, glob_function=self._fs.glob
        )

    def load(self) -> "TextClassifier":
        from rnn_pipelines.evaluation.nb_ngram import NgramClassifier
        from rnn_pipelines.text.encoding import PaddingSpec
        from rnn_pipelines.training.scoring import TextClassifier

        if not self.exists():
            raise DatasetError(f"{self._filepath}: no classifier yet. Run kedro run --pipelines=sentiment first.")
        with self._fs.open(self._get_path(), "rb") as file, zipfile.ZipFile(file) as archive:
            settings = json.loads(archive.read(SETTINGS))
            with np.load(io.BytesIO(archive.read(NGRAMS)), allow_pickle=False) as arrays:
                ngrams = {name: array if array.ndim else array.item() for name, array in arrays.items()}
            return TextClassifier(
                networks={
                    PurePosixPath(name).stem: unpack_model(archive.read(name))
                    for name in archive.namelist()
                    if name.startswith(NETWORKS)
                },
                ngrams=NgramClassifier(**ngrams),
                vocabulary=json.loads(archive.read(VOCABULARY)),
                padding=PaddingSpec(**settings["padding"]),
                calibration=settings["calibration"],
            )

    def save(self, data: "TextClassifier") -> None:
        packed, arrays = io.BytesIO(), io.BytesIO()
        np.savez(arrays, allow_pickle=False, **dataclasses.asdict(data.ngrams))
        settings = {"padding": data.padding.model_dump(), "calibration": dict(data.calibration)}
        with zipfile.ZipFile(packed, "w") as archive:
            archive.writestr(SETTINGS, json.dumps(settings, indent=2))
            archive.writestr(VOCABULARY, json.dumps(list(data.vocabulary), ensure_ascii=False, indent=0))
            archive.writestr(NGRAMS, arrays.getvalue())
            for name, network in data.networks.items():
                archive.writestr(f"{NETWORKS}{name}.keras", pack_model(network))
        path = get_filepath_str(self._get_save_path(), self._protocol)
        with self._fs.transaction, self._fs.open(path, "wb") as file:
            file.write(packed.getvalue())
        self._fs.invalidate_cache(get_filepath_str(self._filepath, self._protocol))

    def preview(self) -> JSONPreview:
        """How the models are weighed and texts are cut, for kedro-viz."""
        with self._fs.open(self._get_path(), "rb") as file, zipfile.ZipFile(file) as archive:
            return JSONPreview(archive.read(SETTINGS).decode())

    def _get_path(self) -> str:
        return get_filepath_str(self._get_load_path(), self._protocol)

    def _exists(self) -> bool:
        return bool(self._fs.exists(self._get_path()))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "protocol": self._protocol, "version": self._version}
