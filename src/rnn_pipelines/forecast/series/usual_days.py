"""Rows beside the steps of a calendar: closed days without values, and days near the usual one of their month."""

import pandas as pd

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.series.frequency import MAX_MOVE, MONTHLY
from rnn_pipelines.forecast.series.grid import count_steps
from rnn_pipelines.forecast.series.offsets import find_offset, split_holidays, split_shift
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.reading.times import format_time


def leave_out_closed_days(ordered: pd.DataFrame, freq: int | str) -> pd.DataFrame:
    """Leave out the holidays that are no steps and have no value."""
    if not split_holidays(str(freq))[1]:
        return ordered
    ds = ordered["ds"].to_numpy()
    is_step = count_steps(ds, ds, freq)[1]
    return ordered[is_step | ordered["y"].notna()]


def move_to_usual_day(ordered: pd.DataFrame, freq: int | str, source: SourceSpec) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows with times few days from the usual day of their month, as on a weekend, moved to that day.

    Also return the repair in words, if there is any.
    """
    base, shift = split_shift(str(freq))
    if not shift or find_offset(base).rule_code.split("-")[0] not in MONTHLY:
        return ordered, []
    ds = ordered["ds"]
    usual = ds + shift - (ds.dt.day - 1) * pd.Timedelta(days=1)
    is_moved = (usual != ds) & ((usual - ds).abs() <= MAX_MOVE)
    moved = ordered.assign(ds=ds.mask(is_moved, usual))
    if not is_moved.any() or moved.duplicated(["unique_id", "ds"]).any():
        return ordered, []
    first = ordered[is_moved].iloc[0]
    return moved, [
        f"moved to day {shift.days + 1} of the month: {is_moved.sum()} rows, the first in series "
        f"{show(first['unique_id'])} at {format_time(first['ds'], source.tz)}"
    ]
