"""Reading of tables in Excel files: the sheet, its columns, and its rows with values.

Cells are read row by row, so that a stray cell far from the others does not create a large table.
"""

import importlib.util
import re
import sys
from collections.abc import Callable, Collection, Sequence
from contextlib import closing
from itertools import repeat
from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zipfile import ZipFile

import pandas as pd

from rnn_pipelines.errors import RnnPipelinesError, show, show_all
from rnn_pipelines.reading.table_files import (
    NUM_ABOVE,
    Selection,
    TableFiles,
    find_header,
    join_header,
    list_unread,
    load_file,
    require_columns,
)

if TYPE_CHECKING:
    from openpyxl import Workbook

# Rows in which the header may be.
_MAX_TITLE_ROWS = 100
# A formula in the XML of a sheet.
_FORMULA = re.compile(rb"[<:]f[\s>/]")


class _CellError(RnnPipelinesError, ValueError):
    """A cell has no value; the message names its column and row."""


def read_excel(
    path: Path, selection: Selection, files: TableFiles, sheet: str | None
) -> pd.DataFrame:
    if importlib.util.find_spec("openpyxl") is None:
        raise files.error(
            f"{path}: Excel files need the package openpyxl. Run {sys.executable} -m pip install openpyxl, or save it "
            "as a CSV file."
        )

    def load(read: Callable[[], Any]) -> Any:
        return load_file(path, "an Excel file", read, files)

    with closing(load(lambda: _open_workbook(path))) as book:
        headers = load(lambda: _find_headers(book, selection.names))
        name = _choose_sheet(path, headers, selection.names, files, sheet)
        row, header = headers[name]
        wanted = selection.list_columns(header)
        places = [header.index(column) for column in wanted]
        try:
            cells = load(lambda: _read_rows(book, name, row, places))
            if (cells == "").any(axis=None):
                load(lambda: _check_formulas(path, name, row, cells == ""))
        except _CellError as error:
            raise files.error(f"{path}, sheet '{name}', {error}") from error
    table = cells.set_axis(wanted, axis=1)
    # Drop rows at the end that are empty, because a sheet keeps rows after they are cleared.
    has_value = table.notna() & (table != "")
    filled = table[: int(has_value.any(axis=1).to_numpy().nonzero()[0].max(initial=-1)) + 1]
    filled.attrs = {"unread": list_unread(header, wanted), NUM_ABOVE: row}
    return filled


def _choose_sheet(
    path: Path,
    headers: dict[str, tuple[int, list[str]]],
    wanted: list[str],
    files: TableFiles,
    asked: str | None,
) -> str:
    """Return the name of the only sheet with the wanted columns, or of the one that is asked for."""
    if asked is not None:
        if asked not in headers:
            raise files.error(
                f"{path}: no sheet {show(asked)}; its sheets are {show_all(headers)}."
            )
        headers = {asked: headers[asked]}
    fitting = [name for name, (_, header) in headers.items() if set(wanted) <= set(header)]
    if not wanted:
        # A sheet of notes has no table.
        fitting = [name for name in fitting if len(set(headers[name][1]) - {"", "nan"}) > 1]
    if len(fitting) > 1:
        raise files.error(
            f"{path}: the sheets {show_all(fitting)} have {f'the columns {wanted}' if wanted else 'tables'}; expected "
            "one of them. "
            f"{f'Name one with {files.dialect}.sheet.' if files.dialect else 'Save that sheet as a file of its own.'}"
        )
    if not headers:
        raise files.error(
            f"{path}: expected a sheet with cells, received none. Save the table in a sheet."
        )
    name = fitting[0] if fitting else next(iter(headers))
    require_columns(wanted, headers[name][1], f"{path}, sheet '{name}'", files)
    return name


def _open_workbook(path: Path, is_value: bool = True) -> "Workbook":
    """Open an Excel file to read its sheets by rows, with the saved results of formulas, or else the formulas."""
    from openpyxl import load_workbook

    book = load_workbook(path, read_only=True, data_only=is_value, keep_links=False)
    for sheet in book.worksheets:
        # The sheet size that a file states can be wrong.
        sheet.reset_dimensions()
    return book


def _find_headers(book: "Workbook", wanted: Collection[str]) -> dict[str, tuple[int, list[str]]]:
    """Return the row of the header (from 1) and its cells, by name of the sheet; an empty text for an empty cell.

    The header is the first row with all wanted columns, below titles, or else the first row. If no columns are wanted,
    see `find_header`.
    """
    headers = {}
    for sheet in book.worksheets:
        rows = [
            [str(_read_plain(cell)) for cell in cells]
            for cells in sheet.iter_rows(max_row=_MAX_TITLE_ROWS)
        ]
        place = next((place for place, row in enumerate(rows) if set(wanted) <= set(row)), 0)
        place = place if wanted else (find_header(rows) or (0, 0))[0]
        header = rows[place] if rows else []
        first, *below = _make_alike(rows[place : place + 3], len(header)) or [[]]
        joined = join_header(first, below)
        headers[sheet.title] = (place + 1, header) if joined is None else (place + 2, joined)
    return headers


def _make_alike(rows: Sequence[Sequence[str]], num_cells: int) -> list[list[str]]:
    """Return rows of as many cells as a header, with empty texts for empty cells."""
    return [
        [cell if cell != "nan" else "" for cell in (*row, *repeat("", num_cells))][:num_cells]
        for row in rows
    ]


def _read_rows(book: "Workbook", name: str, header_row: int, places: Sequence[int]) -> pd.DataFrame:
    """Return the rows below the header as objects, up to the last one with a value in one of the columns.

    The header's row counts from 1; the places of the columns, from 0, become their names. Raise a _CellError for an
    error in a cell.
    """
    empty = ("",) * len(places)
    rows = []
    num_empty = 0
    for cells in book[name].iter_rows(min_row=header_row + 1):
        # Rows that the file omits have no cells. This shortcut saves most of the time if there are a million.
        row = (
            empty
            if not cells
            else tuple(_read_value(cells[place]) if place < len(cells) else "" for place in places)
        )
        if row == empty:
            num_empty += 1
            continue
        rows += [*repeat(empty, num_empty), row]
        num_empty = 0
    return pd.DataFrame(rows, columns=list(places), dtype="object")


def _read_value(cell: Any) -> Any:
    """Return the value of a cell, NaN for #N/A."""
    if cell.data_type == "e" and cell.value != "#N/A":
        raise _CellError(
            f"column {cell.column_letter}, row {cell.row}: expected a value, received {show(cell.value)}. Correct the "
            "cell, or leave it empty."
        )
    return _read_plain(cell)


def _read_plain(cell: Any) -> Any:
    """Return the value of a cell: an empty text for an empty one, NaN for an error and a formula with an empty text."""
    if cell.data_type == "e" or (cell.value is None and cell.data_type != "n"):
        return nan
    if isinstance(cell.value, float) and cell.value.is_integer():
        return int(cell.value)
    return "" if cell.value is None else cell.value


def _check_formulas(path: Path, sheet: str, header_row: int, is_empty: pd.DataFrame) -> None:
    """Raise a _CellError if an empty cell holds a formula, whose result was not saved.

    `is_empty` is bool[row, column] below the header; the column names are positions.
    """
    with ZipFile(path) as archive:
        # Most files have no formulas, and are not read a second time.
        if not any(
            _FORMULA.search(archive.read(name))
            for name in archive.namelist()
            if name.endswith(".xml")
        ):
            return
    with closing(_open_workbook(path, is_value=False)) as book:
        rows = book[sheet].iter_rows(min_row=header_row + 1)
        for cells, is_empty_row in zip(rows, is_empty.to_numpy(), strict=False):
            for place in is_empty.columns[is_empty_row]:
                if place < len(cells) and cells[place].data_type == "f":
                    raise _CellError(
                        f"column {cells[place].column_letter}, row {cells[place].row}: expected a value, received a "
                        "formula without a result. Open the file in a spreadsheet program and save it there."
                    )
