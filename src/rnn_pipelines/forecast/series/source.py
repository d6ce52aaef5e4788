"""The parameters of the source of series."""

import codecs
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, model_validator

from rnn_pipelines.errors import make_line, show
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.dialect import SIGNS
from rnn_pipelines.reading.times import MAX_STEP, take_time_format
from rnn_pipelines.reading.zones import take_zone

# Parameters that are detected from the file.
Found = dict[str, str]


def _take_encoding(text: str) -> str:
    try:
        return codecs.lookup(text).name
    except LookupError as error:
        raise ValueError(f"expected an encoding such as utf-8, utf-16 or cp1252, received {show(text)}") from error


def _choose_from(*names: str) -> AfterValidator:
    """Return a validator that accepts a sign or its name."""

    def take(text: str) -> str:
        sign = SIGNS.get(text, text)
        if sign not in {SIGNS[name] for name in names}:
            raise ValueError(
                f"expected {', '.join(names[:-1])} or {names[-1]}, or the sign itself, received {show(text)}"
            )
        return sign

    return AfterValidator(take)


OF_TABLES = ("time", "target", "id", "time_format", "sep", "decimal", "thousands", "encoding", "tz")


class SourceSpec(ParameterModel, frozen=True):
    """The series to read. A `path` takes precedence over `name`.

    Attributes:
        name: `seattle` (daily maximum temperature in °C, 2012-2015), a synthetic series, or `catalog`: the catalog
            entry `forecast_external` of your configuration.
        path: a CSV (also in .gz or .zip), Parquet or Excel file with one row for each series and time.
        time: column of the timestamps, or of whole-numbered steps.
        target: column of the values.
        id: column that names the series of a panel; none for a single series.
        freq: pandas offset alias ("D", "MS", "h") or a whole number of steps; inferred if it is not given.
        time_format: strftime pattern of text timestamps, with a year, such as "%d.%m.%Y"; by default ISO 8601, or else
            the only form that fits all cells.
        sep: separator of the cells of a CSV file; it and the next two accept the sign or its name (`comma`, `tab`).
        decimal: point or comma.
        thousands: comma, point, space or apostrophe between the thousands of a number.
        encoding: of a CSV file, by Python's name.
        tz: time zone in which times are read and shown, such as "Europe/Berlin"; by default that of the column
            (Parquet, pandas), or else none, without clock changes.
        short_series: treatment of series of a panel that are too short: `error` ends the run, `drop` leaves out those
            without a window, `forecast` forecasts all. None is `forecast`, and with `min_length` `drop`.
        min_length: steps below which a series is too short; by default the steps that a window needs.
        seed: seed of a synthetic series' noise.
    """

    name: Literal["seattle", "temperature", "sine", "noisy_sine", "catalog"] = "seattle"
    path: str | None = None
    time: str = "ds"
    target: str = "y"
    id: str | None = None
    freq: Annotated[
        Annotated[int, Field(ge=-MAX_STEP, le=MAX_STEP)] | str | None,
        expect("a frequency such as 'D', 'MS' or 'h', or a whole number of steps"),
    ] = None
    time_format: Annotated[str, AfterValidator(take_time_format)] | None = None
    sep: Annotated[str, _choose_from("comma", "semicolon", "tab", "pipe", "space")] | None = None
    decimal: Annotated[str, _choose_from("point", "comma")] | None = None
    thousands: Annotated[str, _choose_from("comma", "point", "space", "apostrophe")] | None = None
    encoding: Annotated[str, AfterValidator(_take_encoding)] | None = None
    tz: Annotated[str, AfterValidator(take_zone)] | None = None
    short_series: Literal["error", "drop", "forecast"] | None = None
    min_length: int | None = Field(None, ge=1, le=10**9)
    seed: Seed = 0

    @model_validator(mode="after")
    def _validate_distinct_columns(self) -> "SourceSpec":
        if len({self.time, self.target, self.id}) < 3:
            raise ValueError("time, target and id name the same column twice; each needs one of its own")
        return self

    @model_validator(mode="after")
    def _validate_columns_need_a_table(self) -> "SourceSpec":
        changed = {name for name in OF_TABLES if getattr(self, name) != type(self).model_fields[name].default}
        if self.is_packaged and changed:
            raise ValueError(f"{', '.join(OF_TABLES)} are for your own table: give path, or name: catalog")
        return self

    @model_validator(mode="after")
    def _validate_distinct_signs(self) -> "SourceSpec":
        if self.decimal is not None and self.decimal == self.thousands:
            raise ValueError("decimal and thousands are the same sign; each needs one of its own")
        return self

    @property
    def is_packaged(self) -> bool:
        """Return whether the series comes with the project."""
        return self.path is None and self.name != "catalog"

    @property
    def label(self) -> str:
        """The name of this source in messages and reports."""
        return make_line(self.path or self.name)

    @property
    def external_label(self) -> str:
        """The name of a table from the catalog in messages: its entry, which the user can change."""
        return "forecast_external"


def describe_found(found: Found) -> str:
    """Return the detected parameters as text, in the form in which users give them."""
    return ", ".join(f"{name}={value}" if value.isalnum() else f"{name}='{value}'" for name, value in found.items())
