"""Times in several columns, such as Year+Month or Date+Time, and tables of years and months."""

import re

import pandas as pd

from rnn_pipelines.reading.table_files import ROW
from rnn_pipelines.reading.time_forms import number_month

# Sign between the columns of a time, as in Year+Month.
TIME_SIGN = "+"
# The parts of a time: the names of their columns, and the range of their numbers.
_PARTS = {
    "year": (r"years?|yr|yyyy|jahr|ann[eé]e|a[nñ]o|anno", 1000, 2999),
    "quarter": (r"q|quarter|qtr|quartal|trimestre", 1, 4),
    "month": (r"period|months?|mon|mo|mm|monat|mois|mes|m[eê]s|mese", 1, 12),
    "week": (r"(iso.?)?w(ee)?k|kw|woche|semaine|semana", 1, 53),
    "day of year": (r"doy|yday|day.?of.?(the.?)?year", 1, 366),
    "day": (r"days?|dd|dy|tag|jour|d[ií]a", 1, 31),
    "hour": (r"h|hour|hr|hh|he|stunde|heure|hora", 0, 24),
    "weekday": (r"weekday|wday|dow|wochentag|day.?of.?week", 0, 7),
    "hhmm": (r"hhmm|hrmn", 0, 2400),
    "minute": (r"min|minutes?|minuten?", 0, 59),
}
_OF_PARTS = r"([ _.-]?(num|no|nr|number|name|of.?day|of.?year|ending))?"
# A time of day, and what is written before and after the numbers of parts.
_CLOCK = r"[0-9]{1,2}:[0-9]{2}(:[0-9]{2}(\.[0-9]+)?)?( ?[AaPp]\.?[Mm]\.?)?"
_SIGNS = {
    "quarter": ("Q", 1, ""),
    "week": ("W", 2, ""),
    "day of year": ("", 3, ""),
    "hour": ("", 2, ":00"),
}
# The columns that can follow a date, or a year, in the order of trial.
_AFTER_DATE = (("clock",), ("hour", "minute"), ("hour",), ("hhmm",))
# The part of the cells of a column that must be those of its name; others are totals or mistakes.
_MIN_PARTS = 0.8
_AFTER_YEAR = (
    *(("month", "day", *clock) for clock in (*_AFTER_DATE, ())),
    *(("day of year", *clock) for clock in (*_AFTER_DATE, ())),
    ("month",),
    ("quarter",),
    ("week",),
)
# The months and quarters of a year, and the names of columns of years.
_WHOLE_YEARS = ([*range(1, 13)], [1, 4, 7, 10])
_NUM_ROWS = [len(months) for months in _WHOLE_YEARS]
_YEAR = "(1[5-9]|20)[0-9]{2}"


def join_times(table: pd.DataFrame, parts: list[str]) -> pd.DataFrame:
    """Return the table with a column of times from several columns, such as Year+Month, Year+Quarter or Date+Time."""
    kinds = [name_part(name) for name in parts]
    texts = []
    for name, kind in zip(parts, kinds, strict=True):
        # Numbers have two digits or more, and days no midnight.
        text = (
            table[name]
            .astype("str")
            .str.strip()
            .str.removesuffix(".0")
            .str.removesuffix(" 00:00:00")
        )
        if kind == "hhmm":
            text = text.str.zfill(4).str.replace(r"^([0-9]{2})([0-9]{2})$", r"\1:\2", regex=True)
        if kind == "month":
            text = text.str.replace("^M(?=[0-9])", "", regex=True)
        before, num_digits, after = _SIGNS.get(kind or "", ("", 2, ""))
        after = "" if kind == "hour" and "minute" in kinds else after
        texts.append(
            text.mask(text.str.fullmatch("[0-9]+"), before + text.str.zfill(num_digits) + after)
        )
    is_plain = all(
        text.str.fullmatch("[QW]?[0-9]+").all()
        for text in texts
        if not text.str.contains(":").any()
    )
    joined = texts[0]
    for kind, text in zip(kinds[1:], texts[1:], strict=True):
        is_clock = kind == "hour" or text.str.contains(":").any()
        sign = ":" if kind == "minute" else "-" if is_plain and not is_clock else " "
        joined = joined.str.cat(text, sign)
    whole = table.drop(columns=parts).assign(**{TIME_SIGN.join(parts): joined})
    whole.attrs = table.attrs
    return whole


def name_part(column: str) -> str | None:
    """Return the part of a time after which a column is named; None for another name."""
    fits = (
        part
        for part, (names, *_) in _PARTS.items()
        if re.fullmatch(names + _OF_PARTS, column.strip(), re.I)
    )
    return next(fits, None)


def find_part(cells: pd.Series) -> str | None:
    """Return the part of a time that a column holds: a `clock`, or the part of its name; None if it holds none."""
    part = name_part(str(cells.name))
    filled = cells.dropna()
    if filled.empty or (part is None and not re.fullmatch(_CLOCK, str(filled.iloc[0]).strip())):
        return None
    texts = filled.drop_duplicates().astype(str).str.strip().str.removesuffix(".0")
    if texts.str.fullmatch(_CLOCK).all():
        return "clock"
    if part == "month" and texts.map(number_month).notna().mean() >= _MIN_PARTS:
        return part
    numbers = texts.str.removeprefix(_SIGNS[part][0]) if part in _SIGNS else texts
    if part is None or not numbers.str.fullmatch("[0-9]{1,4}").all():
        return None
    return part if pd.to_numeric(numbers).between(*_PARTS[part][1:]).all() else None


def find_time_parts(table: pd.DataFrame, time: str) -> list[str]:
    """Return the columns of a time that begins in the column `time`, a date or a year; none if it is whole."""
    columns: dict[str, str] = {}
    for name in table:
        part = find_part(table[name]) if name != time else None
        if part is not None:
            columns.setdefault(part, str(name))
    orders = _AFTER_YEAR if find_part(table[time]) == "year" else _AFTER_DATE
    return next(
        (
            [time, *map(columns.__getitem__, order)]
            for order in orders
            if set(order) <= set(columns)
        ),
        [],
    )


def lay_out_years(table: pd.DataFrame, time: str) -> tuple[pd.DataFrame, dict[str, int]] | None:
    """Return a table of years and months with a row for each year, and the number of the month of each column.

    Quarters are their first months. A table with a row for each month is turned. None for other tables.
    """
    names = [str(name) for name in table if name != time]
    months = {name: month for name in names if (month := number_month(name)) is not None}
    if (
        sorted(months.values()) in _WHOLE_YEARS
        and table[time].is_unique
        and find_part(table[time].rename("year")) == "year"
    ):
        return table[[time, *months]], months
    years = [name for name in names if re.fullmatch(_YEAR, name)]
    numbers = (
        [number_month(str(cell)) for cell in table[time]]
        if len(table) in _NUM_ROWS and years
        else []
    )
    rows = [number for number in numbers if number is not None]
    if len(rows) < len(numbers) or sorted(rows) not in _WHOLE_YEARS:
        return None
    cells = table[time].astype(str)
    turned = table.set_axis(cells)[years].T.rename_axis(index=ROW, columns=None)
    turned = turned.set_axis(turned.index.astype(int)).rename_axis(index=ROW)
    turned.insert(0, time, turned.index)
    turned.attrs = table.attrs
    return turned, dict(zip(cells, rows, strict=True))
