"""Results as a JSON object, which says which run made them."""

import json
from typing import Any

from kedro_datasets._typing import JSONPreview

from rnn_pipelines.datasets.one_file import OneFileDataset


class JSONObjectDataset(OneFileDataset):
    """Saves a dictionary of plain values as JSON that any program reads, and loads it.

    The key `run` is added to the file, and taken from what is loaded.
    """

    def load(self) -> dict[str, Any]:
        with self._open_to_read() as file:
            found: dict[str, Any] = json.load(file)
        found.pop("run", None)
        return found

    def save(self, data: dict[str, Any]) -> None:
        named = data if self.run is None else {"run": self.run, **data}
        # Numbers that are not finite are no JSON.
        content = json.dumps(named, indent=2, allow_nan=False, ensure_ascii=False)
        with self._open_to_write() as file:
            file.write(f"{content}\n".encode())

    def preview(self) -> JSONPreview:
        """The object, for kedro-viz."""
        with self._open_to_read() as file:
            return JSONPreview(file.read().decode())
