"""Reading of series and covariates from any source, in one pass over the table."""

import logging
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import MissingColumnsError, SeriesError, show, show_all
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.layout import TIME_SIGN, join_times, leave_rows
from rnn_pipelines.forecast.source.rounding import round_times
from rnn_pipelines.forecast.source.specs import TARGET, Found, SourceSpec, describe_found
from rnn_pipelines.forecast.source.synthetic import GENERATORS
from rnn_pipelines.forecast.source.time_axis import TimeAxis, check_midnights, place_on_axis
from rnn_pipelines.forecast.source.values import (
    check_wide_columns,
    join_values,
    limit_values,
    parse_columns,
    read_values,
)
from rnn_pipelines.reading.batch_table import External, load_table
from rnn_pipelines.reading.date_numbers import find_date_form, warn_of_times
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.divided_files import DIVIDED, find_survey, list_names, read_divided
from rnn_pipelines.reading.folders import list_files, read_tables
from rnn_pipelines.reading.survey import Survey
from rnn_pipelines.reading.table_files import (
    ROW,
    TableFiles,
    expand_home,
    list_columns,
    list_unread,
    name_row,
    require_columns,
)
from rnn_pipelines.reading.times import parse_times, read_steps, read_times, warn_of_centuries
from rnn_pipelines.reading.user_files import find_broken
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


def read_source(source: SourceSpec, external: External = None, axis: TimeAxis | None = None) -> Source:
    """Read the series without covariates, see `read_table`."""
    return read_table(source, (), external, axis)[0]


def read_table(
    source: SourceSpec, columns: Sequence[str], external: External = None, axis: TimeAxis | None = None
) -> tuple[Source, pd.DataFrame]:
    """Read or generate the series that `source` selects, and other columns of their rows.

    Args:
        columns: their names.
        external: the table of the catalog entry `forecast_external`; read if `source.name` is `catalog`.
        axis: time axis of the result; None for that of the times.
    Returns:
        The series in the order of the rows; and the columns of the same rows, see `read_rows`.
    Raises:
        SeriesError: the file is missing or of another kind, a column is missing, a cell is not a time or not a number,
            or a sign stands among the numbers of another column.
    """
    if source.is_packaged:
        return _read_packaged(source, columns)
    table = external if isinstance(external, Survey) or source.path is not None else load_table(external)
    try:
        return _read_own(source, columns, table, axis)
    except SeriesError as error:
        if source.path is not None and str(error).startswith(f"{source.label}:"):
            for file in list_files(expand_home(source.path)):  # so that the error has the file and its row
                _read_own(source.model_copy(update={"path": str(file)}), columns, table, axis)
        raise


def _read_own(
    source: SourceSpec, columns: Sequence[str], external: External, axis: TimeAxis | None
) -> tuple[Source, pd.DataFrame]:
    freq = source.freq
    source, raw = _read_values(source, external, columns)
    source = restore_source(source, raw)
    check_wide_columns(raw, source, columns)
    keys, found = _parse_keys(raw, source)
    times = keys["ds"].rename(source.time)
    if axis is None:
        check_midnights(raw[source.time], source)
    if source.freq is None and not is_datetime64_any_dtype(times):
        ends = times.min(), times.max()
        logger.info(
            "%s: column '%s' is read as steps from %d to %d, without a calendar", source.label, source.time, *ends
        )
        warn_of_times(times, source.label)
    warn_of_centuries(times, source.label, source.time_format or found.get("time_format", ""))
    values, found_marks = read_values(raw, source, columns)
    others, found = parse_columns(raw, columns, source), found | found_marks
    of_values = list(values) if source.is_wide else []
    unread = list_unread([*raw, *raw.attrs.get("unread", ())], [*_list_keys(source), source.time, *of_values, *columns])
    table = join_values(keys, values, source)
    if not isinstance(external, Survey):
        table = _place_rows(table, raw, source.model_copy(update={"freq": freq}), axis)
        found |= _find_offset(table, raw[source.time])
    if found:
        logger.info("%s: read with %s", source.label, describe_found(found))
    names = {"time": source.time, "id": source.id, "series": of_values, "unread": unread}
    table.attrs |= {"found": found, "columns": names, "label": source.label}
    return table, others.reindex(table.index)


def _place_rows(table: pd.DataFrame, raw: pd.DataFrame, source: SourceSpec, axis: TimeAxis | None) -> pd.DataFrame:
    """Return the rows within the limits of their values, with times on the axis, without those of a survey."""
    table = limit_values(leave_survey(table), source, raw.attrs.get(DIVIDED, {}).get("sentinels"))
    # The offsets of all rows decide the zone, so that those of the survey stay among the times as read.
    return round_times(place_on_axis(table, raw[source.time], source, axis), source)


def _find_offset(table: pd.DataFrame, raw: pd.Series) -> Found:
    """Return the offset from UTC that all times have, because another part of the table may have others."""
    zone = table.attrs.get("zone", {})
    is_offset = zone.get("is_carried") and zone["name"] is not None and find_zone(raw) is None
    return {"tz": zone["name"]} if is_offset else {}


def _list_keys(source: SourceSpec) -> list[str]:
    """Return the columns of times, values and names of the series."""
    target, name = [] if source.is_wide else [source.target], [source.id] if source.id else []
    return [*source.time.split(TIME_SIGN), *target, *name]


def read_frame(source: SourceSpec, wanted: Sequence[str] | None = None) -> pd.DataFrame:
    """Return all columns of a file, with its cells as they are.

    Args:
        source: of the file.
        wanted: known columns, which help to find the header; None for those of the source.
    """
    known = _list_keys(source) if wanted is None else list(wanted)
    dialect = Dialect(source.sep, source.encoding, source.sheet)
    return read_tables(Path(source.path or ""), known, FILES, dialect, None, has_all=True)


def read_rows(
    source: SourceSpec, columns: Sequence[str], external: External = None, axis: TimeAxis | None = None
) -> pd.DataFrame:
    """Read columns of a table without values of the series.

    Args:
        source, columns, external, axis: see `read_table`.
    Returns:
        `unique_id, ds` and the columns. Columns of numbers with a decimal comma or signs between thousands are float64,
        and missing markers among numbers are NaN; other columns are unchanged.
    Raises:
        SeriesError: see `read_table`.
    """
    table = external if isinstance(external, Survey) or source.path is not None else load_table(external)
    freq, raw = source.freq, _read_columns(source, table, columns)
    source = restore_source(source, raw)
    keys, others = _parse_keys(raw, source)[0], parse_columns(raw, columns, source)
    if not isinstance(external, Survey):
        keys = place_on_axis(leave_survey(keys), raw[source.time], source, axis)
        keys = round_times(keys, source.model_copy(update={"freq": freq}))
    keys.attrs["label"] = source.label
    return join_columns(keys, others.reindex(keys.index))


def join_columns(table: pd.DataFrame, columns: pd.DataFrame) -> pd.DataFrame:
    """Return `unique_id, ds` of a table and the columns of the same rows."""
    joined = pd.concat([table[["unique_id", "ds"]], columns], axis=1)
    joined.attrs = {name: value for name, value in table.attrs.items() if name not in ("found", "columns")}
    return joined


def _read_packaged(source: SourceSpec, columns: Sequence[str]) -> tuple[Source, pd.DataFrame]:
    if source.name in GENERATORS:
        table = others = GENERATORS[source.name](source.seed)
        table.insert(0, "unique_id", source.name)
    else:
        from vega_datasets import local_data

        others = local_data.seattle_weather()
        table = pd.DataFrame({"unique_id": "seattle", "ds": others["date"], "y": others["temp_max"]})
    require_columns(list(columns), list(others), source.name, FILES)
    table.attrs |= {"found": {}, "label": source.label}
    return _number_rows(table), _number_rows(others[list(columns)])


def _read_values(source: SourceSpec, external: External, columns: Sequence[str]) -> tuple[SourceSpec, pd.DataFrame]:
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
    logger.warning("%s: no column '%s', so that each column of numbers is a series", source.label, TARGET)
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
        table = _read_files(source, wanted, numbers, external if isinstance(external, Survey) else None, has_all)
        if DIVIDED in table.attrs:
            # Its rows were checked when it was divided.
            return _strip_times(table, source.time)
    elif isinstance(external, pd.DataFrame):
        given = external.rename(columns=str) if source.is_wide else external
        require_columns(wanted, list(given.columns), label, FILES)
        wanted = list_columns(wanted, given.columns, has_all)
        table = _start_periods(_leave_arrow(_number_rows(given[wanted]), label), source.time)
        # Other attributes than those of `read_csv` are the user's.
        found = {name: value for name, value in external.attrs.items() if name == "found" and isinstance(value, dict)}
        table.attrs = {"unread": list_unread(map(str, external.columns), wanted), **found}
    else:
        raise SeriesError(
            "source.name is 'catalog', but the catalog entry forecast_external holds no table. "
            "Define it in conf/local/catalog_forecast.yml, or give source.path."
        )
    _check_lone_surrogates(table, label)
    return _strip_times(leave_rows(table, source), source.time)


def _has_whole_time(source: SourceSpec, external: External) -> bool:
    """Return whether the table of a query has a column for the whole time, whose name has a `TIME_SIGN`."""
    if isinstance(external, Survey):
        return source.time in external.roles.times
    if source.path is not None:
        survey = find_survey(expand_home(source.path))
        return survey is not None and source.time in list_names(survey)
    return isinstance(external, pd.DataFrame) and source.time in external


def _read_files(
    source: SourceSpec, wanted: list[str], numbers: Sequence[str] | None, survey: Survey | None, has_all: bool
) -> pd.DataFrame:
    """Return columns of a table in files, of its survey, or of a part of a divided one."""
    path = None if source.path is None else expand_home(source.path)
    if survey is not None or path is None:
        assert survey is not None
        return survey.read(path, wanted, numbers, FILES)
    of_whole = find_survey(path)
    if of_whole is not None:
        return read_divided(path, of_whole, wanted, numbers, FILES)
    dialect = Dialect(source.sep, source.encoding, source.sheet)
    return _number_rows(read_tables(path, wanted, FILES, dialect, numbers, has_all))


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


def _number_rows(table: pd.DataFrame) -> pd.DataFrame:
    return table.set_axis(pd.RangeIndex(1, len(table) + 1, name=ROW))


def _strip_times(table: pd.DataFrame, name: str) -> pd.DataFrame:
    """Return the table without blanks around the texts of its time column."""
    raw = table[name]
    if raw.dtype == object:
        return table.assign(**{name: raw.map(lambda cell: cell.strip() if isinstance(cell, str) else cell)})
    return table.assign(**{name: raw.str.strip()}) if isinstance(raw.dtype, pd.StringDtype) else table


def _leave_arrow(table: pd.DataFrame, label: str) -> pd.DataFrame:
    """Return the table with Arrow columns converted as from a Parquet file, because pandas supports these better."""
    held = [name for name in table if isinstance(table[name].dtype, pd.ArrowDtype)]
    if not held:
        return table
    import pyarrow

    try:
        return table.assign(**{name: pyarrow.array(table[name]).to_pandas().set_axis(table.index) for name in held})
    except pyarrow.ArrowException as error:
        raise SeriesError(f"{label}: columns {show_all(held)} do not become columns of pandas: {error}") from error


def _start_periods(table: pd.DataFrame, time: str) -> pd.DataFrame:
    """Return the table with periods, such as quarters of pandas, as their first moments."""
    raw = table[time]
    return table.assign(**{time: raw.dt.start_time}) if isinstance(raw.dtype, pd.PeriodDtype) else table


def _check_lone_surrogates(table: pd.DataFrame, label: str) -> None:
    """Raise a SeriesError for lone surrogates, which cannot be written to a file."""
    broken = find_broken(table)
    if broken:
        name, row, cell = broken
        raise SeriesError(
            f"{label}: column '{name}', row {name_row(table[name], row - 1)}: expected a text that UTF-8 can hold, "
            f"received {show(cell)}. Correct the row."
        )


def _parse_keys(raw: pd.DataFrame, source: SourceSpec) -> tuple[pd.DataFrame, Found]:
    """Return `unique_id, ds` of each row, and the detected dialect and form of times."""
    times, found_form = _parse_times(raw[source.time], source)
    keys = pd.DataFrame({"unique_id": _parse_ids(raw, source), "ds": times})
    return keys, {**raw.attrs.get("found", {}), **found_form}


def _parse_ids(raw: pd.DataFrame, source: SourceSpec) -> pd.Series:
    if source.id is None:
        return pd.Series(source.target, index=raw.index)
    ids = raw[source.id].astype(str)
    # Check each name once, because a panel repeats them in many rows.
    places, names = pd.factorize(ids, use_na_sentinel=False)
    has_null = pd.Series(names).str.contains("\0", regex=False).to_numpy(bool)[places]
    if has_null.any():
        place = int(has_null.argmax())
        # Some readers of the results end a text there, so that two series could have the same name.
        raise SeriesError(
            f"{source.label}: column '{source.id}', row {name_row(ids, place)}: expected a name without null "
            f"characters, received {show(ids.iloc[place])}. Leave them out."
        )
    is_nameless = raw[source.id].isna() | (pd.Series(names).str.strip() == "").to_numpy(bool)[places]
    if is_nameless.any():
        row = name_row(ids, int(is_nameless.argmax()))
        raise SeriesError(
            f"{source.label}: column '{source.id}', row {row}: no series name. Name it, or leave "
            "out source.id if the file holds a single series."
        )
    return ids


def _parse_times(raw: pd.Series, source: SourceSpec) -> tuple[pd.Series, Found]:
    if source.time_format is None and not isinstance(source.freq, str) and not is_datetime64_any_dtype(raw):
        steps = read_steps(raw)
        if steps is not None:
            form = find_date_form(steps, raw, source.label) if source.freq is None else None
            return (steps, {}) if form is None else (read_times(steps, form), {"time_format": form})
    return parse_times(raw, source.label, source.time_format)
