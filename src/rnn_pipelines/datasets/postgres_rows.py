"""Rows of a table on a PostgreSQL server, identified by their key."""

import logging
from collections.abc import Iterable, Iterator
from itertools import chain
from typing import TYPE_CHECKING, Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError

from rnn_pipelines.datasets.postgres import connect
from rnn_pipelines.datasets.postgres_table import (
    add_columns,
    copy_rows,
    create_staging,
    define_table,
    list_columns,
    list_key,
    make_append,
    make_upsert,
    refuse_unstorable_texts,
    take_turn,
)

if TYPE_CHECKING:
    from sqlalchemy import Connection, Table
    from sqlalchemy.dialects.postgresql import Insert

logger = logging.getLogger(__name__)

# The pandas dtypes of the server's types.
DTYPES = {
    "TEXT": "str",
    "BIGINT": "int64",
    "DOUBLE PRECISION": "float64",
    "TIMESTAMP WITHOUT TIME ZONE": "datetime64[us]",
    "TIMESTAMP WITH TIME ZONE": "datetime64[us, UTC]",
}


class PostgresRowsDataset(AbstractDataset[pd.DataFrame | Iterable[pd.DataFrame], pd.DataFrame]):
    """Dataset of a table in which saving inserts rows with new keys and updates rows that differ.

    One transaction copies the rows to a temporary table, creates the table if necessary, and writes the rows;
    concurrent runs wait for each other. Saving the same rows again changes nothing, and neither does an interrupted
    run. Hyphens in names of columns become underscores.

    Args:
        table: the name of the table, which is created with the first rows.
        key: the columns that identify a row.
        families: prefixes of the columns that may vary. New ones are added to the table, and are null in older rows;
            those that the saved rows lack are left unchanged.
        credentials: `con`, a URL such as `postgresql://user:password@host:5432/database`.
    """

    def __init__(
        self,
        *,
        table: str,
        key: list[str],
        families: list[str] | None = None,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, Any] | None = None,
    ) -> None:
        self._table, self._key = table, key
        self._families = tuple(families or ())
        self._credentials = credentials
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return all rows, in the order of their keys."""
        with connect(self._credentials, self._label) as connection:
            from sqlalchemy import select

            table = self._find(connection)
            if table is None:
                raise DatasetError(
                    f"{self._label}: the table does not exist yet. Run the pipeline that saves its first rows."
                )
            rows = connection.execute(select(table).order_by(*table.primary_key)).all()
            dtypes = {name: DTYPES[kind] for name, kind in list_columns(table).items() if kind in DTYPES}
        return pd.DataFrame.from_records(rows, columns=list(table.columns.keys())).astype(dtypes)

    def save(self, data: pd.DataFrame | Iterable[pd.DataFrame]) -> None:
        """Insert new rows and update those that differ; empty tables write nothing.

        Args:
            data: the rows, in one table or in some, of which one at a time is in memory.

        Raises:
            DatasetError: two rows have the same key, PostgreSQL cannot store a column or a text unchanged, or the table
                on the server has other columns or another key.
        """
        tables = self._prepare([data] if isinstance(data, pd.DataFrame) else data)
        first = next(tables, None)
        if first is None:
            return
        num_rows = 0
        with connect(self._credentials, self._label) as connection:
            wanted = define_table(self._table, self._key, first)
            staging = create_staging(connection, wanted)
            for table in chain([first], tables):
                copy_rows(connection, staging, table)
                num_rows += len(table)
            take_turn(connection, self._table)
            there = self._find(connection)
            if there is None:
                wanted.create(connection, checkfirst=False)
            else:
                self._check_table_definition(there, wanted)
                add_columns(connection, there, wanted)
            statement = self._make_statement(wanted, staging).execution_options(preserve_rowcount=True)
            num_changed = connection.execute(statement).rowcount
        logger.info("table %s: %d of %d rows are new or changed", self._table, num_changed, num_rows)

    def _prepare(self, tables: Iterable[pd.DataFrame]) -> Iterator[pd.DataFrame]:
        """Yield the tables that have rows, checked, with the names of columns that SQL needs not quote."""
        for given in tables:
            if given.empty:
                continue
            table = self._complete(given.rename(columns=lambda name: name.replace("-", "_")))
            repeated = table[table.duplicated(self._key)]
            if len(repeated):
                raise DatasetError(
                    f"{self._label}: expected unique keys, received {len(repeated)} repeated ones, the first "
                    f"{repeated.iloc[0][self._key].to_dict()}."
                )
            refuse_unstorable_texts(self._label, table)
            yield table

    def _complete(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the columns that the dataset adds."""
        return table

    def _make_statement(self, table: "Table", staging: "Table") -> "Insert":
        """Return the statement that writes the rows of another table."""
        return make_upsert(table, staging)

    def _find(self, connection: "Connection") -> "Table | None":
        from sqlalchemy import MetaData, Table, inspect

        has_table = inspect(connection).has_table(self._table)
        return Table(self._table, MetaData(), autoload_with=connection) if has_table else None

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
        return {"table": self._table, "key": self._key}


class PostgresRunRowsDataset(PostgresRowsDataset):
    """Dataset of a table whose column `run` has the name of the run that saved a row last; it sorts by time.

    Attributes:
        run: its name, which the hooks set. Pipelines that do not keep runs, such as `predict_forecast`, have one, too.
    """

    run: str = ""

    def _complete(self, table: pd.DataFrame) -> pd.DataFrame:
        if not self.run:
            raise DatasetError(f"{self._label}: the run has no name. Save by kedro run, with the hooks of the project.")
        return table.assign(run=self.run)


class PostgresLogDataset(PostgresRowsDataset):
    """Dataset of a table in which saving only adds rows: those that differ from the last ones on record of their keys.

    Rows are never changed. The last column of the key is the time at which a row was recorded; the others name the
    thing on record.
    """

    def _make_statement(self, table: "Table", staging: "Table") -> "Insert":
        return make_append(table, staging)

    def _find(self, connection: "Connection") -> "Table | None":
        table = super()._find(connection)
        if table is not None and list_key(table) != self._key:
            raise DatasetError(
                f"{self._label}: expected the primary key {self._key}, found {list_key(table)}. "
                "Rename that table, or name another one in the catalog."
            )
        return table
