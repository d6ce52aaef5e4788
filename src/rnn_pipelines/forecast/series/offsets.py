"""Frequencies as text: pandas offset aliases, dekads (`DEK`), and steps on later days of their period (`MS+14D`)."""

import re
from functools import cache
from typing import Any

import numpy as np
import pandas as pd
from pandas.tseries.frequencies import to_offset
from pandas.tseries.offsets import BaseOffset, CustomBusinessDay, Day, Tick

# Steps on the days 1, 11 and 21 of each month.
DEKAD = "DEK"
_DEKAD_DAYS = (1, 11, 21)
# The shortest month has 28 days, so that a later day is not in each of them.
MAX_SHIFT = 27
# Dates for offsets that are lists of days.
_DATES = pd.date_range("1700-01-01", "2299-12-31")


def split_shift(freq: str) -> tuple[str, pd.Timedelta]:
    """Return a frequency without its shift, and the shift: `MS` and 14 days for `MS+14D`."""
    shifted = re.fullmatch(r"(.+)\+([0-9]+)D", freq)
    return (shifted[1], pd.Timedelta(days=int(shifted[2]))) if shifted else (freq, pd.Timedelta(0))


def find_offset(freq: str) -> BaseOffset:
    """Return the offset of a frequency, without its shift.

    Raises:
        ValueError: there is no such frequency.
    """
    base, shift = split_shift(freq)
    offset = _make_dekad() if base == DEKAD else to_offset(base)
    if shift and (shift.days > MAX_SHIFT or has_fixed_length(offset)):
        raise ValueError("only longer steps are shifted, by 27 days or less")
    return offset


def has_fixed_length(offset: BaseOffset) -> bool:
    """Return whether all steps of an offset take the same time."""
    return isinstance(offset, (Tick, Day))


def spell_frequency(freq: str) -> str:
    """Return a frequency as pandas spells it in full, with its shift."""
    base, shift = split_shift(freq)
    return (base if base == DEKAD else to_offset(base).freqstr) + (f"+{shift.days}D" if shift else "")


def add_steps(time: Any, number: int, freq: int | str) -> Any:
    """Return the time (or step) that is a number of steps after another; before it if the number is negative."""
    if isinstance(freq, int):
        return time + number * freq
    shift = split_shift(freq)[1]
    return time - shift + number * find_offset(freq) + shift


@cache
def _make_dekad() -> BaseOffset:
    others = _DATES[~_DATES.day.isin(_DEKAD_DAYS)].to_numpy("datetime64[D]")
    return CustomBusinessDay(calendar=np.busdaycalendar(weekmask="1111111", holidays=others))
