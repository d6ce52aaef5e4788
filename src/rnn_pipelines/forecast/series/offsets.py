"""Frequencies as text: pandas offset aliases, and those that pandas lacks.

`DEK` are dekads, `MS+14D` steps on a later day of their period, `B-DE` and `D-DE` business days and days without the
public holidays of a country.
"""

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BaseOffset, CustomBusinessDay, Day, Tick

from rnn_pipelines.forecast.series.holidays import list_holidays

# Steps on the days 1, 11 and 21 of each month.
DEKAD = "DEK"
_DEKAD_DAYS = (1, 11, 21)
# The shortest month has 28 days, so that a later day is not in each of them.
MAX_SHIFT = 27
# Years whose holidays are no steps.
_HOLIDAY_YEARS = range(1950, 2101)
_WEEKS = {"B": "1111100", "D": "1111111"}


def split_shift(freq: str) -> tuple[str, pd.Timedelta]:
    """Return a frequency without its shift, and the shift: `MS` and 14 days for `MS+14D`."""
    shifted = re.fullmatch(r"(.+)\+([0-9]+)D", freq)
    return (shifted[1], pd.Timedelta(days=int(shifted[2]))) if shifted else (freq, pd.Timedelta(0))


def split_holidays(freq: str) -> tuple[str, str]:
    """Return the unit of days and the country whose holidays are no steps: `B` and `DE-BY` for `B-DE-BY`."""
    unit, _, country = freq.partition("-")
    return (unit, country) if unit in _WEEKS else (freq, "")


def find_offset(freq: str) -> BaseOffset:
    """Return the offset of a frequency, without its shift.

    Raises:
        ValueError: there is no such frequency.
    """
    base, shift = split_shift(freq)
    unit, country = split_holidays(base)
    offset = _make_dekad() if base == DEKAD else _make_open_days(unit, country) if country else to_offset(base)
    if shift and (shift.days > MAX_SHIFT or has_fixed_length(offset)):
        raise ValueError("only longer steps are shifted, by 27 days or less")
    return offset


def has_fixed_length(offset: BaseOffset) -> bool:
    """Return whether all steps of an offset take the same time."""
    return isinstance(offset, (Tick, Day))


def spell_frequency(freq: str) -> str:
    """Return a frequency as pandas spells it in full, with its shift."""
    base, shift = split_shift(freq)
    is_own = base == DEKAD or split_holidays(base)[1]
    return (base if is_own else to_offset(base).freqstr) + (f"+{shift.days}D" if shift else "")


def add_steps(time: Any, number: int, freq: int | str) -> Any:
    """Return the time (or step) that is a number of steps after another; before it if the number is negative."""
    if isinstance(freq, int):
        return time + number * freq
    shift = split_shift(freq)[1]
    return time - shift + number * find_offset(freq) + shift


@cache
def _make_open_days(unit: str, country: str) -> BaseOffset:
    closed = list_holidays(country, _HOLIDAY_YEARS).to_numpy("datetime64[D]")
    return CustomBusinessDay(calendar=np.busdaycalendar(weekmask=_WEEKS[unit], holidays=closed))


@cache
def _make_dekad() -> BaseOffset:
    dates = pd.date_range("1700-01-01", "2299-12-31")
    others = dates[~dates.day.isin(_DEKAD_DAYS)].to_numpy("datetime64[D]")
    return CustomBusinessDay(calendar=np.busdaycalendar(weekmask="1111111", holidays=others))
