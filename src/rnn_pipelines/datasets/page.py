"""A report as an HTML page, with the name of its run at the end."""

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.report.origin import name_run


class PageDataset(OneFileDataset):
    """Dataset of one HTML page of `rnn_pipelines.report.page`.

    Attributes:
        facts: of the current run, written beside its name.
    """

    facts: tuple[str, ...] = ()

    def load(self) -> str:
        with self._open_to_read() as file:
            return file.read().decode()

    def save(self, data: str) -> None:
        with self._open_to_write() as file:
            file.write(name_run(data, self.run, self.facts).encode())
