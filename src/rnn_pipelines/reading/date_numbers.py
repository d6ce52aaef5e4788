"""Detection of whole numbers that are dates, such as 20240131; ambiguous ones raise an error."""

import logging

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.reading.times import MAX_STEP, count_digits, format_time, read_times

# Numbers are dates only if all of them are in these years.
YEARS = 1900, 2100
_DAYS = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", "%Y%m%d%H%M%S")
_MONTHS, _DAYS_OF_YEAR = "%Y%m", "%Y%j"
_YEAR_FIRST = (*_DAYS, _MONTHS, _DAYS_OF_YEAR)
# These forms count only if the median spacing is a month or less, because many steps end in digits like a year. With
# %m%Y the spacing may be a quarter, because ordinary steps would be years apart.
_OTHERS = ("%m%Y", "%d%m%Y", "%m%d%Y", "%y%m%d", "%d%m%y", "%m%d%y")
_MONTH, _QUARTER = pd.Timedelta(31, "D"), pd.Timedelta(92, "D")
# Forms that `time_format` does not accept.
_WEEKS, _CLOCK = "%G%V", "%H%M"
NUM_QUARTERS = 4

# Counts of time, with unit and origin.
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
    """Return the date form of a column of whole numbers; None if they are steps.

    Numbers are dates if they are days with the year first, or months with the year first over several years. Ordinary
    steps never look like this.

    Args:
        steps: int64.
        raw: the column as read.
        label: name of the source, for messages.
    Returns:
        The form, as `time_format` accepts it.
    Raises:
        SeriesError: the numbers may be other dates, weeks or times of day; the message lists the parameters to set.
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
    """Log that a column is read as steps, and the dates that it may stand for.

    This is not an error, because a count of days or seconds looks like steps.
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
    """Return whether all numbers, in ascending order, fit a form; a leading zero may be lost."""
    num_digits = count_digits(form)
    fewest = 0 if form == _CLOCK else 10 ** (num_digits - (2 if form in _OTHERS else 1))
    # Check the two ends first, because most steps fail there.
    if numbers[0] < fewest or numbers[-1] >= 10**num_digits or not _read(numbers[[0, -1]], form).notna().all():
        return False
    dates = _read(numbers, form)
    if not dates.dt.year.between(*YEARS).all():
        return False
    if form != _CLOCK:
        return True
    # Times of day skip 60 to 99 in each hundred: their spacing is more regular in time than in numbers.
    spacings, steps = dates.sort_values().diff().dropna(), np.diff(numbers)
    return bool((spacings == spacings.min()).sum() > (steps == steps.min(initial=MAX_STEP)).sum())


def _find_spacing(steps: pd.Series, form: str) -> pd.Timedelta:
    """Return the median spacing of the rows as dates of a form; NaT for a single row."""
    return _read(steps.to_numpy(), form).diff().abs().median()


def _are_months(numbers: np.ndarray) -> bool:
    """Return whether numbers are months: quarters end at 4, and weeks of several years exceed 12."""
    dates = _read(numbers, _MONTHS)
    return bool(dates.dt.month.max() > NUM_QUARTERS and dates.dt.year.nunique() > 1)


def _read(numbers: np.ndarray, form: str) -> pd.Series:
    text = pd.Series(numbers).astype(str)
    # Pandas reads weeks only with a weekday.
    return read_times(text + "1", f"{form}%u") if form == _WEEKS else read_times(text, form)
