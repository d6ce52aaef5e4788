"""Reading of tables in Excel files: the sheet, its columns, and its rows with values."""

import importlib.util
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pandas as pd

from rnn_pipelines.errors import show, show_all
from rnn_pipelines.reading.table_files import TableFiles, list_columns, list_unread, load_file, require_columns
from rnn_pipelines.reading.workbook import CellError, check_formulas, find_headers, open_workbook, read_rows


def read_excel(path: Path, wanted: list[str], files: TableFiles, sheet: str | None, has_all: bool) -> pd.DataFrame:
    if importlib.util.find_spec("openpyxl") is None:
        raise files.error(
            f"{path}: Excel files need the package openpyxl. Run {sys.executable} -m pip install openpyxl, or save it "
            "as a CSV file."
        )

    def load(read: Callable[[], Any]) -> Any:
        return load_file(path, "an Excel file", read, files)

    with closing(load(lambda: open_workbook(path))) as book:
        headers = load(lambda: find_headers(book, wanted))
        name = _choose_sheet(path, headers, wanted, files, sheet)
        row, header = headers[name]
        wanted = list_columns(wanted, header, has_all)
        places = [header.index(column) for column in wanted]
        try:
            cells = load(lambda: read_rows(book, name, row, places))
            if (cells == "").any(axis=None):
                load(lambda: check_formulas(path, name, row, cells == ""))
        except CellError as error:
            raise files.error(f"{path}, sheet '{name}', {error}") from error
    table = cells.set_axis(wanted, axis=1)
    # Drop rows at the end that are empty, because a sheet keeps rows after they are cleared.
    has_value = table.notna() & (table != "")
    filled = table[: int(has_value.any(axis=1).to_numpy().nonzero()[0].max(initial=-1)) + 1]
    filled.attrs = {"unread": list_unread(header, wanted)}
    return filled


def _choose_sheet(
    path: Path, headers: dict[str, tuple[int, list[str]]], wanted: list[str], files: TableFiles, asked: str | None
) -> str:
    """Return the name of the only sheet with the wanted columns, or of the one that is asked for."""
    if asked is not None:
        if asked not in headers:
            raise files.error(f"{path}: no sheet {show(asked)}; its sheets are {show_all(headers)}.")
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
        raise files.error(f"{path}: expected a sheet with cells, received none. Save the table in a sheet.")
    name = fitting[0] if fitting else next(iter(headers))
    require_columns(wanted, headers[name][1], f"{path}, sheet '{name}'", files)
    return name
