"""All forecasts that were ever made, each once."""

import io
from typing import Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.folder import find_local_path
from rnn_pipelines.forecast.methods.predictions import ForecastLog, ForecastLogTable
from rnn_pipelines.storage.files import replace_file
from rnn_pipelines.storage.formats import check_format
from rnn_pipelines.storage.lock import hold_lock

# To add some rows takes a second; only a process that was stopped holds the lock for longer.
LOCK_SECONDS = 60
# Of the file; one that was made before there were numbers has none, and is read. Up to 1, there are no bounds.
FORMAT = 2


class ForecastLogDataset(AbstractDataset[ForecastLog, ForecastLog]):
    """A Parquet file to which forecasts are added; those that are in it stay as they are.

    Runs that are repeated, break off or run at the same time lose and double nothing: one after another they read the
    file and replace it whole. Bounds of a level that was not there before are empty for older rows. The file carries
    the number of its format.

    Args:
        filepath: the file, on this machine.
        metadata: for Kedro's plugins.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = find_local_path(filepath, kind="file")
        self.metadata = metadata

    def load(self) -> ForecastLog:
        """All forecasts, in the order in which they were made.

        Raises:
            DatasetError: there are none yet, or a newer version has made the file (Kedro makes it of every error).
        """
        if not self._path.exists():
            raise DatasetError(f"{self._path}: no forecasts yet. Run kedro run --pipelines=predict_forecast first.")
        log = pd.read_parquet(self._path)
        said, log.attrs = log.attrs, {}
        check_format(said.get("format", FORMAT), self._path, FORMAT)
        return log

    def save(self, data: ForecastLog) -> None:
        """Adds the rows whose key is not there yet."""
        with hold_lock(self._path.with_name(f".{self._path.name}.lock"), LOCK_SECONDS):
            there = self.load() if self._path.exists() else data.head(0)
            fixed = [[name for name in table if not ForecastLogTable.is_in_family(name)] for table in (there, data)]
            if fixed[0] != fixed[1] or not _have_equal_kinds(there[fixed[0]], data):
                raise DatasetError(
                    f"{self._path}: expected the columns {dict(there.dtypes.astype(str))}, received "
                    f"{dict(data.dtypes.astype(str))}. Move the file away if the series are others now."
                )
            key = list(ForecastLogTable.key)
            is_new = data[key].merge(there[key], how="left", indicator=True)["_merge"] == "left_only"
            log = pd.concat([there, data[is_new.to_numpy()]], ignore_index=True)
            log.attrs = {"format": FORMAT}
            packed = io.BytesIO()
            log.to_parquet(packed)
            replace_file(self._path, packed.getvalue())

    def preview(self, nrows: int = 20) -> TablePreview:
        """The newest rows, for kedro-viz."""
        return TablePreview(self.load().tail(nrows).astype(str).to_dict(orient="split"))

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


def _have_equal_kinds(one: pd.DataFrame, other: pd.DataFrame) -> bool:
    return all(one[name].dtype.kind == other[name].dtype.kind for name in one)
