"""A CSV file that people open in a spreadsheet, which takes some texts for formulas."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import OneFileDataset
from rnn_pipelines.datasets.texts import refuse_broken_texts

MARK = "'"
# What Excel, LibreOffice and Google Sheets take for the beginning of a formula, also in full width and after blanks;
# the mark itself, so that whoever takes one away always has the text that was.
RISKY = re.compile(r"[\t\r\n']|\s*[=+\-@＝＋－＠]")


class SpreadsheetCSVDataset(OneFileDataset):
    """Saves a table as a CSV file in which no text is a formula, without row labels.

    Texts come from anyone, and a cell such as `=HYPERLINK(…)` would be run by whoever opens the file. There is a `'`
    before a text whose first character other than white space is one of `= + - @`, or that begins with a tab, a line
    break or `'`; before numbers, there is none. Whoever reads the file takes one `'` away from the beginning of each
    text that has one, and has the text that was. What CSV has no form for does not come back as text: pandas reads an
    empty text as a missing value, and a column in which all texts look like numbers as numbers.
    """

    def save(self, data: pd.DataFrame) -> None:
        refuse_broken_texts(data, str(self._filepath))
        # pandas quotes no carriage return by itself, so that a text with one would be two rows.
        content = _change_texts(data, mark_text).to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC)
        with self._open_to_write() as file:
            file.write(content.encode())

    def load(self) -> pd.DataFrame:
        with self._open_to_read() as file:
            return _change_texts(pd.read_csv(file), unmark_text)

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first rows, for kedro-viz."""
        return TablePreview(self.load().head(nrows).astype(str).to_dict(orient="split"))


def mark_text(text: str) -> str:
    """The text as it stands in the file."""
    return MARK + text if RISKY.match(text) else text


def unmark_text(text: str) -> str:
    """The text that was, of one as it stands in the file."""
    return text.removeprefix(MARK)


def _change_texts(data: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    texts = data.select_dtypes(["str", "object", "category"]).astype(object)
    changed = texts.map(lambda value: change(value) if isinstance(value, str) else value)
    return data.assign(**{str(name): changed[name].astype(_forget_categories(data[name].dtype)) for name in changed})


def _forget_categories(dtype: Any) -> Any:
    return object if isinstance(dtype, pd.CategoricalDtype) else dtype
