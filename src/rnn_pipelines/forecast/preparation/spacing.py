"""Equal spacing: a row for every step of each series, and the error for series without it."""

from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.series.rows import SeriesRows, find_rows
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.times.frequency import infer_frequency
from rnn_pipelines.forecast.times.grid import count_steps, insert_steps
from rnn_pipelines.reading.times import format_time

# A series with a larger fraction of missing steps has another spacing, rather than gaps.
MAX_MISSING_FRACTION = 0.5
# If missing steps are zeros, a panel with fewer values has a wrong time, such as a mistyped year.
MIN_FRACTION = 0.01
# Nor is the last time far from all others, see `check_last_time`. A few times of rare events show no usual distance.
MIN_TIMES = 12
MAX_SPANS, MAX_GAPS = 0.5, 10


def check_last_time(ordered: pd.DataFrame, source: SourceSpec) -> None:
    """Check that the last time of all series is near the others, because missing steps are zeros up to it.

    It is too far if its distance from the second-newest distinct time is more than half of the span of all other times
    and more than ten times the widest gap between them. With fewer than 12 distinct times, nothing is checked.

    Args:
        ordered: rows with values.
        source: has the names for messages.
    Raises:
        SeriesError: the last time is too far.
    """
    times = np.unique(ordered["ds"].to_numpy())
    if len(times) < MIN_TIMES:
        return
    distance = times[-1] - times[-2]
    if distance <= MAX_SPANS * (times[-2] - times[0]) or distance <= MAX_GAPS * np.diff(times[:-1]).max():
        return
    row = ordered[ordered["ds"] == times[-1]].iloc[0]
    last, before = (format_time(time, source.tz) for time in (row["ds"], pd.Series(times)[len(times) - 2]))
    raise SeriesError(
        f"{source.label}: column '{source.time}', row {row.name}: series {show(row['unique_id'])} has the last time "
        f"{last}, and the newest time before it is {before}. With gaps=zero, all series would be 0 in between. Correct "
        "the row; if it is right, add rows of 0 before it."
    )


def fill_grid(ordered: pd.DataFrame, freq: int | str, source: SourceSpec, until: Any = None) -> pd.DataFrame:
    """Return the series with a row for every step.

    Args:
        ordered: one series after another, each in the order of time.
        freq: their spacing.
        source: has the names for messages.
        until: the time to which all series are extended; None to end each with its last row.
    Raises:
        SeriesError: the spacing of a series is irregular, or another one.
    """
    rows, ds = find_rows(ordered), ordered["ds"].to_numpy()
    steps, is_on_step = count_steps(rows.spread(ds[rows.starts]), ds, freq)
    num_steps = steps[rows.stops - 1] + 1
    # Check before rows are inserted, because up to a mistyped year they can exceed the memory.
    num_values = np.add.reduceat(ordered["y"].notna().to_numpy(), rows.starts, dtype=np.int64)
    is_sparse = (num_values < (1 - MAX_MISSING_FRACTION) * num_steps) & (until is None)
    _check_regular_spacing(ordered, rows, is_on_step, is_sparse, freq, source)
    if until is not None:
        firsts = ds[rows.starts]
        num_steps = np.maximum(num_steps, count_steps(firsts, np.full_like(firsts, until), freq)[0] + 1)
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
    group, off_step = ordered[inside], ~is_on_step[inside]
    own = _infer_own(group) if len(rows.starts) > 1 else freq
    if own not in (freq, None):
        raise SeriesError(
            f"{source.label}: series {show(group['unique_id'].iloc[0])} has the spacing '{own}', and others '{freq}'. "
            "Forecast the series of each spacing on their own."
        )
    if is_sparse[number]:
        row = group.loc[group["ds"].diff().idxmax()]
        found = (
            f"{group['y'].count()} values, with the widest gap before this row. If absent rows mean 0, give gaps=zero"
        )
    else:
        row = group[off_step].iloc[0]
        found = f"{off_step.sum()} of {len(group)} rows out of step"
    raise _make_spacing_error(row, freq, found, source)


def _infer_own(group: pd.DataFrame) -> int | str | None:
    """Return the spacing of one series; None if it has none."""
    try:
        return infer_frequency(group)
    except SeriesError:
        return None


def _make_spacing_error(row: pd.Series, freq: int | str, found: str, source: SourceSpec) -> SeriesError:
    hint = ", or give source.time_format if the steps are dates" if isinstance(freq, int) else ""
    return SeriesError(
        f"{source.label}: column '{source.time}', row {row.name}: irregular spacing in series {show(row['unique_id'])} "
        f"at {format_time(row['ds'], source.tz)}. Expected a row for every step of '{freq}'; received {found}. "
        f"Correct the row, resample the series, set source.freq to its spacing{hint}."
    )
