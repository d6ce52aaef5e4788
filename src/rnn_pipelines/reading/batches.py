"""Batches of the rows of CSV and Parquet files, with the checks of the reader of small files."""

from collections.abc import Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet
from pyarrow import types

from rnn_pipelines.errors import MissingColumnsError, RnnPipelinesError
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.folders import list_tables, read_with_names
from rnn_pipelines.reading.survey import FileSurvey
from rnn_pipelines.reading.table_files import TableFiles, load_file
from rnn_pipelines.reading.user_files import (
    CsvFile,
    find_plain_field,
    is_parquet,
    list_detected,
    open_csv,
    open_parquet,
)

# Rows that are read at once.
BATCH_ROWS = 1 << 18
CSV = (".csv", ".tsv", ".txt")


def read_batches(
    file: FileSurvey, columns: list[str], files: TableFiles, dialect: Dialect
) -> Iterator[pa.Table]:
    """Yield columns of a file, or of the names of its folders, in batches with its types; see `read_columns`.

    The detected dialect of a CSV file is set in `file`; its cells are texts.
    """

    assert file.path is not None
    opened, named = read_with_names(
        file.path, columns, partial(_open, file.path, files=files, dialect=dialect)
    )
    some = [name for name in columns if name not in named]
    if isinstance(opened, CsvFile):
        file.found = list_detected(dialect, opened.dialect)
        file.is_comma_separated = opened.dialect.sep == ","
        batches = _read_csv(opened, some)
    else:
        batches = _read_parquet(file.path, opened, some, files)
    for batch in batches:
        texts = {name: pa.array([value] * len(batch), pa.string()) for name, value in named.items()}
        yield pa.table({name: texts[name] if name in named else batch[name] for name in columns})


def has_column(path: Path, name: str, files: TableFiles, dialect: Dialect) -> bool:
    """Return whether the first file of a table has a column."""
    file = list_tables(path)[0]
    try:
        read_with_names(file, [name], partial(_open, file, files=files, dialect=dialect))
    except MissingColumnsError:
        return False
    return True


def list_types(path: Path, columns: Sequence[str], files: TableFiles) -> dict[str, pa.DataType]:
    """Return the types of the columns that a file has; none of a file that cannot be read, which is refused later."""

    if not is_parquet(path):
        return dict.fromkeys(columns, pa.string())
    try:
        schema = open_parquet(path, [], files).schema_arrow
        there = [name for name in columns if name in schema.names]
        return {name: find_plain_field(schema.field(name), path, files).type for name in there}
    except (RnnPipelinesError, KeyError):
        return {}


def has_values(path: Path, column: str, files: TableFiles) -> bool:
    """Return whether a column of a file has a value; True for CSV files, whose cells are all texts."""
    if not is_parquet(path):
        return True
    with open_parquet(path, [column], files) as file:
        batches = file.iter_batches(BATCH_ROWS, columns=[column])
        return any(not is_empty(batch[column]) for batch in batches)


def is_empty(cells: pa.Array | pa.ChunkedArray) -> bool:
    """Return whether all cells are missing."""

    return bool(pc.all(pc.is_null(cells, nan_is_null=True), min_count=0).as_py())


def _open(
    path: Path, wanted: list[str], files: TableFiles, dialect: Dialect
) -> CsvFile | pyarrow.parquet.ParquetFile:
    if is_parquet(path):
        return open_parquet(path, wanted, files)
    return open_csv(path, lambda: path.open("rb"), wanted, files, dialect)


def _read_parquet(
    path: Path, file: pyarrow.parquet.ParquetFile, columns: list[str], files: TableFiles
) -> Iterator[pa.Table]:

    plain = pa.schema(
        [find_plain_field(file.schema_arrow.field(name), path, files) for name in columns]
    )
    # A file without rows has no batches.
    yield plain.empty_table()
    with file:
        batches = file.iter_batches(BATCH_ROWS, columns=columns)
        while (
            batch := load_file(path, "a Parquet file", partial(next, batches, None), files)
        ) is not None:
            rows = pa.Table.from_batches([batch]).select(columns)
            yield load_file(path, "a Parquet file", partial(rows.cast, plain), files)


def _read_csv(file: CsvFile, columns: list[str]) -> Iterator[pa.Table]:

    places = [file.header.index(name) for name in columns]
    schema = pa.schema([(name, pa.string()) for name in columns])
    has_empty = False
    with file.read(dtype=str, chunksize=BATCH_ROWS) as batches:
        while (batch := file.load(partial(next, batches, None))) is not None:
            has_empty |= bool((batch[max(places)].isna() | (batch[max(places)] == "")).any())
            # A table, because pandas returns the texts of many rows in several chunks, which no record batch holds.
            yield pa.Table.from_pandas(
                batch[places].set_axis(columns, axis=1), schema, preserve_index=False
            )
    file.check_row_lengths(places, has_empty)


def join_types(kinds: Iterable[pa.DataType]) -> pa.DataType | None:
    """Return the type that holds the cells of these types; None if there is none, as for numbers and texts."""

    some = {kind for kind in kinds if not types.is_null(kind)} or {pa.string()}
    texts = {kind for kind in some if is_text(kind)}
    if len(some) == 1:
        return next(iter(some))
    if all(types.is_integer(kind) or types.is_floating(kind) for kind in some):
        return pa.from_numpy_dtype(np.result_type(*(kind.to_pandas_dtype() for kind in some)))
    is_one_zone = (
        all(types.is_timestamp(kind) for kind in some) and len({kind.tz for kind in some}) == 1
    )
    if is_one_zone or all(types.is_time(kind) for kind in some):
        return max(some, key=lambda kind: ["s", "ms", "us", "ns"].index(kind.unit))
    if all(types.is_decimal(kind) for kind in some):
        scale = max(kind.scale for kind in some)
        return pa.decimal256(max(kind.precision - kind.scale for kind in some) + scale, scale)
    # A date has the text of its day.
    return pa.string() if all(kind in texts or types.is_date32(kind) for kind in some) else None


def is_text(kind: pa.DataType) -> bool:

    return bool(types.is_string(kind) or types.is_large_string(kind) or types.is_string_view(kind))
