"""Detection of whole numbers that are dates: 20240131, 202401312359, 202401, 1949 and 45292; or that may be: 012024."""

import logging
import re

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.reading.table_files import count_rows
from rnn_pipelines.reading.time_forms import (
    COUNT_RANGES,
    WEEK_NAME,
    are_equally_spaced,
    count_digits,
)
from rnn_pipelines.reading.times import format_time, read_times

# Numbers are dates only if all of them are in these years.
YEARS = 1900, 2100
_MONTHS, _WEEKS = "%Y%m", "%G%V"
# Four digits are years only in this range, unless their column is named a year: steps rarely begin so far from 0.
_PLAIN_YEARS = 1700, 2100
_YEAR = re.compile(r"years?|yr|jahr|ann[eé]e|a[nñ]o|anno", re.IGNORECASE)
# No number fits two of them, because they differ in the number of digits.
FORMS = ("%Y%m%d", "%Y%m%d%H", "%Y%m%d%H%M", _MONTHS)

# Forms of steps that may be times, of which `warn_of_times` tells.
_LATE_YEARS = ("%m%Y", "%d%m%Y")
# Counts that whole numbers may be; nanoseconds are no steps, because of their size.
_COUNTS = ("unix_s", "excel", "unix_ms", "unix_us")
# Names of columns that hold no other counts.
_TIME = re.compile(
    r"(.*[^a-z])?(date|datum|time|timestamp|datetime|zeit|fecha)([^a-z].*)?", re.IGNORECASE
)

logger = logging.getLogger(__name__)


def find_date_form(
    steps: pd.Series, raw: pd.Series, label: str, are_times: bool = False
) -> str | None:
    """Return the date form of int64 numbers, as `time_format` accepts it; None if they are steps.

    Counts of seconds, milliseconds or days are times if they are equally spaced, their column is named a time, or
    `are_times`.

    Raise a SeriesError if they can be months, quarters or steps; the message lists the parameters to set.
    """
    numbers = np.unique(steps)
    first, last = _PLAIN_YEARS if not _YEAR.search(str(raw.name)) else (1000, 2999)
    if first <= numbers[0] and numbers[-1] <= last:
        return "%Y"
    form = next((form for form in FORMS if _can_be(numbers, form)), None)
    if WEEK_NAME.fullmatch(str(raw.name)) and _can_be(numbers, _WEEKS):
        return _WEEKS
    if form == _MONTHS and not _are_months(numbers):
        spacing = np.diff(numbers).min() if len(numbers) > 1 else 1
        raise SeriesError(
            f"{label}: column '{raw.name}': all {count_rows(raw):,} whole numbers, as {show(str(raw.iloc[0]))}, can be "
            f"months or steps. Give source.time_format='{form}' (quotes included) for months, or "
            f"source.freq={spacing} for steps."
        )
    return form or _find_count(steps, are_times or _TIME.fullmatch(str(raw.name)) is not None)


def _find_count(steps: pd.Series, are_times: bool) -> str | None:
    for form in _COUNTS:
        if steps.between(*COUNT_RANGES[form]).all():
            return form if are_times or are_equally_spaced(_read(np.unique(steps), form)) else None
    return None


def warn_of_times(steps: pd.Series, label: str) -> None:
    """Log a warning if steps may be months, dates, serial numbers of Excel, or seconds or milliseconds since 1970."""
    numbers = np.unique(steps)
    form = next((form for form in _LATE_YEARS if _can_be(numbers, form)), None)
    # Steps from 11900 to 12100 are months by chance, all of January.
    if form == "%m%Y" and _read(numbers, form).dt.month.max() == 1:
        form = None
    counts = (name for name in _COUNTS if steps.between(*COUNT_RANGES[name]).all())
    likely = form or next(counts, None)
    if likely is not None:
        times = pd.Series(_read(steps.iloc[:1].to_numpy(), likely))
        shown = format_time(times.iloc[0]), f"'{likely}'" if form else likely
        logger.warning(
            "%s: column '%s': steps such as %d may be times such as %s. source.time_format=%s reads them as times.",
            label,
            steps.name,
            steps.iloc[0],
            *shown,
        )


def _can_be(numbers: np.ndarray, form: str) -> bool:
    """Return whether all numbers, in ascending order, fit a form."""
    num_digits = count_digits(form)
    # As a number, a day or month loses its leading zero.
    num_least = num_digits - (not form.startswith("%Y"))
    if numbers[0] < 10 ** (num_least - 1) or numbers[-1] >= 10**num_digits:
        return False
    # Check the two ends first, because most steps fail there.
    return all(
        _read(part, form).dt.year.between(*YEARS).all() for part in (numbers[[0, -1]], numbers)
    )


def _are_months(numbers: np.ndarray) -> bool:
    """Return whether numbers are months: quarters end at 4, and running numbers of one year can be months by chance."""
    dates = _read(numbers, _MONTHS).dt
    return bool(dates.month.max() > 4 and dates.year.nunique() > 1)


def _read(numbers: np.ndarray, form: str) -> pd.Series:
    return read_times(pd.Series(numbers), form)
