"""Frequencies as text: pandas offset aliases, and those that pandas lacks.

`DEK` are dekads, `MS+14D` steps on a later day of their period (`MS+29D`: on the 30th, or the last day of a shorter
month). `B-DE` and `D-SUN+20261224` are business days and days without closed days: the public holidays of a country,
weekdays, dates, or several of them.
"""

import re
from collections.abc import Iterable
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BaseOffset, CustomBusinessDay, Day, Tick

from rnn_pipelines.errors import show
from rnn_pipelines.forecast.times.holidays import check_country, list_holidays, refuse_bare_no

# Steps on the days 1, 11 and 21 of each month.
DEKAD = "DEK"
_DEKAD_DAYS = (1, 11, 21)
# Days that each month has. A later day becomes the last one of a shorter month, for steps of whole months.
_LAST_SHIFT, _LONGEST_SHIFT = 27, 29
# Offsets that begin on the first day of a month.
MONTHLY = ("MS", "QS", "YS")
# Years whose holidays are no steps.
HOLIDAY_YEARS = range(1950, 2101)
_WEEKS = {"B": "1111100", "D": "1111111"}
WEEKDAYS = ("MON", "TUE", "WED", "THU", "FRI", "SAT", "SUN")


def split_shift(freq: str) -> tuple[str, pd.Timedelta]:
    """Return a frequency without its shift, and the shift: `MS` and 14 days for `MS+14D`."""
    shifted = re.fullmatch(r"(.+)\+([0-9]+)D", freq)
    return (shifted[1], pd.Timedelta(days=int(shifted[2]))) if shifted else (freq, pd.Timedelta(0))


def split_closed_days(freq: str) -> tuple[str, str]:
    """Return the unit of days and the closed days, which are no steps: `B` and `DE-BY` for `B-DE-BY`."""
    unit, _, closed = freq.partition("-")
    return (unit, closed) if unit in _WEEKS else (freq, "")


def count_weekdays(freq: str) -> int:
    """Return the number of weekdays that are steps: 5 for `B`, 6 for `D-SUN`."""
    unit, closed = split_closed_days(freq)
    return _list_weekdays(unit, closed).count("1") if unit in _WEEKS else len(WEEKDAYS)


def find_offset(freq: str) -> BaseOffset:
    """Return the offset of a frequency, without its shift; raise a ValueError if there is no such frequency."""
    base, shift = split_shift(freq)
    unit, closed = split_closed_days(base)
    if base == DEKAD:
        offset = _make_dekad()
    elif closed:
        offset = _make_open_days(unit, closed)
    else:
        offset = to_offset(base)
    longest = _LONGEST_SHIFT if is_monthly(offset) else _LAST_SHIFT
    if shift and (shift.days > longest or has_fixed_length(offset)):
        raise ValueError(f"only longer steps are shifted, by {longest} days or less")
    return offset


def is_monthly(offset: BaseOffset) -> bool:
    """Return whether steps begin on the first day of a month."""
    return offset.rule_code.split("-")[0] in MONTHLY


def add_shift(firsts: np.ndarray, freq: str) -> np.ndarray:
    """Return the times of steps without their shift as they are, at most on the last day of the month."""
    shift = np.timedelta64(split_shift(freq)[1].days, "D")
    if shift.astype(int) <= _LAST_SHIFT:
        return firsts + shift
    months = firsts.astype("datetime64[M]")
    lasts = (
        (months + 1).astype("datetime64[D]")
        - months.astype("datetime64[D]")
        - np.timedelta64(1, "D")
    )
    return firsts + np.minimum(lasts, shift)


def leave_shift(times: np.ndarray, freq: str) -> np.ndarray:
    """Return times without their shift, the inverse of `add_shift`."""
    shift = np.timedelta64(split_shift(freq)[1].days, "D")
    if shift.astype(int) <= _LAST_SHIFT:
        return times - shift
    days = times.astype("datetime64[D]")
    return times - (days - days.astype("datetime64[M]").astype("datetime64[D]"))


def has_fixed_length(offset: BaseOffset) -> bool:
    """Return whether all steps of an offset take the same time."""
    return isinstance(offset, (Tick, Day))


def spell_frequency(freq: str) -> str:
    """Return a frequency as pandas spells it in full, with its shift."""
    base, shift = split_shift(freq)
    is_own = base == DEKAD or split_closed_days(base)[1]
    return (base if is_own else to_offset(base).freqstr) + (f"+{shift.days}D" if shift else "")


def add_steps(time: Any, number: int, freq: int | str) -> Any:
    """Return the time (or step) that is a number of steps after another; before it if the number is negative."""
    if isinstance(freq, int):
        return time + number * freq
    first = pd.Timestamp(leave_shift(np.array([time], "datetime64[us]"), freq)[0])
    moved = first + number * find_offset(freq)
    return pd.Timestamp(add_shift(np.array([moved], "datetime64[us]"), freq)[0])


@cache
def _make_open_days(unit: str, closed: str) -> BaseOffset:
    names = [name for name in closed.split("+") if name not in WEEKDAYS]
    # Dates, and the public holidays of countries.
    listed = (
        pd.DatetimeIndex([name]) if name.isdigit() else list_holidays(name, HOLIDAY_YEARS)
        for name in names
    )
    days = [day for dates in listed for day in dates.to_numpy("datetime64[D]")]
    calendar = np.busdaycalendar(
        weekmask=_list_weekdays(unit, closed), holidays=np.array(days, "datetime64[D]")
    )
    return CustomBusinessDay(calendar=calendar)


def _list_weekdays(unit: str, closed: str) -> str:
    """Return 1 for each weekday that is a step, and 0 for the others."""
    names = closed.split("+")
    return "".join(
        "0" if day in names else is_open
        for day, is_open in zip(WEEKDAYS, _WEEKS[unit], strict=True)
    )


@cache
def _make_dekad() -> BaseOffset:
    dates = pd.date_range("1700-01-01", "2299-12-31")
    closed = dates[~dates.day.isin(_DEKAD_DAYS)].to_numpy("datetime64[D]")
    return CustomBusinessDay(calendar=np.busdaycalendar(weekmask="1111111", holidays=closed))


def check_closed_days(value: object) -> list[str]:
    """Return countries, weekdays (`SUN`) and dates (`20261224`), each once; raise a ValueError for other parts.

    They are a list, or a text with + between its parts, because `kedro run --params` does not accept lists.
    """
    if value is None:
        return []
    if isinstance(value, str | bool | int) or not isinstance(value, Iterable):
        value = str(refuse_bare_no(value)).split("+")
    return list(dict.fromkeys(_check_part(part) for part in value))


def _check_part(part: object) -> str:
    text = str(refuse_bare_no(part)).strip()
    weekday = text[:3].upper()
    if weekday in WEEKDAYS and (len(text) == len(weekday) or text.lower().endswith("day")):
        return weekday
    if not text[:1].isdigit():
        return check_country(text)
    try:
        return pd.Timestamp(text).strftime("%Y%m%d")
    except ValueError as error:
        raise ValueError(f"expected a date such as 2026-12-24, received {show(text)}") from error
