"""Times and steps in parameters. `as_of` is parsed in the same way for series and texts."""

import re
from collections.abc import Callable
from contextlib import suppress
from datetime import date, datetime

import pandas as pd

from rnn_pipelines.reading.zones import read_local


def parse_time(text: str) -> pd.Timestamp:
    """Parse a time in ISO 8601; a day is its beginning. Raise a ValueError for other texts.

    Pandas may confuse day and month in other formats, and Python would read a week as its Monday.
    """
    if "W" in text:
        raise ValueError("a week is no day")
    return pd.Timestamp(datetime.fromisoformat(text))


def parse_step(step: int | str) -> int:
    """Parse an integer step, of at most 18 digits as text; else raise a ValueError. Python would read 1_0 as 10."""
    if isinstance(step, str) and not re.fullmatch(r"[+-]?[0-9]{1,18}", step.strip()):
        raise ValueError("no whole number")
    return int(step)


def parse_as_of(text: str, tz: str = "UTC") -> pd.Timestamp:
    """Parse an as-of time in ISO 8601: a day is its end; a day with a time, even midnight, is that moment.

    Return UTC without a zone; `tz` is the zone of a text without one. Raise a ValueError for other texts.
    """
    time = parse_time(text)
    with suppress(ValueError):
        time = pd.Period(date.fromisoformat(text), "D").end_time
    if time.tz is None:
        # In an hour that occurs twice when clocks change, the second one, so that all of its data counts.
        time = time.tz_localize(tz, ambiguous=False, nonexistent="shift_forward")
    return time.tz_convert(None)


def parse_first(first: int | str, times: pd.Series, tz: str | None = None) -> pd.Timestamp | int:
    """Parse the first time or step, as `times` are; a day is its beginning. Raise a ValueError for the other kind."""
    return _parse_like(first, times, lambda text: read_local(parse_time(text), tz))


def parse_last(as_of: int | str, times: pd.Series, tz: str | None = None) -> pd.Timestamp | int:
    """Parse the last time (see `parse_as_of`) or step, as `times` are; raise a ValueError for the other kind."""
    return _parse_like(as_of, times, lambda text: parse_as_of(text, tz or "UTC"))


def _parse_like(
    bound: int | str, times: pd.Series, parse: Callable[[str], pd.Timestamp]
) -> pd.Timestamp | int:
    if not pd.api.types.is_datetime64_any_dtype(times):
        return parse_step(bound)
    if isinstance(bound, int):
        raise ValueError("a number is not a date")
    return parse(bound)
