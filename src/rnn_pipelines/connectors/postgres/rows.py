"""Rows of a table on a PostgreSQL server, identified by their key."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain
from typing import Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError
from sqlalchemy import Connection, MetaData, Table, func, inspect, select

from rnn_pipelines.connectors.postgres import table as postgres_table
from rnn_pipelines.connectors.postgres.connection import connect
from rnn_pipelines.storage.chain import LINKS, PREVIOUS, find_link, link_night, split_nights

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
        metadata: dict[str, object] | None = None,
    ) -> None:
        self._table, self._key = table, key
        self._families = tuple(families or ())
        self._credentials = credentials
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        """Return all rows, in the order of their keys."""
        with connect(self._credentials, self._label) as connection:
            table = self._find(connection)
            if table is None:
                message = f"{self._label}: the table does not exist yet. Run the pipeline that saves its first rows."
                raise DatasetError(message)
            rows = connection.execute(select(table).order_by(*table.primary_key)).all()
            dtypes = {
                name: DTYPES[kind]
                for name, kind in postgres_table.list_column_types(table).items()
                if kind in DTYPES
            }
        return pd.DataFrame.from_records(rows, columns=list(table.columns.keys())).astype(dtypes)

    def save(self, data: pd.DataFrame | Iterable[pd.DataFrame]) -> None:
        """Insert new rows and update those that differ, of one table or of some in turn; empty ones write nothing.

        Raise a DatasetError if two rows have the same key, PostgreSQL cannot store a column or a text unchanged, or the
        table on the server has other columns or another key.
        """
        tables = self._prepare([data] if isinstance(data, pd.DataFrame) else data)
        first = next(tables, None)
        if first is None:
            return
        num_rows = 0
        with connect(self._credentials, self._label) as connection:
            wanted = postgres_table.define_table(self._table, self._key, first)
            staging = postgres_table.create_staging(connection, wanted)
            for table in chain([first], tables):
                postgres_table.copy_rows(connection, staging, table)
                num_rows += len(table)
            postgres_table.lock_table(connection, self._table)
            there = self._find(connection)
            if there is None:
                wanted.create(connection, checkfirst=False)
            else:
                for what, describe in (
                    ("columns", self._list_fixed),
                    ("primary key", postgres_table.list_key),
                ):
                    if describe(there) != describe(wanted):
                        raise self._explain_other(what, describe(wanted), describe(there))
                postgres_table.add_columns(connection, there, wanted)
            num_changed = self._write(connection, wanted, staging)
        logger.info(
            "table %s: %d of %d rows are new or changed", self._table, num_changed, num_rows
        )

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
            postgres_table.refuse_unstorable_texts(self._label, table)
            yield table

    def _complete(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the table with the columns that the dataset adds."""
        return table

    def _write(self, connection: Connection, table: Table, staging: Table) -> int:
        """Write the rows of another table, and return how many are new or changed."""
        statement = postgres_table.make_upsert(table, staging).execution_options(
            preserve_rowcount=True
        )
        return connection.execute(statement).rowcount

    def _find(self, connection: Connection) -> Table | None:
        has_table = inspect(connection).has_table(self._table)
        return Table(self._table, MetaData(), autoload_with=connection) if has_table else None

    def _explain_other(self, what: str, wanted: object, found: object) -> DatasetError:
        remedy = "Rename that table, or name another one in the catalog."
        return DatasetError(f"{self._label}: expected the {what} {wanted}, found {found}. {remedy}")

    def _list_fixed(self, table: Table) -> dict[str, str]:
        kinds = postgres_table.list_column_types(table)
        return {name: kind for name, kind in kinds.items() if not name.startswith(self._families)}

    def _exists(self) -> bool:
        with connect(self._credentials, self._label) as connection:
            return self._find(connection) is not None

    @property
    def _label(self) -> str:
        return f"PostgreSQL, table {self._table}"

    def _describe(self) -> dict[str, object]:
        return {"table": self._table, "key": self._key}


class PostgresRunRowsDataset(PostgresRowsDataset):
    """Dataset of a table whose column `run` has the name of the run that saved a row last; it sorts by time."""

    # The hooks name its runs also in pipelines that keep none, such as `predict_forecast`.
    is_on_server = True
    # The name of the run, which the hooks set.
    run: str = ""

    def _complete(self, table: pd.DataFrame) -> pd.DataFrame:
        if not self.run:
            raise DatasetError(
                f"{self._label}: the run has no name. Save by kedro run, with the hooks of the project."
            )
        return table.assign(run=self.run)


class PostgresLogDataset(PostgresRowsDataset):
    """Dataset of a table in which saving only adds rows: those that differ from the last ones on record of their keys.

    Rows are never changed. The last column of the key is the time at which a row was recorded; the others name the
    thing on record. The rows of a save carry the hash of the save before, see `storage/chain.py`; rows of before have
    no links, and the next save carries their hash.
    """

    def load(self) -> pd.DataFrame:
        """Return all rows, in the order of their keys, without the links of `iterate_nights`."""
        return super().load().drop(columns=list(LINKS), errors="ignore")

    def iterate_nights(self) -> Iterator[pd.DataFrame]:
        """Yield the rows of each save with their links, see `split_nights`; one save at a time is in memory."""
        with connect(self._credentials, self._label) as connection:
            table = self._find(connection)
            if table is None:
                raise DatasetError(f"{self._label}: the table does not exist yet.")
            yield from split_nights(self._read_in_order(connection, table), self._key)

    def _read_in_order(
        self, connection: Connection, table: Table, *where: Any, names: Sequence[str] = ()
    ) -> Iterator[pd.DataFrame]:
        """Yield the rows, or their columns of these `names`, in the order of `split_nights`."""
        kinds = postgres_table.list_column_types(table)
        (*key, time) = self._key
        # By bytes, as the log in a file is sorted, whatever the language of the database.
        order = [
            table.columns[name].collate("C") if kinds[name] == "TEXT" else table.columns[name]
            for name in key
        ]
        chosen = {name: kinds[name] for name in names or kinds}
        query = select(*(table.columns[name] for name in chosen)).where(*where)
        return postgres_table.iterate_rows(
            connection, query.order_by(table.columns[time], *order), chosen
        )

    def _write(self, connection: Connection, table: Table, staging: Table) -> int:
        rows = postgres_table.select_new(table, staging)
        kinds = postgres_table.list_column_types(staging)
        new = pd.concat([pd.DataFrame(), *postgres_table.iterate_rows(connection, rows, kinds)])
        if new.empty:
            return 0
        time = table.columns[self._key[-1]]
        newest = select(table.columns[PREVIOUS]).order_by(time.desc()).limit(1)
        if connection.scalar(newest):
            # The hash of a night with links is that of its links.
            where: list[Any] = [time == select(func.max(time)).scalar_subquery()]
            last = pd.concat(list(self._read_in_order(connection, table, *where, names=LINKS)))
        else:
            # All columns on the server, because the audit reads them; the hash of old rows may take minutes.
            connection.execute(
                select(func.set_config("idle_in_transaction_session_timeout", "1h", True))
            )
            there = self._find(connection)
            assert there is not None
            last = pd.concat([pd.DataFrame(), *self._read_in_order(connection, there)])
        postgres_table.copy_rows(
            connection, table, link_night(new.sort_values(self._key), find_link(last))
        )
        return len(new)

    def _complete(self, table: pd.DataFrame) -> pd.DataFrame:
        return table.assign(**dict.fromkeys(LINKS, ""))

    def _list_fixed(self, table: Table) -> dict[str, str]:
        return {
            name: kind for name, kind in super()._list_fixed(table).items() if name not in LINKS
        }

    def _find(self, connection: Connection) -> Table | None:
        table = super()._find(connection)
        if table is not None and postgres_table.list_key(table) != self._key:
            raise self._explain_other("primary key", self._key, postgres_table.list_key(table))
        return table
