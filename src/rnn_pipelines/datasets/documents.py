"""Documents with the name of the run that made them: reports as HTML pages, and values as standard JSON."""

import json
from collections.abc import Sequence
from typing import Any

from kedro_datasets._typing import JSONPreview

from rnn_pipelines.champion.records import make_plain
from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.report.origin import name_run


class PageDataset(OneFileDataset):
    """Dataset of one HTML page of `rnn_pipelines.report.page`."""

    facts: Sequence[str] = ()  # of the current run, written beside its name

    def load(self) -> str:
        with self._open_to_read() as file:
            return file.read().decode()

    def save(self, data: str) -> None:
        with self._open_to_write() as file:
            file.write(name_run(data, self.run, self.facts).encode())


class StrictJSONDataset(OneFileDataset):
    """Dataset of plain values as JSON.

    JSON has no infinity and no NaN: a number that is not finite is saved as null and loaded as None. An object gets the
    key `run`, which `load` removes.
    """

    def load(self) -> Any:
        with self._open_to_read() as file:
            found = json.load(file)
        if isinstance(found, dict):
            found.pop("run", None)
        return found

    def save(self, data: Any) -> None:
        plain = make_plain(data)
        if self.run is not None and isinstance(plain, dict):
            plain = {"run": self.run, **plain}
        content = json.dumps(plain, indent=2, allow_nan=False, ensure_ascii=False)
        with self._open_to_write() as file:
            file.write(f"{content}\n".encode())

    def preview(self) -> JSONPreview:
        with self._open_to_read() as file:
            return JSONPreview(file.read().decode())
