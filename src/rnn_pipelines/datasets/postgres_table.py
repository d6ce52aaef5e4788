"""Definition, checks and statements of a table on a PostgreSQL server."""

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.io.core import DatasetError

from rnn_pipelines.errors import show
from rnn_pipelines.reading.user_files import is_broken

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlalchemy.dialects.postgresql import Insert
    from sqlalchemy.types import TypeEngine

# Writing takes seconds. If a writer is idle for longer, the server ends its transaction.
LOCK_SECONDS = 60
BATCH_ROWS = 20_000


def define_table(name: str, key: list[str], data: pd.DataFrame) -> "Table":
    """Return the definition of a table with the columns of `data`, without creating it."""
    from sqlalchemy import BigInteger, Column, DateTime, Double, MetaData, PrimaryKeyConstraint, Table, Text

    kinds: dict[str, TypeEngine[Any]] = {"O": Text(), "i": BigInteger(), "f": Double(), "M": DateTime()}
    columns = []
    for column, values in data.items():
        kind = DateTime(timezone=True) if isinstance(values.dtype, pd.DatetimeTZDtype) else kinds.get(values.dtype.kind)
        if kind is None:
            raise DatasetError(
                f"table {show(name)}, column {show(column)}: expected texts, whole or floating numbers or times, "
                f"received {values.dtype}."
            )
        if values.dtype.kind == "M" and not values.dropna().equals(values.dropna().dt.floor("us")):
            raise DatasetError(
                f"table {show(name)}, column {show(column)}: expected times of whole microseconds. Round them."
            )
        columns.append(Column(column, kind, autoincrement=False))
    return Table(name, MetaData(), *columns, PrimaryKeyConstraint(*key))


def refuse_unstorable_texts(label: str, data: pd.DataFrame) -> None:
    """Raise a DatasetError for the first text with a lone surrogate or NUL, which PostgreSQL cannot store."""
    for column in data.columns[[dtype.kind == "O" for dtype in data.dtypes]]:
        for row, text in enumerate(data[column], start=1):
            if is_broken(text) or (isinstance(text, str) and "\0" in text):
                raise DatasetError(
                    f"{label}, column {show(column)}, row {row}: {show(text)} has a character that PostgreSQL can't "
                    "store (a lone surrogate or NUL). Correct the text at its source."
                )


def list_columns(table: "Table") -> dict[str, str]:
    """Return the columns' types by name, both as on the server."""
    from sqlalchemy.dialects import postgresql

    return {column.name: column.type.compile(postgresql.dialect()) for column in table.columns}


def list_key(table: "Table") -> list[str]:
    """Return the columns of the primary key, in its order."""
    return [column.name for column in table.primary_key]


def add_columns(connection: "Connection", there: "Table", wanted: "Table") -> None:
    """Add the missing columns to the table on the server; they are null in its rows."""
    from sqlalchemy import DDL

    prepare = connection.dialect.identifier_preparer
    types = list_columns(wanted)
    for name in types.keys() - list_columns(there).keys():
        table, column = prepare.format_table(there), prepare.quote(name)
        connection.execute(DDL(f"alter table {table} add column {column} {types[name]}"))


def take_turn(connection: "Connection", name: str) -> None:
    """Lock the table for one writer until its transaction ends, by name, because the table may not exist yet."""
    from sqlalchemy import func, select

    for timeout in ("lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(select(func.set_config(timeout, f"{LOCK_SECONDS}s", True)))
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def make_upsert(table: "Table", stamp: str | None) -> "Insert":
    """Return the statement that inserts arrays, one for each column, and updates existing rows that differ.

    A difference in the column `stamp` alone does not count.
    """
    from sqlalchemy import bindparam, func, select, tuple_
    from sqlalchemy.dialects.postgresql import ARRAY, insert

    names = [column.name for column in table.columns]
    arrays = [bindparam(column.name, type_=ARRAY(column.type)) for column in table.columns]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    statement = insert(table).from_select(names, select(*rows.columns))
    values = [name for name in names if name not in list_key(table)]
    watched = [name for name in values if name != stamp]
    before = tuple_(*(table.columns[name] for name in watched))
    after = tuple_(*(statement.excluded[name] for name in watched))
    return statement.on_conflict_do_update(
        index_elements=list_key(table),
        set_={name: statement.excluded[name] for name in values},
        where=before.is_distinct_from(after),
    )


def make_batches(data: pd.DataFrame) -> Iterator[dict[str, list[Any]]]:
    """Yield batches of rows as lists by column, with None for missing values."""
    for start in range(0, len(data), BATCH_ROWS):
        batch = data.iloc[start : start + BATCH_ROWS].astype(object)
        yield batch.where(batch.notna(), None).to_dict(orient="list")
