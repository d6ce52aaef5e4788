"""Moments that parameters name; the last one whose data counts is the same for series and for texts."""

from datetime import date, datetime

import pandas as pd


def parse_time(text: str) -> pd.Timestamp:
    """A time as ISO 8601 has it; a day is its beginning. Nothing else, because pandas guesses days to be months.

    Raises:
        ValueError: it is none.
    """
    return pd.Timestamp(datetime.fromisoformat(text))


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
    try:
        time = pd.Period(date.fromisoformat(text), "D").end_time
    except ValueError:
        time = parse_time(text)
    # Of an hour that clocks repeat the last, because all of the day or moment counts.
    return (time.tz_localize(tz, ambiguous=False, nonexistent="shift_forward") if time.tz is None else time).tz_convert(
        None
    )
