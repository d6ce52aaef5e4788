"""A text classifier with all that it needs in one file, so that its parts always belong together."""

import io
import zipfile
from typing import TYPE_CHECKING

from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.sentiment.model.packing import NGRAMS, SETTINGS, VOCABULARY, pack, unpack

if TYPE_CHECKING:
    from rnn_pipelines.sentiment.model.classifier import TextClassifier

# The archive's folder for the `.keras` files.
FOLDER = "networks/"


class TextClassifierDataset(OneFileDataset):
    """Saves and loads a `TextClassifier` as a zip file of `.keras`, JSON and `.npz` files; nothing is pickled."""

    def load(self) -> "TextClassifier":
        """The classifier; where there is none yet, a DatasetError that says how to get one."""
        if not self.exists():
            raise DatasetError(f"{self._filepath}: no classifier yet. Run kedro run --pipelines=sentiment first.")
        with self._open_to_read() as file, zipfile.ZipFile(file) as archive:
            # Those that must be there by name, so that one that is missing is named.
            names = dict.fromkeys((SETTINGS, VOCABULARY, NGRAMS, *archive.namelist()))
            return unpack({name.removeprefix(FOLDER): archive.read(name) for name in names})

    def save(self, data: "TextClassifier") -> None:
        """Packs the classifier whole before the file is opened."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in pack(data).items():
                archive.writestr(f"{FOLDER if name.endswith('.keras') else ''}{name}", content)
        with self._open_to_write() as file:
            file.write(packed.getvalue())

    def preview(self) -> JSONPreview:
        """How the models are weighed and texts are cut, for kedro-viz."""
        with self._open_to_read() as file, zipfile.ZipFile(file) as archive:
            return JSONPreview(archive.read(SETTINGS).decode())
