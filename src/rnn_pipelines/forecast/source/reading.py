"""Reading of series and covariates from any source, in one pass over the table."""

import logging
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import NamedTuple, TypeVar

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import MissingColumnsError, SeriesError
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source import layout
from rnn_pipelines.forecast.source.readable import (
    FILES,
    SURVEY,
    External,
    FileTable,
    FrameTable,
    Readable,
)
from rnn_pipelines.forecast.source.specs import TARGET, Found, SourceSpec, describe_found
from rnn_pipelines.forecast.source.synthetic import GENERATORS
from rnn_pipelines.forecast.source.table_form import describe_form
from rnn_pipelines.forecast.source.time_axis import (
    TimeAxis,
    check_midnights,
    place_on_axis,
    round_times,
)
from rnn_pipelines.forecast.source.time_parts import TIME_SIGN, join_times, lay_out_years
from rnn_pipelines.forecast.source.values import (
    check_wide_columns,
    find_unavailable,
    join_months,
    join_values,
    limit_values,
    parse_columns,
    parse_keys,
    read_values,
)
from rnn_pipelines.reading.batch_table import BatchTable
from rnn_pipelines.reading.date_numbers import warn_of_times
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.folders import read_tables
from rnn_pipelines.reading.table_files import Selection, expand_home, list_unread, require_columns
from rnn_pipelines.reading.time_forms import COUNTS
from rnn_pipelines.reading.times import warn_of_centuries
from rnn_pipelines.reading.zones import find_zone

logger = logging.getLogger(__name__)


Result = TypeVar("Result")


class ParsedTable(NamedTuple):
    """The cells of a table as times and numbers.

    The times are as written; they are placed on an axis later.
    """

    source: SourceSpec  # as the user gave it, with `wide` if the table is so
    written: pd.Series  # the times as they are in the table
    rows: pd.DataFrame  # `unique_id, ds`, and `y` if values are read
    columns: pd.DataFrame  # other columns of the rows of the table
    found: Found
    # The columns of times, ids and series, and those that are not read, for messages.
    names: Mapping[str, object]


def read_source(
    source: SourceSpec, external: External = None, axis: TimeAxis | None = None
) -> Source:
    """Read the series without covariates, see `read_table`."""
    return read_table(source, (), external, axis)[0]


def read_table(
    source: SourceSpec,
    columns: Sequence[str],
    external: External = None,
    axis: TimeAxis | None = None,
) -> tuple[Source, pd.DataFrame]:
    """Read or generate the series that `source` selects, and other columns of their rows, see `read_covariate_rows`.

    `external` is the table of the catalog entry `forecast_external`, read if `source.name` is `catalog`; `axis` the
    time axis of the result, None for that of the times. Raise a SeriesError if the file is missing or of another kind,
    a column is missing, or a cell is not a time or not a number.
    """
    if source.is_packaged:
        return _read_packaged(source, columns)
    table = open_table(source, external)
    return _name_file(partial(_read_own, columns=columns, axis=axis), source, table)


def open_table(source: SourceSpec, external: External) -> Readable:
    """Return the table that `source` names; `external` is that of the catalog entry, if it has no path."""
    if source.path is not None:
        path = expand_home(source.path)
        if any((folder / SURVEY).is_file() for folder in path.parents[:2]):
            # Exported forecasters read no divided tables, and do without pyarrow.
            from rnn_pipelines.forecast.source.divided import find_divided

            return find_divided(path) or FileTable(path, source)
        return FileTable(path, source)
    if isinstance(external, BatchTable):
        external = external.read()
    if not isinstance(external, pd.DataFrame):
        raise SeriesError(
            "source.name is 'catalog', but the catalog entry forecast_external holds no table. "
            "Define it in conf/local/catalog_forecast.yml, or give source.path."
        )
    return FrameTable(external, source)


def _read_packaged(source: SourceSpec, columns: Sequence[str]) -> tuple[Source, pd.DataFrame]:
    if source.name in GENERATORS:
        table = others = GENERATORS[source.name](source.seed)
        table.insert(0, "unique_id", source.name)
    else:
        from vega_datasets import local_data

        others = local_data.seattle_weather()
        table = pd.DataFrame(
            {"unique_id": "seattle", "ds": others["date"], "y": others["temp_max"]}
        )
    require_columns(list(columns), list(others), source.name, FILES)
    table.attrs.update(found={}, label=source.label)
    return layout.number_rows(table), layout.number_rows(others[list(columns)])


def _name_file(
    read: Callable[[SourceSpec, Readable], Result], source: SourceSpec, table: Readable
) -> Result:
    """Return the result of `read`; its SeriesError has the file of a folder, and the row in it."""
    try:
        return read(source, table)
    except SeriesError as error:
        if str(error).startswith(f"{source.label}:"):
            for file, part in table.list_files().items():
                read(source.model_copy(update={"path": str(file)}), part)
        raise


def _read_own(
    source: SourceSpec, table: Readable, columns: Sequence[str], axis: TimeAxis | None
) -> tuple[Source, pd.DataFrame]:
    parsed = _parse_table(source, table, columns, has_axis=axis is not None)
    label = parsed.source.label
    limited = limit_values(table.drop_survey(parsed.rows), parsed.source, table.sentinels)
    rows = _place(limited, parsed, axis, source.freq)
    found = parsed.found
    # An offset from UTC that all times have is found, because another part of the table may have others.
    zone = rows.attrs.get("zone", {})
    if zone.get("is_carried") and zone["name"] is not None and find_zone(parsed.written) is None:
        found = {**found, "tz": zone["name"]}
    _log_found(found, label)
    # A table of years has its months in the header.
    written = parsed.written if parsed.names["time"] == source.time else None
    form = describe_form(parsed.source, found, written).model_dump()
    rows.attrs.update(found=found, columns=parsed.names, form=form, label=label)
    return rows, parsed.columns.reindex(rows.index)


def read_covariate_rows(
    source: SourceSpec,
    columns: Sequence[str],
    external: External = None,
    axis: TimeAxis | None = None,
) -> pd.DataFrame:
    """Read columns of a table without values of the series, see `read_table`: `unique_id, ds` and the columns.

    Columns of numbers with a decimal comma or signs between thousands are float64, and missing markers among numbers
    are NaN; other columns are unchanged.
    """
    table = open_table(source, external)
    parsed = _parse_rows(source, table, columns, has_axis=axis is not None)
    rows = _place(table.drop_survey(parsed.rows), parsed, axis, source.freq)
    rows.attrs["label"] = parsed.source.label
    return join_columns(rows, parsed.columns.reindex(rows.index))


def read_survey(
    source: SourceSpec, columns: Sequence[str], table: Readable, has_values: bool
) -> pd.DataFrame:
    """Read the rows of a survey as those of its table; `unique_id, ds`, and `y` if it has values.

    The offsets of all rows decide the zone, so that the times stay as written. Raises as `read_table`.
    """
    if not has_values:
        return _parse_rows(source, table, columns).rows
    parsed = _name_file(partial(_parse_table, columns=columns), source, table)
    _log_found(parsed.found, parsed.source.label)
    return parsed.rows


def _parse_table(
    source: SourceSpec, table: Readable, columns: Sequence[str], has_axis: bool = False
) -> ParsedTable:
    if source.unavailable is not None and source.is_wide:
        raise SeriesError(
            f"{source.label}: source.unavailable is for a table with a row for each series and time, because a column "
            "of a wide table is one of all series. Leave it out, or write such a table."
        )
    source, raw = _read_values(source, table, add_unavailable(source, columns))
    source = table.restore_source(source)
    all_columns = [*raw, *raw.attrs.get("unread", ())]
    months: dict[str, int] = {}
    if source.is_wide and not source.series and not columns:
        years = lay_out_years(raw, source.time)
        if years is not None:
            raw, months = years
    check_wide_columns(raw, source, [*columns, *months])
    keys, found = parse_keys(raw, source, has_axis)
    times = keys["ds"].rename(source.time)
    if not has_axis:
        check_midnights(raw[source.time], source)
    if source.freq is None and not is_datetime64_any_dtype(times):
        _log_steps(times, source.label)
    warn_of_centuries(times, source.label, source.time_format or found.get("time_format", ""))
    values, found_marks = read_values(raw, source, columns, is_reported=table.is_checked)
    others = parse_columns(raw, columns, source)
    series = list(values) if source.is_wide else []
    names = {
        "time": source.time,
        "id": source.id,
        "series": [] if months else series,
        "unread": list_unread(
            all_columns,
            [*_list_keys(source), source.time, *series, *add_unavailable(source, columns)],
        ),
    }
    if months:
        names["time"] = f"{source.time} and {series[0]} to {series[-1]}"
        rows = join_months(keys, values, months)
    else:
        rows = join_values(keys, values, source)
    if source.unavailable is not None:
        rows = rows.assign(unavailable=find_unavailable(raw, source))
    return ParsedTable(source, raw[source.time], rows, others, {**found, **found_marks}, names)


def add_unavailable(source: SourceSpec, columns: Sequence[str]) -> list[str]:
    """Return columns of covariates and that of `source.unavailable`, which may be one of them."""
    names = columns if source.unavailable is None else [*columns, source.unavailable]
    return list(dict.fromkeys(names))


def _parse_rows(
    source: SourceSpec, table: Readable, columns: Sequence[str], has_axis: bool = False
) -> ParsedTable:
    raw = _read_columns(source, table, columns)
    source = table.restore_source(source)
    keys, found = parse_keys(raw, source, has_axis)
    others = parse_columns(raw, columns, source)
    return ParsedTable(source, raw[source.time], keys, others, found, {})


def _place(
    rows: pd.DataFrame, parsed: ParsedTable, axis: TimeAxis | None, freq: int | str | None
) -> pd.DataFrame:
    """Return rows with their times on an axis, rounded if no frequency is given and only rounded ones are regular."""
    source = parsed.source
    form = parsed.found.get("time_format")
    if form in COUNTS:
        # These are in UTC or have no zone.
        source = source.model_copy(update={"time_format": form})
    return round_times(place_on_axis(rows, parsed.written, source, axis), source.label, freq)


def _log_found(found: Found, label: str) -> None:
    if found:
        logger.info("%s: read with %s", label, describe_found(found))


def _log_steps(steps: pd.Series, label: str) -> None:
    logger.info(
        "%s: column '%s' is read as steps from %d to %d, without a calendar",
        label,
        steps.name,
        steps.min(),
        steps.max(),
    )
    warn_of_times(steps, label)


def _list_keys(source: SourceSpec) -> list[str]:
    """Return the columns of times, values and names of the series."""
    target = [] if source.is_wide else [source.target]
    name = [source.id] if source.id else []
    return [*source.time.split(TIME_SIGN), *target, *name]


def read_file(source: SourceSpec, wanted: Sequence[str] | None = None) -> pd.DataFrame:
    """Return all columns of a file, with its cells as they are; `wanted` ones, or its own, show the header."""
    known = _list_keys(source) if wanted is None else list(wanted)
    dialect = Dialect(source.sep, source.encoding, source.sheet)

    def read(names: list[str]) -> pd.DataFrame:
        selection = Selection(names, numbers=None, has_all=True)
        return read_tables(Path(source.path or ""), selection, FILES, dialect)

    try:
        return read(known)
    except MissingColumnsError:
        # A name with the sign can be that of one column.
        parts = [part for name in known for part in name.split(TIME_SIGN)]
        if parts == known:
            raise
        return read(parts)


def join_columns(table: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Return `unique_id, ds` of a table and the columns of the same rows."""
    joined = pd.concat([table[["unique_id", "ds"]], columns], axis=1)
    joined.attrs = {
        name: value
        for name, value in table.attrs.items()
        if name not in ("found", "columns", "form")
    }
    return joined


def _read_values(
    source: SourceSpec, table: Readable, columns: Sequence[str]
) -> tuple[SourceSpec, pd.DataFrame]:
    """Return the table; without a named target and a column `y`, as a wide one, in which each column is a series."""
    try:
        wanted = source.series if source.is_wide else [source.target]
        return source, _read_columns(source, table, [*wanted, *columns])
    except MissingColumnsError as error:
        is_named = source.id is not None or source.target != TARGET or columns
        if source.is_wide or is_named or error.missing != [TARGET] or error.num_others == 0:
            raise
        wide = source.model_copy(update={"wide": True})
        raw = _read_columns(wide, table, ())
    logger.warning(
        "%s: no column '%s', so that each column of numbers is a series", source.label, TARGET
    )
    return wide, raw


def _read_columns(source: SourceSpec, table: Readable, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns for series and times, and others, with the numbers of their rows."""
    parts = source.time.split(TIME_SIGN)
    if len(parts) > 1 and not table.has_column(source.time):
        first = source.model_copy(update={"time": parts[0]})
        return join_times(_read_columns(first, table, [*parts[1:], *columns]), parts)
    wanted = [source.time, *columns, *([source.id] if source.id else [])]
    # Numbers with other signs, and points in a file without commas, are ambiguous.
    numbers = columns if source.decimal is None and source.thousands is None else None
    has_all = source.is_wide and not source.series
    cells = table.read(Selection(wanted, numbers, has_all))
    if not table.is_checked:
        label = source.external_label if source.path is None else source.label
        times = cells[source.time]
        if isinstance(times.dtype, pd.PeriodDtype):
            cells = cells.assign(**{source.time: times.dt.start_time})
        layout.check_texts(cells, source.time, label)
        cells = layout.leave_rows(cells, source)
    return layout.strip_times(cells, source.time)
