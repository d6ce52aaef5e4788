"""A CSV file for spreadsheets, in which texts cannot be mistaken for formulas."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.datasets.texts import refuse_broken_texts

MARK = "'"
# Beginnings of texts that Excel, LibreOffice and Google Sheets read as a formula, also in full width and after blanks.
# The mark itself too, so that removing one mark always restores the text.
RISKY = re.compile(r"[\t\r\n']|\s*[=+\-@＝＋－＠]")


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
        # By default, pandas does not quote a carriage return, so that a text with one would become two rows.
        content = _change_texts(data, mark_text).to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
        with self._open_to_write() as file:
            file.write(content.encode())

    def load(self) -> pd.DataFrame:
        with self._open_to_read() as file:
            return _change_texts(pd.read_csv(file), unmark_text)

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows, for kedro-viz."""
        return TablePreview(self.load().head(nrows).astype(str).to_dict(orient="split"))


def mark_text(text: str) -> str:
    """Return the text with a mark if a spreadsheet would read it as a formula."""
    return MARK + text if RISKY.match(text) else text


def unmark_text(text: str) -> str:
    """Return the original of a text that was read from the file."""
    return text.removeprefix(MARK)


def _change_texts(data: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    texts = data.select_dtypes(["str", "object", "category"]).astype(object)
    changed = texts.map(lambda value: change(value) if isinstance(value, str) else value)
    return data.assign(**{str(name): changed[name].astype(_forget_categories(data[name].dtype)) for name in changed})


def _forget_categories(dtype: Any) -> Any:
    return object if isinstance(dtype, pd.CategoricalDtype) else dtype
