"""A table that says what its columns are, as one Parquet file."""

import dataclasses
from pathlib import PurePosixPath
from typing import Any

import fsspec
import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError, get_filepath_str, get_protocol_and_path
from kedro.utils import load_obj
from kedro_datasets._typing import TablePreview


class DescribedTableDataset(AbstractDataset[Any, Any]):
    """Saves a dataclass of a `table` and of tuples that name its columns, and loads it into the same class.

    The table is a Parquet file like any other; the tuples stand in what pandas keeps with it (`DataFrame.attrs`).

    Args:
        filepath: the file, on any file system of fsspec that needs no credentials here.
        holds: import path of the dataclass.
        metadata: for Kedro's plugins.
    """

    def __init__(self, *, filepath: str, holds: str, metadata: dict[str, Any] | None = None) -> None:
        self._protocol, path = get_protocol_and_path(filepath)
        self._filepath = PurePosixPath(path)
        self._fs = fsspec.filesystem(self._protocol, **({"auto_mkdir": True} if self._protocol == "file" else {}))
        self._holds = holds
        self.metadata = metadata

    def load(self) -> Any:
        table, kind = self._read(), load_obj(self._holds)
        names = [field.name for field in dataclasses.fields(kind) if field.name != "table"]
        missing = [name for name in names if name not in table.attrs]
        if missing:
            raise DatasetError(
                f"{self._filepath}: expected a table that says its {', '.join(missing)}. An older version made this "
                "one: run the pipeline that makes it again."
            )
        described = {name: tuple(table.attrs[name]) for name in names}
        table.attrs = {}
        return kind(table=table, **described)

    def save(self, data: Any) -> None:
        table = data.table.copy(deep=False)
        fields = (field.name for field in dataclasses.fields(data) if field.name != "table")
        table.attrs = {name: list(getattr(data, name)) for name in fields}
        with self._fs.transaction, self._fs.open(get_filepath_str(self._filepath, self._protocol), "wb") as file:
            table.to_parquet(file)

    def preview(self, nrows: int = 20) -> TablePreview:
        """The first rows, for kedro-viz."""
        return TablePreview(self._read().head(nrows).astype(str).to_dict(orient="split"))

    def _read(self) -> pd.DataFrame:
        with self._fs.open(get_filepath_str(self._filepath, self._protocol), "rb") as file:
            return pd.read_parquet(file)

    def _exists(self) -> bool:
        return bool(self._fs.exists(get_filepath_str(self._filepath, self._protocol)))

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._filepath), "holds": self._holds}
