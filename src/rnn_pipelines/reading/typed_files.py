"""Files of columns with types, such as Parquet, which are read whole or in batches.

A new format is a class with the members of `Format`, and a line in `FORMATS`.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar, Protocol

import pandas as pd
import pyarrow
import pyarrow.parquet
from pyarrow import types

from rnn_pipelines.reading.table_files import (
    Selection,
    TableFiles,
    list_unread,
    load_file,
    require_columns,
)


class Format(Protocol):
    """An open file of one format. Any exception counts as damage of the file."""

    kind: ClassVar[str]  # in messages, such as `a Parquet file`
    schema: pyarrow.Schema
    num_rows: int

    def __init__(self, path: Path) -> None:
        """Open the file, and read no rows."""

    def read(self, columns: list[str]) -> pyarrow.Table:
        """Return all rows."""

    def read_batches(self, columns: list[str], num_rows: int) -> Iterator[pyarrow.RecordBatch]:
        """Yield the rows, about so many at once."""


class ParquetFormat(Format):
    """An open Parquet file."""

    kind = "a Parquet file"

    def __init__(self, path: Path) -> None:
        # Impala and Spark write times as INT96, whose range exceeds that of nanoseconds.
        self._file = pyarrow.parquet.ParquetFile(path, coerce_int96_timestamp_unit="us")
        self.schema = self._file.schema_arrow
        self.num_rows = self._file.metadata.num_rows

    def read(self, columns: list[str]) -> pyarrow.Table:
        return self._file.read(columns)

    def read_batches(self, columns: list[str], num_rows: int) -> Iterator[pyarrow.RecordBatch]:
        with self._file as file:
            yield from file.iter_batches(num_rows, columns=columns)


# By the ending of the file's name, in lower case.
FORMATS: dict[str, type[Format]] = {".parquet": ParquetFormat, ".pq": ParquetFormat}


@dataclass(frozen=True)
class TypedFile:
    """An open file of columns with types; a `LargeFile`. Cells have no dictionaries."""

    path: Path
    content: Format
    files: TableFiles  # for messages
    found = None
    is_comma_separated = False
    num_above = 0

    def find_field(self, column: str) -> pyarrow.Field:
        """Return the name and the type of a column; raise `files.error` if it has several values in a cell."""
        field = self.content.schema.field(column)
        kind = field.type.value_type if types.is_dictionary(field.type) else field.type
        if types.is_nested(kind):
            raise self.files.error(
                f"{self.path}: column '{field.name}' holds {kind} in its cells; expected one number, text or time in "
                f"each. Write it to a column of its own, and name that with {self.files.columns}."
            )
        return field.with_type(kind)

    def read(self, selection: Selection) -> pd.DataFrame:
        """Return all rows, see `read_columns`."""
        names = self.content.schema.names
        columns = selection.list_columns(names)
        plain = pyarrow.schema(map(self.find_field, columns))

        def read() -> pd.DataFrame:
            rows = self.content.read(columns).select(columns).cast(plain)
            # Ignore the metadata of pandas, which would turn columns into an index.
            return rows.to_pandas(ignore_metadata=True)

        table: pd.DataFrame = self._load(read)
        table.attrs = {"unread": list_unread(names, columns)}
        return table

    def read_batches(self, columns: list[str], num_rows: int) -> Iterator[pyarrow.Table]:
        """Yield the rows in batches of one schema, about so many at once."""
        plain = pyarrow.schema(map(self.find_field, columns))
        # A file without rows has no batches.
        yield plain.empty_table()
        batches = self.content.read_batches(columns, num_rows)
        while (batch := self._load(partial(next, batches, None))) is not None:
            rows = pyarrow.Table.from_batches([batch]).select(columns)
            yield self._load(partial(rows.cast, plain))

    def _load(self, read: Callable[[], Any]) -> Any:
        return load_file(self.path, self.content.kind, read, self.files)


def find_format(path: Path) -> type[Format] | None:
    """Return the format of a file, by its name; None if its columns have no types, as in CSV files."""
    name = path.name.lower()
    return next((form for ending, form in FORMATS.items() if name.endswith(ending)), None)


def open_typed(path: Path, form: type[Format], wanted: list[str], files: TableFiles) -> TypedFile:
    """Open a file that has some columns; else raise `files.error`, see `read_columns`."""
    content = load_file(path, form.kind, partial(form, path), files)
    require_columns(wanted, content.schema.names, path, files)
    return TypedFile(path, content, files)
