"""Batches of the rows of CSV and Parquet files, with the checks of the reader of small files."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import types

from rnn_pipelines.errors import MissingColumnsError, RnnPipelinesError
from rnn_pipelines.reading.csv_files import open_csv
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.folders import list_tables, read_with_names
from rnn_pipelines.reading.survey import FileSurvey
from rnn_pipelines.reading.table_files import TableFiles
from rnn_pipelines.reading.typed_files import find_format, open_typed

# Rows that are read at once.
BATCH_ROWS = 1 << 18


class LargeFile(Protocol):
    """An open file that can be read in batches."""

    @property
    def found(self) -> dict[str, str] | None:
        """The detected dialect of a CSV file; None for another one."""

    @property
    def is_comma_separated(self) -> bool:
        """Whether it is a CSV file with commas between cells."""

    @property
    def num_above(self) -> int:
        """The number of rows above the data."""

    def read_batches(self, columns: list[str], num_rows: int) -> Iterator[pa.Table]:
        """Yield columns in batches of one schema, without dictionaries, about so many rows at once."""


def open_large(path: Path, wanted: list[str], files: TableFiles, dialect: Dialect) -> LargeFile:
    """Open a file that has some columns, see `read_columns`."""
    form = find_format(path)
    if form is not None:
        return open_typed(path, form, wanted, files)
    return open_csv(path, lambda: path.open("rb"), wanted, files, dialect)


def read_batches(
    file: FileSurvey, columns: list[str], files: TableFiles, dialect: Dialect
) -> Iterator[pa.Table]:
    """Yield columns of a file, or of the names of its folders, in batches with its types; see `read_columns`.

    The detected dialect of a CSV file is set in `file`; its cells are texts.
    """
    assert file.path is not None
    opened, named = read_with_names(
        file.path, columns, partial(open_large, file.path, files=files, dialect=dialect)
    )
    file.found = opened.found
    file.is_comma_separated = opened.is_comma_separated
    file.num_above = opened.num_above
    if file.is_alone:
        file.first = file.num_above
    unnamed = [name for name in columns if name not in named]
    for batch in opened.read_batches(unnamed, BATCH_ROWS):
        texts = {name: pa.array([value] * len(batch), pa.string()) for name, value in named.items()}
        yield pa.table({name: texts[name] if name in named else batch[name] for name in columns})


def has_column(path: Path, name: str, files: TableFiles, dialect: Dialect) -> bool:
    """Return whether the first file of a table has a column."""
    file = list_tables(path)[0]
    try:
        read_with_names(file, [name], partial(open_large, file, files=files, dialect=dialect))
    except MissingColumnsError:
        return False
    return True


def list_types(path: Path, columns: Sequence[str], files: TableFiles) -> dict[str, pa.DataType]:
    """Return the types of the columns that a file has; none of a file that cannot be read, which is refused later."""
    form = find_format(path)
    if form is None:
        return dict.fromkeys(columns, pa.string())
    try:
        file = open_typed(path, form, [], files)
        names = set(columns).intersection(file.content.schema.names)
        return {name: file.find_field(name).type for name in names}
    except (RnnPipelinesError, KeyError):
        return {}


def has_values(path: Path, column: str, files: TableFiles) -> bool:
    """Return whether a column of a file has a value; True for CSV files, whose cells are all texts."""
    form = find_format(path)
    if form is None:
        return True
    batches = open_typed(path, form, [column], files).read_batches([column], BATCH_ROWS)
    return any(not is_empty(batch[column]) for batch in batches)


def is_empty(cells: pa.Array | pa.ChunkedArray) -> bool:
    """Return whether all cells are missing."""
    return bool(pc.all(pc.is_null(cells, nan_is_null=True), min_count=0).as_py())


def join_types(kinds: Iterable[pa.DataType]) -> pa.DataType | None:
    """Return the type that holds the cells of these types; None if there is none, as for numbers and texts."""

    different = {kind for kind in kinds if not types.is_null(kind)} or {pa.string()}
    texts = {kind for kind in different if is_text(kind)}
    if len(different) == 1:
        return next(iter(different))
    if all(types.is_integer(kind) or types.is_floating(kind) for kind in different):
        return pa.from_numpy_dtype(np.result_type(*(kind.to_pandas_dtype() for kind in different)))
    is_one_zone = (
        all(types.is_timestamp(kind) for kind in different)
        and len({kind.tz for kind in different}) == 1
    )
    if is_one_zone or all(types.is_time(kind) for kind in different):
        return max(different, key=lambda kind: ["s", "ms", "us", "ns"].index(kind.unit))
    if all(types.is_decimal(kind) for kind in different):
        scale = max(kind.scale for kind in different)
        return pa.decimal256(max(kind.precision - kind.scale for kind in different) + scale, scale)
    # A date has the text of its day.
    return (
        pa.string() if all(kind in texts or types.is_date32(kind) for kind in different) else None
    )


def is_text(kind: pa.DataType) -> bool:

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
