"""Reading of tables in the user's CSV, Parquet and Excel files."""

import csv
import logging
import warnings
from collections.abc import Callable, Collection, Sequence
from functools import partial
from io import BytesIO
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from rnn_pipelines.errors import show, show_all
from rnn_pipelines.reading.dialect import (
    NAMES,
    Dialect,
    OpenBytes,
    begins_with_blank_line,
    count_cells,
    find_dialect,
    open_text,
    read_bytes,
    read_first_rows,
    strip_comment,
)
from rnn_pipelines.reading.excel_files import read_excel
from rnn_pipelines.reading.numbers import MAX_VALUE, NO_VALUE
from rnn_pipelines.reading.table_files import (
    TableFiles,
    expand_home,
    join_header,
    list_columns,
    list_unread,
    load_file,
    require_columns,
    require_file,
)

if TYPE_CHECKING:
    import pyarrow.parquet

# Pandas warns of columns that mix types, which are read again as text here.
warnings.filterwarnings(
    "ignore", category=pd.errors.DtypeWarning, module=__name__.replace(".", r"\.")
)

logger = logging.getLogger(__name__)

PLAIN_CSV = Dialect(sep=",", encoding="utf-8")
PARQUET = (".parquet", ".pq")
JSON = (".json", ".jsonl", ".ndjson")


def read_columns(
    path: Path,
    wanted: list[str],
    files: TableFiles,
    dialect: Dialect = PLAIN_CSV,
    numbers: Collection[str] | None = (),
    has_all: bool = False,
) -> pd.DataFrame:
    """Read some columns of a CSV, Parquet or Excel file, with one row per data row; raise `files.error` if that fails.

    Values of the dialect that are None are detected; `attrs["found"]` has those that are not the default, by name, and
    `attrs["unread"]` the names of the other columns. Cells of a CSV file are text, except for columns of `numbers` of a
    comma-separated one, if all cells are plain numbers or markers of `NO_VALUE`. `has_all` reads all other columns too,
    as `numbers`.
    """
    path = expand_home(path)
    require_file(path, files)
    if is_parquet(path):
        return _read_parquet(path, wanted, files, has_all)
    if path.name.lower().endswith(files.csv_endings):
        content = load_file(path, "a CSV file", lambda: read_bytes(path), files)
        file = open_csv(path, lambda: BytesIO(content), wanted, files, dialect)
        return read_csv(file, wanted, dialect, numbers, has_all)
    if path.name.lower().endswith((".xlsx", ".xlsm")):
        return read_excel(path, wanted, files, dialect.sheet, has_all)
    other = files.other
    if path.suffix.lower() in JSON:
        lines = "" if path.suffix.lower() == ".json" else ", lines=True"
        other = (
            f"In pandas: pd.read_json('{path.name}'{lines}).to_csv('{path.stem}.csv', index=False)."
        )
    raise files.error(
        f"{path}: expected a file that ends in .csv, .parquet or .xlsx, received {show(path.suffix)}. Save the table "
        f"as one of these, and name that in {files.path}. {other}".rstrip()
    )


def _read_parquet(path: Path, wanted: list[str], files: TableFiles, has_all: bool) -> pd.DataFrame:
    import pyarrow

    file = open_parquet(path, wanted, files)
    names = file.schema_arrow.names
    wanted = list_columns(wanted, names, has_all)
    plain = pyarrow.schema(
        [find_plain_field(file.schema_arrow.field(name), path, files) for name in wanted]
    )

    def read() -> pd.DataFrame:
        # Ignore the metadata of pandas, which would turn columns into an index.
        return file.read(columns=wanted).select(wanted).cast(plain).to_pandas(ignore_metadata=True)

    table: pd.DataFrame = load_file(path, "a Parquet file", read, files)
    table.attrs = {"unread": list_unread(names, wanted)}
    return table


def is_parquet(path: Path) -> bool:
    """Return whether a file is a Parquet file, by its name."""
    return path.name.lower().endswith(PARQUET)


def open_parquet(path: Path, wanted: list[str], files: TableFiles) -> "pyarrow.parquet.ParquetFile":
    """Open a Parquet file that has some columns; else raise `files.error`, see `read_columns`."""
    import pyarrow.parquet

    # Impala and Spark write times as INT96, whose range exceeds that of nanoseconds.
    read = partial(pyarrow.parquet.ParquetFile, path, coerce_int96_timestamp_unit="us")
    file = load_file(path, "a Parquet file", read, files)
    require_columns(wanted, file.schema_arrow.names, path, files)
    return file


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


class CsvFile(NamedTuple):
    """The layout of a CSV file."""

    path: object  # of the file, for messages
    open_bytes: OpenBytes  # opens it
    dialect: Dialect  # its separator and encoding
    num_titles: int  # lines above the header
    header: list[str]  # the names of its columns
    files: TableFiles  # for messages
    num_header: int = 1  # rows of the header

    def load(self, read: Callable[[], Any]) -> Any:
        """Return the result of `read`; raise `files.error` if it fails, or if rows have surplus cells."""
        encoding = str(self.dialect.encoding).upper()
        expected = f"a CSV file in {encoding}, with a header line and as many cells in each row"

        def check() -> Any:
            try:
                with warnings.catch_warnings():
                    # Pandas warns of surplus cells unless all of them are empty.
                    warnings.simplefilter("error", pd.errors.ParserWarning)
                    return read()
            except pd.errors.ParserWarning as error:
                sep = str(self.dialect.sep)
                raise self.files.error(
                    f"{self.path}: row 1 has more cells than the header has columns ({show_all(self.header)}). "
                    f"Quote cells that hold a {NAMES.get(sep, sep)}"
                    f"{', and write decimals with a point' if sep == ',' else ''}."
                ) from error

        return load_file(self.path, expected, check, self.files)

    def read(self, **options: Any) -> Any:
        """Return the rows, with the positions of the columns as their names; or batches of them."""
        # Read all columns, because pandas ignores surplus cells if it reads only some. Name them by their positions,
        # because pandas renames columns with an empty or repeated name. In a file with a single column, an empty line
        # is an empty cell; skipping it would shift the rows after it.
        layout = {
            "names": range(len(self.header)),
            "header": self.num_header - 1,
            "skip_blank_lines": len(self.header) > 1,
            "sep": self.dialect.sep,
            "encoding": self.dialect.encoding,
            "index_col": False,
            "keep_default_na": False,
            "skipinitialspace": True,
        }
        return self.load(lambda: pd.read_csv(self._open_rows(), **layout | options))

    def _open_rows(self) -> IO[Any]:
        """Open the file at its header; as bytes if it begins there, because pandas reads them faster."""
        if self.num_titles == 0:
            return self.open_bytes()
        return open_text(self.open_bytes, self.dialect, self.num_titles)

    def check_row_lengths(self, places: Sequence[int], has_empty: bool) -> None:
        """Raise `files.error` if a row ends before the last wanted cell, because pandas would read empty cells.

        If every row lacks the cell, the header only ends with a separator. Only if `has_empty`, the last wanted cell of
        some row is empty, as that of a short row is, the rows are counted; most tables have none.
        """
        needed = self.header[: max(places) + 1]
        if len(needed) == 1 or not has_empty:
            return
        try:
            with open_text(self.open_bytes, self.dialect, self.num_titles) as text:
                counts = count_cells(text, str(self.dialect.sep), self.num_header)
        except csv.Error:
            # A text is too long for `csv`, which is no fault of the file.
            return
        num_needed = min(len(needed), max(counts, default=0))
        short = {
            row: (num_rows, length)
            for length, (num_rows, row) in counts.items()
            if length < num_needed
        }
        if short:
            row = min(short)
            num_short = sum(num_rows for num_rows, _ in short.values())
            count = f" ({num_short:,} such rows in all)" if num_short > 1 else ""
            raise self.files.error(
                f"{self.path}: row {row} has {short[row][1]} of the {num_needed} cells {show_all(needed[:num_needed])}"
                f"{count}. Complete it, with a separator before an empty cell, or leave it out."
            )


def open_csv(
    path: object, open_bytes: OpenBytes, wanted: list[str], files: TableFiles, dialect: Dialect
) -> CsvFile:
    """Find the layout of a CSV file; raise `files.error`, see `read_columns`. `open_bytes` opens it unpacked."""
    found, num_titles = load_file(
        path, "a CSV file", lambda: find_dialect(open_bytes, wanted, dialect), files
    )
    if num_titles:
        logger.info(
            "%s: the header is line %d; the lines above it are not read", path, num_titles + 1
        )
    file = CsvFile(path, open_bytes, found, num_titles, [], files)
    names = file.read(names=None, header=None, nrows=1, dtype=str, skip_blank_lines=True).iloc[0]
    header = names.where(
        names.isin(wanted), names.fillna("").map(strip_comment).str.strip()
    ).tolist()
    # Tables of texts can have rows without numbers.
    rows = read_first_rows(open_bytes, found, num_titles, len(header)) if files.wide else []
    joined = join_header(header, rows)
    if joined is not None:
        file = file._replace(num_header=2)
        header = joined
    require_columns(wanted, header, path, files)
    if len(header) == 1 and begins_with_blank_line(open_bytes, found, num_titles):
        raise files.error(
            f"{path}: expected the header in the first line, received an empty line. Remove it."
        )
    return file._replace(header=header)


def read_csv(
    file: CsvFile,
    wanted: list[str],
    dialect: Dialect,
    numbers: Collection[str] | None,
    has_all: bool,
) -> pd.DataFrame:
    """Read some columns of a CSV file that was opened with this dialect, see `read_columns`."""
    wanted, required = list_columns(wanted, file.header, has_all), wanted
    numbers = (
        () if numbers is None else [*numbers, *(name for name in wanted if name not in required)]
    )
    places = [file.header.index(name) for name in wanted]
    # In a file without commas between cells, 1.234 can be one thousand.
    inferred = {file.header.index(name) for name in numbers} if file.dialect.sep == "," else set()
    table = file.read(na_values=dict.fromkeys(inferred, NO_VALUE))
    # Pandas finds the types of all columns in less time than it reads one as text. Columns whose cells this changes are
    # read again.
    changed = [place for place in places if not keeps_cells(table[place], place in inferred)]
    if changed:
        no_values = dict.fromkeys(inferred.difference(changed), NO_VALUE)
        table = file.read(na_values=no_values, dtype=dict.fromkeys(changed, str))
    last = table[max(places)]
    file.check_row_lengths(places, bool((last.isna() | (last == "")).any()))
    chosen = table[places].set_axis(wanted, axis=1)
    chosen.attrs = {
        "found": list_detected(dialect, file.dialect),
        "unread": list_unread(file.header, wanted),
    }
    return chosen


def list_detected(given: Dialect, found: Dialect) -> dict[str, str]:
    """Return the unusual parameters of a CSV file that were detected, as users give them."""
    unusual = {"sep": "comma", "encoding": "utf-8"}
    shown = {"sep": NAMES.get(str(found.sep), str(found.sep)), "encoding": str(found.encoding)}
    return {
        name: value
        for name, value in shown.items()
        if getattr(given, name) is None and value != unusual[name]
    }


def keeps_cells(column: pd.Series, is_inferred: bool) -> bool:
    """Return whether a column with the type that pandas has found holds the cells of the file."""
    if isinstance(column.dtype, pd.StringDtype):
        return not (is_inferred and column.hasnans)
    # Cells beyond the range of float32 are faults, which messages show as they are in the file.
    return is_inferred and column.dtype.kind in "if" and not (column.abs() > MAX_VALUE).any()
