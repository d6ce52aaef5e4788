"""The result of a query on a PostgreSQL server."""

from collections.abc import Iterator
from typing import Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError

from rnn_pipelines.datasets.postgres import (
    connect,
    explain,
    make_engine_options,
    refuse_powerful_user,
    restrict_to_reading,
)

LABEL = "PostgreSQL"


class PostgresQueryDataset(AbstractDataset[None, pd.DataFrame]):
    """`pandas.SQLQueryDataset` on a read-only connection, with errors that give advice.

    A superuser is rejected, because its queries can run programs on the server even in a read-only transaction.

    Args:
        sql: the query, one statement; with an `order by`, so that the order of the rows is reproducible.
        credentials: `con`, a URL such as `postgresql://user:password@host:5432/database`.
        metadata: for Kedro's plugins.
    """

    def __init__(
        self, *, sql: str, credentials: dict[str, Any] | None = None, metadata: dict[str, Any] | None = None
    ) -> None:
        self._sql = sql
        self._credentials = credentials
        self.metadata = metadata

    def load(self) -> pd.DataFrame:
        with connect(self._credentials, LABEL) as connection:
            refuse_powerful_user(connection, LABEL)
        options = restrict_to_reading(make_engine_options(self._credentials))
        from kedro_datasets.pandas import SQLQueryDataset
        from sqlalchemy.exc import DBAPIError

        # Doubled, because a single % is the driver's placeholder of a value.
        sql, read_only = self._sql.replace("%", "%%"), {"postgresql_readonly": True}
        stock = SQLQueryDataset(sql=sql, credentials=options, execution_options=read_only)
        try:
            return stock.load()
        except DatasetError as error:
            found = next((cause for cause in _list_causes(error) if isinstance(cause, DBAPIError)), None)
            if found is None:
                raise
            raise explain(found, LABEL) from None

    def save(self, data: None) -> None:
        raise DatasetError(f"{self._sql}: a query can only be loaded, not saved.")

    def _describe(self) -> dict[str, Any]:
        return {"sql": self._sql}


def _list_causes(error: BaseException | None) -> Iterator[BaseException]:
    while error is not None:
        yield error
        error = error.__cause__
