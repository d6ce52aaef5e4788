"""The result of a query on a PostgreSQL server, in batches."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pandas as pd
import pyarrow as pa
from kedro.io.core import AbstractDataset, DatasetError
from psycopg.types.numeric import FloatLoader
from sqlalchemy import Connection

from rnn_pipelines.connectors.postgres.connection import connect, refuse_powerful_user

LABEL = "PostgreSQL"
BATCH_ROWS = 1 << 16
CURSOR = "rnn_rows"
# Arrow's types by the server's, see pg_type.dat of PostgreSQL. Other values are read as texts.
TYPES = {
    16: pa.bool_(),
    20: pa.int64(),
    21: pa.int64(),
    23: pa.int64(),
    700: pa.float64(),
    701: pa.float64(),
    1082: pa.date32(),
    1114: pa.timestamp("us"),
    1184: pa.timestamp("us", "UTC"),
    1700: pa.float64(),
}


@dataclass(frozen=True)
class Query:
    """A query that is sent when its rows are needed; a `BatchTable`.

    A cursor of the server holds the result, so that this process needs memory for one batch. It executes only
    statements that select rows.
    """

    sql: str  # one statement
    # see `make_engine_options`
    credentials: Mapping[str, Any] | None = field(default=None, repr=False)

    def read(self) -> pd.DataFrame:
        """Return all rows, with the types of a Parquet file."""
        with self._connect() as connection:
            table = pa.concat_tables(self._iterate_batches(connection))
        return table.to_pandas(ignore_metadata=True, split_blocks=True, self_destruct=True)

    @contextmanager
    def open_counted(self) -> Iterator[tuple[int, Iterator[pa.Table]]]:
        """Yield the number of rows, and their batches. Both are of the same moment; the query is executed twice."""
        with self._connect() as connection:
            self._declare(connection)
            num_rows = connection.exec_driver_sql(f"move forward all in {CURSOR}").rowcount
            connection.exec_driver_sql(f"close {CURSOR}")
            yield num_rows, self._iterate_batches(connection)

    @contextmanager
    def _connect(self) -> Iterator[Connection]:
        with connect(self.credentials, LABEL) as connection:
            refuse_powerful_user(connection, LABEL)
        with connect(self.credentials, LABEL, is_read_only=True) as connection:
            # Decimal numbers would become float64 after a detour through Python's objects.
            driver: Any = connection.connection.driver_connection
            driver.adapters.register_loader("numeric", FloatLoader)
            yield connection

    def _declare(self, connection: Connection) -> None:
        # Doubled, because a single % is the driver's placeholder of a value.
        sql = self.sql.replace("%", "%%")
        connection.exec_driver_sql(f"declare {CURSOR} no scroll cursor for {sql}")

    def _iterate_batches(self, connection: Connection) -> Iterator[pa.Table]:
        """Yield at least one batch, all of one schema."""
        self._declare(connection)
        num_rows = BATCH_ROWS
        while num_rows == BATCH_ROWS:
            cursor: Any = connection.exec_driver_sql(
                f"fetch forward {BATCH_ROWS} from {CURSOR}"
            ).cursor
            schema = pa.schema(
                [(name, TYPES.get(code, pa.string())) for name, code, *_ in cursor.description]
            )
            rows = cursor.fetchall()
            num_rows = len(rows)
            columns = zip(*rows, strict=True) if rows else [()] * len(schema)
            arrays = [
                _make_array(cells, column.type)
                for cells, column in zip(columns, schema, strict=True)
            ]
            yield pa.table(arrays, schema=schema)
        connection.exec_driver_sql(f"close {CURSOR}")


class PostgresQueryDataset(AbstractDataset[None, Query]):
    """Dataset of a query on a read-only connection, with errors that give advice; loads a `Query`.

    A superuser is rejected, because its queries can run programs on the server even in a read-only transaction.

    Args:
        sql: the query, one statement; with an `order by`, so that the order of the rows is reproducible.
        credentials: `con`, a URL such as `postgresql://user:password@host:5432/database`.
    """

    def __init__(
        self,
        *,
        sql: str,
        credentials: dict[str, Any] | None = None,
        metadata: dict[str, object] | None = None,
    ) -> None:
        self._query = Query(sql, credentials)
        self.metadata = metadata

    def load(self) -> Query:
        return self._query

    def save(self, data: None) -> None:
        raise DatasetError(f"{self._query.sql}: a query can only be loaded, not saved.")

    def _describe(self) -> dict[str, object]:
        return {"sql": self._query.sql}


def _make_array(cells: tuple[Any, ...] | list[Any], kind: pa.DataType) -> pa.Array:
    if pa.types.is_string(kind):
        cells = [cell if isinstance(cell, str) or cell is None else str(cell) for cell in cells]
    return pa.array(cells, kind)
