"""The files that a source of tables accepts, and the checks that readers of all kinds share."""

import os
import re
from collections.abc import Callable, Collection, Iterable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from rnn_pipelines.errors import (
    MAX_PATH,
    MissingColumnsError,
    RnnPipelinesError,
    make_line,
    show,
    show_all,
)

# Digits of a number or a date.
_DATA = "^[^a-zA-Z]{0,3}[0-9]|[0-9]{2}"
# Name of an index with the numbers of the rows.
ROW = "row"
# Name of the attribute of a table with the number of rows of its file above the data: titles and header.
NUM_ABOVE = "num_above"
# Name of the attribute of a table with its `Weights`.
WEIGHTS = "weights"


class TableFiles(NamedTuple):
    """The accepted files, and the parameters that errors mention."""

    error: type[RnnPipelinesError]  # exception to raise
    path: str  # the parameter that names the file
    columns: str  # the parameters that name its columns
    other: str = ""  # a hint for files of another kind
    csv_endings: tuple[str, ...] = (".csv", ".csv.gz")  # endings of CSV file names, in lower case
    dialect: str = (
        ""  # parameter group with separator and encoding of a CSV file; empty if there is none
    )
    wide: str = (
        ""  # the parameter for tables with one column for each series; empty if there is none
    )
    missing: type[MissingColumnsError] | None = (
        None  # exception for missing columns, instead of `error`
    )


def expand_home(path: str | Path) -> Path:
    """Return a path with ~ replaced by the home folder; the ~ of an unknown user stays, and no file is found."""
    return Path(os.path.expanduser(path))


def require_file(path: Path, files: TableFiles) -> None:
    """Raise `files.error` if there is no file at `path`."""
    if os.path.isdir(path):
        message = f"{path}: expected a CSV, Parquet or Excel file, received a folder. Name one file in {files.path}."
        raise files.error(message)
    # Unlike `Path.is_file`, this accepts invalid file names.
    if not os.path.isfile(path):
        raise files.error(
            f"{make_line(path, MAX_PATH)}: no such file (looked in {Path.cwd()}). Check {files.path}."
        )


def require_columns(
    wanted: list[str], received: list[str], label: object, files: TableFiles
) -> None:
    """Raise `files.error` if a wanted column is missing or repeated."""
    names = [name for name in received if name != ""]
    missing = [column for column in wanted if column not in names]
    if missing:
        hint = f"Name them with {files.columns}."
        if len(received) == 1 and any(mark in str(received[0]) for mark in ",;|\t"):
            hint = (
                f"Leave out {files.dialect}.sep."
                if files.dialect
                else "Separate the cells of each line by commas."
            )
        elif files.dialect and len(received) == 1 and " " in str(received[0]).strip():
            hint = f"Give {files.dialect}.sep=space if blanks separate the cells."
        elif files.wide and len(missing) == 1 and len(set(names) - set(wanted)) > 1:
            hint = f"{hint[:-1]}, or set {files.wide} if each column is a series."
        close = [
            name for name in names if str(name).strip().lower() == str(missing[0]).strip().lower()
        ]
        if close:
            hint = f"Write {show(close[0])}."
        message = (
            f"{label}: no column {show_all(missing)}; its columns are {show_all(names)}. {hint}"
        )
        if files.missing is not None:
            raise files.missing(message, missing, len(set(names) - set(wanted)))
        raise files.error(message)
    for column in wanted:
        places = [place for place, name in enumerate(received, 1) if name == column]
        if len(places) > 1:
            raise files.error(
                f"{label}: more than one column {show(column)}: its columns {show_all(places)} of {show_all(names)}. "
                "Rename one of them."
            )


class Selection(NamedTuple):
    """The columns of a table that are read."""

    names: list[str]  # those that the table must have
    # Those in which plain numbers of a CSV file with commas between cells are read as numbers; None for no column.
    numbers: Collection[str] | None = ()
    has_all: bool = False  # whether all other columns with a name are read too, as `numbers`

    def list_columns(self, received: Iterable[str]) -> list[str]:
        """Return the columns to read of a table."""
        if not self.has_all:
            return self.names
        return [*self.names, *(name for name in received if name not in {*self.names, ""})]


def list_unread(received: Iterable[str], wanted: Iterable[str]) -> list[str]:
    """Return the columns with a name that are not wanted."""
    return list(dict.fromkeys(name for name in received if name not in {*wanted, ""}))


def find_header(rows: Sequence[Sequence[str]]) -> tuple[int, int] | None:
    """Return the place of a header whose names are not known, and the usual number of cells; None if no row can be it.

    It may be below titles. It is the first row that has as many cells as most rows, above two rows with at least half
    of them; rows with a single cell, such as comments, do not count. The first row of numbers is not it if names are
    directly above. Empty cells of `rows`, the first ones of a file, are empty texts or `nan`.
    """
    counts = [sum(cell not in ("", "nan") for cell in row) for row in rows]
    below = [number for number in counts[len(counts) // 2 :] if number]
    usual = sorted(below)[len(below) // 2] if below else 0
    places = [place for place, number in enumerate(counts) if number > 1 or usual <= 1]
    is_table = [2 * counts[place] >= usual for place in places]
    likely = (
        k for k in range(len(places) - 1) if counts[places[k]] >= usual and all(is_table[k : k + 3])
    )
    first = next(likely, None)
    if first is None:
        return None
    place = places[first]
    # Names in one or two rows above the first numbers, if fewer than these.
    while place > 0 and len(rows[place - 1]) >= usual and 2 * counts[place - 1] >= usual > 1:
        if has_data(rows[place - 1]):
            break
        place -= 1
    return place if has_data(rows[places[first]]) else places[first], usual


def has_data(row: Sequence[str]) -> bool:
    """Return whether a cell has digits, other than those of a unit such as m2."""
    return any(re.search(_DATA, cell) for cell in row)


def join_header(names: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str] | None:
    """Return the names of a header with a second row, of names or units; None if the first of `rows` is none.

    It holds no digits but those of units such as m2, and the row below holds some. Units are left out.
    """
    if len(rows) < 2 or not any(rows[0]) or has_data(rows[0]) or not has_data(rows[1]):
        return None
    filled = [name for name in names if name]
    if len(filled) == len(names) == len(set(names)):
        return list(names)
    joined = []
    above = ""
    for name, below in zip(names, rows[0], strict=True):
        above = name or above
        joined.append(f"{above} {below}".strip())
    return joined


def begins_comment(cell: object) -> bool:
    """Return whether a cell begins a line of comments."""
    return isinstance(cell, str) and cell.startswith("#")


class Weights:
    """The numbers of rows that the rows of a table stand for, see `survey`: int64[row], by their number."""

    def __init__(self, by_column: dict[str, pd.Series]) -> None:
        self.by_column = by_column

    def __deepcopy__(self, memo: object) -> "Weights":
        # Pandas copies the attributes of a table with each of its columns.
        return self


def count_rows(cells: pd.Series) -> int:
    """Return the number of rows of the file that have these cells; in a survey, a cell stands for many of its shape."""
    weights = cells.attrs.get(WEIGHTS)
    if weights is None or cells.name not in weights.by_column:
        return len(cells)
    of_column = weights.by_column[cells.name]
    return int(of_column[of_column.index.isin(cells.index)].sum())


def explain_cells(
    wrong: pd.Series, raw: pd.Series, label: object, expected: str, remedies: Sequence[str]
) -> str:
    """Return the message for the first wrong cell of a column, or for a column without a right one.

    `raw` is the column as read, with its name; the remedies are for a row and, if a column can be a wrong one, for it.
    """
    row = int(wrong.to_numpy().argmax())
    num_wrong = count_rows(raw[wrong])
    cell = show(str(raw.iloc[row]))
    if len(remedies) > 1 and num_wrong == count_rows(raw[wrong | raw.notna()]) > 1:
        fact = f"none of its {num_wrong:,} cells is {expected}; the first is {cell}"
        return f"{label}: column '{raw.name}': {fact}. {remedies[1]}"
    count = f" ({num_wrong:,} such cells in all)" if num_wrong > 1 else ""
    return (
        f"{label}: column '{raw.name}', row {name_row(raw, row)}: expected {expected}, received {cell}{count}. "
        f"{remedies[0]}"
    )


def name_row(cells: pd.Series, place: int) -> int:
    """Return the number of a row in its file, in which titles and header count; of a table without a file, from 1.

    Rows that were left out count.
    """
    if cells.index.name == ROW:
        return int(cells.index[place])
    return place + 1 + int(cells.attrs.get(NUM_ABOVE, 0))


def load_file(path: object, expected: str, read: Callable[[], Any], files: TableFiles) -> Any:
    """Return the result of `read`; raise `files.error` with the reason if it fails."""
    try:
        return read()
    except RnnPipelinesError:
        raise
    # Readers of these formats can raise any exception for a damaged file.
    except Exception as error:
        reason = str(error).strip().rstrip(".") or type(error).__name__
        raise files.error(
            f"{path}: expected {expected}, but: {reason}. Save it again as one."
        ) from error


def is_broken(cell: object) -> bool:
    """Return whether UTF-8 cannot represent a cell, such as a lone surrogate, or Python an integer of 5,000 digits."""
    try:
        if isinstance(cell, bytes):
            cell.decode()
        else:
            str(cell).encode()
    # A UnicodeError, or that of an integer with more digits than Python writes.
    except ValueError:
        return True
    return False


def find_broken(table: pd.DataFrame) -> tuple[str, int, object] | None:
    """Return column, row (from 1) and value of the first cell that UTF-8 cannot represent; None if there is none."""
    for place, kind in enumerate(table.dtypes):
        column = table.iloc[:, place]
        if is_arrow_text(column):
            import pyarrow

            try:
                # Arrow does not check itself whether the bytes are UTF-8.
                pyarrow.array(column).validate(full=True)
                continue
            except pyarrow.ArrowInvalid:
                column = pd.Series(
                    pyarrow.array(column).cast(pyarrow.large_binary()).to_pylist(), dtype=object
                )
        elif not (kind == "object" or isinstance(kind, pd.StringDtype | pd.CategoricalDtype)):
            continue
        # Of a missing category, the result is missing.
        wrong = column.map(is_broken).eq(True).to_numpy(bool)
        if wrong.any():
            row = int(wrong.argmax())
            return str(table.columns[place]), row + 1, column.iloc[row]
    return None


def is_arrow_text(column: pd.Series) -> bool:
    """Return whether a column has texts of Arrow; without pyarrow, pandas has texts of Python."""
    return isinstance(column.dtype, pd.StringDtype) and column.dtype.storage == "pyarrow"
