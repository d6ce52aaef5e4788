"""The data set of the forecast log, which keeps every forecast, also those that a revision of the data has replaced."""

import io
import json
from collections.abc import Iterator
from typing import Any

import pandas as pd
from kedro.io.core import AbstractDataset, DatasetError
from kedro_datasets._typing import TablePreview
from pyarrow import ArrowException
from pyarrow.parquet import ParquetFile

from rnn_pipelines.datasets.folder import find_local_path
from rnn_pipelines.forecast.methods.predictions import (
    REASON,
    RECORDED,
    SUSPECT,
    ForecastLog,
    ForecastLogTable,
    fill_marks,
    keep_last_record,
)
from rnn_pipelines.storage.chain import LINKS, PREVIOUS, find_link, link_night, split_nights
from rnn_pipelines.storage.files import remove_temporary, replace_file
from rnn_pipelines.storage.formats import BLANK, KEY, check_format, embed_checksum, has_checksum
from rnn_pipelines.storage.lock import hold_lock

# Adding rows takes a second. Only a suspended process holds the lock for longer.
LOCK_SECONDS = 60
# Format of the file.
FORMAT = 1


class ForecastLogDataset(AbstractDataset[ForecastLog, ForecastLog]):
    """A Parquet file of forecasts. Rows are only added, never changed.

    A forecast that differs from the last one on record of its key is added with its own `recorded_at`; an equal one is
    not. Repeated, interrupted and parallel runs neither lose nor duplicate rows: a lock lets one at a time read the
    file and replace it atomically. If new rows have bounds of a new level, or marks, these are empty in older rows of
    the file. The rows of a
    night, with one `recorded_at`, carry the hash of the night before, see `storage/chain.py`; rows of before have no
    links, and the next night carries their hash. The file, on a local path, contains the number of its format and a
    checksum of all its bytes.
    """

    def __init__(self, *, filepath: str, metadata: dict[str, Any] | None = None) -> None:
        self._path = find_local_path(filepath, kind="file")
        self.metadata = metadata

    def load(self) -> ForecastLog:
        """Return all forecasts, in the order in which they were made, without the links of `iterate_nights`.

        Raise a DatasetError if the file does not exist, changed after it was written, or another version wrote it
        (Kedro converts all errors).
        """
        log = self._read().drop(columns=list(LINKS), errors="ignore")
        return fill_marks(log) if SUSPECT in log else log

    def iterate_nights(self) -> Iterator[ForecastLog]:
        """Yield the forecasts of each night with their links, see `split_nights`; one night at a time is in memory.

        The checksum is not checked, because it would not show the row that changed. If the file can't be read, raise a
        DatasetError.
        """

        try:
            with ParquetFile(self._path) as file:
                facts = json.loads(file.schema_arrow.metadata.get(b"PANDAS_ATTRS", "{}"))
                check_format(facts.get("format"), self._path, (FORMAT,))
                yield from split_nights(
                    (batch.to_pandas() for batch in file.iter_batches()), ForecastLogTable.key
                )
        except (ArrowException, OSError, ValueError) as error:
            raise DatasetError(
                f"{self._path}: it can't be read ({error}). Restore a copy."
            ) from error

    def _read(self) -> pd.DataFrame:
        if not self._path.exists():
            raise DatasetError(
                f"{self._path}: no forecasts yet. Run kedro run --pipelines=predict_forecast first."
            )
        content = self._path.read_bytes()
        try:
            has_checksum(content)
        except ValueError as error:
            advice = "Restore a copy, or move it away to begin another log."
            raise DatasetError(f"{self._path}: {error}. {advice}") from error
        log = pd.read_parquet(io.BytesIO(content))
        facts = log.attrs
        log.attrs = {}
        check_format(facts.get("format"), self._path, (FORMAT,))
        return log

    def save(self, data: ForecastLog) -> None:
        """Add the rows that differ from the last ones on record; without rows, no file appears."""
        if data.empty:
            return
        with hold_lock(self._path.with_name(f".{self._path.name}.lock"), LOCK_SECONDS):
            earlier = self._read() if self._path.exists() else data.head(0)
            if _list_fixed_columns(earlier) != _list_fixed_columns(data):
                raise DatasetError(
                    f"{self._path}: expected the columns {dict(earlier.dtypes.astype(str))}, received "
                    f"{dict(data.dtypes.astype(str))}. Move the file away if the series are others now."
                )
            new = _select_new(data, earlier)
            if not new.empty:
                key = list(ForecastLogTable.key)
                is_linked = PREVIOUS in earlier and earlier[PREVIOUS].notna().any()
                is_newest = earlier[RECORDED] == earlier[RECORDED].max()
                last = earlier[is_newest] if is_linked else earlier.sort_values([RECORDED, *key])
                new = link_night(new.sort_values(key), find_link(last))
            log = pd.concat([earlier, new], ignore_index=True)
            log.attrs = {"format": FORMAT, KEY: BLANK}
            packed = io.BytesIO()
            log.to_parquet(packed)
            replace_file(self._path, embed_checksum(packed.getvalue()))
            remove_temporary(self._path.parent, self._path.name.__eq__)

    def preview(self, nrows: int = 20) -> TablePreview:
        return TablePreview(self.load().tail(nrows).astype(str).to_dict(orient="split"))

    def _exists(self) -> bool:
        return self._path.exists()

    def _describe(self) -> dict[str, Any]:
        return {"filepath": str(self._path)}


def _list_fixed_columns(log: ForecastLog) -> list[tuple[str, str]]:
    """Return the columns without those of levels, marks and links, with the kinds of their dtypes."""
    return [
        (name, log[name].dtype.kind)
        for name in log
        if not ForecastLogTable.is_in_family(name) and name not in (SUSPECT, REASON, *LINKS)
    ]


def _select_new(data: ForecastLog, earlier: ForecastLog) -> ForecastLog:
    """Return the rows that differ from the last ones on record of their keys, recorded after all others."""
    # One time of their own, also if the clock was set back: the order of `recorded_at` is that of the records.
    recorded_at = pd.Series(
        [data[RECORDED].max(), earlier[RECORDED].max() + pd.Timedelta("1us")]
    ).max()
    data = data.assign(**{RECORDED: recorded_at}).astype({RECORDED: data[RECORDED].dtype})
    key = [name for name in ForecastLogTable.key if name != RECORDED]
    last = keep_last_record(fill_marks(earlier) if SUSPECT in data else earlier)
    before = data[key].merge(last, on=key, how="left")
    values = [name for name in data if name not in ForecastLogTable.key]
    # A bound that neither has is no difference.
    old = before.reindex(columns=values)
    new = data[values].reset_index(drop=True)
    is_equal = (old == new) | (old.isna() & new.isna())
    return data[~is_equal.all(axis=1).to_numpy()]
