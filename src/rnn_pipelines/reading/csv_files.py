"""Reading of CSV files, whole or in batches."""

import csv
import logging
import warnings
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import IO, TYPE_CHECKING, Any, NamedTuple

import pandas as pd

from rnn_pipelines.errors import show_all
from rnn_pipelines.reading.dialect import (
    NAMES,
    Dialect,
    OpenBytes,
    begins_with_blank_line,
    count_cells,
    find_dialect,
    open_text,
    read_first_rows,
    strip_comment,
)
from rnn_pipelines.reading.numbers import MAX_VALUE, NO_VALUE
from rnn_pipelines.reading.table_files import (
    NUM_ABOVE,
    Selection,
    TableFiles,
    join_header,
    list_unread,
    load_file,
    require_columns,
)

if TYPE_CHECKING:
    import pyarrow

# Pandas warns of columns that mix types, which are read again as text here.
warnings.filterwarnings(
    "ignore", category=pd.errors.DtypeWarning, module=__name__.replace(".", r"\.")
)

logger = logging.getLogger(__name__)


class CsvFile(NamedTuple):
    """An open CSV file; a `LargeFile`. In batches, cells are texts."""

    path: object  # of the file, for messages
    open_bytes: OpenBytes  # opens it
    dialect: Dialect  # its separator and encoding
    found: dict[
        str, str
    ]  # the part of the dialect that was detected and is unusual, as users give it
    num_titles: int  # lines above the header
    header: list[str]  # the names of its columns
    files: TableFiles  # for messages
    num_header: int = 1  # rows of the header

    @property
    def is_comma_separated(self) -> bool:
        """Whether commas separate the cells; else, 1.234 can be one thousand."""
        return self.dialect.sep == ","

    @property
    def num_above(self) -> int:
        """The number of rows above the data."""
        return self.num_titles + self.num_header

    def read(self, selection: Selection) -> pd.DataFrame:
        """Return all rows, see `read_columns`."""
        columns = selection.list_columns(self.header)
        inferred: set[int] = set()
        if self.is_comma_separated and selection.numbers is not None:
            can_be_numbers = {*selection.numbers, *columns[len(selection.names) :]}
            inferred = {self.header.index(name) for name in can_be_numbers}
        places = [self.header.index(name) for name in columns]
        table = self._read_rows(na_values=dict.fromkeys(inferred, NO_VALUE))
        # Pandas finds the types of all columns in less time than it reads one as text. Columns whose cells this changes
        # are read again.
        changed = [place for place in places if not keeps_cells(table[place], place in inferred)]
        if changed:
            no_values = dict.fromkeys(inferred.difference(changed), NO_VALUE)
            table = self._read_rows(na_values=no_values, dtype=dict.fromkeys(changed, str))
        self._check_row_lengths(places, _has_empty(table[max(places)]))
        chosen = table[places].set_axis(columns, axis=1)
        unread = list_unread(self.header, columns)
        chosen.attrs = {"found": self.found, "unread": unread, NUM_ABOVE: self.num_above}
        return chosen

    def read_batches(self, columns: list[str], num_rows: int) -> Iterator["pyarrow.Table"]:
        """Yield the rows in batches of one schema, at most so many at once."""
        import pyarrow

        places = [self.header.index(name) for name in columns]
        schema = pyarrow.schema([(name, pyarrow.string()) for name in columns])
        has_empty = False
        with self._read_rows(dtype=str, chunksize=num_rows) as batches:
            while (batch := self._load(partial(next, batches, None))) is not None:
                has_empty |= _has_empty(batch[max(places)])
                # A table, because pandas returns the texts of many rows in several chunks, which no record batch holds.
                yield pyarrow.Table.from_pandas(
                    batch[places].set_axis(columns, axis=1), schema, preserve_index=False
                )
        self._check_row_lengths(places, has_empty)

    def _load(self, read: Callable[[], Any]) -> Any:
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
                    f"{self.path}: row {self.num_above + 1} has more cells than the header has columns "
                    f"({show_all(self.header)}). "
                    f"Quote cells that hold a {NAMES.get(sep, sep)}"
                    f"{', and write decimals with a point' if sep == ',' else ''}."
                ) from error

        return load_file(self.path, expected, check, self.files)

    def _read_rows(self, **options: Any) -> Any:
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
        return self._load(lambda: pd.read_csv(self._open_rows(), **layout | options))

    def _open_rows(self) -> IO[Any]:
        """Open the file at its header; as bytes if it begins there, because pandas reads them faster."""
        if self.num_titles == 0:
            return self.open_bytes()
        return open_text(self.open_bytes, self.dialect, self.num_titles)

    def _check_row_lengths(self, places: Sequence[int], has_empty: bool) -> None:
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
            first = min(short)
            row = self.num_above + first
            num_short = sum(num_rows for num_rows, _ in short.values())
            count = f" ({num_short:,} such rows in all)" if num_short > 1 else ""
            raise self.files.error(
                f"{self.path}: row {row} has {short[first][1]} of the {num_needed} cells "
                f"{show_all(needed[:num_needed])}"
                f"{count}. Complete it, with a separator before an empty cell, or leave it out."
            )


def open_csv(
    path: object, open_bytes: OpenBytes, wanted: list[str], files: TableFiles, dialect: Dialect
) -> CsvFile:
    """Open a CSV file that has some columns; else raise `files.error`, see `read_columns`. `open_bytes` unpacks it."""
    detected, num_titles = load_file(
        path, "a CSV file", lambda: find_dialect(open_bytes, wanted, dialect), files
    )
    if num_titles:
        logger.info(
            "%s: the header is line %d; the lines above it are not read", path, num_titles + 1
        )
    found = _list_found(dialect, detected)
    file = CsvFile(path, open_bytes, detected, found, num_titles, [], files)
    first = file._read_rows(names=None, header=None, nrows=1, dtype=str, skip_blank_lines=True)
    names = first.iloc[0]
    header = names.where(
        names.isin(wanted), names.fillna("").map(strip_comment).str.strip()
    ).tolist()
    # Tables of texts can have rows without numbers.
    rows = read_first_rows(open_bytes, detected, num_titles, len(header)) if files.wide else []
    joined = join_header(header, rows)
    if joined is not None:
        file = file._replace(num_header=2)
        header = joined
    require_columns(wanted, header, path, files)
    if len(header) == 1 and begins_with_blank_line(open_bytes, detected, num_titles):
        raise files.error(
            f"{path}: expected the header in the first line, received an empty line. Remove it."
        )
    return file._replace(header=header)


def _list_found(given: Dialect, detected: Dialect) -> dict[str, str]:
    sep = str(detected.sep)
    encoding = str(detected.encoding)
    found = {}
    if given.sep is None and sep != ",":
        found["sep"] = NAMES.get(sep, sep)
    if given.encoding is None and encoding != "utf-8":
        found["encoding"] = encoding
    return found


def _has_empty(cells: pd.Series) -> bool:
    return bool((cells.isna() | (cells == "")).any())


def infer_numbers(cells: pd.Series) -> pd.Series:
    """Return texts as numbers if all are plain numbers or markers of `NO_VALUE`, as a CSV file is read whole."""
    if not isinstance(cells.dtype, pd.StringDtype):
        return cells
    try:
        numbers = pd.to_numeric(cells.mask(cells.isin(NO_VALUE)))
    except ValueError:
        return cells
    return numbers if keeps_cells(numbers, is_inferred=True) else cells


def keeps_cells(column: pd.Series, is_inferred: bool) -> bool:
    """Return whether a column with the type that pandas has found holds the cells of the file."""
    if isinstance(column.dtype, pd.StringDtype):
        return not (is_inferred and column.hasnans)
    # Cells beyond the range of float32 are faults, which messages show as they are in the file.
    return is_inferred and column.dtype.kind in "if" and not (column.abs() > MAX_VALUE).any()
