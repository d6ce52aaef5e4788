"""Rows of a table on a PostgreSQL server, each known by its key."""

import logging
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError

from rnn_pipelines.datasets.postgres import connect
from rnn_pipelines.datasets.postgres_table import (
    add_columns,
    define_table,
    list_columns,
    list_key,
    make_batches,
    make_upsert,
    refuse_unstorable_texts,
    take_turn,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table

logger = logging.getLogger(__name__)

# How pandas reads the types of the server.
DTYPES = {
    "TEXT": "str",
    "BIGINT": "int64",
    "DOUBLE PRECISION": "float64",
    "TIMESTAMP WITHOUT TIME ZONE": "datetime64[us]",
    "TIMESTAMP WITH TIME ZONE": "datetime64[us, UTC]",
}


class PostgresRowsDataset(AbstractDataset[pd.DataFrame, pd.DataFrame]):
    """Saving adds the rows whose key is new, and updates those that differ; all others stay as they are.

    One transaction makes the table, if need be, and writes the rows; runs at the same time take turns. Saving again
    changes nothing, and neither does a run that breaks off.

    Args:
        table: its name; made with the first rows.
        key: the columns by which a row is known.
        stamp: the column that says when a row was made; to be made again isn't a difference.
        families: what the names of columns begin with that may come and go. The table gets those that are new, which
            are null in older rows; those that the rows lack stay as they are.
        credentials: `con`, a URL such as `postgresql://user:password@host:5432/database`.
        metadata: for Kedro's plugins.
    """

    def __init__(
        self,
        *,
        table: str,
        key: list[str],
        stamp: str | None = None,
        families: list[str] | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._table, self._key, self._stamp = table, key, stamp
        self._families = tuple(families or ())
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
            dtypes = {name: DTYPES[kind] for name, kind in list_columns(table).items() if kind in DTYPES}
        return pd.DataFrame.from_records(rows, columns=list(table.columns.keys())).astype(dtypes)

    def save(self, data: pd.DataFrame) -> None:
        """Adds and updates; without rows, nothing is written.

        Raises:
            DatasetError: two rows have one key, a column or a text can't be kept as it is, or the table is another one.
        """
        if data.empty:
            return
        self._check_unique_keys(data)
        refuse_unstorable_texts(self._label, data)
        with connect(self._credentials, self._label) as connection:
            wanted = define_table(self._table, self._key, data)
            take_turn(connection, self._table)
            there = self._find(connection)
            if there is None:
                wanted.create(connection, checkfirst=False)
            else:
                self._check_table_definition(there, wanted)
                add_columns(connection, there, wanted)
            statement = make_upsert(wanted, self._stamp).execution_options(preserve_rowcount=True)
            num_changed = sum(connection.execute(statement, batch).rowcount for batch in make_batches(data))
        logger.info("table %s: %d of %d rows are new or changed", self._table, num_changed, len(data))

    def _find(self, connection: "Connection") -> "Table | None":
        from sqlalchemy import MetaData, Table, inspect

        has_table = inspect(connection).has_table(self._table)
        return Table(self._table, MetaData(), autoload_with=connection) if has_table else None

    def _check_unique_keys(self, data: pd.DataFrame) -> None:
        repeated = data[data.duplicated(self._key)]
        if len(repeated):
            raise DatasetError(
                f"{self._label}: {len(repeated)} rows have the key of another one, the first of them "
                f"{repeated.iloc[0][self._key].to_dict()}."
            )

    def _check_table_definition(self, there: "Table", wanted: "Table") -> None:
        for what, describe in (("columns", self._list_fixed), ("primary key", list_key)):
            if describe(there) != describe(wanted):
                raise DatasetError(
                    f"{self._label}: expected the {what} {describe(wanted)}, found {describe(there)}. "
                    "Rename that table, or name another one in the catalog."
                )

    def _list_fixed(self, table: "Table") -> dict[str, str]:
        return {name: kind for name, kind in list_columns(table).items() if not name.startswith(self._families)}

    def _exists(self) -> bool:
        with connect(self._credentials, self._label) as connection:
            return self._find(connection) is not None

    @property
    def _label(self) -> str:
        return f"PostgreSQL, table {self._table}"

    def _describe(self) -> dict[str, Any]:
        return {"table": self._table, "key": self._key, "stamp": self._stamp}
