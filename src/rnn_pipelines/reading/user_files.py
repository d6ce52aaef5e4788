"""Reading of tables in the user's CSV, Parquet and Excel files."""

import csv
import logging
import warnings
from collections.abc import Callable, Collection
from io import BytesIO
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd

from rnn_pipelines.errors import show, show_all
from rnn_pipelines.reading.dialect import (
    NAMES,
    Dialect,
    begins_with_blank_line,
    count_cells,
    find_dialect,
    leave_titles,
    read_bytes,
)
from rnn_pipelines.reading.excel_files import read_excel
from rnn_pipelines.reading.numbers import MAX_VALUE, NO_VALUE
from rnn_pipelines.reading.table_files import (
    TableFiles,
    expand_home,
    list_columns,
    list_unread,
    load_file,
    require_columns,
    require_file,
)

# Pandas warns of columns that mix types, which are read again as text here.
warnings.filterwarnings("ignore", category=pd.errors.DtypeWarning, module=__name__.replace(".", r"\."))

logger = logging.getLogger(__name__)

PLAIN_CSV = Dialect(sep=",", encoding="utf-8")


class CsvContent(NamedTuple):
    """The bytes of a CSV file, and its name in messages."""

    content: bytes
    label: object


def read_columns(
    path: Path,
    wanted: list[str],
    files: TableFiles,
    dialect: Dialect = PLAIN_CSV,
    numbers: Collection[str] | None = (),
    has_all: bool = False,
) -> pd.DataFrame:
    """Read some columns of a CSV, Parquet or Excel file.

    Args:
        dialect: of a CSV file, or the sheet of an Excel file; its None values are detected.
        numbers: columns of a comma-separated CSV file to read as numbers if all cells are plain numbers or markers of
            `NO_VALUE`; None for none.
        has_all: whether to read all other columns too, as `numbers`.
    Returns:
        The columns with one row per data row; other cells of a CSV file are text. `attrs["found"]` has the detected
        values of the dialect that are not the default, by name; `attrs["unread"]` the names of the other columns.
    Raises:
        RnnPipelinesError: `files.error`: the file is missing or of another kind, or a column is missing or repeated.
    """
    path = expand_home(path)
    require_file(path, files)
    if path.name.lower().endswith((".parquet", ".pq")):
        return _read_parquet(path, wanted, files, has_all)
    if path.name.lower().endswith(files.csv_endings):
        content = load_file(path, "a CSV file", lambda: read_bytes(path), files)
        return read_csv(CsvContent(content, path), wanted, files, dialect, numbers, has_all)
    if path.name.lower().endswith((".xlsx", ".xlsm")):
        return read_excel(path, wanted, files, dialect.sheet, has_all)
    raise files.error(
        f"{path}: expected a file that ends in .csv, .parquet or .xlsx, received {show(path.suffix)}. Save the table "
        f"as one of these, and name that in {files.path}. {files.other}".rstrip()
    )


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
        if isinstance(kind, pd.StringDtype) and _holds_broken_bytes(column):
            import pyarrow

            column = pd.Series(pyarrow.array(column).cast(pyarrow.large_binary()).to_pylist(), dtype=object)
        elif kind != "object":
            continue
        wrong = column.map(is_broken).astype(bool).to_numpy()
        if wrong.any():
            row = int(wrong.argmax())
            return str(table.columns[place]), row + 1, column.iloc[row]
    return None


def _holds_broken_bytes(column: pd.Series) -> bool:
    """Return whether a column of Arrow texts has bytes that are no UTF-8, which Arrow does not check itself."""
    import pyarrow

    try:
        pyarrow.array(column).validate(full=True)
    except pyarrow.ArrowInvalid:
        return True
    return False


def _read_parquet(path: Path, wanted: list[str], files: TableFiles, has_all: bool) -> pd.DataFrame:
    import pyarrow.parquet

    def load(read: Callable[[], Any]) -> Any:
        return load_file(path, "a Parquet file", read, files)

    # Impala and Spark write times as INT96, whose range exceeds that of nanoseconds.
    file = load(lambda: pyarrow.parquet.ParquetFile(path, coerce_int96_timestamp_unit="us"))
    schema = file.schema_arrow
    require_columns(wanted, schema.names, path, files)
    wanted = list_columns(wanted, schema.names, has_all)
    plain = pyarrow.schema([find_plain_field(schema.field(name), path, files) for name in wanted])
    table = load(lambda: file.read(columns=wanted).select(wanted).cast(plain))
    # Ignore the metadata of pandas, which would turn columns into an index.
    read = load(lambda: table.to_pandas(ignore_metadata=True))
    read.attrs = {"unread": list_unread(schema.names, wanted)}
    return read


def find_plain_field(field: Any, path: Path, files: TableFiles) -> Any:
    """Return the field of a column with one value per cell, without dictionary encoding."""
    from pyarrow import types

    kind = field.type.value_type if types.is_dictionary(field.type) else field.type
    if types.is_nested(kind):
        raise files.error(
            f"{path}: column '{field.name}' holds {kind} in its cells; expected one number, text or time in each. "
            f"Write it to a column of its own, and name that with {files.columns}."
        )
    return field.with_type(kind)


def read_csv(
    csv_file: CsvContent,
    wanted: list[str],
    files: TableFiles,
    dialect: Dialect,
    numbers: Collection[str] | None,
    has_all: bool,
) -> pd.DataFrame:
    """Read some columns of a CSV file in memory, see `read_columns`."""
    whole, path = csv_file
    content, num_titles = load_file(path, "a CSV file", lambda: leave_titles(whole, wanted, dialect), files)
    if num_titles:
        logger.info("%s: the header is line %d; the lines above it are not read", path, num_titles + 1)
    sep, encoding, _ = load_file(path, "a CSV file", lambda: find_dialect(content, wanted, dialect), files)

    def read(**options: Any) -> pd.DataFrame:
        expected = f"a CSV file in {encoding.upper()}, with a header line and as many cells in each row"
        options |= {"sep": sep, "encoding": encoding, "keep_default_na": False, "skipinitialspace": True}
        return load_file(path, expected, lambda: pd.read_csv(BytesIO(content), **options), files)

    names = read(header=None, nrows=1, dtype=str).iloc[0]
    header = names.where(names.isin(wanted), names.str.strip()).tolist()
    require_columns(wanted, header, path, files)
    if len(header) == 1 and begins_with_blank_line(content, encoding):
        raise files.error(f"{path}: expected the header in the first line, received an empty line. Remove it.")
    wanted, required = list_columns(wanted, header, has_all), wanted
    numbers = () if numbers is None else [*numbers, *(name for name in wanted if name not in required)]
    places = [header.index(name) for name in wanted]
    # In a file without commas between cells, 1.234 can be one thousand.
    inferred = {header.index(name) for name in numbers} if sep == "," else set()
    # Read all columns, because pandas ignores surplus cells if it reads only some. Name them by their positions,
    # because pandas renames columns with an empty or repeated name. In a file with a single column, an empty line is an
    # empty cell; skipping it would shift the rows after it.
    layout = {"names": range(len(header)), "header": 0, "skip_blank_lines": len(header) > 1}
    table = read(**layout, na_values=dict.fromkeys(inferred, NO_VALUE))
    # Pandas finds the types of all columns in less time than it reads one as text. Columns whose cells this changes are
    # read again.
    changed = [place for place in places if not _keeps_cells(table[place], place in inferred)]
    if changed and isinstance(table.index, pd.RangeIndex):
        table = read(
            **layout, na_values=dict.fromkeys(inferred.difference(changed), NO_VALUE), dtype=dict.fromkeys(changed, str)
        )
    if not isinstance(table.index, pd.RangeIndex):
        raise files.error(
            f"{path}: row 1 has more cells than the header has columns ({show_all(header)}). "
            f"Quote cells that hold a {NAMES.get(sep, sep)}{', and write decimals with a point' if sep == ',' else ''}."
        )
    _check_row_lengths(path, table[max(places)], header[: max(places) + 1], files, content, Dialect(sep, encoding))
    chosen = table[places].set_axis(wanted, axis=1)
    chosen.attrs = {"found": _list_detected(dialect, sep, encoding), "unread": list_unread(header, wanted)}
    return chosen


def _list_detected(given: Dialect, sep: str, encoding: str) -> dict[str, str]:
    """Return the unusual parameters of a CSV file that were detected, as users give them."""
    found = {"sep": NAMES.get(sep, sep), "encoding": encoding}
    usual = {"sep": "comma", "encoding": "utf-8"}
    return {name: value for name, value in found.items() if getattr(given, name) is None and value != usual[name]}


def _keeps_cells(column: pd.Series, is_inferred: bool) -> bool:
    """Return whether a column with the type that pandas has found holds the cells of the file."""
    if isinstance(column.dtype, pd.StringDtype):
        return not (is_inferred and column.hasnans)
    # Cells beyond the range of float32 are faults, which messages show as they are in the file.
    return is_inferred and column.dtype.kind in "if" and not (column.abs() > MAX_VALUE).any()


def _check_row_lengths(
    path: object, last: pd.Series, needed: list[str], files: TableFiles, content: bytes, dialect: Dialect
) -> None:
    """Raise `files.error` if a row ends before the last wanted cell, because pandas would read empty cells.

    If every row lacks the cell, the header only ends with a separator.

    Args:
        last: the last wanted column.
        needed: names of the columns up to that one.
    """
    # A short row has an empty cell in this column, and most tables have none.
    if len(needed) == 1 or not (last.isna() | (last == "")).any():
        return
    try:
        counts = count_cells(content, dialect)
    except csv.Error:
        # A text is too long for `csv`, which is no fault of the file.
        return
    num_needed = min(len(needed), int(counts.max(initial=0)))
    is_short = counts < num_needed
    if is_short.any():
        row = int(is_short.argmax())
        count = f" ({is_short.sum():,} such rows in all)" if is_short.sum() > 1 else ""
        raise files.error(
            f"{path}: row {row + 1} has {counts[row]} of the {num_needed} cells {show_all(needed[:num_needed])}"
            f"{count}. Complete it, with a separator before an empty cell, or leave it out."
        )
