"""Parsing of times; the order of days and months is never guessed."""

import logging
import re
from typing import Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.reading import time_forms
from rnn_pipelines.reading.table_files import count_rows, explain_cells, is_arrow_text
from rnn_pipelines.reading.zones import UTC_NAME, has_zone

ISO = "ISO8601"
# Largest absolute step: the difference of two steps, plus a horizon, fits int64.
MAX_STEP = 10**18
# Decimal numbers such as 2000.5, of which pandas would read May.
_DECIMAL = r"[+-]?(?:0|[1-9][0-9]*)?\.[0-9]+"
_NUMBER = rf"{_DECIMAL}|[+-]?(?:0|[1-9][0-9]*)\.?"
_YEAR_MONTH = ("%Y.%m", "%y.%m")
# Forms of times that can be decimal numbers.
_DECIMAL_FORMS = ("%Y.%m", "%m.%Y")
_YEAR = pd.Timedelta(365, "D")
# The ranges of numbers that are no steps.
_DECIMAL_RANGES = {
    time_forms.DECIMAL_YEAR: (1700, 2100),
    "unix_ns": time_forms.COUNT_RANGES["unix_ns"],
    "excel": time_forms.COUNT_RANGES["excel"],
}
# Two years such as 2000-01 can be months.
_MIN_SPLIT_YEARS = 3

logger = logging.getLogger(__name__)


def read_times(raw: pd.Series, form: str) -> pd.Series:
    """Parse times of one form; NaT for cells of another form.

    Cells are parsed as text, because pandas reads numbers as nanoseconds, and in one form, because it guesses the order
    of days and months. Times with zones become UTC; times without a zone keep their value.
    """
    if form in (*time_forms.COUNTS, time_forms.DECIMAL_YEAR) and not is_datetime64_any_dtype(raw):
        return time_forms.read_counts(raw, form)
    text = raw if is_datetime64_any_dtype(raw) else raw.astype(str)
    is_end = None
    if text is not raw:
        # Pandas accepts `now` and `today` as times of any form.
        text = text.where(text.str.contains("[0-9]"))
        if form == ISO:
            text = text.mask(text.str.strip().str.fullmatch(_DECIMAL).eq(True))
        elif form in _YEAR_MONTH and text.str.contains(r"\.0[1-9]$").any():
            # As a number, 2000.10 loses its zero. Months such as .01 show that 2000.1 is October.
            text = text.str.replace(r"(\.[0-9])$", r"\g<1>0", regex=True)
        elif time_forms.count_digits(form):
            # As numbers, dates lose the leading zero of days and months, and pandas would read other days.
            text = text.str.removesuffix(".0").str.zfill(
                0 if form.startswith("%Y") else time_forms.count_digits(form)
            )
        if "%b" in form or "%B" in form:
            text = time_forms.translate_months(text, form)
        if form == ISO:
            text = text.str.replace(UTC_NAME, "Z", regex=True)
        if "%p" in form:
            text = time_forms.write_halves(text)
        if form == ISO or "%H" in form:
            text, is_end = time_forms.end_days(text)
        text, form = time_forms.write_as_dates(text, form)
    times = pd.to_datetime(text, format=form, errors="coerce", utc=True).dt.tz_localize(None)
    return (
        times
        if is_end is None or not is_end.any()
        else times.mask(is_end, times + pd.Timedelta(1, "D"))
    )


def _read_plain_iso(raw: pd.Series) -> pd.Series | None:
    """Return texts such as 2024-03-31 12:00, without a zone, as datetime64[us]; None if a cell has another form.

    This takes a tenth of the time of `read_times`. Arrow accepts only this form, and the years 0 to 9999.
    """
    if not is_arrow_text(raw) or raw.hasnans or raw.empty:
        return None
    import pyarrow

    try:
        times = pyarrow.array(raw).cast(pyarrow.timestamp("us"))
    except pyarrow.ArrowInvalid:
        return None
    plain = times.to_pandas().set_axis(raw.index)
    return plain if plain.min() >= pd.Timestamp(1, 1, 1) else None


def parse_times(
    raw: pd.Series, label: str, time_format: str | None
) -> tuple[pd.Series, dict[str, str]]:
    """Read times or texts that all have one form: by default ISO 8601, or the only one of `list_forms` that fits.

    Return datetime64 without a zone, in UTC if the source has zones; and the detected form as a parameter. Raise a
    SeriesError if a cell is not a time, or the times can be read in two ways.
    """
    if time_format is None and not is_datetime64_any_dtype(raw):
        if _hold_split_years(raw):
            return read_times(raw, time_forms.SPLIT_YEAR), {"time_format": time_forms.SPLIT_YEAR}
        plain = _read_plain_iso(raw)
        if plain is not None:
            return plain, {}
        form = _find_decimals(raw, label)
        if form is not None:
            return read_times(raw, form), {"time_format": form}
    elif time_format in _YEAR_MONTH:
        # Numbers such as 2000.1 need other months that show which month it is.
        months = raw.astype(str).str.extract(r"\.([0-9]+)$")[0]
        if (
            pd.api.types.is_numeric_dtype(raw)
            and months.eq("1").any()
            and months.isin(["1", "11", "12"]).all()
        ):
            raise _explain(
                months.eq("1"), raw, label, "as text, because this number can be October too"
            )
    times = read_times(raw, time_format or ISO)
    if not times.isna().any():
        _check_years(times, raw, label)
        # All times must have a zone or none; a mixture would shift some of them by hours.
        has_zone(raw, label, time_format or ISO)
        return times, {}
    if time_format is None:
        found = _find_form(raw, label)
        if found is not None:
            times = read_times(raw, found)
            _check_years(times, raw, label)
            doubt = _find_doubt(times) if "%y" in found else None
            if doubt:
                raise SeriesError(
                    f"{label}: column '{raw.name}': years of two digits, as in {show(str(raw.iloc[0]))}, are read as "
                    f"1969 to 2068, but {doubt}. Write them with four digits, or give source.time_format='{found}' "
                    "(quotes included) if that is right."
                )
            return times, {"time_format": found}
        # The form with which the first cell and most others are times shows the wrong ones.
        likely = {form: read_times(raw, form) for form in _list_likely(raw)}
        best = max(likely, key=lambda form: likely[form].count(), default=None)
        if best is not None and likely[best].count() > times.count():
            time_format = best
            times = likely[best]
    raise _explain(
        times.isna(), raw, label, f"of the form {time_format or '2024-03-31 12:00 (ISO 8601)'}"
    )


def read_steps(raw: pd.Series) -> pd.Series | None:
    """Return whole-numbered steps as int64; None if a cell is no whole number or exceeds `MAX_STEP`."""
    if raw.empty or pd.api.types.is_bool_dtype(raw) or pd.api.types.is_complex_dtype(raw):
        return None
    if pd.api.types.is_numeric_dtype(raw):
        if raw.isna().any() or not (raw.astype("float64").abs() <= MAX_STEP).all():
            return None
        return raw.astype("int64") if (raw % 1 == 0).all() else None
    # Most columns end here: if the first cell is no number, they hold no steps.
    if pd.isna(pd.to_numeric(str(raw.iloc[0]).strip(), errors="coerce")):
        return None
    # Parse integers directly: from 2**53 on, floats cannot represent each of them.
    whole = raw.astype(str).str.strip().str.extract(r"^([+-]?[0-9]{1,18})(?:\.0*)?$")[0]
    if whole.notna().all():
        return pd.to_numeric(whole).astype("int64")
    steps = pd.to_numeric(raw.astype(str), errors="coerce")
    return steps.astype("int64") if ((steps.abs() < 2**53) & (steps % 1 == 0)).all() else None


def _check_years(times: pd.Series, raw: pd.Series, label: str) -> None:
    """Raise a SeriesError for years outside 1 to 9999, which other software cannot represent."""
    wrong = ~times.dt.year.between(1, 9999)
    if wrong.any():
        # Show times with a zone in UTC, because Python has no local times of other years.
        shown = times if is_datetime64_any_dtype(raw) else raw
        raise _explain(wrong, shown, label, "of the years 1 to 9999")


def _hold_split_years(raw: pd.Series) -> bool:
    """Return whether all texts are years such as 2000-01, and at least three show that they are no months."""
    if (
        raw.empty
        or not isinstance(raw.iloc[0], str)
        or time_forms.SPLIT_YEAR not in time_forms.list_forms(raw.iloc[0])
    ):
        return False
    texts = raw.drop_duplicates()
    return len(texts) >= _MIN_SPLIT_YEARS and bool(
        read_times(texts, time_forms.SPLIT_YEAR).notna().all()
    )


def _find_decimals(raw: pd.Series, label: str) -> str | None:
    """Return the only form of cells that are all numbers, some with decimals; None for other cells.

    These are months and quarters as parts of a year, or days and hours as serial numbers of Excel. Raise a SeriesError
    for other decimal numbers.
    """
    if raw.empty or not re.fullmatch(_NUMBER, str(raw.iloc[0]).strip()):
        return None
    text = raw.astype(str).str.strip()
    if not text.str.fullmatch(_NUMBER).all():
        return None
    form = _find_decimal_range(text.astype("float64"))
    if form == "unix_ns":
        # These are no steps, because of their size.
        return form
    is_whole = text.astype("float64") % 1 == 0
    if is_whole.all():
        return None
    forms = [form for form in _DECIMAL_FORMS if read_times(raw, form).notna().all()]
    if not forms and form is not None:
        if are_decimal_times(text.astype("float64")):
            return form
        forms = [form]
    ways = " or ".join(f"source.time_format='{form}'" for form in forms)
    example = show(text[~is_whole].iloc[0])
    hint = f"{ways} (quotes included)" if forms else "source.time_format for other times"
    raise SeriesError(
        f"{label}: column '{raw.name}': all {count_rows(raw):,} cells are decimal numbers, as {example}. "
        f"Write times such as 2024-03-31 12:00 or whole-numbered steps, or give {hint}."
    )


def are_decimal_times(numbers: pd.Series) -> bool:
    """Return whether numbers that are no steps are equally spaced times: decimal years, nanoseconds, days of Excel."""
    form = _find_decimal_range(numbers)
    if form == time_forms.DECIMAL_YEAR:
        return time_forms.find_decimal_years(numbers)
    return form is not None and time_forms.are_equally_spaced(
        read_times(numbers, form).dt.round("min")
    )


def _find_decimal_range(numbers: pd.Series) -> str | None:
    fits = (form for form, bounds in _DECIMAL_RANGES.items() if numbers.between(*bounds).all())
    return next(fits, None)


def warn_of_centuries(times: pd.Series, label: str, form: str) -> None:
    """Log a warning if two-digit years of times, as read by the form, may be of another century."""
    if "%y" not in form or times.empty:
        return
    doubt = _find_doubt(times)
    if doubt is None and times.max() > pd.Timestamp.now():
        doubt = f"the last time is {format_time(times.max())}, which is in the future"
    if doubt:
        logger.warning(
            "%s: column '%s': years of two digits are read as 1969 to 2068 by source.time_format='%s', but "
            "%s. Write them with four digits if another century is meant.",
            label,
            times.name,
            form,
            doubt,
        )


def _find_doubt(times: pd.Series) -> str | None:
    """Return a reason to doubt that two-digit years are 1969 to 2068; None if there is none."""
    ordered = times.drop_duplicates().sort_values(ignore_index=True)
    today = pd.Timestamp.now()
    if ordered.iloc[0] > today + _YEAR:
        return f"the first time would be {format_time(ordered.iloc[0])}, more than a year ahead"
    if ordered.iloc[-1] > today + 10 * _YEAR:
        return f"the last time would be {format_time(ordered.iloc[-1])}, more than ten years ahead"
    gaps = ordered.diff()
    if (gaps > 20 * _YEAR).any():
        place = int(gaps.argmax())
        before, after = (format_time(time) for time in ordered[place - 1 : place + 1])
        return f"more than 20 years would lie between {before} and {after}"
    return None


def _list_likely(raw: pd.Series) -> list[str]:
    """Return the forms that fit the first cell."""
    first = raw.iloc[:1]
    forms = time_forms.list_forms(str(first.iloc[0]))
    if time_forms.WEEK_NAME.fullmatch(str(raw.name)):
        forms = [*forms, *time_forms.WEEKS]
    return [form for form in forms if read_times(first, form).notna().all()]


def _find_form(raw: pd.Series, label: str) -> str | None:
    read = {
        form: times for form in _list_likely(raw) if (times := read_times(raw, form)).notna().all()
    }
    if not read:
        return None
    form, times = next(iter(read.items()))
    others = [other for other in read if not read[other].equals(times)]
    regular = [
        way for way in (form, *others) if time_forms.are_equally_spaced(read[way].dt.floor("h"))
    ]
    if others and len(regular) == 1:
        # Hours, because a survey keeps no minutes. Only one order of days, months and years has equal steps.
        return regular[0]
    if others:
        ways = " or ".join(f"source.time_format='{way}'" for way in (form, *others))
        raise SeriesError(
            f"{label}: column '{raw.name}': all {count_rows(raw):,} times, as {show(str(raw.iloc[0]))}, can be read in "
            f"{len(others) + 1} ways. Give {ways} (quotes included)."
        )
    if form in time_forms.SHORT_MONTHS and time_forms.can_be_days(times):
        raise SeriesError(
            f"{label}: column '{raw.name}': all {count_rows(raw):,} times, as {show(str(raw.iloc[0]))}, can be months "
            f"or days without a year. Write days with a year, or give source.time_format='{form}' (quotes "
            "included) for months."
        )
    return form


def _explain(wrong: pd.Series, raw: pd.Series, label: str, expected: str) -> SeriesError:
    remedy = "give source.time_format (for example '%d.%m.%Y', quotes included)."
    if re.search(r"[0-9] [A-Z]{3,4}$", str(raw[wrong.to_numpy()].iloc[0]).strip()):
        remedy = "leave out the short name of the zone, and give source.tz, such as Europe/Berlin."
    remedies = f"Correct the row, or {remedy}", f"Name another one with source.time, or {remedy}"
    return SeriesError(explain_cells(wrong, raw, label, f"a time {expected}", remedies))


def format_time(ds: Any, tz: str | None = None) -> str:
    """Return a timestamp or step as text, without midnight; `tz` converts a timestamp from UTC."""
    local = ds if tz is None else ds.tz_localize("UTC").tz_convert(tz)
    return str(local).removesuffix(" 00:00:00")
