"""Whatever a file holds: it is read as an independent strict reader reads it, or refused in the project's own words.

The strict reader knows `csv`, `datetime` and `float` alone, and takes from the project only which signs and which form
of times it says that it has found. It refuses what it is not sure of, so that a guess of the project's is a failure.

    RNN_FUZZ_FILES=6000 pytest -m slow tests/forecast/source/test_source_fuzz.py --hypothesis-seed=1

Without a seed the files are the same ones in each run.
"""

import csv
import gzip
import io
import math
import os
import re
import statistics
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from itertools import pairwise
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import numpy as np
import openpyxl
import pandas as pd
import pyarrow
import pyarrow.parquet
import pytest
from hypothesis import HealthCheck, assume, event, given, reject, settings
from hypothesis import strategies as st

from rnn_pipelines.errors import MAX_MESSAGE, ParameterError, SeriesError
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.reading.dialect import SIGNS
from rnn_pipelines.reading.numbers import NO_VALUE

pytestmark = pytest.mark.slow

NUM_FILES = int(os.environ.get("RNN_FUZZ_FILES", "500"))
MANY = settings(
    max_examples=NUM_FILES,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
FEWER = settings(MANY, max_examples=NUM_FILES // 4)

Cell = Any
SENTINELS = [-99.0, -999.0, -9999.0, -99999.0, -999999.0, -99.9, -999.9, -9999.9]


# The time that is 0, and the unit.
COUNTS = {
    "excel": (datetime(1899, 12, 30), timedelta(days=1)),
    "unix_s": (datetime(1970, 1, 1), timedelta(seconds=1)),
    "unix_ms": (datetime(1970, 1, 1), timedelta(milliseconds=1)),
}


class NotStrictError(Exception):
    """The strict reader is not sure."""


def split_lines(content: bytes, found: dict[str, str]) -> tuple[list[list[str]], str]:
    """The rows of cells of a CSV file, the header first, and the separator."""
    sep = SIGNS.get(found.get("sep", ""), ",")
    encoding = found.get("encoding", "utf-8-sig")
    text = content.decode(encoding).removeprefix("\ufeff")
    lines = list(csv.reader(io.StringIO(text, newline=""), delimiter=sep, skipinitialspace=True))
    return [row for row in lines if len(row) > 1 or (row and row[0].strip())], sep


def read_strictly(
    content: bytes, table: pd.DataFrame, id_column: str | None
) -> list[tuple[str, Cell, float | None]]:
    """The rows of a CSV file: name, time or step, value."""
    found = table.attrs["found"]
    lines, sep = split_lines(content, found)
    wanted = ["ds", "y", *([id_column] if id_column else [])]
    lines = [
        [cell if cell in wanted else cell.strip() for cell in row]
        if {*wanted} <= {*map(str.strip, row)}
        else row
        for row in lines
    ]  # blanks around a name are no part of it
    # Lines above the header are titles, and a header that is repeated is no row.
    first = next((number for number, row in enumerate(lines) if {*wanted} <= {*row}), 0)
    header = lines[first]
    place = lines[first].index("ds")
    lines = [
        header,
        *(
            row
            for row in lines[first + 1 :]
            if [cell.strip() for cell in row[place : place + 1]] != ["ds"]
        ),
    ]
    lines = leave_footer(lines, place)
    lengths = {min(len(row), max(map(header.index, wanted)) + 1) for row in lines[1:]}
    if len(lengths) > 1:
        raise NotStrictError("rows that lack cells")
    rows = [
        dict(zip(header, [*row, *[""] * (len(header) - len(row))], strict=True))
        for row in lines[1:]
    ]
    # A row without time, value and name is empty, whatever a column without a name has, such as the number of the row.
    rows = [row for row in rows if any(row[name].strip() for name in wanted)]
    times = read_times_strictly([row["ds"] for row in rows], found.get("time_format"), table)
    values = read_values_strictly([row["y"] for row in rows], found, sep)
    names = [row[id_column] if id_column else "y" for row in rows]
    return list(zip(names, times, leave_sentinels(names, values), strict=True))


def leave_sentinels(names: list[str], values: list[float | None]) -> list[float | None]:
    """The values, without a negative one such as -999 that occurs twice or more far from all others, from 0 on."""
    for number in SENTINELS:
        of_number = {name for name, value in zip(names, values, strict=True) if value == number}
        others = [
            [
                value
                for name, value in zip(names, values, strict=True)
                if name == one and is_plain(value)
            ]
            for one in of_number
        ]
        if values.count(number) > 1 and all(is_far_below(number, some) for some in others):
            values = [None if value == number else value for value in values]
    return values


def is_plain(value: float | None) -> bool:
    return value is not None and abs(value) not in {-number for number in SENTINELS}


def is_far_below(number: float, others: list[float]) -> bool:
    if len(others) < 2 or min(others) < 0:
        return False
    spread = statistics.stdev(others)
    return not spread or (statistics.fmean(others) - number) / spread > 10


def leave_footer(lines: list[list[str]], place: int) -> list[list[str]]:
    """The lines without the last ones that have no digit in the place of the time, if another line has one."""
    is_time = [
        number
        for number, row in enumerate(lines)
        if number and re.search("[0-9]", "".join(row[place:][:1]))
    ]
    return lines[: is_time[-1] + 1] if is_time else lines


def read_times_strictly(cells: list[str], form: str | None, table: pd.DataFrame) -> list[Cell]:
    cells = [cell.strip() for cell in cells]
    steps = [read_step(cell) for cell in cells]
    if form == "unix_ns":
        return [pd.Timestamp(step).round("us") for step in steps]
    if form in COUNTS:
        zero, unit = COUNTS[form]
        return [zero + round_to_seconds(float(cell) * unit) for cell in cells]
    if form is not None:
        cells, form = write_periods_as_days(cells, form)
        if "%y" in form:
            refuse_doubtful_centuries([datetime.strptime(cell, form) for cell in cells])
        if (
            "%Y" in form
            and re.fullmatch("(%[A-Za-z])+", form)
            and all(step is not None for step in steps)
        ):
            cells = [str(step) for step in steps]
        return [strip_zone(datetime.strptime(cell, form)) for cell in cells]
    if all(step is not None for step in steps):
        if cells and any(
            can_be_dates(cells, *form) for form in [("%Y%m%d", 8), ("%Y%m", 6), ("%Y%m%d%H%M", 12)]
        ):
            raise NotStrictError("steps or dates")
        return steps
    if all(re.fullmatch("[0-9]{5}[.][0-9]+", cell) for cell in cells):
        raise NotStrictError("days and hours of Excel, which need a parameter")
    times = [read_iso(cell) for cell in cells]
    if len({time.tzinfo is None for time in times}) > 1:
        raise NotStrictError("with and without a zone")
    # Days of one offset are local.
    if table.attrs.get("tz") is None and len({time.utcoffset() for time in times}) == 1:
        return [time.replace(tzinfo=None) for time in times]
    return [strip_zone(time) for time in times]


def round_to_seconds(duration: timedelta) -> timedelta:
    return timedelta(seconds=round(duration.total_seconds()))


def write_periods_as_days(cells: list[str], form: str) -> tuple[list[str], str]:
    """Quarters and weeks, which `strptime` doesn't know, as their first days."""
    if "%q" in form:
        parts = [re.search("[1-4](?![0-9])", cell.upper().split("Q")[1]) for cell in cells]
        years = [re.search("[0-9]{4}", cell) for cell in cells]
        return [
            f"{year[0]}-{3 * int(part[0]) - 2}" for year, part in zip(years, parts, strict=True)
        ], "%Y-%m"
    return (
        ([f"{cell} 1" for cell in cells], f"{form} %u") if form.endswith("W%V") else (cells, form)
    )


def refuse_doubtful_centuries(times: list[datetime]) -> None:
    """Raises a NotStrictError if two-digit years, as found, lie far ahead or leave out 21 years."""
    years = sorted({time.year for time in times})
    this_year = datetime.now().year
    is_ahead = years[0] > this_year + 1 or years[-1] > this_year + 10
    if is_ahead or any(later - earlier > 21 for earlier, later in pairwise(years)):
        raise NotStrictError("another century")


def can_be_dates(cells: list[str], form: str, num_digits: int) -> bool:
    try:
        return all(
            len(cell) == num_digits and 1900 <= datetime.strptime(cell, form).year <= 2100
            for cell in cells
        )
    except ValueError:
        return False


def read_step(cell: str) -> int | None:
    if not re.fullmatch(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?", cell):
        return None
    number = Decimal(cell)
    return int(number) if number == number.to_integral_value() else None


def read_iso(cell: str) -> datetime:
    if re.fullmatch(r"[0-9]{4}", cell):
        return datetime(int(cell), 1, 1)
    if re.fullmatch(r"[0-9]{4}-[0-9]{2}", cell):
        return datetime.strptime(cell, "%Y-%m")
    # With slashes, or without zeros before a number, the order of the parts is the same.
    parts = re.fullmatch(r"([0-9]{4})([-/])([0-9]{1,2})\2([0-9]{1,2})(.*)", cell)
    if parts:
        year, _, month, day, rest = parts.groups()
        cell = f"{year}-{int(month):02}-{int(day):02}{rest}"
    try:
        return datetime.fromisoformat(cell)
    except ValueError as error:
        raise NotStrictError(f"{cell!r} is no time") from error


def strip_zone(time: datetime) -> datetime:
    return time if time.tzinfo is None else time.astimezone(UTC).replace(tzinfo=None)


def read_values_strictly(cells: list[str], found: dict[str, str], sep: str) -> list[float | None]:
    decimal = SIGNS.get(found.get("decimal", ""), ".")
    thousands = SIGNS.get(found.get("thousands", ""), "")
    cells = leave_unit(leave_only_sign(cells))
    values = [read_value(cell, decimal, thousands) for cell in cells]
    if sep != "," or any("," in cell for cell in cells):
        for other in [(",", ""), (".", ","), (",", ".")]:
            try:
                if [read_value(cell, *other) for cell in cells] != values:
                    raise AssertionError(f"can be read in two ways: {cells}")
            except NotStrictError:
                continue
    return values


def leave_only_sign(cells: list[str]) -> list[str]:
    """The cells, with empty ones in place of those without a letter or digit, if these all have the same sign."""
    signs = {cell.strip() for cell in cells if re.fullmatch(r"[\W_]+", cell.strip())}
    return ["" if cell.strip() in signs else cell for cell in cells] if len(signs) == 1 else cells


def leave_unit(cells: list[str]) -> list[str]:
    """The cells without a unit, if all that are filled end with the same letters."""
    ends = {
        re.search("[^0-9]*$", cell.strip())[0]
        for cell in cells
        if cell.strip() and cell not in NO_VALUE
    }
    end = ends.pop() if len(ends) == 1 else ""
    return [cell.strip().removesuffix(end) for cell in cells] if end.strip().isalpha() else cells


def read_value(cell: str, decimal: str, thousands: str) -> float | None:
    cell = cell.strip() if cell not in NO_VALUE else ""
    if not cell:
        return None
    for alike, sign in (("\u00a0", " "), ("\u202f", " "), ("\u2019", "'"), ("\u2212", "-")):
        cell = cell.replace(alike, sign)
    # The negative numbers of accounts.
    cell = re.sub(r"^\((.*)\)$|^([0-9].*)-$", r"-\1\2", cell)
    point = re.escape(decimal)
    groups = rf"|[1-9][0-9]{{0,2}}({re.escape(thousands)}[0-9]{{3}})+" if thousands else ""
    if not re.fullmatch(
        rf"[+-]?(([0-9]+{groups})({point}[0-9]*)?|{point}[0-9]+)([eE][+-]?[0-9]+)?", cell
    ):
        raise NotStrictError(f"{cell!r} is no number")
    return float((cell.replace(thousands, "") if thousands else cell).replace(decimal, "."))


def refuse_wide(source: SourceSpec, content: bytes) -> pd.DataFrame:
    """Read a CSV file; one whose header has no column y, which is read as wide, is refused."""
    table = read_source(source)
    if source.id is None and "y" not in map(
        str.strip, split_lines(content, table.attrs["found"])[0][0]
    ):
        raise SeriesError("no column y")
    return table


def judge(
    read: Callable[[], pd.DataFrame], source: SourceSpec, strict: Callable[[pd.DataFrame], list]
) -> None:
    """Reads and prepares; what is accepted is what the strict reader has."""
    try:
        table = read()
    except SeriesError as error:
        event("refused")
        refuse_long(error)
        return
    assert list_rows(table) == strict(table)
    try:
        panel = prepare_panel(
            table,
            Recipe(
                source=source,
                split=SplitSpec(validation=3, test=3),
                window=OpenWindowSpec(horizon=2),
            ),
        )
    except SeriesError as error:
        event("read, and not prepared")
        refuse_long(error)
        return
    event("read and prepared")
    assert not np.isinf(panel.windows.values).any()


def refuse_long(error: Exception) -> None:
    assert str(error).isprintable()
    assert 0 < len(str(error)) <= MAX_MESSAGE


def list_rows(table: pd.DataFrame) -> list[tuple[str, Cell, float | None]]:
    times = (
        table["ds"].dt.floor("us").tolist()
        if table["ds"].dtype.kind == "M"
        else table["ds"].tolist()
    )
    values = [None if pd.isna(value) else value for value in table["y"]]
    return list(zip(table["unique_id"], times, values, strict=True))


# fmt: off
ODD = [
    "", " ", "NA", "nan", "inf", "-inf", "1e40", "-1e39", "1e999", "1_000", "0x1F", "1,5", "1.234", "1.234,5", "12'000",
    "True", "٣", "½", "1e", "--1", "+", ".", "5.", ".5", "1e-400", "=1+1", "1 000", "1\u202f000", "\u22125", "-0",
    "now", "today", "NaT", "10:00", "March", "5.1.2015", "06-2015", "2015-02-29", "2020-W05", "2020-W05-1", "2020Q1",
    "2020-1-5", "2020/1/5", "20200105", "20200105T10", "2020-01-05T10Z", "2020-01-05T24:00", "2020-01-05 10:00+02",
    "0000-01-01", "-0001-01-01", "99999-01-01", "12020-01-01", "2020-01-05T10:00:60", "2020-366", "2020-01-05\t",
    "2000.5", "2000.10", "Q5 2020", "Jan 2020", "1-Jan-20", "May",
    str(2**53 + 1), str(2**63), str(2**63 - 1), str(-(2**63)), str(10**18), "1.0", "1.5", "1e3", "1" * 400,
    "\0", "\x1b[31m", "a\nb", 'a"b', '"', "\ufeff", "\u202e", "é", "€", "a,b", "a;b", "#x", "x" * 5_000,
]
# fmt: on
ODD_CELLS = st.one_of(
    st.sampled_from(ODD),
    st.text(max_size=8),
    st.text(alphabet="0123456789-:.,;/+ eETZ'", max_size=20),
    st.floats().map(repr),
    st.datetimes().map(str),
)
FORMS = [
    "%Y-%m-%d",
    "%Y-%m-%d %H:%M",
    "%Y-%m-%dT%H:%M:%S",
    "%Y-%m-%dT%H:%M:%SZ",
    "%Y-%m-%d %H:%M:%S+02:00",
    "%Y%m%dT%H",
    "%Y%m%d",
    "%Y%m",
    "%d%m%Y",
]
FORMS += [
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%d/%m/%Y %H:%M",
    "%d.%m.%y",
    "%m/%d/%y",
    "%d/%m/%y %H:%M",
    "%Y.%m",
    "%m%Y",
    "%Y",
    "%Y-%m",
    "%m.%Y",
    "%d-%m-%Y",
    "%I:%M %p",
    "%Y/%m/%d",
    "%b %Y",
    "%B %Y",
    "%b-%y",
    "%d-%b-%y",
    "%d %B %Y",
    "%b %d, %Y",
    "%A, %B %d, %Y %H:%M",
    "%G-W%V",
    "%G-W%V-%u",
    "%YQ%q",
    "Q%q %Y",
]
SPACINGS = [
    timedelta(days=1),
    timedelta(hours=1),
    timedelta(minutes=15),
    timedelta(days=7),
    timedelta(days=400),
]
NUMBERS = ["{}", "{:.2f}", "{:,.2f}", "{:.3f}", "{:e}", "{:+.1f}", " {:.1f} ", "{:.0f}"]


@st.composite
def draw_times(draw: st.DrawFn, size: int) -> list[str]:
    if draw(st.booleans()):
        start = draw(
            st.datetimes(datetime(1, 1, 1), datetime(9000, 1, 1)).map(
                lambda time: time.replace(microsecond=0)
            )
        )
        if draw(st.booleans()):
            start = start.replace(year=2020, hour=0, minute=0, second=0)
        start = start.replace(
            year=draw(st.sampled_from([start.year, start.year, 1967, 1995, 2029])),
            day=min(start.day, 28),
        )
        form = draw(st.sampled_from(FORMS))
        spacing = draw(st.sampled_from(SPACINGS))
        times = [start + number * spacing for number in range(size)]
        return [time.strftime(form.replace("%q", str((time.month + 2) // 3))) for time in times]
    if draw(st.booleans()):
        # Numbers of Excel and Unix, or changing offsets from UTC.
        start = datetime(2024, 3, 30)
        hours = draw(st.sampled_from([1, 6, 24]))
        times = [start + number * timedelta(hours=hours) for number in range(size)]
        match draw(st.sampled_from(["excel", "unix_s", "unix_ms", "offsets"])):
            case "excel":
                days = [(time - COUNTS["excel"][0]) / timedelta(days=1) for time in times]
                return [f"{day:.5f}" if hours < 24 else f"{day:.0f}" for day in days]
            case "offsets":
                return [
                    f"{time:%Y-%m-%dT%H:%M}+0{1 + (time >= datetime(2024, 3, 31, 2))}:00"
                    for time in times
                ]
            case unit:
                return [f"{(time - datetime(1970, 1, 1)) // COUNTS[unit][1]}" for time in times]
    if draw(st.booleans()):
        # Years with a fraction, as R writes them.
        year = draw(st.sampled_from([1, 1700, 1998, 2020]))
        per_year = draw(st.sampled_from([2, 4, 10, 12, 365]))
        form = draw(st.sampled_from(["{}", "{:.1f}", "{:.2f}", "{:.3f}", " {:.6f}"]))
        half = draw(st.sampled_from([0.0, 0.5]))
        return [form.format(year + half + number / per_year) for number in range(size)]
    first = draw(st.sampled_from([0, 1, 2000, 2**53 - 5, 10**18 - 10, 2**63 - 10, -5, -(2**63)]))
    form = draw(st.sampled_from(["{}", "{}.0", "{:+}", "{:05}"]))
    stride = draw(st.sampled_from([1, 2, 7, 10**15]))
    return [form.format(first + number * stride) for number in range(size)]


@st.composite
def draw_values(draw: st.DrawFn, size: int) -> list[str]:
    scale = draw(st.sampled_from([1.0, 100.0, 1e6, 1e-5, 1e30, 1e-300, 1e300]))
    form = draw(st.sampled_from(NUMBERS))
    signs = draw(st.sampled_from([".,", ",.", ", ", ".'"]))
    rng = np.random.default_rng(draw(st.integers(0, 1000)))
    swap = str.maketrans(".,", signs)
    values = rng.normal(draw(st.sampled_from([1, 1, -5, 20])), 1, size).tolist()
    cells = [form.format(scale * value).translate(swap) for value in values]
    match draw(
        st.sampled_from(["plain", "plain", "plain", "account", "minus", "sentinel", "sentinel"])
    ):
        case "account":
            cells = [
                f"({cell.strip()[1:]})" if cell.strip().startswith("-") else cell for cell in cells
            ]
        case "minus":
            cells = [cell.replace("-", "\u2212") for cell in cells]
        case "sentinel":
            for place in draw(st.lists(st.integers(0, size), max_size=3)):
                cells[place : place + 1] = [
                    draw(st.sampled_from(["-999", "-99", "-99.9", "9999"]))
                ][: len(cells[place:])]
    return cells


@st.composite
def draw_rows(draw: st.DrawFn) -> list[list[str]]:
    """A table with a header, most of it in order."""
    size = draw(st.sampled_from([0, 1, 2, 3, 5, 12, 20, 30, 40, 40]))
    plain = st.sampled_from(["a", "b", "1", "NA", "é"])
    names = draw(
        st.one_of(
            st.lists(plain, min_size=1, max_size=1),
            st.lists(plain | ODD_CELLS, min_size=1, max_size=2),
        )
    )
    rows: list[list[str]] = [["ds", "y", "id"]]
    for name in names:
        times = draw(draw_times(size))
        values = draw(draw_values(size))
        rows += [[*cells, name] for cells in zip(times, values, strict=True)]
    for _ in range(draw(st.sampled_from([0, 0, 0, 0, 1, 1, 2, 5]))):
        row = rows[draw(st.integers(0, len(rows) - 1))]
        match draw(st.integers(0, 9)):
            case 0:
                row.append(draw(ODD_CELLS))
            case 1:
                del row[-1:]
            case 2:
                rows.append(list(row))
            case 3:
                rows.insert(draw(st.integers(0, len(rows))), [])
            case _ if row:
                row[draw(st.integers(0, len(row) - 1))] = draw(ODD_CELLS)
    return draw(surround_rows(rows))


@st.composite
def surround_rows(draw: st.DrawFn, rows: list[list[str]]) -> list[list[str]]:
    """The table among blank names, other columns, trailing separators, and a footer."""
    match draw(st.integers(0, 9)):
        case 0:
            rows = [["" if not number else str(number), *row] for number, row in enumerate(rows)]
        case 1:
            rows = [[*row, ""] for row in rows]
        case 2:
            rows = [rows[0], *([*row, ""] for row in rows[1:])]
        case 3:
            rows = [[*row, "", " "] for row in rows]
        case 4:
            rows = [
                [
                    draw(st.sampled_from(["{}", " {}", "{} ", " {} "])).format(name)
                    for name in rows[0]
                ],
                *rows[1:],
            ]
        case 5:
            rows = [["", *row, "" if number else " "] for number, row in enumerate(rows)]
    footers = [
        [["Total", "99", ""]],
        [[], ["Source: the office", "", ""]],
        [["", "", ""], ["Total 2024", "1", "a"]],
    ]
    return [*rows, *draw(st.sampled_from([[], [], [], [], *footers]))]


@st.composite
def draw_file(draw: st.DrawFn) -> tuple[str, bytes]:
    """A CSV file: the ending of its name, and its bytes before they are packed."""
    out = io.StringIO()
    sep = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    quoting = draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONE]))
    end = draw(st.sampled_from(["\n", "\r\n", "\r"]))
    rows = draw(draw_rows())
    # A row of one empty cell can't be written without quotes.
    assume(quoting != csv.QUOTE_NONE or not any(len(row) == 1 and not row[0] for row in rows))
    csv.writer(
        out, delimiter=sep, quoting=quoting, lineterminator=end, escapechar="\\", quotechar='"'
    ).writerows(rows)
    encoding = draw(
        st.sampled_from(["utf-8", "utf-8", "utf-8-sig", "cp1252", "utf-16", "utf-16-le", "latin-1"])
    )
    content = out.getvalue().encode(encoding, errors="replace")
    match draw(st.integers(0, 9)):
        case 0:
            place = draw(st.integers(0, len(content)))
            content = content[:place] + draw(st.binary(max_size=4)) + content[place:]
        case 1:
            content = content[: draw(st.integers(0, len(content)))]
        case 2:
            content = content + draw(st.binary(max_size=40))
    return draw(st.sampled_from([".csv", ".csv", ".csv", ".txt", ".csv.gz", ".zip"])), content


def pack(path: Path, content: bytes) -> None:
    if path.suffix == ".gz":
        path.write_bytes(gzip.compress(content))
    elif path.suffix == ".zip":
        with ZipFile(path, "w") as archive:
            archive.writestr("my.csv", content)
    else:
        path.write_bytes(content)


@MANY
@given(draw_file(), st.sampled_from([None, "id"]))
def test_csv_file_is_read_as_the_strict_reader_reads_it_or_refused(
    tmp_path: Path, file: tuple[str, bytes], id_column: str | None
) -> None:
    path = tmp_path / f"my{file[0]}"
    pack(path, file[1])
    source = SourceSpec(path=str(path), id=id_column)
    judge(
        lambda: refuse_wide(source, file[1]),
        source,
        lambda table: read_strictly(file[1], table, id_column),
    )


@FEWER
@given(
    st.sampled_from(["csv.gz", "zip", "parquet", "xlsx", "tar.gz", "csv"]), st.binary(max_size=200)
)
def test_bytes_of_any_kind_are_refused_or_read(tmp_path: Path, ending: str, content: bytes) -> None:
    path = tmp_path / f"my.{ending}"
    path.write_bytes(content)
    source = SourceSpec(path=str(path))
    judge(lambda: read_source(source), source, lambda table: read_strictly(content, table, None))


@st.composite
def draw_arrow(draw: st.DrawFn) -> tuple[pyarrow.Array, pyarrow.Array, pyarrow.Array]:
    size = draw(st.sampled_from([1, 2, 3, 12, 30]))
    ints = st.integers(-(2**31), 2**31 - 1)
    first = draw(st.sampled_from([0, -5, 2**53 - 3, 2**62, 10**14]))
    stride = draw(st.sampled_from([1, 86_400, 10**14]))
    line = [(first + number * stride) % 2**62 for number in range(size)]
    kinds = [
        pyarrow.int64(),
        pyarrow.uint64(),
        pyarrow.float64(),
        *(pyarrow.timestamp(unit) for unit in ("s", "ms", "us", "ns")),
    ]
    kinds += [
        pyarrow.timestamp("us", "Europe/Berlin"),
        pyarrow.duration("s"),
        pyarrow.time64("us"),
        pyarrow.date64(),
    ]
    kind = draw(st.sampled_from(kinds))
    if draw(st.booleans()):
        times = pyarrow.array(line, pyarrow.int64()).cast(kind, safe=False)
    elif draw(st.booleans()):
        year = draw(st.sampled_from([1, 1500, 1677, 2262, 9000]))
        hours = draw(st.sampled_from([1, 24, 9000]))
        days = [datetime(year, 1, 1) + number * timedelta(hours=hours) for number in range(size)]
        times = pyarrow.array(
            days, draw(st.sampled_from([pyarrow.timestamp("us"), pyarrow.timestamp("ms", "UTC")]))
        )
    else:
        cells = draw(draw_times(size))
        texts = [
            pyarrow.string(),
            pyarrow.large_string(),
            pyarrow.string_view(),
            pyarrow.binary(),
            pyarrow.binary_view(),
        ]
        times = pyarrow.array([cell.encode() for cell in cells], pyarrow.binary()).cast(
            draw(st.sampled_from(texts))
        )
    values = pyarrow.array(
        draw(
            st.lists(
                st.one_of(st.none(), st.floats(), ints.map(float)), min_size=size, max_size=size
            )
        )
    )
    values = values.cast(draw(st.sampled_from([pyarrow.float64(), pyarrow.float32()])), safe=False)
    if draw(st.booleans()):
        values = pyarrow.array(np.arange(size) % 3).cast(
            draw(
                st.sampled_from(
                    [
                        pyarrow.float16(),
                        pyarrow.decimal128(30, 5),
                        pyarrow.bool_(),
                        pyarrow.int8(),
                        pyarrow.string(),
                    ]
                )
            )
        )
    names = pyarrow.array(
        draw(st.lists(st.sampled_from(["a", "b", "a\0b", "", "é"]), min_size=size, max_size=size))
    )
    return times, values, names


@FEWER
@given(draw_arrow(), st.sampled_from([None, "id"]), st.booleans())
def test_parquet_file_is_read_as_it_was_written_or_refused(
    tmp_path: Path, columns: tuple[pyarrow.Array, ...], id_column: str | None, is_int96: bool
) -> None:
    path = tmp_path / "my.parquet"
    table = pyarrow.table(dict(zip(["ds", "y", "id"], columns, strict=True)))
    try:
        pyarrow.parquet.write_table(table, path, use_deprecated_int96_timestamps=is_int96)
    except pyarrow.ArrowInvalid:  # times that no file holds
        reject()
    source = SourceSpec(path=str(path), id=id_column)

    def read_arrow(table: pd.DataFrame) -> list[tuple[str, Cell, float | None]]:
        times, values, names = (column.to_pylist() for column in columns)
        times = [time.decode() if isinstance(time, bytes) else time for time in times]
        if isinstance(times[0], str):
            times = read_times_strictly(times, table.attrs["found"].get("time_format"), table)
        elif isinstance(times[0], datetime):
            times = [
                time.to_pydatetime(warn=False) if hasattr(time, "to_pydatetime") else time
                for time in times
            ]
            # Long steps of a zone are local.
            is_local = "tz" in table.attrs and table.attrs["tz"] is None
            times = [time.replace(tzinfo=None) if is_local else strip_zone(time) for time in times]
        elif isinstance(times[0], date):
            times = [datetime(time.year, time.month, time.day) for time in times]
        assert not isinstance(times[0], (bool, timedelta))
        values = [
            None if value is None or math.isnan(float(value)) else float(value) for value in values
        ]
        return list(zip(names if id_column else ["y"] * len(times), times, values, strict=True))

    judge(lambda: read_source(source), source, read_arrow)


@st.composite
def draw_frame(draw: st.DrawFn) -> pd.DataFrame:
    size = draw(st.sampled_from([1, 2, 3, 12, 30]))
    objects = st.one_of(
        st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(allow_nan=False), st.dates(),
        st.datetimes(), st.text(max_size=5),
        st.just(pd.NaT), st.just(pd.NA), st.complex_numbers(), st.binary(max_size=3), st.timedeltas(),
        st.datetimes(timezones=st.just(UTC)), st.lists(st.integers(), max_size=2), st.just("\ud800"),
    )  # fmt: skip
    days = pd.date_range("2020-01-01", periods=size)
    columns = st.one_of(
        st.sampled_from(
            [
                days,
                days.tz_localize("UTC"),
                days.to_period("D"),
                days.astype(str),
                days.astype("datetime64[s]"),
            ]
        ),
        st.sampled_from(
            [
                "Int64",
                "bool",
                "Float32",
                "float16",
                "uint8",
                "complex128",
                "timedelta64[ns]",
                "category",
            ]
        ).map(lambda dtype: pd.Series(range(size)).astype(dtype)),
        st.lists(objects, min_size=size, max_size=size).map(
            lambda cells: pd.Series(cells, dtype=object)
        ),
    )
    return pd.DataFrame({name: pd.Series(draw(columns)) for name in ("ds", "y", "id")})


@FEWER
@given(draw_frame(), st.sampled_from([None, "id"]), st.sampled_from([None, "Europe/Berlin"]))
def test_table_of_the_catalog_is_read_or_refused(
    table: pd.DataFrame, id_column: str | None, tz: str | None
) -> None:
    source = SourceSpec(name="catalog", id=id_column, tz=tz)
    judge(lambda: read_source(source, table), source, list_rows)


OTHER_COLUMNS = st.sampled_from(
    [None, None, "ds", "y", "y.1", "id", "Unnamed: 1", "Unnamed: 2", 7, " y", "é"]
)


@FEWER
@given(
    st.lists(OTHER_COLUMNS, max_size=4).flatmap(
        lambda others: st.permutations(["ds", "y", *others])
    ),
    st.sampled_from(["y", "y", "y", "y.1", "Unnamed: 1", "Unnamed: 2", "7", ""]),
    st.lists(st.sampled_from([0] * 20 + [3]), max_size=12),
    st.sampled_from([None, "XFD1", "XFD3", "Z900"]),
)
def test_columns_of_a_sheet_are_those_of_its_header_or_refused(
    tmp_path: Path, header: list[Cell], target: str, skipped: list[int], stray: str | None
) -> None:
    book = openpyxl.Workbook()
    places = range(1, len(header) + 1)
    sheet = book.active
    days = []
    row = 1
    for place, name in zip(places, header, strict=True):
        sheet.cell(1, place, name)
    for number, num_empty in enumerate(skipped):
        row += 1 + num_empty
        days.append((row, datetime(2020, 1, 1) + timedelta(days=number)))
        for place, name in zip(places, header, strict=True):
            sheet.cell(row, place, days[-1][1] if name == "ds" else 100 * row + place)
    if stray:
        sheet[stray] = "stray"
    book.save(tmp_path / "my.xlsx")
    names = ["" if name is None else str(name) for name in header]
    source = SourceSpec(path=str(tmp_path / "my.xlsx"), target=target)

    def read_sheet(_: pd.DataFrame) -> list[tuple[str, Cell, float | None]]:
        assert target
        # Empty rows are left out.
        assert (names.count("ds"), names.count(target)) == (1, 1)
        return [(target, day, 100.0 * row + names.index(target) + 1) for row, day in days]

    judge(lambda: read_source(source), source, read_sheet)


DIRECTIVES = [
    "%Y",
    "%y",
    "%m",
    "%d",
    "%H",
    "%M",
    "%S",
    "%b",
    "%B",
    "%j",
    "%p",
    "%I",
    "%G",
    "%V",
    "%u",
    "%U",
    "%w",
    "%z",
    "%f",
]
PARTS = [
    *DIRECTIVES,
    "%c",
    "%x",
    "%X",
    "%",
    "%%",
    "%(",
    "%Q",
    "(",
    ")",
    "[",
    "*",
    "\\",
    ".",
    "-",
    "/",
    " ",
    ":",
    "T",
    "é",
    "\ud800",
]


@MANY
@given(
    st.one_of(
        st.lists(st.sampled_from(PARTS), max_size=7).map("".join),
        st.permutations(["%Y", "%m", "%d", "%H"]).flatmap(
            lambda parts: st.sampled_from("./- T").map(lambda sign: sign.join(parts))
        ),
        st.sampled_from(["mixed", "ISO8601", "%Y.%m", "%y.%m", "%Y", "%d.%m.%y", "%Y-%M-%d"]),
    ),
    st.datetimes(datetime(1, 1, 1), datetime(9000, 1, 1)),
    st.sampled_from(SPACINGS),
    st.sampled_from([2, 12, 30]),
)
def test_time_format_is_followed_as_python_follows_it_or_refused(
    form: str, start: datetime, spacing: timedelta, size: int
) -> None:
    try:
        source = read_parameter_model(
            "forecast.source", SourceSpec, {"name": "catalog", "time_format": form}
        )
    except ParameterError as error:
        event("refused with the parameters")
        refuse_long(error)
        return
    times = [start.replace(microsecond=0) + number * spacing for number in range(size)]
    try:
        cells = [time.strftime(form) for time in times]
        expected = [strip_zone(datetime.strptime(cell, form)) for cell in cells]
    except ValueError:
        reject()
    table = pd.DataFrame({"ds": pd.Series(cells, dtype="object"), "y": np.arange(size) / 2})
    judge(
        lambda: read_source(source, table),
        source,
        lambda _: list(zip(["y"] * size, expected, table["y"], strict=True)),
    )


NUMBERS_OF_PYTHON = [1.5, 2, Decimal("1.250"), None]
WAYS_OF_TEXTS = [
    ["1,234"],
    ["1.234", "7"],
    ["1,5", "2,25"],
    ["1.234,5", "1,5"],
    ["2.5", "1.25"],
    ["1,5", "high"],
]
MIXED = [[*NUMBERS_OF_PYTHON, *texts] for texts in WAYS_OF_TEXTS]


@FEWER
@given(
    st.sampled_from(MIXED).flatmap(
        lambda cells: st.lists(st.sampled_from(cells), min_size=1, max_size=12)
    ),
    st.sampled_from(["frame", "xlsx"]),
)
def test_texts_beside_numbers_are_read_by_their_own_signs_or_refused(
    tmp_path: Path, cells: list[Cell], kind: str
) -> None:
    table = pd.DataFrame(
        {"ds": pd.date_range("2020-01-01", periods=len(cells)), "y": pd.Series(cells, dtype=object)}
    )
    source = (
        SourceSpec(name="catalog")
        if kind == "frame"
        else SourceSpec(path=str(tmp_path / "my.xlsx"))
    )
    if source.path:
        table.to_excel(source.path, index=False)

    def read_cells(read: pd.DataFrame) -> list[tuple[str, Cell, float | None]]:
        texts = [cell for cell in cells if isinstance(cell, str)]
        of_texts = iter(read_values_strictly(texts, read.attrs["found"], ";"))
        values = [
            next(of_texts) if isinstance(cell, str) else None if cell is None else float(cell)
            for cell in cells
        ]
        return list(zip(read["unique_id"], table["ds"], values, strict=True))

    judge(lambda: read_source(source, table), source, read_cells)
