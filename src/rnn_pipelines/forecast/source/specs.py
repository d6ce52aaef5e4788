"""The parameters of the source of series."""

import codecs
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    WrapValidator,
    create_model,
    model_validator,
)

from rnn_pipelines.errors import make_line, show
from rnn_pipelines.forecast.times.offsets import check_closed_days
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.dialect import SIGNS
from rnn_pipelines.reading.numbers import MAX_VALUE
from rnn_pipelines.reading.time_forms import check_time_format
from rnn_pipelines.reading.times import MAX_STEP
from rnn_pipelines.reading.zones import check_zone

# Parameters that are detected from the file.
Found = dict[str, str]


def _check_encoding(text: str) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError as error:
        raise ValueError(
            f"expected an encoding such as utf-8, utf-16 or cp1252, received {show(text)}"
        ) from error


def _choose_from(*names: str) -> AfterValidator:
    """Return a validator that accepts a sign or its name."""

    def take(text: str) -> str:
        sign = SIGNS.get(text, text)
        if sign not in {SIGNS[name] for name in names}:
            message = f"expected {', '.join(names[:-1])} or {names[-1]}, or the sign itself, received {show(text)}"
            raise ValueError(message)
        return sign

    return AfterValidator(take)


def _read_range(
    value: object, check: Callable[[object], tuple[float | None, float | None]]
) -> object:
    """Return two bounds, also of a text such as 0:40, because `kedro run --params` does not accept lists."""
    if isinstance(value, str) and value.count(":") == 1:
        value = [float(bound) if bound.strip() else None for bound in value.split(":")]
    low, high = check(value)
    if low is not None and high is not None and low > high:
        raise ValueError("the lower bound exceeds the upper one")
    return low, high


Bound = Annotated[float, Field(ge=-MAX_VALUE, le=MAX_VALUE)] | None
ValidRange = Annotated[
    tuple[Bound, Bound],
    WrapValidator(_read_range),
    expect(
        "two bounds such as 0:40 or [0, 40], the lower one first; an open one is empty, as in 0:"
    ),
]

# The column of the values, if none is named.
TARGET = "y"

ClosedDays = Annotated[tuple[str, ...], BeforeValidator(check_closed_days)]


def _write_date(value: object) -> object:
    """Return a date, as YAML reads it, as text."""
    return value.isoformat() if isinstance(value, date) else value


FirstTime = Annotated[
    Annotated[int, Field(ge=-MAX_STEP, le=MAX_STEP)] | str | None,
    BeforeValidator(_write_date),
    expect("a day, a time or a step"),
]

# A class cannot define `from`, a keyword of Python, by its name.
_FIRST: dict[str, Any] = {"from": (FirstTime, None)}
_SourceStart = create_model("_SourceStart", __base__=ParameterModel, **_FIRST)


class SourceSpec(_SourceStart, frozen=True):
    """The series to read. A `path` takes precedence over `name`.

    Attributes:
        from: first day, time or step to read, such as that of a change of the unit; None for all.
        name: `seattle` (daily maximum temperature in °C, 2012-2015), a synthetic series, or `catalog`: the catalog
            entry `forecast_external` of your configuration.
        path: a CSV (also in .gz or .zip), Parquet or Excel file with one row for each series and time.
        time: column of the timestamps, or of whole-numbered steps.
        target: column of the values.
        id: column that names the series of a panel; none for a single series.
        wide: whether each column of numbers is a series, as in a table with a row for each time; `target` and `id` are
            not read then. A table without a column `y` is wide if no other target or id is named.
        series: the columns of a wide table to read; by default all with numbers.
        freq: pandas offset alias ("D", "MS", "h"), "DEK" for the days 1, 11 and 21 of each month, either on later days
            ("MS+14D": on the 15th), "B-DE" or "D-DE" for days without the public holidays of a country, or a whole
            number of steps; inferred if it is not given.
        closed_days: days that are no steps: a country, a part of it or an exchange for their holidays (`DE`, `DE-BY`,
            `NYSE`), weekdays (`SUN`) and dates; a list, or a text such as `DE+SUN+2026-12-24`.
        valid_range: smallest and largest valid value; values outside are missing, such as -999 of a failed sensor.
        unavailable: column such as the stock; values in rows in which it is 0, less or false are unknown, not 0.
        time_format: strftime pattern of text timestamps, with a year, such as "%d.%m.%Y", "%Y-Q%q" for quarters, or
            `unix_s`, `unix_ms` or `excel` for seconds or milliseconds since 1970 in UTC, or serial numbers of Excel; by
            default ISO 8601, or else the only form that fits all cells.
        sep: separator of the cells of a CSV file; it and the next two accept the sign or its name (`comma`, `tab`).
        decimal: point or comma.
        thousands: comma, point, space or apostrophe between the thousands of a number.
        encoding: of a CSV file, by Python's name.
        sheet: name of the sheet of an Excel file; by default the only one with the columns.
        tz: time zone in which times are read and shown, such as "Europe/Berlin"; by default that of the column
            (Parquet, pandas), or else none, without clock changes.
        short_series: treatment of series of a panel that are too short: `error` ends the run, `drop` leaves out those
            without a window, `forecast` forecasts all. None is `forecast`, and with `min_length` `drop`.
        dead: treatment of series of a panel whose last value is two horizons or more before the panel's end: `keep`
            forecasts the steps after their own ends, `drop` leaves them out.
        min_length: steps below which a series is too short; by default the steps that a window needs.
        seed: seed of a synthetic series' noise.
    """

    name: Literal["seattle", "temperature", "sine", "noisy_sine", "catalog"] = "seattle"
    path: str | None = None
    time: str = "ds"
    target: str = TARGET
    id: str | None = None
    wide: bool = False
    series: tuple[str, ...] = ()
    freq: Annotated[
        Annotated[int, Field(ge=-MAX_STEP, le=MAX_STEP)] | str | None,
        expect("a frequency such as 'D', 'MS' or 'h', or a whole number of steps"),
    ] = None
    closed_days: ClosedDays = ()
    valid_range: ValidRange | None = None
    unavailable: str | None = None
    time_format: Annotated[str, AfterValidator(check_time_format)] | None = None
    sep: Annotated[str, _choose_from("comma", "semicolon", "tab", "pipe", "space")] | None = None
    decimal: Annotated[str, _choose_from("point", "comma")] | None = None
    thousands: Annotated[str, _choose_from("comma", "point", "space", "apostrophe")] | None = None
    encoding: Annotated[str, AfterValidator(_check_encoding)] | None = None
    sheet: str | None = None
    tz: Annotated[str, AfterValidator(check_zone)] | None = None
    short_series: Literal["error", "drop", "forecast"] | None = None
    dead: Literal["keep", "drop"] = "keep"
    min_length: int | None = Field(None, ge=1, le=10**9)
    seed: Seed = 0

    @model_validator(mode="after")
    def _validate_combination(self) -> "SourceSpec":
        if len({self.time, self.target, self.id}) < 3:
            raise ValueError(
                "time, target and id name the same column twice; each needs one of its own"
            )
        if self.unavailable is not None and self.unavailable in (self.time, self.target, self.id):
            raise ValueError("unavailable names the column of time, target or id; it needs its own")
        if self.is_wide and self.id is not None:
            raise ValueError(
                "id is for tables with a row for each series and time: leave it out, or wide and series"
            )
        if len({self.time, *self.series}) <= len(self.series):
            raise ValueError("time and series name the same column twice")
        if self.sheet is not None and not self.has_sheets:
            raise ValueError("sheet is for an Excel file: give one as path, or leave sheet out")
        changed = {
            name
            for name in OF_TABLES
            if getattr(self, name) != type(self).model_fields[name].default
        }
        if self.is_packaged and changed:
            raise ValueError(
                f"{', '.join(OF_TABLES)} are for your own table: give path, or name: catalog"
            )
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same sign; each needs one of its own")
        return self

    @property
    def first_time(self) -> int | str | None:
        """The first time to read, `from`."""
        first: int | str | None = getattr(self, "from")
        return first

    @property
    def has_sheets(self) -> bool:
        """Return whether the table can be one of several sheets of a file."""
        return (self.path or "").lower().endswith((".xlsx", ".xlsm"))

    @property
    def is_packaged(self) -> bool:
        """Return whether the series comes with the project."""
        return self.path is None and self.name != "catalog"

    @property
    def is_wide(self) -> bool:
        """Return whether the table has one column for each series."""
        return self.wide or bool(self.series)

    @property
    def label(self) -> str:
        """The name of this source in messages and reports."""
        return make_line(self.path or self.name)

    @property
    def external_label(self) -> str:
        """The name of a table from the catalog in messages: its entry, which the user can change."""
        return "forecast_external"


_OF_ALL_SOURCES = {"from", "name", "path", "freq", "short_series", "dead", "min_length", "seed"}
# The parameters that packaged series do not have.
OF_TABLES = tuple(name for name in SourceSpec.model_fields if name not in _OF_ALL_SOURCES)


def describe_found(found: Found) -> str:
    """Return the detected parameters as text, in the form in which users give them."""
    return ", ".join(
        f"{name}={value}" if value.isalnum() else f"{name}='{value}'"
        for name, value in found.items()
    )
