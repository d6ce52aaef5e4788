"""Excel cells, read row by row, so that a stray cell far from the others does not create a large table."""

import re
from collections.abc import Sequence
from itertools import repeat
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pandas as pd

from rnn_pipelines.errors import show

if TYPE_CHECKING:
    from openpyxl import Workbook

# A formula or an error in the XML of a sheet.
_NO_PLAIN_CELL = re.compile(rb"""[<:]f[\s>/]|\st=["']e["']""")


def open_workbook(path: Path, is_value: bool = True) -> "Workbook":
    """Open an Excel file to read its sheets by rows; the caller closes it.

    Args:
        is_value: whether to read the saved results of formulas, or else the formulas.
    """
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=is_value, keep_links=False)
    for sheet in book.worksheets:
        # The sheet size that a file states can be wrong.
        sheet.reset_dimensions()
    return book


def read_headers(book: "Workbook") -> dict[str, list[str]]:
    """Return the first row of each sheet, by name of the sheet; an empty text for an empty cell."""
    return {sheet.title: [str(_read_value(cell)) for cell in next(sheet.rows, ())] for sheet in book.worksheets}


def read_rows(book: "Workbook", name: str, places: Sequence[int]) -> pd.DataFrame:
    """Return some columns of the rows below the header, up to the last row with a value in one of them.

    Args:
        book: from `open_workbook`.
        places: positions of the columns, from 0.
    Returns:
        Objects, with the positions as column names; an empty text for an empty cell, NaN for an error.
    """
    empty = ("",) * len(places)
    rows, num_empty = [], 0
    for cells in book[name].iter_rows(min_row=2):
        # Rows that the file omits have no cells. This shortcut saves most of the time if there are a million.
        row = empty if not cells else tuple(_read_value(cells[place]) if place < len(cells) else "" for place in places)
        if row == empty:
            num_empty += 1
            continue
        rows += [*repeat(empty, num_empty), row]
        num_empty = 0
    return pd.DataFrame(rows, columns=list(places), dtype="object")


def _read_value(cell: Any) -> Any:
    if cell.data_type == "e":
        return nan
    if isinstance(cell.value, float) and cell.value.is_integer():
        return int(cell.value)
    return "" if cell.value is None else cell.value


def find_cell_without_value(path: Path, sheet: str, is_empty: pd.DataFrame) -> str | None:
    """Describe the first cell with an error, or with a formula that has no saved result; None if there is none.

    Args:
        is_empty: bool[row, column], whether a cell below the header has no value; the column names are positions.
    """
    with ZipFile(path) as archive:
        # Most files have neither formulas nor errors, and are not read twice more.
        if not any(_NO_PLAIN_CELL.search(archive.read(name)) for name in archive.namelist() if name.endswith(".xml")):
            return None
    books = [open_workbook(path, is_value) for is_value in (True, False)]
    try:
        rows = zip(*(book[sheet].iter_rows(min_row=2) for book in books), is_empty.to_numpy(), strict=False)
        for values, contents, is_empty_row in rows:
            for place in is_empty.columns[is_empty_row]:
                if place < len(values):
                    fault = _describe_fault(values[place], contents[place])
                    if fault:
                        return f"cell {values[place].coordinate}: expected a value, received {fault}"
    finally:
        for book in books:
            book.close()
    return None


def _describe_fault(value: Any, content: Any) -> str | None:
    """Return the fault of an Excel cell without a value, and the remedy; #N/A is no fault."""
    if value.data_type == "e" and value.value != "#N/A":
        return f"{show(value.value)}. Correct the cell, or leave it empty."
    # The result of a formula can be an empty text, which is not a number.
    if content.data_type == "f" and value.value is None and value.data_type == "n":
        formula = show(getattr(content.value, "text", content.value))
        return f"the formula {formula} alone. Open the file in a spreadsheet program and save it there."
    return None
