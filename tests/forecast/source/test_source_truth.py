"""Files written from known series in the ways of spreadsheets and exports: read as these series, or refused.

`RNN_FUZZ_TABLES` says how many there are, and `RNN_FUZZ_FIRST` the number of the first; a failure names its number,
which is its seed.
"""

import csv
import io
import random
import re
from collections import Counter
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import pytest

from fuzzing import list_seeds
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

pytestmark = pytest.mark.slow

SEEDS = list_seeds("RNN_FUZZ_TABLES", 80)

Draw = random.Random
Row = tuple[str, Any, float | None]
DAYS = [
    "%Y-%m-%d",
    "%d.%m.%Y",
    "%m/%d/%Y",
    "%Y/%m/%d",
    "%Y%m%d",
    "%d %B %Y",
    "%d.%m.%y",
    "%d-%b-%Y",
    "%G-W%V-%u",
    "%d%m%Y",
]
MONTHS = ["%Y-%m", "%Y-%m-%d", "%b %Y", "%B %Y", "%Y%m", "%m.%Y", "%m%Y", "%m%Y"]
HOURS = ["%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%SZ", "%d.%m.%Y %H:%M", "%m/%d/%Y %I:%M %p"]
# Clocks in Berlin go forward, in UTC.
CHANGE = datetime(2024, 3, 31, 1)
# The time that is 0, and the unit.
NUMBERS = {
    "excel": (datetime(1899, 12, 30), timedelta(days=1)),
    "unix_s": (datetime(1970, 1, 1), timedelta(seconds=1)),
    "unix_ms": (datetime(1970, 1, 1), timedelta(milliseconds=1)),
}


class Times(NamedTuple):
    """The times of a series, how they are written, what they are read as, and the parameter for another reading."""

    truth: list[Any]
    cells: list[str]
    steps: list[int] | None = None
    time_format: str | None = None


def draw_times(draw: Draw, size: int) -> Times:
    start = datetime(2024, 3, 30)
    hours = draw.choice([1, 6, 24])
    times = [start + number * timedelta(hours=hours) for number in range(size)]
    days = [start + number * timedelta(days=1) for number in range(size)]
    day = datetime(2019, draw.randint(1, 12), draw.randint(1, 28))
    makers: list[Callable[[], Times]] = [
        lambda: write_times(
            [day + number * timedelta(days=1) for number in range(size)], draw.choice(DAYS)
        ),
        lambda: write_times(list_months(day, size), draw.choice(MONTHS)),
        lambda: write_times([datetime(1950 + number, 1, 1) for number in range(size)], "%Y"),
        lambda: write_times(times, draw.choice(HOURS)),
        lambda: Times(times, [write_offset(time) for time in times]),
        lambda: Times(days, [f"{day:%Y-%m-%dT%H:%M}+0{1 + (day > CHANGE)}:00" for day in days]),
        lambda: write_steps(draw.choice([0, 1, -5, 100, 10**6]), draw.choice([1, 2, 7]), size),
        lambda: write_numbers(days, "excel"),
        lambda: write_numbers(times, "unix_s"),
        lambda: write_numbers(times, "unix_ms"),
    ]
    return draw.choice(makers)()


def list_months(day: datetime, size: int) -> list[datetime]:
    months = range(day.month - 1, day.month - 1 + size)
    return [datetime(day.year + month // 12, month % 12 + 1, 1) for month in months]


def write_offset(time: datetime) -> str:
    """A time of UTC as a local time of Berlin, whose offset changes."""
    zone = timezone(timedelta(hours=2 if time >= CHANGE else 1))
    return str(time.replace(tzinfo=UTC).astimezone(zone))


def write_steps(first: int, stride: int, size: int) -> Times:
    steps = [first + number * stride for number in range(size)]
    return Times(steps, [str(step) for step in steps])


def write_numbers(times: list[datetime], form: str) -> Times:
    zero, unit = NUMBERS[form]
    return Times(times, [str((time - zero) // unit) for time in times])


def write_times(times: list[datetime], form: str) -> Times:
    cells = [time.strftime(form) for time in times]
    steps = [int(cell) for cell in cells] if form in ("%m%Y", "%d%m%Y") else None
    return Times(times, cells, steps, form if steps else None)


def draw_values(draw: Draw, size: int, has_commas: bool) -> tuple[list[float | None], list[str]]:
    """The values of a series, and how they are written."""
    centre, scale = draw.choice(
        [(20, 3), (20, 3), (-20, 3), (0, 3), (5000, 900), (-5000, 900), (0.01, 0.002), (3e9, 1e8)]
    )
    num_decimals = draw.choice([0, 1, 2, 2, 3, 6])
    texts = [f"{draw.gauss(centre, scale):.{num_decimals}f}" for _ in range(size)]
    values: list[float | None] = [float(text) for text in texts]
    writers: list[Callable[[str], str]] = [
        str, str, str, lambda text: text.replace("-", "\u2212"), lambda text: re.sub("^-(.*)", r"(\1)", text),
        lambda text: f"{text} kg", lambda text: f" {text} ", lambda text: group(text, ",", "."),
        lambda text: re.sub("^-(.*)", r"\1-", text),
    ]  # fmt: skip
    if has_commas:
        writers = [lambda text: text.replace(".", ","), lambda text: group(text, ".", ",")]
    write = draw.choice(writers)
    cells = [write(text) for text in texts]
    if draw.random() < 0.3:
        for place in draw.sample(range(size), 2):
            values[place], cells[place] = None, draw.choice(["", "NA", "n/a", "NaN", "null"])
    if draw.random() < 0.3:
        number = draw.choice(["-999", "-9999", "-99.9"])
        others = [value for value in values if value is not None]
        is_missing = (
            centre in (20, 5000) and min(others) >= 0 and centre - float(number) > 20 * scale
        )
        if is_missing or centre < 0:
            for place in draw.sample(range(size), 3):
                values[place], cells[place] = None if is_missing else float(number), write(number)
    return values, cells


def group(text: str, thousands: str, decimal: str) -> str:
    whole, _, rest = text.partition(".")
    grouped = f"{int(whole):,}".replace(",", thousands)
    sign = "-" if whole == "-0" else ""
    return sign + grouped + (decimal + rest if rest else "")


def draw_file(draw: Draw) -> tuple[bytes, list[Row], Times, str | None]:
    """The bytes of a file, the rows that it was written from, its first times, and the column of names."""
    sep = draw.choice([",", ",", ";", "\t", "|"])
    has_commas = sep != "," and draw.random() < 0.6
    size = draw.randint(14, 40)
    id_column = draw.choice([None, None, "shop"])
    times = draw_times(draw, size)
    truth: list[Row] = []
    others = draw.choice([[], [], ["note"], ["other", ""], ["", " "]])
    columns = ["ds", "y", *([id_column] if id_column else []), *others]
    draw.shuffle(columns)
    rows = []
    for name in ["north", "0012", "NA"][: draw.randint(1, 3)] if id_column else ["y"]:
        values, cells = (
            draw_values(draw, size, has_commas)
            if not truth
            else draw_like(draw, truth, rows, columns, size)
        )
        truth += zip([name] * size, times.truth, values, strict=True)
        known = {"shop": [name] * size, "ds": times.cells, "y": cells, "other": ["7"] * size}
        rows += [
            [known[column][place] if column in known else "" for column in columns]
            for place in range(size)
        ]
    lines = draw_surroundings(draw, columns, rows)
    out = io.StringIO()
    quoting = draw.choice([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])
    end = draw.choice(["\n", "\n", "\r\n"])
    csv.writer(out, delimiter=sep, quoting=quoting, lineterminator=end).writerows(lines)
    encoding = draw.choice(["utf-8", "utf-8", "utf-8-sig", "utf-16", "cp1252"])
    return out.getvalue().encode(encoding, errors="replace"), truth, times, id_column


def draw_like(
    draw: Draw, truth: list[Row], rows: list[list[str]], columns: list[str], size: int
) -> tuple[list[float | None], list[str]]:
    """Values of another series in the form of the first one: the same ones in another order."""
    order = draw.sample(range(size), size)
    place = columns.index("y")
    return [truth[number][2] for number in order], [rows[number][place] for number in order]


def draw_surroundings(draw: Draw, columns: list[str], rows: list[list[str]]) -> list[list[str]]:
    """The lines of a file: titles, the header, rows, and a footer, some of them with blanks or separators too many."""
    header = list(columns)
    place = columns.index("ds")
    match draw.randint(0, 9):
        case 0:
            header = ["", *header]
            rows = [[str(number), *row] for number, row in enumerate(rows)]
            place += 1
        case 1:
            header = [*header, ""]
            rows = [[*row, ""] for row in rows]
        case 2:
            rows = [[*row, ""] for row in rows]
        case 3:
            header = [f" {name} " for name in header]
        case 4:
            half = len(rows) // 2
            rows = [*rows[:half], header, *rows[half:]]
        case 5:
            del rows[len(rows) // 2][-1:]
        case 6:
            rows = [row for one in rows for row in (one, [])]
    titles = draw.choice([[], [], [], [["Sales of the north"], []], [["Report", "2024"]]])
    total = ["Total" if number == place else "99" for number in range(len(header))]
    empty = [""] * len(header)
    note = [*empty[:place], "Source: the office", *empty[place + 1 :]]
    footers = draw.choice(
        [[], [], [], [total], [[], note], [[], empty, total], [["Source: the office"]]]
    )
    return [*titles, header, *rows, *footers]


def list_rows(table: pd.DataFrame) -> list[Row]:
    values = [None if pd.isna(value) else value for value in table["y"]]
    return list(zip(table["unique_id"], table["ds"].tolist(), values, strict=True))


def test_tables_are_read_as_they_were_written_or_refused(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    outcomes: Counter[str] = Counter()
    faults = []
    for number in SEEDS:
        content, truth, times, id_column = draw_file(random.Random(number))
        path = tmp_path / f"{number}.csv"
        path.write_bytes(content)
        source = SourceSpec(path=str(path), id=id_column)
        caplog.clear()
        try:
            found = list_rows(read_source(source))
            if times.steps is not None:
                steps = dict(zip(times.truth, times.steps, strict=True))
                wanted = [(name, steps[time], value) for name, time, value in truth]
                told = [message for message in caplog.messages if "reads them as times" in message]
                if found != wanted or len(told) != 1 or str(times.time_format) not in told[0]:
                    faults.append(f"{number}: steps, {told}, {content[:300]!r}")
                found = list_rows(
                    read_source(source.model_copy(update={"time_format": times.time_format}))
                )
        except SeriesError:
            outcomes["refused"] += 1
            continue
        # Any other exception is what this test looks for.
        except Exception as error:
            faults.append(f"{number}: {type(error).__name__}: {error}")
            continue
        outcomes["read"] += 1
        if found != truth:
            first = next(
                (pair for pair in zip(found, truth, strict=False) if pair[0] != pair[1]),
                (len(found), len(truth)),
            )
            faults.append(f"{number}: {first}: {content[:300]!r}")
    assert not faults, "\n".join(faults)
    assert outcomes["read"] > len(SEEDS) / 2, outcomes
