"""Times and steps in parameters; `as_of` is parsed in the same way for series and texts."""

import re
from contextlib import suppress
from datetime import date, datetime

import pandas as pd


def parse_time(text: str) -> pd.Timestamp:
    """Parse a time in ISO 8601; a day is its beginning.

    Other formats are errors, because pandas may confuse day and month. A week is an error, because Python would read it
    as its Monday.

    Raises:
        ValueError: the text is not such a time.
    """
    if "W" in text:
        raise ValueError("a week is no day")
    return pd.Timestamp(datetime.fromisoformat(text))


def parse_step(step: int | str) -> int:
    """Parse an integer step, of at most 18 digits as text. Other texts are errors, because Python reads 1_0 as 10.

    Raises:
        ValueError: the step is not an integer.
    """
    if isinstance(step, str) and not re.fullmatch(r"[+-]?[0-9]{1,18}", step.strip()):
        raise ValueError("no whole number")
    return int(step)


def parse_as_of(text: str, tz: str = "UTC") -> pd.Timestamp:
    """Parse an as-of time: a day is its end; a day with a time, even midnight, is that moment.

    Args:
        text: a day, or a day with a time, in ISO 8601.
        tz: the time zone, if the text has none.
    Returns:
        The time in UTC, without a zone.
    Raises:
        ValueError: the text is neither.
    """
    time = parse_time(text)
    with suppress(ValueError):
        time = pd.Period(date.fromisoformat(text), "D").end_time
    # In an hour that occurs twice when clocks change, the second one, so that all of its data counts.
    return (time.tz_localize(tz, ambiguous=False, nonexistent="shift_forward") if time.tz is None else time).tz_convert(
        None
    )


def parse_last(as_of: int | str, times: pd.Series, tz: str = "UTC") -> pd.Timestamp | int:
    """Parse the last time or step to read.

    Args:
        as_of: see `parse_as_of`, or a step.
        times: of the data, datetime64 or whole numbers.
        tz: the time zone, if the text has none.
    Raises:
        ValueError: `as_of` is not of their kind.
    """
    if not pd.api.types.is_datetime64_any_dtype(times):
        return parse_step(as_of)
    if isinstance(as_of, int):
        raise ValueError("a number is not a date")
    return parse_as_of(as_of, tz)
