"""The kind of times that a column holds, if any."""

import re
from typing import Literal

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_datetime64_any_dtype, is_numeric_dtype

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.reading.date_numbers import find_date_form
from rnn_pipelines.reading.time_forms import are_equally_spaced, count_digits, list_forms
from rnn_pipelines.reading.times import ISO, are_decimal_times, read_steps, read_times

# The strongest evidence first: dates, months and years as short numbers, whole numbers at equal distances.
TimeKind = Literal["dates", "short dates", "steps"]
TIME_KINDS: tuple[TimeKind, ...] = ("dates", "short dates", "steps")

# Cells that are parsed of a column, and the fraction of them that must be times: totals and mistyped cells are none.
_MAX_SAMPLE = 60
_MIN_TIMES = 0.8
# Whole numbers of fewer digits can be years and months, or numbers of any other kind.
_MIN_DIGITS = 8
# A text that may be a date: its parts, a year and a month, or letters of a month, quarter or week; 1.177,50 is none.
_PARTS = r"[0-9]{1,4}[-./ ] ?([0-9]{1,2}|[^\W\d]{3,})[-./ ,]+[0-9]"
_SIGNS = rf"{_PARTS}|[0-9]{{4}}[-./M][0-9]|[0-9][-./][0-9]{{4}}|[0-9]T[0-9]|[QqWwT]|[^\W\d]{{3}}"
_MAYBE_DATE = rf"(?=.*({_SIGNS}))(?=.*[0-9]).{{4,40}}"
_NUMBER = r"[+-]?[0-9]*[.,]?[0-9]*"
# Names of columns of times, by which one of several is chosen.
_TIME_NAME = re.compile(
    r"ds|t|step|index|(.*[^a-z])?(date|datum|datetime|time|zeit|timestamp|zeitstempel|day|tag|week|woche|kw|month|monat|"
    r"mois|mes|quarter|quartal|years?|yr|jahr|ann[eé]e|a[nñ]o|period|periode|fecha)([^a-z].*)?",
    re.IGNORECASE,
)


def find_time_kind(cells: pd.Series, ids: pd.Series | None = None) -> TimeKind | None:
    """Return the kind of times in a column as read, of times, numbers or text; None if it holds none.

    `ids` are the series of each row, in which whole numbers may begin again; None for a single series.
    """
    if is_datetime64_any_dtype(cells) or isinstance(cells.dtype, pd.PeriodDtype):
        return "dates"
    if is_bool_dtype(cells):
        return None
    filled = cells.dropna()
    if not is_numeric_dtype(filled):
        filled = filled.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)
        filled = filled[filled != ""]
    if filled.empty:
        return None
    if is_numeric_dtype(filled):
        numbers = filled
        steps = read_steps(filled)
    else:
        # Without a footer that holds no numbers.
        is_number = filled.astype(str).str.fullmatch(_NUMBER)
        numbers = filled[is_number]
        steps = read_steps(numbers) if is_number.mean() >= _MIN_TIMES else None
        if steps is None and _hold_dates(filled):
            return "dates"
    if steps is None:
        decimals = pd.to_numeric(numbers, errors="coerce").astype("float64")
        return (
            "short dates"
            if len(numbers) > _MIN_TIMES * len(filled) and are_decimal_times(decimals)
            else None
        )
    return _find_number_kind(steps, str(cells.name), ids)


def _hold_dates(filled: pd.Series) -> bool:
    places = np.unique(np.linspace(0, len(filled) - 1, min(len(filled), _MAX_SAMPLE)).astype(int))
    sample = filled.iloc[places].astype(str)
    is_number = sample.str.fullmatch(_NUMBER)
    if (sample.str.fullmatch(_MAYBE_DATE) & ~is_number).mean() < _MIN_TIMES:
        return False
    first = sample.iloc[:1]
    forms = (
        form for form in (ISO, *list_forms(first.iloc[0])) if read_times(first, form).notna().all()
    )
    return any(read_times(sample, form).notna().mean() >= _MIN_TIMES for form in forms)


def _find_number_kind(steps: pd.Series, name: str, ids: pd.Series | None) -> TimeKind | None:
    groups = (
        [steps] if ids is None else [group for _, group in steps.groupby(ids.reindex(steps.index))]
    )
    distances = [np.unique(np.diff(group)) for group in groups]
    is_regular = all(len(one) <= 1 and (one > 0).all() for one in distances) and any(
        map(len, distances)
    )
    try:
        form = find_date_form(steps, steps.rename(name), "")
    except SeriesError:
        # These may be months or steps.
        form = "%Y%m" if has_time_name(name) else None
    if form is not None and count_digits(form) >= _MIN_DIGITS:
        return "dates"
    if form is not None and (
        is_regular or has_time_name(name) or are_equally_spaced(read_times(steps, form))
    ):
        return "short dates"
    return "steps" if is_regular else None


def has_time_name(name: str) -> bool:
    """Return whether a column is named after a time, such as `Date` or `order_month`."""
    return _TIME_NAME.fullmatch(name) is not None
