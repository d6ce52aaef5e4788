"""Faults of sensors in series: stretches of equal values, and gaps that are too long for a straight line."""

import numpy as np

from rnn_pipelines.errors import count, show
from rnn_pipelines.forecast.preparation.repairs import add_repair
from rnn_pipelines.forecast.series.rows import find_rows
from rnn_pipelines.forecast.series.tables import Profile, Series
from rnn_pipelines.reading.times import format_time

# Fewest equal values of a stretch, and the largest share of values elsewhere that equal the value before.
MIN_EQUAL, MAX_EQUAL = 20, 0.1
# The fraction of windows that must remain if long gaps are left open.
MIN_WINDOWS = 0.5


def find_stretches(is_inside: np.ndarray, starts: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return first row and stop of each run of marked rows, which ends with its series: int64[run] each."""
    is_start = np.zeros(len(is_inside) + 1, bool)
    is_start[starts] = True
    before = np.append(False, is_inside)
    after = np.append(is_inside, False)
    firsts = np.flatnonzero(after & (~before | is_start))
    stops = np.flatnonzero(before & (~after | is_start))
    return firsts, stops


def name_stuck_values(series: Series, profile: Profile) -> Profile:
    """Return the profile with a sentence about stretches of equal values among changing ones, as of a stuck sensor."""
    y = series["y"].to_numpy()
    rows = find_rows(series)
    is_equal = np.append(False, (y[1:] == y[:-1]) & series["observed"].to_numpy()[1:])
    is_equal[rows.starts] = False
    firsts, stops = find_stretches(is_equal, rows.starts)
    is_long = stops - firsts >= MIN_EQUAL - 1
    num_equal = np.add.reduceat(is_equal, rows.starts, dtype=np.int64)
    number = np.searchsorted(rows.starts, firsts, side="right") - 1
    in_long = np.bincount(number[is_long], (stops - firsts)[is_long], len(rows.starts))
    is_changing = num_equal - in_long <= MAX_EQUAL * (rows.lengths - in_long)
    chosen = np.flatnonzero(is_long & is_changing[number])
    if not len(chosen):
        return profile
    place = firsts[chosen[0]] - 1
    length = stops[chosen[0]] - firsts[chosen[0]] + 1
    first = series.iloc[place]
    sentence = (
        f"{count(len(chosen), 'stretch', 'stretches')} of {MIN_EQUAL} or more equal values among changing ones, as of "
        f"a stuck sensor: the first has {length:,} values of {first['y']:g} in series {show(first['unique_id'])} from "
        f"{format_time(first['ds'], profile['tz'])}. Empty these cells if they are faults"
    )
    return add_repair(profile, sentence)


def open_long_gaps(series: Series, profile: Profile) -> tuple[Series, Profile]:
    """Return the series with gaps longer than the horizon left open, so that no window spans them; name these.

    A gap within the newest window stays filled, because each series needs that window. So do all gaps of a series that
    would lose more than half of its windows. The series come with gaps filled on a straight line, the profile with the
    chosen window.
    """
    rows = find_rows(series)
    lookback = profile["lookback"]
    horizon = profile["horizon"]
    firsts, stops = find_stretches(~series["observed"].to_numpy(), rows.starts)
    is_long = stops - firsts > horizon
    if not is_long.any():
        return series, profile
    number = np.searchsorted(rows.starts, firsts, side="right") - 1
    is_open = is_long & (stops + lookback <= rows.stops[number])
    # A gap takes the windows that would begin in it, and those before it that reach into it.
    lost = np.bincount(
        number[is_open], (stops - firsts)[is_open] + lookback + horizon - 1, len(rows.starts)
    )
    is_open &= (lost <= (1 - MIN_WINDOWS) * (rows.lengths - lookback - horizon + 1))[number]
    y = series["y"].to_numpy().copy()
    for first, stop in zip(firsts[is_open], stops[is_open], strict=True):
        y[first:stop] = np.nan
    place = firsts[is_long][0]
    longest = int((stops - firsts).max())
    sentence = (
        f"{count(is_long.sum(), 'gap')} longer than the horizon of {count(horizon, 'step')}, of which {is_open.sum()} "
        f"stay open, so that no window spans them: the longest has {longest:,} steps, the first is in series "
        f"{show(series['unique_id'].iloc[place])} at {format_time(series['ds'].iloc[place], profile['tz'])}"
    )
    return series.assign(y=y), add_repair(profile, sentence)
