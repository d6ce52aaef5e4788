"""Tables of Python users: pandas, Polars, Arrow and others as the DataFrame that is read, and ids as they were."""

from collections.abc import Iterable
from typing import Any

import pandas as pd
from pandas.api.types import is_integer_dtype

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.specs import SourceSpec

ID = "unique_id"


def convert_frame(data: Any, source: SourceSpec) -> pd.DataFrame:
    """Return the table of a user as a pandas DataFrame with its times in a column; the table is not changed.

    It is a DataFrame of pandas, Polars, Arrow or another library that narwhals supports; else a SeriesError is raised.
    In pandas, the times, or ids and times, may be the index instead of columns. A Series, whose index has the times, is
    a single series.
    """
    if isinstance(data, pd.Series):
        data = _convert_series(data, source)
    elif not isinstance(data, pd.DataFrame):
        data = _convert(data)
    if isinstance(data.index, pd.MultiIndex) and source.time in data.index.names:
        # Levels may be columns too, as after `set_index(…, drop=False)`.
        data = data.reset_index(
            [name for name in data.index.names if name is not None and name not in data]
        )
    if source.time not in data and _holds_times(data.index, source.time):
        data = data.rename_axis(index=source.time).reset_index()
    return data


def _convert(data: Any) -> pd.DataFrame:
    # Exported forecasters take tables of pandas, and do without narwhals.
    import narwhals as nw

    table = nw.from_native(data, pass_through=True)
    if not isinstance(table, nw.DataFrame | nw.LazyFrame):
        raise SeriesError(
            f"expected a DataFrame of pandas, Polars or Arrow, received {type(data).__name__}."
        )
    try:
        return (table.collect() if isinstance(table, nw.LazyFrame) else table).to_pandas()
    # Each library has exceptions of its own for cells that it can't convert.
    except Exception as error:
        raise SeriesError(
            f"the frame: {type(data).__name__} does not become a pandas DataFrame: {error}"
        ) from error


def _convert_series(values: pd.Series, source: SourceSpec) -> pd.DataFrame:
    if not _holds_times(values.index, source.time):
        raise SeriesError(
            f"expected a Series with a DatetimeIndex or a PeriodIndex, received one with {type(values.index).__name__}."
        )
    table = values.to_frame(source.target)
    is_named = values.name not in (None, source.target)
    return table.assign(**{source.id or ID: str(values.name)}) if is_named else table


def _holds_times(index: pd.Index, name: str) -> bool:
    return isinstance(index, (pd.DatetimeIndex, pd.PeriodIndex)) or index.name == name


def has_no_values(frame: pd.DataFrame, columns: Iterable[str]) -> bool:
    """Return whether a table has rows, and none with a value in one of the columns of series."""
    wanted = set(columns)
    values = frame[[name for name in frame if str(name) in wanted]]
    return not frame.empty and bool(values.isna().all(axis=None))


def find_id_type(frame: pd.DataFrame, source: SourceSpec) -> Any:
    """Return the dtype of ids that are integers; None for others."""
    name = source.id or ID
    # In a wide table, it is a series.
    return (
        frame[name].dtype
        if not source.is_wide and name in frame and is_integer_dtype(frame[name])
        else None
    )


def restore_ids(table: pd.DataFrame, id_type: Any) -> pd.DataFrame:
    """Return a table of results with ids as in the table of the user; see `find_id_type`."""
    return (
        table if id_type is None else table.assign(**{ID: pd.to_numeric(table[ID]).astype(id_type)})
    )
