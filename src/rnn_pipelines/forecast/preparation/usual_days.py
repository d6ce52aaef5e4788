"""Rows beside the steps of a calendar: closed days without values, and days near the usual one of a week or month."""

import pandas as pd

from rnn_pipelines.errors import SeriesError, count, show
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.frequency import MAX_MOVE
from rnn_pipelines.forecast.times.grid import count_steps
from rnn_pipelines.forecast.times.offsets import (
    WEEKDAYS,
    add_shift,
    find_offset,
    is_monthly,
    split_closed_days,
    split_shift,
)
from rnn_pipelines.reading.times import format_time

# Ends of months that move to the next business day or from it.
_MONTH_ENDS = ("ME", "BME")
# The part of the rows of a weekly series that can be moved; of more, the frequency is another one.
_MOST_MOVED = 0.5


def leave_out_closed_days(ordered: pd.DataFrame, freq: int | str, source: SourceSpec) -> tuple[pd.DataFrame, list[str]]:
    """Leave out closed days, which are no steps, if they have no value or 0; report zeros as a repair.

    Raises:
        SeriesError: a closed day has another value.
    """
    if not split_closed_days(str(freq))[1]:
        return ordered, []
    ds = ordered["ds"].to_numpy()
    is_closed, is_empty = ~count_steps(ds, ds, freq)[1], ordered["y"].isna()
    wrong = ordered[is_closed & ~is_empty & (ordered["y"] != 0)]
    if len(wrong):
        row = wrong.iloc[0]
        raise SeriesError(
            f"{source.label}: column '{source.target}', row {row.name}: series {show(row['unique_id'])} has "
            f"{row['y']:g} at {format_time(row['ds'], source.tz)}, which is no step of '{freq}' ({len(wrong)} such "
            "rows in all). Correct the row, or change source.closed_days."
        )
    num_zeros = int((is_closed & ~is_empty).sum())
    return ordered[~is_closed], [f"left out: {count(num_zeros, 'row')} with 0 on closed days"] if num_zeros else []


def move_to_usual_day(ordered: pd.DataFrame, freq: int | str, source: SourceSpec) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows with times few days from the usual day of their week or month moved to that day.

    Also return the repair in words, if there is any.
    """
    usual = _find_usual_days(ordered["ds"], freq)
    if usual is None:
        return ordered, []
    ds = ordered["ds"]
    is_moved = (usual != ds) & ((usual - ds).abs() <= MAX_MOVE)
    moved = ordered.assign(ds=ds.mask(is_moved, usual))
    if not is_moved.any() or moved.duplicated(["unique_id", "ds"]).any():
        return ordered, []
    first = ordered[is_moved].iloc[0]
    return moved, [
        f"moved to the usual day of '{freq}': {count(is_moved.sum(), 'row')}, the first in series "
        f"{show(first['unique_id'])} from {format_time(first['ds'], source.tz)} to "
        f"{format_time(usual[first.name], source.tz)}"
    ]


def _find_usual_days(ds: pd.Series, freq: int | str) -> pd.Series | None:
    """Return the usual day of the week or month of each time; None if a frequency has no usual day."""
    base, shift = split_shift(str(freq))
    offset = None if isinstance(freq, int) else find_offset(base)
    if offset is None:
        return None
    unit, _, weekday = offset.rule_code.partition("-")
    if unit == "W":
        days = (WEEKDAYS.index(weekday) - ds.dt.day_of_week + 3) % 7 - 3
        usual = ds + pd.to_timedelta(days, unit="D")
        return usual if (usual == ds).mean() > _MOST_MOVED else None
    firsts = ds - (ds.dt.day - 1) * pd.Timedelta(days=1)
    if unit in _MONTH_ENDS:
        return firsts + offset.base
    if shift and is_monthly(offset):
        return pd.Series(add_shift(firsts.to_numpy(), str(freq)), index=ds.index)
    return None
