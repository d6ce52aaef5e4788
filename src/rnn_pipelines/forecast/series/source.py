"""Reading of series from any source into one long table: `unique_id, ds, y[, signal]`."""

import codecs
import logging
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype
from pydantic import AfterValidator, Field, model_validator

from rnn_pipelines.errors import SeriesError, make_line, show
from rnn_pipelines.forecast.series.synthetic import GENERATORS
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.series.time_axis import TimeAxis, TimeZone, refuse_other_zone
from rnn_pipelines.networks.specs import Seed
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.date_numbers import find_date_form, log_steps
from rnn_pipelines.reading.dialect import SIGNS, Dialect
from rnn_pipelines.reading.numbers import (
    Marks,
    check_float32_range,
    parse_numbers,
    read_other_signs,
    read_plain_numbers,
)
from rnn_pipelines.reading.times import (
    ISO,
    MAX_STEP,
    parse_times,
    read_steps,
    read_times,
    take_time_format,
    warn_of_centuries,
)
from rnn_pipelines.reading.user_files import TableFiles, find_broken, read_columns, require_columns
from rnn_pipelines.reading.zones import find_zone, has_zone, place_in_zone, take_zone

# Missing markers in columns of numbers; in other columns, NA may be a country.
NO_VALUE = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "#N/A", "<NA>"]
# Missing markers if only one of these signs occurs in cells among numbers; several signs, such as + and -, are
# categories.
NO_VALUE_SIGNS = {"-", "\u2013", "\u2014", "?", "."}
# Words that are numbers in covariates, but not in the target.
FLAGS = {"true": 1.0, "yes": 1.0, "false": 0.0, "no": 0.0}

FILES = TableFiles(
    error=SeriesError,
    path="source.path",
    columns="source.time, source.target and source.id",
    csv_endings=(".csv", ".tsv", ".txt", ".gz", ".zip"),
    dialect="source",
)
# When covariates are read, the source's own columns are already found.
COVARIATE_FILES = FILES._replace(columns="covariates.future, past and static")

# Parameters that are detected from the file.
Found = dict[str, str]

logger = logging.getLogger(__name__)


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
        short_series: treatment of series of a panel that are too short: `error` ends the run; `drop`, the default,
            leaves out those without a window, and only forecasts the others.
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
    short_series: Literal["error", "drop"] | None = None
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


def read_source(source: SourceSpec, external: pd.DataFrame | None = None, axis: TimeAxis | None = None) -> Source:
    """Read or generate the series that `source` selects, in the order of its rows.

    Args:
        external: the table of the catalog entry `forecast_external`; used if `source.name` is `catalog`.
        axis: time axis of the result; None for that of the times.
    Raises:
        SeriesError: the file is missing or of another kind, a column is missing, or a cell is not a time or not a
            number.
    """
    if source.path is None and source.name in GENERATORS:
        table = GENERATORS[source.name](source.seed)
        table.insert(0, "unique_id", source.name)
        return _number_rows(table, source, {})
    if source.path is None and source.name == "seattle":
        return _read_seattle(source)
    table = _read_columns(source, external, [source.target], FILES)
    found: Found = table.attrs.get("found", {})
    ids = _parse_ids(table, source)
    times, found_form = _parse_times(table, source)
    if source.freq is None and not is_datetime64_any_dtype(times):
        log_steps(times.rename(source.time), source.label)
    warn_of_centuries(times.rename(source.time), source.label, source.time_format or found_form.get("time_format", ""))
    values, found_marks = parse_numbers(
        table[source.target],
        source.label,
        Marks(source.decimal, source.thousands),
        _is_comma_separated(source, table),
    )
    numbered = _number_rows(
        pd.DataFrame({"unique_id": ids, "ds": times, "y": values}), source, {**found, **found_form, **found_marks}
    )
    return _place_in_zone(numbered, table[source.time], source, axis)


def read_rows(
    source: SourceSpec, columns: list[str], external: pd.DataFrame | None = None, axis: TimeAxis | None = None
) -> pd.DataFrame:
    """Read other columns of the table that `source` selects, in the order of its rows.

    Args:
        source, external, axis: see `read_source`.
        columns: their names.
    Returns:
        `unique_id, ds` and the columns; see `read_other_signs` for numbers; missing markers among numbers are NaN.
    Raises:
        SeriesError: a column is missing, a sign stands among numbers, or as in `read_source`.
    """
    if source.is_packaged:
        table = read_source(source).drop(columns="y")
        if source.name == "seattle":
            table = pd.concat([table, _load_seattle().set_index(table.index)], axis=1)
        require_columns(columns, list(table.columns), source.name, FILES)
        return table[["unique_id", "ds", *columns]]
    table = _read_columns(source, external, columns, COVARIATE_FILES)
    marks, is_comma_separated = Marks(source.decimal, source.thousands), _is_comma_separated(source, table)
    cells = {name: _read_cells(table[name], source.label, marks, is_comma_separated) for name in columns}
    keys = {"unique_id": _parse_ids(table, source), "ds": _parse_times(table, source)[0]}
    numbered = _number_rows(pd.DataFrame(keys | cells), source, {})
    return _place_in_zone(numbered, table[source.time], source, axis)


def _read_cells(raw: pd.Series, label: str, marks: Marks, is_comma_separated: bool) -> pd.Series:
    """Return the column as numbers, with missing markers as NaN; unchanged if any cell is text."""
    if is_numeric_dtype(raw):
        check_float32_range(read_plain_numbers(raw), raw, label)
        return raw
    text = raw.astype(str).str.strip().where(raw.notna())
    is_sign = _find_no_value_signs(text)
    is_left_out = text.isin(NO_VALUE) | is_sign
    found = read_other_signs(raw.mask(is_left_out), label, marks, is_comma_separated)
    numbers = read_plain_numbers(found)
    check_float32_range(numbers, raw, label)
    words = text.mask(is_left_out).mask(text.str.lower().isin(FLAGS), "1")
    if numbers.isna().all() and read_plain_numbers(words).isna().all():
        return raw
    if is_sign.any():
        row = _first_row(is_sign)
        raise SeriesError(
            f"{label}: column '{raw.name}', row {row}: expected a number, as in the other cells, received "
            f"{show(str(raw.iloc[row - 1]))}. Correct the row, or leave its cell empty."
        )
    return found


def _find_no_value_signs(text: pd.Series) -> pd.Series:
    """Return which cells hold the only sign that stands for "no value"; none if there are several signs."""
    has_no_letter = text.str.fullmatch(r"[\W_]+").eq(True)
    return has_no_letter & (set(text[has_no_letter]) <= NO_VALUE_SIGNS) & (text[has_no_letter].nunique() == 1)


def _read_seattle(source: SourceSpec) -> pd.DataFrame:
    weather = _load_seattle()
    table = pd.DataFrame({"unique_id": "seattle", "ds": weather["date"], "y": weather["temp_max"]})
    return _number_rows(table, source, {})


def _load_seattle() -> pd.DataFrame:
    from vega_datasets import local_data

    return local_data.seattle_weather()


def _is_comma_separated(source: SourceSpec, table: pd.DataFrame) -> bool:
    """Return whether the table is a CSV file with commas; in others, a point in a text is ambiguous."""
    found = table.attrs.get("found")
    return found is not None and source.sep in (None, ",") and "sep" not in found


def _number_rows(table: pd.DataFrame, source: SourceSpec, found: Found) -> pd.DataFrame:
    numbered = table.set_index(pd.RangeIndex(1, len(table) + 1, name="row"))
    numbered.attrs["found"] = found
    if found:
        logger.info("%s: read with %s", source.label, describe_found(found))
    return numbered


def _place_in_zone(
    table: pd.DataFrame, raw: pd.Series, source: SourceSpec, axis: TimeAxis | None = None
) -> pd.DataFrame:
    """Return the table with times on an axis; `attrs` has their zone (`zone`) and the zone shown (`tz`)."""
    tz = source.tz or find_zone(raw)
    if not is_datetime64_any_dtype(table["ds"]):
        if tz is None:
            return table
        raise SeriesError(f"{source.label}: column '{source.time}' holds steps, which have no source.tz. Leave it out.")
    # One cell suffices, because all have the same form, see `parse_times`.
    is_zoned = raw.empty or has_zone(raw.iloc[:1], source.label, source.time_format or ISO)
    zone = TimeZone(name=tz or ("UTC" if is_zoned and len(raw) else None), is_carried=is_zoned and source.tz is None)
    placed, is_short = table, None
    if axis is not None:
        if len(raw):
            refuse_other_zone(zone, axis, f"{source.label}: column '{source.time}'", is_zoned)
        # Local times of another zone are converted through UTC.
        tz, is_short = axis.zone if is_zoned else tz, axis.is_utc
    if tz is not None:
        placed, is_utc = place_in_zone(table, is_zoned, tz, source.label, is_short)
        shown = tz if axis is None else axis.zone
        placed.attrs["tz"] = shown if is_utc else None
    placed.attrs["zone"] = zone.model_dump()
    return placed


def describe_found(found: Found) -> str:
    """Return the detected parameters as text, in the form in which users give them."""
    return ", ".join(f"{name}={value}" if value.isalnum() else f"{name}='{value}'" for name, value in found.items())


def _read_columns(
    source: SourceSpec, external: pd.DataFrame | None, columns: Sequence[str], files: TableFiles
) -> pd.DataFrame:
    wanted = [source.time, *columns, *([source.id] if source.id else [])]
    if source.path is None:
        if not isinstance(external, pd.DataFrame):
            raise SeriesError(
                "source.name is 'catalog', but the catalog entry forecast_external holds no table. "
                "Define it in conf/local/catalog_forecast.yml, or give source.path."
            )
        require_columns(wanted, list(external.columns), source.external_label, files)
        table = _leave_arrow(external[wanted].reset_index(drop=True))
        # Drop attributes of the user's table, because they are not detected here.
        table.attrs = {}
        return _strip_times(_check_lone_surrogates(table, source.external_label), source.time)
    dialect = Dialect(source.sep, source.encoding)
    table = read_columns(Path(source.path), wanted, files, {source.target: NO_VALUE}, dialect)
    return _strip_times(_check_lone_surrogates(table, source.label), source.time)


def _strip_times(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the table without blanks around the texts of its time column."""
    raw = table[name]
    if raw.dtype == object:
        return table.assign(**{name: raw.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)})
    return table.assign(**{name: raw.str.strip()}) if isinstance(raw.dtype, pd.StringDtype) else table


def _leave_arrow(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table with Arrow columns converted as from a Parquet file, because pandas supports these better."""
    held = [name for name in table if isinstance(table[name].dtype, pd.ArrowDtype)]
    if not held:
        return table
    import pyarrow

    return table.assign(**{name: pyarrow.array(table[name]).to_pandas() for name in held})


def _check_lone_surrogates(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the table; raise an error for lone surrogates, which cannot be written to a file."""
    broken = find_broken(table)
    if broken:
        name, row = broken
        raise SeriesError(
            f"{label}: column '{name}', row {row}: expected a text that UTF-8 can hold, received "
            f"{show(table[name].iloc[row - 1])}. Correct the row."
        )
    return table


def _parse_ids(table: pd.DataFrame, source: SourceSpec) -> pd.Series:
    if source.id is None:
        return pd.Series(source.target, index=table.index)
    ids = table[source.id].astype(str)
    if ids.str.contains("\0", regex=False).any():
        row = _first_row(ids.str.contains("\0", regex=False))
        # Some readers of the results end a text there, so that two series could have the same name.
        raise SeriesError(
            f"{source.label}: column '{source.id}', row {row}: expected a name without null characters, received "
            f"{show(ids.iloc[row - 1])}. Leave them out."
        )
    nameless = table[source.id].isna() | (ids.str.strip() == "")
    if nameless.any():
        raise SeriesError(
            f"{source.label}: column '{source.id}', row {_first_row(nameless)}: no series name. Name it, or leave out "
            "source.id where the file holds a single series."
        )
    return ids


def _parse_times(table: pd.DataFrame, source: SourceSpec) -> tuple[pd.Series, Found]:
    raw = table[source.time]
    if source.time_format is None and not isinstance(source.freq, str) and not is_datetime64_any_dtype(raw):
        steps = read_steps(raw)
        if steps is not None:
            form = find_date_form(steps, raw, source.label) if source.freq is None else None
            return (steps, {}) if form is None else (read_times(steps, form), {"time_format": form})
    return parse_times(raw, source.label, source.time_format)


def _first_row(mask: pd.Series) -> int:
    return int(mask.to_numpy().argmax()) + 1
