"""Steps at a given spacing: their number between two times, their times, and rows for missing steps.

All functions work on many series at once, because a panel can have 100,000.
"""

from collections.abc import Iterator

import numpy as np
import pandas as pd
from pandas.tseries.offsets import BaseOffset

from rnn_pipelines.forecast.series.rows import SeriesRows
from rnn_pipelines.forecast.times.offsets import (
    add_shift,
    find_offset,
    has_fixed_length,
    leave_shift,
)


def count_steps_between(
    firsts: np.ndarray, ds: np.ndarray, freq: int | str
) -> tuple[np.ndarray, np.ndarray]:
    """Count the steps from first times (or steps) to others, datetime64 or int64[time].

    If a first time is not on a step of the spacing, the next step is the first. Return int64[time], whole steps; and
    bool[time], whether `ds` is on a step counted from the first one.
    """
    offset = find_offset(freq) if isinstance(freq, str) else None
    if offset is None or has_fixed_length(offset):
        steps, rest = np.divmod(ds - firsts, _find_length(freq))
        return steps, rest.astype(np.int64) == 0
    steps = np.empty(len(ds), np.int64)
    is_on_step = np.empty(len(ds), bool)
    times = ds
    firsts = leave_shift(firsts, str(freq))
    ds = leave_shift(ds, str(freq))
    for rows in _split_by_hour(firsts):
        grid = _make_grid(offset, firsts[rows].min(), end=ds[rows].max())
        past = np.searchsorted(grid, ds[rows], "right")
        steps[rows], rest = np.divmod(past - 1 - np.searchsorted(grid, firsts[rows]), offset.n)
        is_on_step[rows] = (np.searchsorted(grid, ds[rows]) < past) & (rest == 0)
    return steps, is_on_step & (add_shift(ds, str(freq)) == times)


def find_step_times(firsts: np.ndarray, steps: np.ndarray, freq: int | str) -> np.ndarray:
    """Return the datetime64 or int64[time] that are a number of steps, 0 or more, after the first ones."""
    offset = find_offset(freq) if isinstance(freq, str) else None
    if offset is None or has_fixed_length(offset):
        return firsts + steps * _find_length(freq)
    firsts = leave_shift(firsts, str(freq))
    times = firsts.copy()
    for rows in _split_by_hour(firsts):
        first = firsts[rows].min()
        numbers = np.searchsorted(_make_grid(offset, first, end=firsts[rows].max()), firsts[rows])
        numbers += offset.n * steps[rows]
        times[rows] = _make_grid(offset, first, periods=int(numbers.max()) + 1)[numbers]
    return add_shift(times, str(freq))


def insert_steps(
    table: pd.DataFrame, rows: SeriesRows, steps: np.ndarray, num_steps: np.ndarray, freq: int | str
) -> pd.DataFrame:
    """Return the table, `unique_id, ds` and columns of floats or bools, with a row for every step.

    New rows are missing, or False. `steps` are int64[row], steps from the first row of the series; `num_steps` the
    resulting number of rows, int64[series].
    """
    longer = SeriesRows(np.cumsum(num_steps))
    targets = rows.spread(longer.starts) + steps
    firsts = table["ds"].to_numpy()[rows.starts]
    columns = {
        "unique_id": table["unique_id"].array.take(longer.spread(rows.starts)),
        "ds": find_step_times(longer.spread(firsts), longer.places, freq),
    }
    for name in table.columns.difference(list(columns)):
        values = table[name].to_numpy()
        columns[name] = np.full(
            int(longer.stops[-1]), False if values.dtype == bool else np.nan, values.dtype
        )
        columns[name][targets] = values
    return pd.DataFrame(columns)[list(table.columns)]


def _find_length(freq: int | str) -> int | np.timedelta64:
    """Return the length of a step, for spacings of constant length."""
    return freq if isinstance(freq, int) else pd.Timedelta(find_offset(freq)).to_timedelta64()


def _split_by_hour(firsts: np.ndarray) -> Iterator[np.ndarray | slice]:
    """Yield rows whose first times have the same time of day, so that they share a grid."""
    numbers, hours = pd.factorize(firsts - firsts.astype("datetime64[D]"))
    if len(hours) == 1:
        yield slice(None)
        return
    for hour in range(len(hours)):
        yield numbers == hour


def _make_grid(offset: BaseOffset, first: np.datetime64, **until: object) -> np.ndarray:
    """Return every single step from `first` on; spacings of several steps share it, whatever their start."""
    return pd.date_range(first, freq=offset.base, **until).to_numpy()
