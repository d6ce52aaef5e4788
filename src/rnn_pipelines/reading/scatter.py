"""Division of tables that are too large for memory into Parquet files, by a hash of the series' names.

Rows are distributed as they come, not sorted, so that memory depends on the size of a batch and not on that of the
table. A file gets all rows of its series, in their order. Because of the hash, the series of each file are a random
sample of all.
"""

from collections.abc import Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from rnn_pipelines.reading.dialect import Dialect, find_dialect, leave_titles
from rnn_pipelines.reading.folders import list_tables, read_folder_names
from rnn_pipelines.reading.table_files import TableFiles, load_file, require_columns
from rnn_pipelines.reading.user_files import find_plain_field

if TYPE_CHECKING:
    import pyarrow as pa

# Rows that are read at once, rows of a file that are written at once, and rows of all files that wait in memory.
BATCH_ROWS, GROUP_ROWS, WAITING_ROWS = 1 << 18, 1 << 17, 1 << 22
# The beginning of a CSV file, which shows its dialect and the mean length of its rows.
HEAD_BYTES = 1 << 20
PARQUET, CSV = (".parquet", ".pq"), (".csv", ".tsv", ".txt")


def can_scatter(path: Path) -> bool:
    """Return whether a table is in plain CSV or Parquet files, which are read in batches."""
    paths = list_tables(path)
    return all(file.name.lower().endswith((*PARQUET, *CSV)) and file.is_file() for file in paths)


def count_rows(path: Path, files: TableFiles) -> int:
    """Return the number of rows of a table; that of CSV files is estimated from their sizes."""
    return sum(load_file(file, "a table", partial(_count_rows, file), files) for file in list_tables(path))


def is_counted_exactly(path: Path) -> bool:
    """Return whether `count_rows` counts the rows of a table, and does not estimate them."""
    return all(file.name.lower().endswith(PARQUET) for file in list_tables(path))


def list_names(path: Path, wanted: Sequence[str], dialect: Dialect) -> list[str]:
    """Return the columns of the first file of a table, and those in the names of its folders."""
    file = list_tables(path)[0]
    if file.name.lower().endswith(PARQUET):
        import pyarrow.parquet

        names = pyarrow.parquet.read_schema(file).names
    else:
        names = next(_read_csv(file, wanted, dialect, num_rows=1)).columns.tolist()
    return [*names, *read_folder_names(file)]


def iterate_batches(
    path: Path, columns: Sequence[str], files: TableFiles, dialect: Dialect
) -> Iterator["pa.RecordBatch"]:
    """Yield the columns of all files in batches of one schema, that of the first file, without dictionaries.

    Args:
        path: a file, or a folder of files.
        columns: to read; those that a file lacks are read from the name of its folder, such as `store=12`.
        files: for messages.
        dialect: of CSV files, whose cells are texts.
    Raises:
        RnnPipelinesError: `files.error`: a file is damaged, or lacks a column.
    """
    import pyarrow as pa

    columns, schema = list(columns), None
    for file in list_tables(path):
        read = _read_parquet if file.name.lower().endswith(PARQUET) else _read_csv_batches
        of_folder = read_folder_names(file)
        batches = read(file, columns, files, dialect)
        while (
            found := load_file(file, "a table of the same columns as the others", partial(next, batches, None), files)
        ) is not None:
            missing = [name for name in columns if name not in found.schema.names]
            if missing and not set(missing) <= set(of_folder):
                require_columns(columns, found.schema.names, file, files)
            for name in missing:
                found = found.append_column(name, pa.array([of_folder[name]] * len(found), pa.string()))
            found = found.select(columns)
            if schema is None:
                schema = pa.schema([find_plain_field(field, file, files) for field in found.schema])
            yield load_file(file, "columns of the types of the first file", partial(_cast, found, schema), files)


def scatter_rows(batches: Iterable["pa.RecordBatch"], key: str, targets: Sequence[Path]) -> np.ndarray:
    """Write the rows of a table to Parquet files, by a hash of one column.

    Args:
        batches: of one schema.
        key: the column with the names of the series.
        targets: the files to write, in folders that exist.
    Returns:
        The number of rows of each target, int64[target].
    """
    import pyarrow as pa
    import pyarrow.parquet

    waiting: list[list[pa.RecordBatch]] = [[] for _ in targets]
    counts, num_waiting = np.zeros(len(targets), np.int64), np.zeros(len(targets), np.int64)
    with ExitStack() as stack:
        writers: list[pa.parquet.ParquetWriter] = []

        def write(number: int) -> None:
            if waiting[number]:
                writers[number].write_table(pa.Table.from_batches(waiting[number]))
            waiting[number], num_waiting[number] = [], 0

        for batch in batches:
            if not writers:
                writers = [stack.enter_context(pa.parquet.ParquetWriter(file, batch.schema)) for file in targets]
            for number, rows in _divide(batch, key, len(targets)):
                waiting[number].append(rows)
                counts[number] += len(rows)
                num_waiting[number] += len(rows)
            is_all = num_waiting.sum() >= WAITING_ROWS
            for ready in np.flatnonzero(is_all | (num_waiting >= GROUP_ROWS)):
                write(int(ready))
        for number in range(len(writers)):
            write(number)
    return counts


def count_values(paths: Sequence[Path], name: str) -> int:
    """Return the number of different values in a column of Parquet files, none of which is in two files."""
    import pyarrow.compute
    import pyarrow.parquet

    columns = (pyarrow.parquet.read_table(path, columns=[name])[name] for path in paths)
    return sum(int(pyarrow.compute.count_distinct(column, mode="all").as_py()) for column in columns)


def _divide(batch: "pa.RecordBatch", key: str, num_parts: int) -> Iterator[tuple[int, "pa.RecordBatch"]]:
    """Yield the rows of each part of a batch."""
    codes = batch.column(key).dictionary_encode("encode")
    names = codes.dictionary.to_pandas().astype(str).to_numpy(object)
    # Ranges of the hash, so that the series of the first part stay nearly the same if the number of parts grows.
    hashes = pd.util.hash_array(names, categorize=False) >> np.uint64(32)
    part_of_name = (hashes * np.uint64(num_parts) >> np.uint64(32)).astype(np.int64)
    parts = part_of_name[codes.indices.to_numpy(zero_copy_only=False)]
    order = np.argsort(parts, kind="stable")
    ends = np.cumsum(np.bincount(parts, minlength=num_parts))
    sorted_rows = batch.take(order)
    for number, (begin, end) in enumerate(zip([0, *ends[:-1]], ends, strict=True)):
        if end > begin:
            yield number, sorted_rows.slice(begin, end - begin)


def _cast(batch: "pa.RecordBatch", schema: "pa.Schema") -> "pa.RecordBatch":
    import pyarrow as pa

    table: pa.Table = pa.Table.from_batches([batch]).cast(schema).combine_chunks()
    return table.to_batches()[0] if len(table) else pa.RecordBatch.from_pylist([], schema)


def _read_parquet(path: Path, columns: list[str], files: TableFiles, dialect: Dialect) -> Iterator["pa.RecordBatch"]:
    """Yield batches of the columns that the file has."""
    import pyarrow.parquet

    file = load_file(
        path, "a Parquet file", partial(pyarrow.parquet.ParquetFile, path, coerce_int96_timestamp_unit="us"), files
    )
    with file:
        names = [name for name in columns if name in file.schema_arrow.names]
        yield from file.iter_batches(BATCH_ROWS, columns=names)


def _read_csv_batches(
    path: Path, columns: list[str], files: TableFiles, dialect: Dialect
) -> Iterator["pa.RecordBatch"]:
    """Yield batches of the columns that the file has, as texts."""
    import pyarrow as pa

    for table in _read_csv(path, columns, dialect):
        chosen = table[[name for name in columns if name in table]]
        yield pa.RecordBatch.from_pandas(chosen, pa.schema([(name, pa.string()) for name in chosen]), False)


def _read_csv(
    path: Path, wanted: Sequence[str], dialect: Dialect, num_rows: int | None = None
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a CSV file, all cells as texts."""
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    # A cut character at the end would look like another encoding.
    head = head[: head.rfind(b"\n") + 1] or head
    rest, num_titles = leave_titles(head, wanted, dialect)
    found = find_dialect(rest, wanted, dialect)
    with pd.read_csv(
        path,
        sep=found.sep,
        encoding=found.encoding,
        skiprows=num_titles,
        dtype=str,
        keep_default_na=False,
        skipinitialspace=True,
        chunksize=BATCH_ROWS,
        nrows=num_rows,
    ) as chunks:
        yield from chunks


def _count_rows(path: Path) -> int:
    if path.name.lower().endswith(PARQUET):
        import pyarrow.parquet

        return int(pyarrow.parquet.read_metadata(path).num_rows)
    with path.open("rb") as file:
        head = file.read(HEAD_BYTES)
    return round(head.count(b"\n") * path.stat().st_size / len(head)) if head else 0
