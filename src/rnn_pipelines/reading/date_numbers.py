"""Whole numbers that are dates, as 20240131, or can be: none of them must become a step without a word."""

import logging

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.reading.times import MAX_STEP, count_digits, format_time, read_times

# Numbers can be dates only if all of them are of these years.
YEARS = 1900, 2100
_DAYS = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S")
_MONTHS, _DAYS_OF_YEAR = "%Y%m", "%Y%j"
_YEAR_FIRST = (*_DAYS, _MONTHS, _DAYS_OF_YEAR)
# In these forms, only if most rows are a month apart or less in one of them, because many steps end in what could be a
# year. Months may be quarters: their steps would be years apart.
_OTHERS = ("%m%Y", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%m%d%y")
_MONTH, _QUARTER = pd.Timedelta(31, "D"), pd.Timedelta(92, "D")
# Of these, no form could be given.
_WEEKS, _CLOCK = "%G%V", "%H%M"
NUM_QUARTERS = 4

# What counts time, in which unit and from when.
_COUNTS = {
    "days that Excel counts": ("D", "1899-12-30"),
    "seconds since 1970": ("s", "1970-01-01"),
    "milliseconds since 1970": ("ms", "1970-01-01"),
    "microseconds since 1970": ("us", "1970-01-01"),
    "nanoseconds since 1970": ("ns", "1970-01-01"),
}
_LIKELY = pd.Timestamp("1980-01-01"), pd.Timestamp("2050-01-01")

_EXAMPLE = "times such as 2024-03-31 12:00"

logger = logging.getLogger(__name__)


def find_date_form(steps: pd.Series, raw: pd.Series, label: str) -> str | None:
    """The form of dates that all steps of a column have, if they can be nothing else.

    No steps that anybody counts are all days of a calendar, written in its order, or its months over several years.

    Args:
        steps: int64.
        raw: the column as it stands in the table.
        label: of the source, for messages.
    Returns:
        As `time_format` takes it; None for steps.
    Raises:
        SeriesError: they can be other dates, weeks or times of day; with what to give for these, and for steps.
    """
    numbers = np.unique(steps)
    forms = [form for form in _YEAR_FIRST if _can_be(numbers, form)]
    others = {form: _find_spacing(steps, form) for form in _OTHERS if _can_be(numbers, form)}
    if any(spacing <= (_QUARTER if form == "%m%Y" else _MONTH) for form, spacing in others.items()):
        # Quarters with the day first look like days with the month first.
        forms += [form for form, spacing in others.items() if spacing <= _QUARTER]
    if len(forms) == 1 and (forms[0] in _DAYS or (forms[0] == _MONTHS and _are_months(numbers))):
        return forms[0]
    if forms:
        ways = " or ".join(f"forecast.source.time_format='{form}'" for form in forms)
        kind, remedy = "dates", f"Give {ways} (quotes included), or"
    elif _can_be(numbers, _WEEKS) or _can_be(numbers, _CLOCK):
        kind = "weeks" if _can_be(numbers, _WEEKS) else "times of day"
        remedy = f"Write {_EXAMPLE}, or give"
    else:
        return None
    spacing = np.diff(numbers).min() if len(numbers) > 1 else 1
    raise SeriesError(
        f"{label}: column '{raw.name}': all {len(raw):,} whole numbers, as {show(str(raw.iloc[0]))}, can be {kind} or "
        f"steps. {remedy} forecast.source.freq={spacing} for steps."
    )


def log_steps(steps: pd.Series, label: str) -> None:
    """Logs that a column is read as steps; what it would be as dates, where it can be a count of days or seconds.

    No error, because nothing tells such a count from steps.
    """
    ends = int(steps.min()), int(steps.max())
    told = f"{label}: column '{steps.name}' is read as steps from {ends[0]} to {ends[1]}, without a calendar"
    for name, (unit, origin) in _COUNTS.items():
        low, high = ((time - pd.Timestamp(origin)) // pd.Timedelta(1, unit) for time in _LIKELY)
        if low <= ends[0] and ends[1] <= high:
            first, last = (format_time(pd.Timestamp(origin) + pd.Timedelta(end, unit)) for end in ends)
            logger.warning(
                "%s; as %s they are %s to %s: if dates are meant, write %s", told, name, first, last, _EXAMPLE
            )
            return
    logger.info("%s", told)


def _can_be(numbers: np.ndarray, form: str) -> bool:
    """Whether all of some numbers, in their order, can be of a form; a zero at the beginning may be lost."""
    num_digits = count_digits(form)
    fewest = 0 if form == _CLOCK else 10 ** (num_digits - (2 if form in _OTHERS else 1))
    # Two at first, because most steps fail by them.
    if numbers[0] < fewest or numbers[-1] >= 10**num_digits or not _read(numbers[[0, -1]], form).notna().all():
        return False
    dates = _read(numbers, form)
    if not dates.dt.year.between(*YEARS).all():
        return False
    if form != _CLOCK:
        return True
    # Most are steps, if not of times that skip what numbers have between 59 and 100.
    spacings, steps = dates.sort_values().diff().dropna(), np.diff(numbers)
    return bool((spacings == spacings.min()).sum() > (steps == steps.min(initial=MAX_STEP)).sum())


def _find_spacing(steps: pd.Series, form: str) -> pd.Timedelta:
    """The median spacing of the rows, if they are dates of a form; NaT for a single row."""
    return _read(steps.to_numpy(), form).diff().abs().median()


def _are_months(numbers: np.ndarray) -> bool:
    """Rather than quarters, of which there are four in a year, or weeks, of which there are more."""
    dates = _read(numbers, _MONTHS)
    return bool(dates.dt.month.max() > NUM_QUARTERS and dates.dt.year.nunique() > 1)


def _read(numbers: np.ndarray, form: str) -> pd.Series:
    text = pd.Series(numbers).astype(str)
    # Of weeks, pandas reads a day.
    return read_times(text + "1", f"{form}%u") if form == _WEEKS else read_times(text, form)
