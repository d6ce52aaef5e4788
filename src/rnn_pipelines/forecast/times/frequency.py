"""Inference of the frequency of series, and the season length and window that go with it."""

import threading
from collections import Counter
from typing import NamedTuple

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.rows import find_rows
from rnn_pipelines.forecast.times.offsets import (
    DEKAD,
    WEEKDAYS,
    count_weekdays,
    find_offset,
    split_closed_days,
    split_shift,
)

_BLOCK_ROWS = 12
_MAX_BLOCKS_PER_SERIES = 20
_MAX_SERIES = 20
_MIN_TIMES = 3

_OPTION_LOCK = threading.Lock()

# The longer season: a year of days, and a week of steps of 60, 30, 15, 10, 5 and 1 minutes.
LONG_SEASONS = {7: 365, **{steps: 7 * steps for steps in (24, 48, 96, 144, 288, 1440)}}
# Usual lookback and horizon of other frequencies and of integer steps.
_USUAL_WINDOW = (30, 7)


class _Unit(NamedTuple):
    """The name of a unit of time in messages, its usual steps in a season, and its usual lookback and horizon."""

    name: str
    season_length: int = 1
    window: tuple[int, int] = _USUAL_WINDOW


# By the prefix of pandas.
_UNITS = {
    "s": _Unit("second"),
    "min": _Unit("minute", 1440),
    "h": _Unit("hour", 24),
    "D": _Unit("day"),
    "B": _Unit("business day"),
    "W": _Unit("week", 52, (52, 8)),
    "SM": _Unit("half-month", 24, (48, 12)),
    DEKAD: _Unit("dekad", 36, (72, 18)),
    **dict.fromkeys(("M", "BM"), _Unit("month", 12, (24, 12))),
    **dict.fromkeys(("Q", "BQ"), _Unit("quarter", 4, (8, 4))),
    **dict.fromkeys(("Y", "BY"), _Unit("year", 1, (10, 3))),
}
# Days, of which a usual window has eight weeks and two weeks.
_DAYS = ("D", "B")
_WEEKS_BACK, _WEEKS_AHEAD = 8, 2

# Largest distance of a time from its usual day, such as by a weekend.
MAX_MOVE = pd.Timedelta(days=3)
_MONTHS = ["JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"]
# The end of a vote for a frequency whose shift is the median of all days.
_OPEN_SHIFT = "+"
# The second day of a half-month, at most; the last day that months of usual days can have; the part that is most.
_MOST_OF_A_HALF = 27
_LAST_DAY = 30
_MOST = 0.5


def infer_frequency(table: pd.DataFrame, has_zeros: bool = False) -> int | str:
    """Return the spacing of most blocks of rows, so that gaps do not hide it; if no series has one, that of all times.

    It is a pandas offset alias for timestamps, a whole number for steps, of a table sorted by `unique_id, ds`.
    `has_zeros` tells messages whether absent rows mean 0. If no block is regular, or all series are too short, raise a
    SeriesError.
    """
    rows = find_rows(table)
    num_times = int(rows.lengths.max())
    if num_times < _MIN_TIMES:
        raise SeriesError(
            f"the longest series has {num_times} of the {_MIN_TIMES} timestamps that show a frequency. Give more, or "
            "source.freq."
        )
    votes: Counter[int | str] = Counter()
    for first, stop in zip(rows.starts[:_MAX_SERIES], rows.stops, strict=False):
        ds = table["ds"].iloc[first:stop]
        starts = np.unique(
            np.linspace(0, max(len(ds) - _BLOCK_ROWS, 0), _MAX_BLOCKS_PER_SERIES).astype(int)
        )
        spacings = (_infer_block(ds.iloc[start : start + _BLOCK_ROWS]) for start in starts)
        votes.update(spacing for spacing in spacings if spacing is not None)
    if not votes and len(rows.starts) > 1:
        # Series of rare events can have all times together.
        times = table[["ds"]].drop_duplicates().sort_values("ds")
        return infer_frequency(times.assign(unique_id="all"), has_zeros)
    if not votes:
        advice = "; otherwise" if has_zeros else ", and gaps=zero if absent rows mean 0; otherwise"
        raise SeriesError(
            f"irregular spacing: no {_BLOCK_ROWS} timestamps in a row are equally spaced, so the frequency cannot "
            f"be inferred. Give source.freq (for example D, h, MS){advice} resample the data."
        )
    freq = votes.most_common(1)[0][0]
    if isinstance(freq, str) and freq.endswith(_OPEN_SHIFT):
        num_days = min(int(table["ds"].dt.day.median()), _LAST_DAY) - 1
        return f"{freq}{num_days}D" if num_days else freq.removesuffix(_OPEN_SHIFT)
    if isinstance(freq, str) and split_closed_days(freq)[1]:
        closed = split_closed_days(freq)[1].split("+")
        has_closed = (
            table["ds"].dt.day_of_week.isin([WEEKDAYS.index(name) for name in closed]).any()
        )
        return "D" if has_closed else freq
    return freq


def find_own_frequency(table: pd.DataFrame) -> int | str | None:
    """Return the spacing of `infer_frequency`; None if there is none."""
    try:
        return infer_frequency(table)
    except SeriesError:
        return None


def _infer_block(ds: pd.Series) -> int | str | None:
    if pd.api.types.is_datetime64_any_dtype(ds):
        # The result of pandas 4, about which pandas 3 warns. All threads share the option.
        with _OPTION_LOCK, pd.option_context("future.infer_freq_returns_offset", True):
            offset = pd.infer_freq(pd.DatetimeIndex(ds)) if len(ds) >= _MIN_TIMES else None
        return (
            _infer_open_days(ds) or _infer_within_months(ds) if offset is None else offset.freqstr
        )
    steps = ds.diff().dropna().unique()
    return int(steps[0]) if len(steps) == 1 else None


def _infer_open_days(ds: pd.Series) -> str | None:
    """Return the frequency of days without some weekdays, each of the others at least twice."""
    open_days = sorted(ds.dt.day_of_week.unique())
    if not 1 < len(open_days) < len(WEEKDAYS) or len(ds) < 2 * len(open_days):
        return None
    freq = "D-" + "+".join(name for day, name in enumerate(WEEKDAYS) if day not in open_days)
    steps = pd.date_range(ds.iloc[0], ds.iloc[-1], freq=find_offset(freq))
    return freq if len(steps) == len(ds) and (steps == ds).all() else None


def _infer_within_months(ds: pd.Series) -> str | None:
    """Return the frequency of steps on certain days of the months; with an open shift if these days vary."""
    if len(ds) < _MIN_TIMES:
        return None
    first = ds.iloc[0]
    days = np.unique(ds.dt.day)
    num_days = int(days[0]) - 1
    bases = [DEKAD, "SME-15"]
    if len(days) == 2 and 1 < days[1] - num_days <= _MOST_OF_A_HALF:
        bases.insert(0, f"SMS-{days[1] - num_days}")
    for base in bases:
        shift = pd.Timedelta(days=0 if base.startswith("SME") else num_days)
        steps = pd.date_range(first - shift, ds.iloc[-1] - shift, freq=find_offset(base))
        if len(steps) == len(ds) and (steps == ds - shift).all():
            return f"{base}+{shift.days}D" if shift else base
    months = np.unique(np.diff(ds.dt.year * 12 + ds.dt.month))
    if len(months) > 1 or months[0] < 1:
        return None
    return _infer_month_ends(ds, int(months[0])) or _infer_day_of_month(ds, int(months[0]))


def _infer_month_ends(ds: pd.Series, number: int) -> str | None:
    """Return the frequency of months whose last day, or last business day, most rows have and all rows are near."""
    starts = ds - (ds.dt.day - 1) * pd.Timedelta(days=1)
    for base in ("BME", "ME"):
        ends = starts + find_offset(base)
        if (ds == ends).mean() > _MOST and ((ds - ends).abs() <= MAX_MOVE).all():
            return f"{'' if number == 1 else number}{base}"
    return None


def _infer_day_of_month(ds: pd.Series, number: int) -> str | None:
    """Return the frequency of a day of the month, or the last day of shorter ones, that all rows are near."""
    usual = int(ds.dt.day.median())
    is_usual = (ds.dt.day - ds.dt.days_in_month.clip(upper=usual)).abs() <= MAX_MOVE.days
    if not is_usual.all() or usual > _LAST_DAY:
        return None
    month = ds.iloc[0].month - 1
    units = ((12, f"YS-{_MONTHS[month]}"), (3, f"QS-{_MONTHS[month % 3]}"), (1, "MS"))
    length, base = next(unit for unit in units if number % unit[0] == 0)
    return f"{'' if number == length else number // length}{base}{_OPEN_SHIFT}"


def get_season_length(freq: int | str) -> int:
    """Return the steps in a season: 24 hours, 7 days, 12 months, ...; 1 if no number of steps is a season.

    Hours, months and quarters have the seasons of the M4 competition; minutes have a season of a day. Days have weeks
    here, and weeks have years, while M4 uses 1 (none).

    Source: Makridakis, Spiliotis & Assimakopoulos (2020), doi:10.1016/j.ijforecast.2019.04.014.
    """
    if isinstance(freq, int):
        return 1
    name, unit = _get_unit(freq)
    length = count_weekdays(freq) if name in _DAYS else unit.season_length
    length, rest = divmod(length, find_offset(freq).n)
    return length if rest == 0 else 1


def name_steps(freq: int | str) -> str:
    """Return the name of the steps of a frequency, such as `days` or `every 5 minutes`."""
    if isinstance(freq, int):
        number = freq
        name = "step"
    else:
        number = find_offset(freq).n
        name = _get_unit(freq)[1].name
    if not name:
        return f"every '{freq}'"
    return f"{name}s" if number == 1 else f"every {number} {name}s"


def get_usual_window(freq: int | str) -> tuple[int, int]:
    """Return the usual lookback and horizon of a frequency, such as 24 and 12 months, or 168 and 24 hours.

    For steps shorter than a day: seven seasons and one season, at most 336 and 96 steps.
    """
    if isinstance(freq, int):
        return _USUAL_WINDOW
    offset = find_offset(freq)
    name, unit = _get_unit(freq)
    if name in ("min", "h"):
        season_length = get_season_length(freq)
        if season_length == 1:
            return _USUAL_WINDOW
        return min(7 * season_length, 336), min(season_length, 96)
    lookback, horizon = unit.window
    if name in _DAYS:
        num_days = count_weekdays(freq)
        lookback = _WEEKS_BACK * num_days
        horizon = _WEEKS_AHEAD * num_days
    return max(2, lookback // offset.n), max(1, horizon // offset.n)


def _get_unit(freq: str) -> tuple[str, _Unit]:
    """Return the prefix of an offset's unit, without its anchor, and the unit; one without a name if it is another."""
    base = split_closed_days(split_shift(freq)[0])[0]
    name = DEKAD
    if base != DEKAD:
        name = find_offset(base).rule_code.split("-")[0].removesuffix("S").removesuffix("E")
    return name, _UNITS.get(name, _Unit(""))
