"""Forms of times: strftime patterns, names of months, quarters and ISO weeks."""

import re
from calendar import day_abbr, day_name, month_abbr, month_name
from datetime import datetime
from functools import cache
from itertools import product

import numpy as np
import pandas as pd

from rnn_pipelines.errors import MAX_VALUE, make_line, show

_DATES = (
    "%d{0}%m{0}%Y",
    "%m{0}%d{0}%Y",
    "%Y{0}%m{0}%d",
    "%d{0}%m{0}%y",
    "%m{0}%d{0}%y",
    "%y{0}%m{0}%d",
    "%m{0}%Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", "T%H:%M", "T%H:%M:%S", " %I:%M %p", " %I:%M:%S %p")
# Forms to try if times are not ISO 8601.
FORMS = [date.format(sign) + time for date, sign, time in product(_DATES, "./-", _TIMES)]
FORMS += ["%YM%m", *("%Y-%j" + time for time in _TIMES)]

# Dates with the name of a month; {0} is its abbreviation or its full name, {1} is that of a weekday.
_NAMED_DATES = (
    "%d-{0}-%Y",
    "%d-{0}-%y",
    "%d {0} %Y",
    "%d {0} %y",
    "%d. {0} %Y",
    "%d/{0}/%Y",
    "%d/{0}/%y",
    "%d{0}%Y",
    "{0} %d, %Y",
    "{0} %d %Y",
    "{0}-%d-%Y",
    "%Y-{0}-%d",
    "%Y {0} %d",
    "{1}, {0} %d, %Y",
    "{1} {0} %d, %Y",
    "{1}, %d {0} %Y",
    "{1} %d {0} %Y",
    "{1} %d-{0}-%Y",
)
_NAMED_MONTHS = ("{0} %Y", "{0}-%Y", "{0}, %Y", "{0}/%Y", "{0}%Y", "%Y {0}", "%Y-{0}", "%Y{0}")
# These could also be days: Jun-23 is a month of 2023 or a day of any year, see `can_be_days`.
SHORT_MONTHS = tuple(
    form.format(name) for name in ("%b", "%B") for form in ("{0}-%y", "{0} %y", "%y-{0}")
)
# Letters of an abbreviated name.
_SHORT = 3
# German, French, Spanish, Italian, Portuguese and Dutch names of months that differ from English ones.
_TRANSLATED = {
    "January": "Januar|Jänner|Jän|janvier|janv|enero|ene|gennaio|gen|janeiro|januari",
    "February": "Februar|février|fevrier|févr|fevr|fév|febrero|febbraio|fevereiro|fev|februari",
    "March": "März|Mär|Mrz|mars|marzo|março|maart|mrt",
    "April": "avril|avr|abril|abr|aprile",
    "May": "Mai|mayo|maggio|mag|maio|mei",
    "June": "Juni|juin|junio|giugno|giu|junho",
    "July": "Juli|juillet|juil|julio|luglio|lug|julho",
    "August": "août|aout|agosto|ago|augustus",
    "September": "Sept|septembre|septiembre|settembre|sett|set|setembro",
    "October": "Oktober|Okt|octobre|octubre|ottobre|ott|outubro|out",
    "November": "novembre|noviembre|novembro",
    "December": "Dezember|Dez|décembre|decembre|déc|diciembre|dic|dicembre|dezembro",
}
# Quarters and weeks are no dates of strptime: `write_as_dates` writes them as such.
_PERIODS = (
    "%YQ%q",
    "%Y-Q%q",
    "%Y Q%q",
    "%Y:Q%q",
    "%Y/Q%q",
    "%Y.Q%q",
    "Q%q %Y",
    "Q%q-%Y",
    "Q%q/%Y",
    "%qQ%Y",
    "%q. Quartal %Y",
    "%YT%q",
    "%Y-T%q",
    "T%q %Y",
    "%G-W%V",
    "%GW%V",
    "%G-W%V-%u",
    "W%V %G",
    "KW %V/%G",
    "KW%V/%G",
)
# Forms of a column that is named after weeks; others are months.
WEEKS = ("%G/%V", "%G-%V")
WEEK_NAME = re.compile(
    r"(.*[^a-z])?((iso.?)?w(ee)?k|kw|woche|semaine|semana)([^a-z].*)?", re.IGNORECASE
)

# Times as numbers: their unit and the time that is 0. Those of Unix are in UTC.
COUNTS = {f"unix_{unit}": (unit, "1970-01-01") for unit in ("s", "ms", "us", "ns")} | {
    "excel": ("D", "1899-12-30")
}
# The counts of the years 1990 to 2040.
COUNT_RANGES = {
    "unix_s": (631_152_000, 2_240_524_800),
    "unix_ms": (631_152_000_000, 2_240_524_800_000),
    "unix_us": (631_152_000_000_000, 2_240_524_800_000_000),
    "unix_ns": (1_000_000_000_000_000_000, 2_240_524_800_000_000_000),
    "excel": (32_874, 51_501),
}
# Years with decimals, 1949.25 for April; and years that begin within a calendar year, 1985/86.
DECIMAL_YEAR, SPLIT_YEAR = "decimal_year", "split_year"
# Parts of a month by which decimal years are below its first day, because they are rounded.
_ROUNDING = 0.1
# Fewer equal steps can be chance.
_MIN_EQUAL = 4

# The dot of an abbreviated name.
_DOT = r"(?<=[^\W\d])\.(?=[\s-]|$)"
# A year with the next one, and the end of a day.
_SPLIT = "([0-9]{4})[-/](?:[0-9]{2})?([0-9]{2})"
_END = r"(?<![0-9:])24:00(?!:?[0-9]*[1-9])"

_YEAR_DIRECTIVES = {"%Y", "%y", "%G"}
_MONTH_DIRECTIVES = {"%m", "%b", "%B"}
_DIGITS = {"%Y": 4, "%G": 4, "%j": 3} | dict.fromkeys(["%y", "%m", "%d", "%H", "%M", "%S", "%V"], 2)


@cache
def _number_months() -> dict[str, int]:
    months = {
        name.lower(): number
        for names in (month_name, month_abbr)
        for number, name in enumerate(names)
    }
    names = {
        translation.lower(): months[name.lower()]
        for name, translations in _TRANSLATED.items()
        for translation in translations.split("|")
    }
    return {**names, **months}


def number_month(text: str) -> int | None:
    """Return the number of a month, by its name or number, or of the first month of a quarter; None for other texts."""
    plain = text.strip().rstrip(".").lower()
    if quarter := re.fullmatch(r"(?:q|qtr|quarter)[ .]?([1-4])|([1-4])q", plain):
        return 3 * int(quarter[1] or quarter[2]) - 2
    if re.fullmatch("m?(0?[1-9]|1[0-2])", plain):
        return int(plain.removeprefix("m"))
    return _number_months().get(plain) or None


def list_forms(cell: str) -> list[str]:
    """Return the forms with the shape of a cell, at most seven, in the order of trial."""
    text = translate_months(write_halves(pd.Series([cell])), "%B").iloc[0]
    forms = _list_by_shape().get(_find_shape(text), [])
    return [*forms, SPLIT_YEAR] if re.fullmatch(_SPLIT, cell.strip()) else forms


@cache
def _list_by_shape() -> dict[str, list[str]]:
    by_shape: dict[str, list[str]] = {}
    named = [
        date.format(month, day) + time
        for date, time, month in product(_NAMED_DATES, _TIMES, ("%b", "%B"))
        for day in (("%a", "%A") if "{1}" in date else ("",))
    ]
    months = [date.format(month) for date, month in product(_NAMED_MONTHS, ("%b", "%B"))]
    # The form of C, Unix logs and e-mails comes after them.
    for form in (*named, *months, "%a %b %d %H:%M:%S %Y", *SHORT_MONTHS, *_PERIODS, *FORMS):
        by_shape.setdefault(
            _find_shape(datetime(2024, 3, 5).strftime(form.replace("%q", "1"))), []
        ).append(form)
    return by_shape


def _find_shape(time: str) -> str:
    """Return a time with 0 for numbers of one or two digits, 0000 for years, and %b and %a for months and weekdays."""
    names = {"%b": (*month_name, *month_abbr), "%a": (*day_name, *day_abbr)}
    shapes = {name.lower(): shape for shape, own in names.items() for name in own} | {"am": "pm"}
    plain = re.sub(r"\s+", " ", time.strip().lower())
    return re.sub(
        r"[^\W\d_]+|\d+",
        lambda part: re.sub(r"^\d\d?$|\d", "0", shapes.get(part[0], part[0])),
        plain,
    )


def can_be_days(times: pd.Series) -> bool:
    """Return whether months with two-digit years, in the order of the rows, can be days of an unknown year.

    Then most rows have the same month as the row before, and the number behind it changes.
    """
    has_changed = times.diff().iloc[1:] != pd.Timedelta(0)
    has_month = (times.dt.month == times.dt.month.shift()).iloc[1:]
    return bool((has_changed & has_month).sum() > 0.5 * has_changed.sum())


def translate_months(text: pd.Series, form: str) -> pd.Series:
    """Return texts with names of months in English, abbreviated if the form has %b; the French 1er is 1."""
    for name, names in _TRANSLATED.items():
        text = text.str.replace(
            rf"(?i)\b(?:{names})\b\.?", name[:_SHORT] if "%b" in form else name, regex=True
        )
    return text.str.replace(r"\b1er\b", "1", regex=True).str.replace(_DOT, "", regex=True)


def write_as_dates(text: pd.Series, form: str) -> tuple[pd.Series, str]:
    """Return texts and their form with quarters as their first month, weeks as their Monday, 1985/86 as 1985."""
    if form == SPLIT_YEAR:
        years = text.str.strip().str.extract(f"^{_SPLIT}$")
        follows = pd.to_numeric(years[1]).mod(100) == (pd.to_numeric(years[0]) + 1).mod(100)
        return years[0].where(follows), "%Y"
    if "%q" in form:
        pattern = (
            re.escape(form).replace("%Y", "(?P<year>[0-9]{4})").replace("%q", "(?P<quarter>[1-4])")
        )
        parts = text.str.strip().str.extract(f"^{pattern}$", flags=re.IGNORECASE)
        month = 3 * pd.to_numeric(parts["quarter"]) - 2
        return parts["year"] + "-" + month.astype("Int64").astype("str"), "%Y-%m"
    if "%V" in form and "%u" not in form:
        return text + " 1", form + " %u"
    return text, form


def read_counts(raw: pd.Series, form: str) -> pd.Series:
    """Return numbers of `COUNTS` as times, to ms; those of Excel, no exact fractions, to s. NaT for other cells.

    Decimal years are the months in which they are.
    """
    if form == DECIMAL_YEAR:
        months = np.floor(12 * pd.to_numeric(raw, errors="coerce").astype("float64") + _ROUNDING)
        return pd.to_datetime(
            pd.DataFrame({"year": months // 12, "month": months % 12 + 1, "day": 1}),
            errors="coerce",
        )
    unit, zero = COUNTS[form]
    times = pd.to_datetime(
        pd.to_numeric(raw, errors="coerce"), unit=unit, origin=zero, errors="coerce"
    )
    return times.dt.round("s" if unit == "D" else "ms")


def find_decimal_years(numbers: pd.Series) -> bool:
    """Return whether numbers are decimal years: each in a month of its own, at the same part of it, in equal steps."""
    years = numbers.drop_duplicates().sort_values()
    parts = (12 * years + _ROUNDING).mod(1)
    months = (12 * years + _ROUNDING).floordiv(1)
    return bool(parts.max() - parts.min() <= 2 * _ROUNDING) and _are_equal(months)


def are_equally_spaced(times: pd.Series) -> bool:
    """Return whether the different times are equally spaced: by their distance, or on a certain day of the months."""
    ordered = times.drop_duplicates().sort_values()
    months = 12 * ordered.dt.year + ordered.dt.month
    on_one_day = (ordered.dt.day.nunique() == 1 or ordered.dt.is_month_end.all()) and _are_equal(
        months
    )
    return on_one_day or _are_equal(ordered)


def _are_equal(ordered: pd.Series) -> bool:
    steps = ordered.diff().iloc[1:]
    return ordered.is_unique and len(steps) >= _MIN_EQUAL and steps.nunique() == 1


def write_halves(text: pd.Series) -> pd.Series:
    """Return texts with AM and PM for a.m. and p.m."""
    return text.str.replace(r"(?i)\b([ap])\.\s?m\.?", r"\1m", regex=True)


def end_days(text: pd.Series) -> tuple[pd.Series, pd.Series]:
    """Return texts with 24:00 as 00:00, and whether each was 24:00, the end of its day."""
    is_end = text.str.contains(_END, regex=True)
    return text.str.replace(_END, "00:00", regex=True), is_end.eq(True)


def check_time_format(form: str) -> str:
    """Return the pattern without surrounding blanks, because times are read without them.

    Raise a ValueError if pandas cannot read it, or if it has no year, or a day without a month.
    """
    expected = f"expected a pattern such as '%d.%m.%Y', received {show(form)}"
    form = form.strip()
    if form in (*COUNTS, DECIMAL_YEAR, SPLIT_YEAR):
        return form
    directives = set(re.findall("%.", form, re.DOTALL))
    if not directives & _YEAR_DIRECTIVES:
        raise ValueError(f"{expected}, which has no year (%Y, or %y for two digits)")
    if "%d" in directives and not directives & _MONTH_DIRECTIVES:
        raise ValueError(f"{expected}, which has a day (%d) and no month (%m; %M is the minute)")
    if "%q" in directives and (directives != {"%Y", "%q"} or len(re.findall("%.", form)) > 2):
        raise ValueError(
            f"{expected}, which has a quarter (%q) beside other parts than a year (%Y)"
        )
    text = pd.Series(["2024-03-31"])
    try:
        pd.to_datetime(text, format=write_as_dates(text, form)[1], errors="coerce", utc=True)
    except (ValueError, re.error) as error:
        raise ValueError(f"{expected}: {make_line(error, MAX_VALUE)}") from error
    return form


def count_digits(form: str) -> int:
    """Return the number of digits of a time in a form; 0 if it has other signs, such as %d.%m.%Y."""
    parts = [form[place : place + 2] for place in range(0, len(form), 2)]
    return sum(_DIGITS[part] for part in parts) if all(part in _DIGITS for part in parts) else 0
