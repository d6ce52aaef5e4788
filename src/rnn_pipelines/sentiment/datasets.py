"""A text classifier with all that it needs in one file, so that its parts always belong together."""

import io
import zipfile
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

import fsspec
from kedro.io.core import AbstractVersionedDataset, DatasetError, Version, get_filepath_str, get_protocol_and_path
from kedro_datasets._typing import JSONPreview

from rnn_pipelines.sentiment.packing import NGRAMS, SETTINGS, VOCABULARY, pack, unpack

if TYPE_CHECKING:
    from rnn_pipelines.sentiment.classifier import TextClassifier

# The archive's folder for the `.keras` files.
FOLDER = "networks/"


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
        if not self.exists():
            raise DatasetError(f"{self._filepath}: no classifier yet. Run kedro run --pipelines=sentiment first.")
        with self._fs.open(self._get_path(), "rb") as file, zipfile.ZipFile(file) as archive:
            # Those that must be there by name, so that one that is missing is named.
            names = dict.fromkeys((SETTINGS, VOCABULARY, NGRAMS, *archive.namelist()))
            return unpack({name.removeprefix(FOLDER): archive.read(name) for name in names})

    def save(self, data: "TextClassifier") -> None:
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in pack(data).items():
                archive.writestr(f"{FOLDER if name.endswith('.keras') else ''}{name}", content)
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
