"""CSV files for spreadsheets, in which texts cannot be mistaken for formulas."""

import csv
import re
from collections.abc import Callable

import pandas as pd

MARK = "'"
# Beginnings of texts that Excel, LibreOffice and Google Sheets read as a formula, also in full width and after blanks.
# The mark itself too, so that removing one mark always restores the text.
RISKY = re.compile(r"[\t\r\n']|\s*[=+\-@＝＋－＠]")


def write_csv(table: pd.DataFrame, sep: str = ",", decimal: str = ".") -> bytes:
    """Return a table as CSV in UTF-8, without row labels; texts are marked as by `mark_text`."""
    marked = change_texts(table, mark_text)
    # By default, pandas does not quote a carriage return, so that a text with one would become two rows.
    text = marked.to_csv(index=False, quoting=csv.QUOTE_NONNUMERIC, sep=sep, decimal=decimal)
    return text.encode()


def mark_text(text: str) -> str:
    """Return the text with a mark if a spreadsheet would read it as a formula."""
    return MARK + text if RISKY.match(text) else text


def unmark_text(text: str) -> str:
    """Return the original of a text that was read from the file."""
    return text.removeprefix(MARK)


def change_texts(data: pd.DataFrame, change: Callable[[str], str]) -> pd.DataFrame:
    """Return a table in which a function has changed every text."""
    texts = data.select_dtypes(["str", "object", "category"]).astype(object)
    changed = texts.map(lambda value: change(value) if isinstance(value, str) else value)
    for name in changed:
        # Changed texts may be in no category.
        if not isinstance(data[name].dtype, pd.CategoricalDtype):
            changed[name] = changed[name].astype(data[name].dtype)
    return data.assign(**{str(name): changed[name] for name in changed})
