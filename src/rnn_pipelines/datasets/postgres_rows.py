"""Rows of a table on a PostgreSQL server, each known by its key."""

import logging
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError

from rnn_pipelines.datasets.postgres import connect

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlalchemy.dialects.postgresql import Insert
    from sqlalchemy.types import TypeEngine

logger = logging.getLogger(__name__)

# How pandas reads the types of the server.
DTYPES = {
    "TEXT": "str",
    "BIGINT": "int64",
    "DOUBLE PRECISION": "float64",
    "TIMESTAMP WITHOUT TIME ZONE": "datetime64[us]",
    "TIMESTAMP WITH TIME ZONE": "datetime64[us, UTC]",
}
# To write takes seconds. A writer that is silent for longer is gone, and the server ends its transaction.
LOCK_SECONDS = 60
BATCH_ROWS = 20_000


class PostgresRowsDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """Saving adds the rows whose key is new, and updates those that differ; all others stay as they are.

    One transaction makes the table, if need be, and writes the rows; runs at the same time take turns. Saving again
    changes nothing, and neither does a run that breaks off.

    Args:
        table: its name; made with the first rows.
        key: the columns by which a row is known.
        stamp: the column that says when a row was made; to be made again is no difference.
        credentials: `con`, a URL such as `postgresql://user:password@host:5432/database`.
        metadata: for Kedro's plugins.
    """

    def __init__(
        self,
        *,
        table: str,
        key: list[str],
        stamp: str | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._table, self._key, self._stamp = table, key, stamp
        self._credentials = credentials
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """All rows, in the order of their keys."""
        with connect(self._credentials, self._label) as connection:
            from sqlalchemy import select

            table = self._find(connection)
            if table is None:
                raise DatasetError(f"{self._label}: it is not there yet; the first rows make it.")
            rows = connection.execute(select(table).order_by(*table.primary_key)).all()
            dtypes = {name: DTYPES[kind] for name, kind in _list_columns(table).items() if kind in DTYPES}
        return pd.DataFrame.from_records(rows, columns=list(table.columns.keys())).astype(dtypes)

    def save(self, data: pd.DataFrame) -> None:
        """Adds and updates; without rows, nothing is written.

        Raises:
            DatasetError: two rows have one key, a column can't be kept as it is, or the table is another one.
        """
        if data.empty:
            return
        self._refuse_repeated_keys(data)
        with connect(self._credentials, self._label) as connection:
            wanted = _define_table(self._table, self._key, data)
            _take_turn(connection, self._table)
            there = self._find(connection)
            if there is None:
                wanted.create(connection, checkfirst=False)
            else:
                self._refuse_another_table(there, wanted)
            statement = _make_statement(wanted, self._stamp).execution_options(preserve_rowcount=True)
            num_changed = sum(connection.execute(statement, batch).rowcount for batch in _make_batches(data))
        logger.info("table %s: %d of %d rows are new or changed", self._table, num_changed, len(data))

    def _find(self, connection: "Connection") -> "Table | None":
        from sqlalchemy import MetaData, Table, inspect

        has_table = inspect(connection).has_table(self._table)
        return Table(self._table, MetaData(), autoload_with=connection) if has_table else None

    def _refuse_repeated_keys(self, data: pd.DataFrame) -> None:
        repeated = data[data.duplicated(self._key)]
        if len(repeated):
            raise DatasetError(
                f"{self._label}: {len(repeated)} rows have the key of another one, the first of them "
                f"{repeated.iloc[0][self._key].to_dict()}."
            )

    def _refuse_another_table(self, there: "Table", wanted: "Table") -> None:
        for what, describe in (("columns", _list_columns), ("primary key", _list_key)):
            if describe(there) != describe(wanted):
                raise DatasetError(
                    f"{self._label}: expected the {what} {describe(wanted)}, found {describe(there)}. "
                    "Rename that table, or name another one in the catalog."
                )

    def _exists(self) -> bool:
        with connect(self._credentials, self._label) as connection:
            return self._find(connection) is not None

    @property
    def _label(self) -> str:
        return f"PostgreSQL, table {self._table}"

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table, "key": self._key, "stamp": self._stamp}


def _define_table(name: str, key: list[str], data: pd.DataFrame) -> "Table":
    """A table with the columns of `data`, which is not made yet."""
    from sqlalchemy import BigInteger, Column, DateTime, Double, MetaData, PrimaryKeyConstraint, Table, Text

    kinds: dict[str, TypeEngine[Any]] = {"O": Text(), "i": BigInteger(), "f": Double(), "M": DateTime()}
    columns = []
    for column, values in data.items():
        kind = DateTime(timezone=True) if isinstance(values.dtype, pd.DatetimeTZDtype) else kinds.get(values.dtype.kind)
        if kind is None:
            raise DatasetError(
                f"table {name}, column {column}: expected texts, whole or floating numbers or times, received "
                f"{values.dtype}."
            )
        if values.dtype.kind == "M" and not values.dropna().equals(values.dropna().dt.floor("us")):
            raise DatasetError(f"table {name}, column {column}: PostgreSQL keeps no times finer than a microsecond.")
        columns.append(Column(column, kind, autoincrement=False))
    return Table(name, MetaData(), *columns, PrimaryKeyConstraint(*key))


def _list_columns(table: "Table") -> dict[str, str]:
    from sqlalchemy.dialects import postgresql

    return {column.name: column.type.compile(postgresql.dialect()) for column in table.columns}


def _list_key(table: "Table") -> list[str]:
    return [column.name for column in table.primary_key]


def _take_turn(connection: "Connection", name: str) -> None:
    """Lets one writer at the table until its transaction ends; before it is made, there is nothing else to lock."""
    from sqlalchemy import func, select

    for timeout in ("lock_timeout", "idle_in_transaction_session_timeout"):
        connection.execute(select(func.set_config(timeout, f"{LOCK_SECONDS}s", True)))
    connection.execute(select(func.pg_advisory_xact_lock(func.hashtextextended(name, 0))))


def _make_statement(table: "Table", stamp: str | None) -> "Insert":
    """Inserts what has come in arrays, one for each column, and updates rows with that key where they differ."""
    from sqlalchemy import bindparam, func, select, tuple_
    from sqlalchemy.dialects.postgresql import ARRAY, insert

    names = [column.name for column in table.columns]
    arrays = [bindparam(column.name, type_=ARRAY(column.type)) for column in table.columns]
    rows = func.unnest(*arrays).table_valued(*names).render_derived()
    statement = insert(table).from_select(names, select(*rows.columns))
    values = [name for name in names if name not in _list_key(table)]
    watched = [name for name in values if name != stamp]
    before = tuple_(*(table.columns[name] for name in watched))
    after = tuple_(*(statement.excluded[name] for name in watched))
    return statement.on_conflict_do_update(
        index_elements=_list_key(table),
        set_={name: statement.excluded[name] for name in values},
        where=before.is_distinct_from(after),
    )


def _make_batches(data: pd.DataFrame) -> Iterator[dict[str, list[Any]]]:
    """Columns of some rows as lists; what is no number or no time is None."""
    for start in range(0, len(data), BATCH_ROWS):
        batch = data.iloc[start : start + BATCH_ROWS].astype(object)
        yield batch.where(batch.notna(), None).to_dict(orient="list")
