"""A report as a page, which says at its end which run made it."""

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.report.origin import name_run


class PageDataset(OneFileDataset):
    """Saves and loads one HTML page as `rnn_pipelines.report.page` makes it."""

    def load(self) -> str:
        with self._open_to_read() as file:
            return file.read().decode()

    def save(self, data: str) -> None:
        with self._open_to_write() as file:
            file.write(name_run(data, self.run).encode())
