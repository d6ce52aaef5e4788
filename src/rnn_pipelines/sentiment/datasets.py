"""The Kedro dataset of a text classifier: one file, so that its parts always match."""

import io
import zipfile

from kedro.io.core import DatasetError
from kedro_datasets._typing import JSONPreview

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.sentiment.model.classifier import ClassifierArtefact
from rnn_pipelines.sentiment.model.packing import NGRAMS, SEEN, SETTINGS, pack, unpack
from rnn_pipelines.storage.formats import VOCABULARY

# The archive's folder for the `.keras` files.
FOLDER = "networks/"


class TextClassifierDataset(OneFileDataset):
    """A `ClassifierArtefact` as a zip file of `.keras`, JSON and `.npz` files, without pickles."""

    def load(self) -> ClassifierArtefact:
        """Return the classifier; a DatasetError names the command that creates a missing one."""
        if not self.exists():
            raise DatasetError(
                f"{self._filepath}: no classifier yet. Run kedro run --pipelines=sentiment first."
            )
        with self._open_to_read() as file, zipfile.ZipFile(file) as archive:
            # The required files are listed by name, so that the error names a missing one.
            names = dict.fromkeys((SETTINGS, VOCABULARY, NGRAMS, SEEN, *archive.namelist()))
            return unpack({name.removeprefix(FOLDER): archive.read(name) for name in names})

    def save(self, data: ClassifierArtefact) -> None:
        """Save the classifier. The archive is built in memory before the file is opened."""
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w") as archive:
            for name, content in pack(data).items():
                archive.writestr(f"{FOLDER if name.endswith('.keras') else ''}{name}", content)
        with self._open_to_write() as file:
            file.write(packed.getvalue())

    def preview(self) -> JSONPreview:
        """Return the settings for kedro-viz: calibration weights and padding."""
        with self._open_to_read() as file, zipfile.ZipFile(file) as archive:
            return JSONPreview(archive.read(SETTINGS).decode())
