"""Definition, checks and statements of a table on a PostgreSQL server."""

import io
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
from kedro.io.core import DatasetError
from pyarrow.csv import ConvertOptions, ParseOptions, ReadOptions, WriteOptions, read_csv, write_csv
from sqlalchemy import (
    DDL,
    BigInteger,
    Boolean,
    Column,
    Connection,
    DateTime,
    Double,
    MetaData,
    PrimaryKeyConstraint,
    Select,
    Table,
    Text,
    and_,
    func,
    or_,
    select,
    text,
    tuple_,
)
from sqlalchemy.dialects import postgresql
from sqlalchemy.dialects.postgresql import Insert, insert
from sqlalchemy.types import TypeEngine

from rnn_pipelines.errors import show
from rnn_pipelines.reading.table_files import is_broken
from rnn_pipelines.storage.chain import LINKS

# If a writer is idle for longer while it holds the table, the server ends its transaction.
LOCK_SECONDS = 60
BATCH_ROWS = 1 << 16


def define_table(name: str, key: list[str], data: pd.DataFrame) -> Table:
    """Return the definition of a table with the columns of `data`, without creating it."""
    kinds: dict[str, TypeEngine[Any]] = {
        "O": Text(),
        "b": Boolean(),
        "i": BigInteger(),
        "f": Double(),
        "M": DateTime(),
    }
    columns = []
    for column, values in data.items():
        kind = (
            DateTime(timezone=True)
            if isinstance(values.dtype, pd.DatetimeTZDtype)
            else kinds.get(values.dtype.kind)
        )
        if kind is None:
            raise DatasetError(
                f"table {show(name)}, column {show(column)}: expected texts, truth values, numbers or "
                f"times, received {values.dtype}."
            )
        if values.dtype.kind == "M" and not values.dropna().equals(values.dropna().dt.floor("us")):
            message = f"table {show(name)}, column {show(column)}: expected times of whole microseconds. Round them."
            raise DatasetError(message)
        columns.append(Column(column, kind, autoincrement=False))
    return Table(name, MetaData(), *columns, PrimaryKeyConstraint(*key))


def refuse_unstorable_texts(label: str, data: pd.DataFrame) -> None:
    """Raise a DatasetError for the first text with a lone surrogate or NUL, which PostgreSQL cannot store."""
    for column in data.columns[[dtype.kind == "O" for dtype in data.dtypes]]:
        # Each text once, because most are repeated.
        places, texts = pd.factorize(data[column])
        broken = [place for place, text in enumerate(texts) if is_broken(text) or "\0" in str(text)]
        if broken:
            row = int(np.isin(places, broken).argmax())
            raise DatasetError(
                f"{label}, column {show(column)}, row {row + 1}: {show(data[column].iloc[row])} has a character that "
                "PostgreSQL can't store (a lone surrogate or NUL). Correct the text at its source."
            )


def list_column_types(table: Table) -> dict[str, str]:
    """Return the columns' types by name, both as on the server."""
    return {column.name: column.type.compile(postgresql.dialect()) for column in table.columns}


def list_key(table: Table) -> list[str]:
    """Return the columns of the primary key, in its order."""
    return [column.name for column in table.primary_key]


def add_columns(connection: Connection, there: Table, wanted: Table) -> None:
    """Add the missing columns to the table on the server; they are null in its rows."""
    prepare = connection.dialect.identifier_preparer
    types = list_column_types(wanted)
    for name in types.keys() - list_column_types(there).keys():
        table = prepare.format_table(there)
        column = prepare.quote(name)
        connection.execute(DDL(f"alter table {table} add column {column} {types[name]}"))


def lock_table(connection: Connection, name: str) -> None:
    """Lock the table for one writer until its transaction ends, by name, because the table may not exist yet."""
    for timeout in ("lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(select(func.set_config(timeout, f"{LOCK_SECONDS}s", True)))
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def create_staging(connection: Connection, table: Table) -> Table:
    """Create an empty temporary table with the same columns, which the end of the transaction removes."""
    columns = [Column(column.name, column.type) for column in table.columns]
    staging = Table(
        "rnn_staging", MetaData(), *columns, prefixes=["temporary"], postgresql_on_commit="drop"
    )
    staging.create(connection, checkfirst=False)
    return staging


def copy_rows(connection: Connection, table: Table, data: pd.DataFrame) -> None:
    """Append rows to an empty or new table by `copy`, with null for missing values."""
    prepare = connection.dialect.identifier_preparer
    driver = connection.connection.driver_connection
    assert driver is not None
    schema = pa.schema(
        [(name, _find_arrow_type(kind)) for name, kind in list_column_types(table).items()]
    )
    names = ", ".join(prepare.quote(name) for name in schema.names)
    statement = (
        f"copy {prepare.format_table(table)} ({names}) from stdin (format csv, encoding 'utf8')"
    )
    with driver.cursor() as cursor, cursor.copy(statement) as copy:
        for start in range(0, len(data), BATCH_ROWS):
            rows = data.iloc[start : start + BATCH_ROWS]
            arrays = [
                _make_array(rows[name], kind)
                for name, kind in zip(schema.names, schema.types, strict=True)
            ]
            content = pa.BufferOutputStream()
            write_csv(pa.table(arrays, schema=schema), content, WriteOptions(include_header=False))
            copy.write(content.getvalue().to_pybytes())


def iterate_rows(
    connection: Connection, query: Select[Any], types: Mapping[str, str]
) -> Iterator[pd.DataFrame]:
    """Yield the rows of a query by `copy`, some thousands at a time; `types` are those of its columns, in order."""
    driver = connection.connection.driver_connection
    assert driver is not None
    sql = query.compile(connection, compile_kwargs={"literal_binds": True}).string
    converted = ConvertOptions(
        column_types={name: _find_arrow_type(kind) for name, kind in types.items()},
        null_values=[""],
        strings_can_be_null=True,
        quoted_strings_can_be_null=False,
        true_values=["t"],
        false_values=["f"],
    )
    with driver.cursor() as cursor, cursor.copy(f"copy ({sql}) to stdout (format csv)") as copy:
        # Each block has whole rows.
        blocks = iter(copy)
        while content := b"".join(islice(blocks, BATCH_ROWS)):
            names = ReadOptions(
                column_names=list(types), block_size=len(content), use_threads=False
            )
            yield read_csv(
                io.BytesIO(content), names, ParseOptions(newlines_in_values=True), converted
            ).to_pandas()


def _find_arrow_type(kind: str) -> pa.DataType:
    types = {
        "TEXT": pa.string(),
        "BOOLEAN": pa.bool_(),
        "BIGINT": pa.int64(),
        "DOUBLE PRECISION": pa.float64(),
    }
    return types.get(kind) or pa.timestamp("us", "UTC" if kind.endswith("WITH TIME ZONE") else None)


def _make_array(column: pd.Series, kind: pa.DataType) -> pa.Array | pa.ChunkedArray:
    # Arrow would take the times of a zone by a way of pandas that is deprecated.
    cells = (
        column.to_numpy("datetime64[us]")
        if isinstance(column.dtype, pd.DatetimeTZDtype)
        else column
    )
    return pa.array(cells, kind, from_pandas=True)


def make_upsert(table: Table, staging: Table) -> Insert:
    """Return the statement that inserts the rows of another table, and updates existing rows that differ."""
    names = [column.name for column in table.columns]
    statement = insert(table).from_select(names, select(*staging.columns))
    values = [name for name in names if name not in list_key(table)]
    before = tuple_(*(table.columns[name] for name in values))
    after = tuple_(*(statement.excluded[name] for name in values))
    return statement.on_conflict_do_update(
        index_elements=list_key(table),
        set_={name: statement.excluded[name] for name in values},
        where=before.is_distinct_from(after),
    )


def select_new(table: Table, staging: Table) -> Select[Any]:
    """Return the query of those rows of another table that differ from the last ones of their keys.

    The last column of the key is the time of record. The rows get one, which is later than all times on record.
    """

    *key, time = list_key(table)
    others = table.alias()
    names = [column.name for column in table.columns]
    values = [name for name in names if name not in (*key, time, *LINKS)]
    of_key = and_(*(others.columns[name] == staging.columns[name] for name in key))
    last = select(func.max(others.columns[time])).where(of_key).correlate(staging).scalar_subquery()
    is_last = and_(
        *(table.columns[name] == staging.columns[name] for name in key), table.columns[time] == last
    )
    before, after = (tuple_(*(one.columns[name] for name in values)) for one in (table, staging))
    is_new = or_(table.columns[time].is_(None), before.is_distinct_from(after))
    given = select(func.max(staging.alias().columns[time])).scalar_subquery()
    later = select(
        func.max(others.columns[time]) + text("interval '1 microsecond'")
    ).scalar_subquery()
    rows = [
        func.greatest(given, later) if column.name == time else column for column in staging.columns
    ]
    return select(*rows).select_from(staging.outerjoin(table, is_last)).where(is_new)
