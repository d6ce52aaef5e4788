"""A CSV file that people open in a spreadsheet, which takes some texts for formulas."""

import csv
import re
from collections.abc import Callable
from typing import Any

import pandas as pd
from kedro_datasets.pandas import CSVDataset

MARK = "'"
# What Excel, LibreOffice and Google Sheets take for the beginning of a formula, also in full width and after blanks;
# the mark itself, so that whoever takes one away always has the text that was.
RISKY = re.compile(r"[\t\r\n']|\s*[=+\-@＝＋－＠]")


class PeopleCSVDataset(CSVDataset):
    """`pandas.CSVDataset` in which no text is a formula, and every text comes back.

    Texts come from anyone, and a cell such as `=HYPERLINK(…)` would be run by whoever opens the file. There is a `'`
    before a text whose first character other than white space is one of `= + - @`, or that begins with a tab, a line
    break or `'`; before numbers, there is none. Whoever reads the file takes one `'` away from the beginning of each
    text that has one, and has the text that was.
    """

    def __init__(self, *, save_args: dict[str, Any] | None = None, **options: Any) -> None:
        # pandas quotes no carriage return by itself, so that a text with one would be two rows.
        super().__init__(save_args={"quoting": csv.QUOTE_NONNUMERIC, **(save_args or {})}, **options)

    def save(self, data: pd.DataFrame) -> None:
        super().save(_change_texts(data, mark_text))

    def load(self) -> pd.DataFrame:
        return _change_texts(super().load(), unmark_text)


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
