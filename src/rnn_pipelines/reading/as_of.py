"""Moments that parameters name; the last one whose data counts is the same for series and for texts."""

import re
from contextlib import suppress
from datetime import date, datetime

import pandas as pd


def parse_time(text: str) -> pd.Timestamp:
    """A time as ISO 8601 has it; a day is its beginning. Nothing else, because pandas guesses days to be months.

    Nor a week, which Python takes for its Monday, where whoever names one means all of it.

    Raises:
        ValueError: it is none.
    """
    if "W" in text:
        raise ValueError("a week is no day")
    return pd.Timestamp(datetime.fromisoformat(text))


def parse_step(step: int | str) -> int:
    """A whole-numbered step, of at most 18 digits as text. Nothing else, because Python reads 1_0 as 10.

    Raises:
        ValueError: it is none.
    """
    if isinstance(step, str) and not re.fullmatch(r"[+-]?[0-9]{1,18}", step.strip()):
        raise ValueError("no whole number")
    return int(step)


def parse_as_of(text: str, tz: str = "UTC") -> pd.Timestamp:
    """A day counts to its end; with a time beside it, midnight too, it is that moment.

    See `parse_time`.

    Args:
        text: a day, or a day with a time.
        tz: the zone of either, where the time doesn't say.
    Returns:
        In UTC, without a zone.
    Raises:
        ValueError: it is neither.
    """
    time = parse_time(text)
    with suppress(ValueError):
        time = pd.Period(date.fromisoformat(text), "D").end_time
    # Of an hour that clocks repeat the last, because all of the day or moment counts.
    return (time.tz_localize(tz, ambiguous=False, nonexistent="shift_forward") if time.tz is None else time).tz_convert(
        None
    )
