"""Times that are some seconds, minutes or hours beside regular steps."""

import logging

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.frequency import infer_frequency

_UNITS = {"min": "minutes", "h": "hours", "D": "days"}
# Series that show the spacing.
_MAX_SERIES = 20

logger = logging.getLogger(__name__)


def round_times(table: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Return the table with times as whole minutes, hours or days, if only these are regular; report it.

    Each time of a series must stay unique. Days begin at midnight, so that 23:50 is of the same day.

    Args:
        table: `unique_id, ds` and other columns.
        source: if it has a frequency, times stay.
    """
    if table.empty or source.freq is not None or not is_datetime64_any_dtype(table["ds"]):
        return table
    some = table[["unique_id", "ds"]][table["unique_id"].isin(table["unique_id"].unique()[:_MAX_SERIES])]
    some = some.sort_values(["unique_id", "ds"])
    if _is_regular(some):
        return table
    for unit, name in _UNITS.items():
        rounded = _round(some, unit)
        if not rounded.duplicated().any() and _is_regular(rounded):
            found = _round(table, unit)
            logger.warning("%s: times are rounded to whole %s, because only these are regular", source.label, name)
            return found
    return table


def _is_regular(table: pd.DataFrame) -> bool:
    try:
        infer_frequency(table)
    except SeriesError:
        return False
    return True


def _round(table: pd.DataFrame, unit: str) -> pd.DataFrame:
    ds = table["ds"]
    return table.assign(ds=ds.dt.floor(unit) if unit == "D" else ds.dt.round(unit))
