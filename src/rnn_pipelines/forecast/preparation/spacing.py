"""Rows for every step of a series: equal spacing, closed days, and days near the usual one of a week or month."""

from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, count, show
from rnn_pipelines.forecast.series.rows import SeriesRows, find_rows
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.frequency import MAX_MOVE, find_own_frequency
from rnn_pipelines.forecast.times.grid import count_steps_between, insert_steps
from rnn_pipelines.forecast.times.offsets import (
    WEEKDAYS,
    add_shift,
    find_offset,
    is_monthly,
    split_closed_days,
    split_shift,
)
from rnn_pipelines.reading.times import format_time

# A series with a larger fraction of missing steps has another spacing, rather than gaps.
MAX_MISSING_FRACTION = 0.5
# If missing steps are zeros, a panel with fewer values has a wrong time, such as a mistyped year.
MIN_FRACTION = 0.01
# Nor is the last time far from all others, see `check_last_time`. A few times of rare events show no usual distance.
MIN_TIMES = 12
MAX_SPANS, MAX_GAPS = 0.5, 10
# Ends of months that move to the next business day or from it.
_MONTH_ENDS = ("ME", "BME")
# The part of the rows of a weekly series that can be moved; of more, the frequency is another one.
_MOST_MOVED = 0.5


def check_last_time(ordered: pd.DataFrame, source: SourceSpec) -> None:
    """Raise a SeriesError if the last time of all series is far from the others: missing steps are zeros up to it.

    It is too far if its distance from the second-newest distinct time is more than half of the span of all other times
    and more than ten times the widest gap between them. With fewer than 12 distinct times, nothing is checked.
    """
    times = np.unique(ordered["ds"].to_numpy())
    if len(times) < MIN_TIMES:
        return
    distance = times[-1] - times[-2]
    if (
        distance <= MAX_SPANS * (times[-2] - times[0])
        or distance <= MAX_GAPS * np.diff(times[:-1]).max()
    ):
        return
    row = ordered[ordered["ds"] == times[-1]].iloc[0]
    last, before = (
        format_time(time, source.tz) for time in (row["ds"], pd.Series(times)[len(times) - 2])
    )
    raise SeriesError(
        f"{source.label}: column '{source.time}', row {row.name}: series {show(row['unique_id'])} has the last time "
        f"{last}, and the newest time before it is {before}. With gaps=zero, all series would be 0 in between. Correct "
        "the row; if it is right, add rows of 0 before it."
    )


def fill_grid(
    ordered: pd.DataFrame, freq: int | str, source: SourceSpec, until: Any = None
) -> pd.DataFrame:
    """Return the series, one after another and each in the order of time, with a row for every step.

    `until` is the time to which all series are extended; None to end each with its last row. Raise a SeriesError if the
    spacing of a series is irregular, or another one.
    """
    rows = find_rows(ordered)
    ds = ordered["ds"].to_numpy()
    steps, is_on_step = count_steps_between(rows.spread(ds[rows.starts]), ds, freq)
    num_steps = steps[rows.stops - 1] + 1
    # Check before rows are inserted, because up to a mistyped year they can exceed the memory.
    has_value = ordered["y"].notna() | ordered.get("unavailable", False)
    num_values = np.add.reduceat(has_value.to_numpy(), rows.starts, dtype=np.int64)
    is_sparse = (num_values < (1 - MAX_MISSING_FRACTION) * num_steps) & (until is None)
    _check_regular_spacing(ordered, rows, is_on_step, is_sparse, freq, source)
    if until is not None:
        firsts = ds[rows.starts]
        num_steps = np.maximum(
            num_steps, count_steps_between(firsts, np.full_like(firsts, until), freq)[0] + 1
        )
        if num_values.sum() < MIN_FRACTION * num_steps.sum():
            row = ordered[(ordered["ds"] == until) & ordered["y"].notna()].iloc[0]
            found = f"{num_values.sum()} values for {num_steps.sum()} steps up to this time, the last of all series"
            raise _make_spacing_error(row, freq, found, source)
    if (num_steps == rows.lengths).all():
        return ordered.reset_index(drop=True)
    return insert_steps(ordered, rows, steps, num_steps, freq)


def _check_regular_spacing(
    ordered: pd.DataFrame,
    rows: SeriesRows,
    is_on_step: np.ndarray,
    is_sparse: np.ndarray,
    freq: int | str,
    source: SourceSpec,
) -> None:
    faulty = np.flatnonzero(is_sparse | ~np.logical_and.reduceat(is_on_step, rows.starts))
    if not len(faulty):
        return
    number = faulty[0]
    inside = slice(rows.starts[number], rows.stops[number])
    group = ordered[inside]
    off_step = ~is_on_step[inside]
    own = find_own_frequency(group) if len(rows.starts) > 1 else freq
    if own not in (freq, None):
        raise SeriesError(
            f"{source.label}: series {show(group['unique_id'].iloc[0])} has the spacing '{own}', and others '{freq}'. "
            "Forecast the series of each spacing on their own."
        )
    if is_sparse[number]:
        row = group.loc[group["ds"].diff().idxmax()]
        advice = "If absent rows mean 0, give gaps=zero"
        found = f"{group['y'].count()} values, with the widest gap before this row. {advice}"
    else:
        row = group[off_step].iloc[0]
        found = f"{off_step.sum()} of {len(group)} rows out of step"
    raise _make_spacing_error(row, freq, found, source)


def _make_spacing_error(
    row: pd.Series, freq: int | str, found: str, source: SourceSpec
) -> SeriesError:
    hint = ", or give source.time_format if the steps are dates" if isinstance(freq, int) else ""
    return SeriesError(
        f"{source.label}: column '{source.time}', row {row.name}: irregular spacing in series {show(row['unique_id'])} "
        f"at {format_time(row['ds'], source.tz)}. Expected a row for every step of '{freq}'; received {found}. "
        f"Correct the row, resample the series, set source.freq to its spacing{hint}."
    )


def leave_out_closed_days(
    ordered: pd.DataFrame, freq: int | str, source: SourceSpec
) -> tuple[pd.DataFrame, list[str]]:
    """Leave out closed days, which are no steps, if they have no value or 0; report zeros as a repair.

    Raise a SeriesError if a closed day has another value.
    """
    if not split_closed_days(str(freq))[1]:
        return ordered, []
    ds = ordered["ds"].to_numpy()
    is_closed = ~count_steps_between(ds, ds, freq)[1]
    is_empty = ordered["y"].isna()
    wrong = ordered[is_closed & ~is_empty & (ordered["y"] != 0)]
    if len(wrong):
        row = wrong.iloc[0]
        raise SeriesError(
            f"{source.label}: column '{source.target}', row {row.name}: series {show(row['unique_id'])} has "
            f"{row['y']:g} at {format_time(row['ds'], source.tz)}, which is no step of '{freq}' ({len(wrong)} such "
            "rows in all). Correct the row, or change source.closed_days."
        )
    num_zeros = int((is_closed & ~is_empty).sum())
    return ordered[~is_closed], [
        f"left out: {count(num_zeros, 'row')} with 0 on closed days"
    ] if num_zeros else []


def move_to_usual_day(
    ordered: pd.DataFrame, freq: int | str, source: SourceSpec
) -> tuple[pd.DataFrame, list[str]]:
    """Return the rows with times few days from the usual day of their week or month moved to it, and the repair."""
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
