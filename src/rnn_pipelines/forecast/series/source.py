"""Where series come from, and their one form after that: a long table `unique_id, ds, y[, signal]`."""

from pathlib import Path
from typing import Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, model_validator

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.synthetic import GENERATORS
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.user_files import TableFiles, read_columns, require_columns

# What stands for "no value" in the target column. Only there: NA is a country's name too.
NO_VALUE = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "#N/A", "<NA>"]

FILES = TableFiles(
    error=SeriesError,
    path="source.path",
    columns="source.time, source.target and source.id",
    csv_endings=(".csv", ".txt", ".gz"),
)


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

    @model_validator(mode="after")
    def _refuse_shared_columns(self) -> "SourceSpec":
        if len({self.time, self.target, self.id}) < 3:
            raise ValueError("time, target and id name the same column twice; each needs one of its own")
        return self

    @model_validator(mode="after")
    def _refuse_columns_without_a_table(self) -> "SourceSpec":
        given = {"time": self.time, "target": self.target, "id": self.id, "time_format": self.time_format}
        if (
            self.path is None
            and self.name != "catalog"
            and given != dict.fromkeys(given) | {"time": "ds", "target": "y"}
        ):
            raise ValueError("time, target, id and time_format are for your own table: give path, or name: catalog")
        return self

    @property
    def label(self) -> str:
        """What messages and reports call this source."""
        return self.path or self.name


def read_source(source: SourceSpec, external: pd.DataFrame | None = None) -> Source:
    """Reads or generates the series that `source` asks for, in the order of its rows.

    Args:
        source: which series.
        external: the table of the catalog entry `forecast_external`; used where `source.name` is `catalog`.
    Raises:
        SeriesError: no such file, another kind of file, a missing column, a cell that is no time or no number.
    """
    if source.path is None and source.name in GENERATORS:
        table = GENERATORS[source.name](source.seed)
        table.insert(0, "unique_id", source.name)
        return _number_rows(table)
    if source.path is None and source.name == "seattle":
        return _read_seattle()
    table = _read_columns(source, external, source.target)
    return _number_rows(
        pd.DataFrame(
            {
                "unique_id": _parse_ids(table, source),
                "ds": _parse_times(table, source),
                "y": _parse_values(table, source),
            }
        )
    )


def read_rows(source: SourceSpec, columns: list[str], external: pd.DataFrame | None = None) -> pd.DataFrame:
    """Reads other columns of the table that `source` names, as they stand in its cells, in the order of its rows.

    Args:
        source, external: see `read_source`.
        columns: their names.
    Returns:
        `unique_id, ds` and the columns.
    Raises:
        SeriesError: a column is not there, or see `read_source`.
    """
    if source.path is None and source.name != "catalog":
        table = read_source(source).drop(columns="y")
        if source.name == "seattle":
            table = pd.concat([table, _load_seattle().set_index(table.index)], axis=1)
        require_columns(columns, list(table.columns), source.name, FILES)
        return table[["unique_id", "ds", *columns]]
    table = _read_columns(source, external, *columns)
    keys = {"unique_id": _parse_ids(table, source), "ds": _parse_times(table, source)}
    return _number_rows(pd.DataFrame(keys | {name: table[name] for name in columns}))


def _read_seattle() -> pd.DataFrame:
    weather = _load_seattle()
    return _number_rows(pd.DataFrame({"unique_id": "seattle", "ds": weather["date"], "y": weather["temp_max"]}))


def _load_seattle() -> pd.DataFrame:
    from vega_datasets import local_data

    return local_data.seattle_weather()


def _number_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_index(pd.RangeIndex(1, len(table) + 1, name="row"))


def _read_columns(source: SourceSpec, external: pd.DataFrame | None, *columns: str) -> pd.DataFrame:
    wanted = [source.time, *columns, *([source.id] if source.id else [])]
    if source.path is None:
        if not isinstance(external, pd.DataFrame):
            raise SeriesError(
                "source.name is 'catalog', but the catalog entry forecast_external holds no table. "
                "Define it in conf/local/catalog_forecast.yml, or give source.path."
            )
        require_columns(wanted, list(external.columns), "forecast_external", FILES)
        return external[wanted].reset_index(drop=True)
    return read_columns(Path(source.path), wanted, FILES, no_value={source.target: NO_VALUE})


def _parse_ids(table: pd.DataFrame, source: SourceSpec) -> pd.Series:
    if source.id is None:
        return pd.Series(source.target, index=table.index)
    ids = table[source.id].astype(str)
    nameless = table[source.id].isna() | (ids.str.strip() == "")
    if nameless.any():
        raise SeriesError(
            f"{source.label}: column '{source.id}', row {_first_row(nameless)}: no series name. Name it, or leave out "
            "source.id where the file holds a single series."
        )
    return ids


def _parse_times(table: pd.DataFrame, source: SourceSpec) -> pd.Series:
    raw = table[source.time]
    is_datetime = pd.api.types.is_datetime64_any_dtype(raw)
    if source.time_format is None and not isinstance(source.freq, str) and not is_datetime:
        steps = pd.to_numeric(raw if pd.api.types.is_numeric_dtype(raw) else raw.astype(str), errors="coerce")
        # NaN and what int64 can't hold are no steps.
        if len(steps) and (steps.abs() < 2**63).all() and (steps % 1 == 0).all():
            return steps.astype("int64")
    try:
        # As text, because pandas takes numbers for nanoseconds; in one format, because it guesses days to be months;
        # through UTC, so that times of several zones fall on one axis. Times without a zone keep their value.
        text, form = raw if is_datetime else raw.astype(str), source.time_format or "ISO8601"
        times = pd.to_datetime(text, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    except ValueError as error:
        raise SeriesError(
            f"source.time_format: expected a pattern such as %d.%m.%Y, received '{source.time_format}': {error}."
        ) from error
    if times.isna().any():
        row = _first_row(times.isna())
        expected = f"of the form {source.time_format or '2024-03-31 12:00 (ISO 8601)'}"
        raise SeriesError(
            f"{source.label}: column '{source.time}', row {row}: {str(raw.iloc[row - 1])!r} is no time {expected}. "
            "Mend the row, or give source.time_format (for example '%d.%m.%Y', quotes included)."
        )
    return times


def _parse_values(table: pd.DataFrame, source: SourceSpec) -> pd.Series:
    raw = table[source.target]
    # As text, for pandas makes numbers of dates and durations too.
    text = raw if pd.api.types.is_numeric_dtype(raw) else raw.astype(str).where(raw.notna())
    values = pd.to_numeric(text, errors="coerce").astype("float64")
    for bad, what in ((values.isna() & raw.notna(), "no number such as 1234.5"), (np.isinf(values), "not finite")):
        if bad.any():
            row = _first_row(bad)
            raise SeriesError(
                f"{source.label}: column '{source.target}', row {row}: {str(raw.iloc[row - 1])!r} is {what}. "
                "Mend the row, or leave its cell empty to have it treated as a gap."
            )
    return values


def _first_row(mask: pd.Series) -> int:
    return int(mask.to_numpy().argmax()) + 1
