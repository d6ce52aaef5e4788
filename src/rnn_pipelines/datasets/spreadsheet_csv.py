"""A CSV file for spreadsheets, in which texts cannot be mistaken for formulas."""

import pandas as pd
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.datasets.texts import refuse_broken_texts
from rnn_pipelines.storage.spreadsheets import change_texts, unmark_text, write_csv


class SpreadsheetCSVDataset(OneFileDataset):
    """Dataset of a table as a CSV file in which no text is a formula, without row labels.

    Texts come from untrusted sources, and a spreadsheet would run a cell such as `=HYPERLINK(…)`. Therefore a `'` is
    put before a text whose first character other than white space is one of `= + - @`, or that begins with a tab, a
    line break or `'`. Numbers get no mark. To restore the texts, remove one `'` from the beginning of each text that
    has one, as `load` does. CSV cannot preserve every text: pandas reads an empty text as a missing value, and a column
    in which all texts look like numbers as numbers.
    """

    def save(self, data: pd.DataFrame) -> None:
        refuse_broken_texts(data, str(self._filepath))
        content = write_csv(data)
        with self._open_to_write() as file:
            file.write(content)

    def load(self) -> pd.DataFrame:
        with self._open_to_read() as file:
            return change_texts(pd.read_csv(file), unmark_text)

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows, for kedro-viz."""
        return TablePreview(self.load().head(nrows).astype(str).to_dict(orient="split"))
