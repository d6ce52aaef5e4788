"""Reading of series and covariates from any source, in one pass over the table."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import MissingColumnsError, SeriesError
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source import layout
from rnn_pipelines.forecast.source.specs import TARGET, Found, SourceSpec, describe_found
from rnn_pipelines.forecast.source.synthetic import GENERATORS
from rnn_pipelines.forecast.source.time_axis import (
    TimeAxis,
    check_midnights,
    place_on_axis,
    round_times,
)
from rnn_pipelines.forecast.source.time_parts import TIME_SIGN, join_times, lay_out_years
from rnn_pipelines.forecast.source.values import (
    check_wide_columns,
    join_months,
    join_values,
    limit_values,
    parse_columns,
    parse_keys,
    read_values,
)
from rnn_pipelines.reading.batch_table import External, load_table
from rnn_pipelines.reading.date_numbers import warn_of_times
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.divided_files import DIVIDED, find_survey, list_names, read_divided
from rnn_pipelines.reading.folders import list_files, read_tables
from rnn_pipelines.reading.survey import Survey
from rnn_pipelines.reading.table_files import (
    TableFiles,
    expand_home,
    list_columns,
    list_unread,
    require_columns,
)
from rnn_pipelines.reading.time_forms import COUNTS
from rnn_pipelines.reading.times import warn_of_centuries
from rnn_pipelines.reading.zones import find_zone

FILES = TableFiles(
    error=SeriesError,
    missing=MissingColumnsError,
    path="source.path",
    columns="source.time, source.target, source.id and covariates",
    csv_endings=(".csv", ".tsv", ".txt", ".gz", ".zip"),
    dialect="source",
    wide="source.wide=true",
)

logger = logging.getLogger(__name__)


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
    """Read or generate the series that `source` selects, and other columns of their rows, see `read_rows`.

    `external` is the table of the catalog entry `forecast_external`, read if `source.name` is `catalog`; `axis` the
    time axis of the result, None for that of the times. Raise a SeriesError if the file is missing or of another kind,
    a column is missing, or a cell is not a time or not a number.
    """
    if source.is_packaged:
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
        table.attrs |= {"found": {}, "label": source.label}
        return layout.number_rows(table), layout.number_rows(others[list(columns)])
    table = (
        external
        if isinstance(external, Survey) or source.path is not None
        else load_table(external)
    )
    try:
        return _read_own(source, columns, table, axis)
    except SeriesError as error:
        if source.path is not None and str(error).startswith(f"{source.label}:"):
            for file in list_files(
                expand_home(source.path)
            ):  # so that the error has the file and its row
                _read_own(source.model_copy(update={"path": str(file)}), columns, table, axis)
        raise


def _read_own(
    source: SourceSpec, columns: Sequence[str], external: External, axis: TimeAxis | None
) -> tuple[Source, pd.DataFrame]:
    freq = source.freq
    source, raw = _read_values(source, external, columns)
    source = restore_source(source, raw)
    all_columns = [*raw, *raw.attrs.get("unread", ())]
    months: dict[str, int] = {}
    years = (
        lay_out_years(raw, source.time)
        if source.is_wide and not source.series and not columns
        else None
    )
    if years is not None:
        raw, months = years
    check_wide_columns(raw, source, [*columns, *months])
    keys, found = parse_keys(raw, source, axis is not None)
    times = keys["ds"].rename(source.time)
    if axis is None:
        check_midnights(raw[source.time], source)
    if source.freq is None and not is_datetime64_any_dtype(times):
        _log_steps(times, source.label)
    warn_of_centuries(times, source.label, source.time_format or found.get("time_format", ""))
    values, found_marks = read_values(raw, source, columns)
    others = parse_columns(raw, columns, source)
    found = found | found_marks
    of_values = list(values) if source.is_wide else []
    unread = list_unread(all_columns, [*_list_keys(source), source.time, *of_values, *columns])
    table = join_months(keys, values, months) if months else join_values(keys, values, source)
    if not isinstance(external, Survey):
        source = source.model_copy(update={"freq": freq})
        table = limit_values(
            leave_survey(table), source, raw.attrs.get(DIVIDED, {}).get("sentinels")
        )
        # The offsets of all rows decide the zone, so that those of the survey stay among the times as read.
        table = round_times(
            place_on_axis(table, raw[source.time], _name_count(source, found), axis), source
        )
        # An offset from UTC that all times have is found, because another part of the table may have others.
        zone = table.attrs.get("zone", {})
        is_offset = (
            zone.get("is_carried")
            and zone["name"] is not None
            and find_zone(raw[source.time]) is None
        )
        found |= {"tz": zone["name"]} if is_offset else {}
    if found:
        logger.info("%s: read with %s", source.label, describe_found(found))
    names = {
        "time": source.time,
        "id": source.id,
        "series": [] if months else of_values,
        "unread": unread,
    }
    if months:
        names["time"] = f"{source.time} and {of_values[0]} to {of_values[-1]}"
    table.attrs |= {"found": found, "columns": names, "label": source.label}
    return table, others.reindex(table.index)


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


def read_frame(source: SourceSpec, wanted: Sequence[str] | None = None) -> pd.DataFrame:
    """Return all columns of a file, with its cells as they are; `wanted` ones, or its own, show the header."""
    known = _list_keys(source) if wanted is None else list(wanted)
    dialect = Dialect(source.sep, source.encoding, source.sheet)

    def read(names: list[str]) -> pd.DataFrame:
        return read_tables(Path(source.path or ""), names, FILES, dialect, None, has_all=True)

    try:
        return read(known)
    except MissingColumnsError:
        # A name with the sign can be that of one column.
        parts = [part for name in known for part in name.split(TIME_SIGN)]
        if parts == known:
            raise
        return read(parts)


def read_rows(
    source: SourceSpec,
    columns: Sequence[str],
    external: External = None,
    axis: TimeAxis | None = None,
) -> pd.DataFrame:
    """Read columns of a table without values of the series, see `read_table`: `unique_id, ds` and the columns.

    Columns of numbers with a decimal comma or signs between thousands are float64, and missing markers among numbers
    are NaN; other columns are unchanged.
    """
    table = (
        external
        if isinstance(external, Survey) or source.path is not None
        else load_table(external)
    )
    freq = source.freq
    raw = _read_columns(source, table, columns)
    source = restore_source(source, raw)
    keys, found = parse_keys(raw, source, axis is not None)
    others = parse_columns(raw, columns, source)
    if not isinstance(external, Survey):
        keys = place_on_axis(leave_survey(keys), raw[source.time], _name_count(source, found), axis)
        keys = round_times(keys, source.model_copy(update={"freq": freq}))
    keys.attrs["label"] = source.label
    return join_columns(keys, others.reindex(keys.index))


def _name_count(source: SourceSpec, found: Found) -> SourceSpec:
    """Return the source with the detected form of times if these are counts, which are in UTC or have no zone."""
    form = found.get("time_format")
    return source.model_copy(update={"time_format": form}) if form in COUNTS else source


def join_columns(table: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Return `unique_id, ds` of a table and the columns of the same rows."""
    joined = pd.concat([table[["unique_id", "ds"]], columns], axis=1)
    joined.attrs = {
        name: value for name, value in table.attrs.items() if name not in ("found", "columns")
    }
    return joined


def _read_values(
    source: SourceSpec, external: External, columns: Sequence[str]
) -> tuple[SourceSpec, pd.DataFrame]:
    """Return the table; without a named target and a column `y`, as a wide one, in which each column is a series."""
    try:
        wanted = source.series if source.is_wide else [source.target]
        return source, _read_columns(source, external, [*wanted, *columns])
    except MissingColumnsError as error:
        is_named = source.id is not None or source.target != TARGET or columns
        if source.is_wide or is_named or error.missing != [TARGET] or error.num_others == 0:
            raise
        wide = source.model_copy(update={"wide": True})
        raw = _read_columns(wide, external, ())
    logger.warning(
        "%s: no column '%s', so that each column of numbers is a series", source.label, TARGET
    )
    return wide, raw


def _read_columns(source: SourceSpec, external: External, columns: Sequence[str]) -> pd.DataFrame:
    """Return the columns for series and times, and others, with rows numbered from 1."""
    parts = source.time.split(TIME_SIGN)
    if len(parts) > 1 and not _has_whole_time(source, external):
        others = source.model_copy(update={"time": parts[0]})
        return join_times(_read_columns(others, external, [*parts[1:], *columns]), parts)
    wanted = [source.time, *columns, *([source.id] if source.id else [])]
    has_all = source.is_wide and not source.series
    label = source.external_label if source.path is None else source.label
    if source.path is not None or isinstance(external, Survey):
        # Numbers with other signs, and points in a file without commas, are ambiguous.
        numbers = columns if source.decimal is None and source.thousands is None else None
        path = None if source.path is None else expand_home(source.path)
        if isinstance(external, Survey):
            table = external.read(path, wanted, numbers, FILES)
        else:
            assert path is not None
            dialect = Dialect(source.sep, source.encoding, source.sheet)
            if (of_whole := find_survey(path)) is not None:
                table = read_divided(path, of_whole, wanted, numbers, FILES)
            else:
                table = layout.number_rows(
                    read_tables(path, wanted, FILES, dialect, numbers, has_all)
                )
        if DIVIDED in table.attrs:
            # Its rows were checked when it was divided.
            return layout.strip_times(table, source.time)
    elif isinstance(external, pd.DataFrame):
        given = external.rename(columns=str) if source.is_wide else external
        require_columns(wanted, list(given.columns), label, FILES)
        wanted = list_columns(wanted, given.columns, has_all)
        table = layout.leave_arrow(layout.number_rows(given[wanted]), label)
        if isinstance(table[source.time].dtype, pd.PeriodDtype):
            table = table.assign(**{source.time: table[source.time].dt.start_time})
        # Other attributes than those of `read_csv` are the user's.
        found = {
            name: value
            for name, value in external.attrs.items()
            if name == "found" and isinstance(value, dict)
        }
        table.attrs = {"unread": list_unread(map(str, external.columns), wanted), **found}
    else:
        raise SeriesError(
            "source.name is 'catalog', but the catalog entry forecast_external holds no table. "
            "Define it in conf/local/catalog_forecast.yml, or give source.path."
        )
    layout.check_cells(table, source.time, label)
    return layout.strip_times(layout.leave_rows(table, source), source.time)


def _has_whole_time(source: SourceSpec, external: External) -> bool:
    """Return whether the table of a query has a column for the whole time, whose name has a `TIME_SIGN`."""
    if isinstance(external, Survey):
        return source.time in external.roles.times
    if source.path is not None:
        survey = find_survey(expand_home(source.path))
        return survey is not None and source.time in list_names(survey)
    return isinstance(external, pd.DataFrame) and source.time in external


def restore_source(source: SourceSpec, raw: pd.DataFrame) -> SourceSpec:
    """Return the source of a part of a divided table as the user gave it; any other one unchanged.

    A frequency that a fit has found does not decide how times are written.
    """
    facts = raw.attrs.get(DIVIDED)
    if facts is None:
        return source
    freq = facts["freq"] if isinstance(source.freq, str) else source.freq
    return source.model_copy(update={"path": facts["path"], "name": facts["name"], "freq": freq})


def leave_survey(table: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of a part of a divided table without those of its survey, which have negative numbers."""
    return table[table.index > 0] if len(table) and table.index[0] < 0 else table
