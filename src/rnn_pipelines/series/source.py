"""Where series come from, and their one form after that: a long table `unique_id, ds, y[, signal]`."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.series.synthetic import GENERATORS


class SourceSpec(BaseModel, extra="forbid", frozen=True):
    """Which series to read. A `path` wins over `name`.

    Attributes:
        name: `seattle` (daily maximum temperature in °C, 2012-2015), a synthetic series, or `catalog`: the
            catalog entry `forecast_external`, whatever it is in your configuration.
        path: a CSV or Parquet file with one row for each series and time.
        time: column of the timestamps, or of whole-numbered steps.
        target: column of the values.
        id: column that names the series of a panel; none for a single series.
        freq: pandas offset alias ("D", "MS", "h") or a whole number of steps; inferred where it is not given.
        time_format: strftime pattern of text timestamps, such as "%d.%m.%Y"; ISO 8601 is read without it.
        seed: seed of a synthetic series' noise.
    """

    name: Literal["seattle", "temperature", "sine", "noisy_sine", "catalog"] = "seattle"
    path: str | None = None
    time: str = "ds"
    target: str = "y"
    id: str | None = None
    freq: int | str | None = None
    time_format: str | None = None
    seed: int = 0

    @property
    def label(self) -> str:
        """What messages and reports call this source."""
        return self.path or self.name


def read_source(source: SourceSpec, external: pd.DataFrame | None = None) -> pd.DataFrame:
    """Reads or generates the series that `source` asks for, in the order of its rows.

    Args:
        source: which series.
        external: the table of the catalog entry `forecast_external`; used where `source.name` is `catalog`.
    Returns:
        `unique_id` (str), `ds` (datetime64, or int64 steps), `y` (float64, NaN where the source has no value) and,
        for synthetic series, `signal` (float64, noise-free). Row labels count the source's data rows from 1.
    Raises:
        SeriesError: no such file, another kind of file, a missing column, a value that is no time or no number.
    """
    if source.path is None and source.name in GENERATORS:
        table = GENERATORS[source.name](source.seed)
        table.insert(0, "unique_id", source.name)
        return _number_rows(table)
    if source.path is None and source.name == "seattle":
        return _read_seattle()
    table = _read_columns(source, external)
    return _number_rows(
        pd.DataFrame(
            {
                "unique_id": _parse_ids(table, source),
                "ds": _parse_times(table, source),
                "y": _parse_values(table, source),
            }
        )
    )


def _read_seattle() -> pd.DataFrame:
    from vega_datasets import local_data

    weather = local_data.seattle_weather()
    return _number_rows(pd.DataFrame({"unique_id": "seattle", "ds": weather["date"], "y": weather["temp_max"]}))


def _number_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(pd.RangeIndex(1, len(table) + 1, name="row"))


def _read_columns(source: SourceSpec, external: pd.DataFrame | None) -> pd.DataFrame:
    wanted = [source.time, source.target, *([source.id] if source.id else [])]
    if source.path is None:
        if external is None:
            raise SeriesError(
                "source.name is 'catalog', but the catalog entry forecast_external holds no table. "
                "Define it in conf/local/catalog_forecast.yml, or give source.path."
            )
        _require_columns(wanted, list(external.columns), "forecast_external")
        return external[wanted].reset_index(drop=True)
    path = Path(source.path)
    if not path.is_file():
        raise SeriesError(f"{source.path}: no such file (looked in {Path.cwd()}). Check source.path.")
    if path.suffix.lower() in {".parquet", ".pq"}:
        import pyarrow.parquet

        _require_columns(wanted, pyarrow.parquet.read_schema(path).names, source.path)
        return pd.read_parquet(path, columns=wanted)
    if path.suffix.lower() in {".csv", ".txt", ".gz"}:
        _require_columns(wanted, _read_header(path), source.path)
        return pd.read_csv(path, usecols=wanted, dtype=str)
    raise SeriesError(f"{source.path}: expected a file that ends in .csv or .parquet, received '{path.suffix}'.")


def _read_header(path: Path) -> list[str]:
    try:
        return list(pd.read_csv(path, nrows=0).columns)
    except (pd.errors.EmptyDataError, pd.errors.ParserError, UnicodeDecodeError) as error:
        raise SeriesError(f"{path}: expected a UTF-8 CSV file with a header line, but {error}.") from error


def _require_columns(wanted: list[str], received: list[str], label: str) -> None:
    missing = [column for column in wanted if column not in received]
    if missing:
        raise SeriesError(
            f"{label}: no column {missing}; its columns are {received}. "
            "Name them with source.time, source.target and source.id."
        )


def _parse_ids(table: pd.DataFrame, source: SourceSpec) -> pd.Series:
    if source.id is None:
        return pd.Series(source.target, index=table.index)
    ids = table[source.id]
    if ids.isna().any():
        raise SeriesError(f"{source.label}: column '{source.id}', row {_first_row(ids.isna())}: no series name.")
    return ids.astype(str)


def _parse_times(table: pd.DataFrame, source: SourceSpec) -> pd.Series:
    raw = table[source.time]
    if source.time_format is None and not isinstance(source.freq, str):
        steps = pd.to_numeric(raw, errors="coerce") if not pd.api.types.is_datetime64_any_dtype(raw) else None
        if steps is not None and len(steps) and steps.notna().all() and (steps % 1 == 0).all():
            return steps.astype("int64")
    # Through UTC, so that times of several zones fall on one axis; times without a zone keep their value.
    times = pd.to_datetime(raw, format=source.time_format, errors="coerce", utc=True).dt.tz_localize(None)
    if times.isna().any():
        row = _first_row(times.isna())
        raise SeriesError(
            f"{source.label}: column '{source.time}', row {row}: {raw.iloc[row - 1]!r} is no time "
            f"{'in the format ' + source.time_format if source.time_format else 'like that of row 1'}. "
            "Mend the row, or give source.time_format (for example %d.%m.%Y)."
        )
    return times


def _parse_values(table: pd.DataFrame, source: SourceSpec) -> pd.Series:
    raw = table[source.target]
    values = pd.to_numeric(raw, errors="coerce").astype("float64")
    for bad, what in ((values.isna() & raw.notna(), "no number"), (np.isinf(values), "not finite")):
        if bad.any():
            row = _first_row(bad)
            raise SeriesError(
                f"{source.label}: column '{source.target}', row {row}: {raw.iloc[row - 1]!r} is {what}. "
                "Mend the row, or leave its cell empty to have it treated as a gap."
            )
    return values


def _first_row(mask: pd.Series) -> int:
    return int(mask.to_numpy().argmax()) + 1
