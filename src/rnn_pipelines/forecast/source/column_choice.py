"""The choice of the columns of times, values and series that the user did not name, and their description."""

import logging
from collections.abc import Collection, Sequence
from itertools import combinations

import numpy as np
import pandas as pd
from pandas.api.types import is_numeric_dtype

from rnn_pipelines.errors import SeriesError, count, show, show_all
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.layout import check_header
from rnn_pipelines.forecast.source.reading import read_file
from rnn_pipelines.forecast.source.specs import TARGET, SourceSpec
from rnn_pipelines.forecast.source.table_form import TIME
from rnn_pipelines.forecast.source.time_kinds import TIME_KINDS, find_time_kind, has_time_name
from rnn_pipelines.forecast.source.time_parts import (
    TIME_SIGN,
    find_part,
    find_time_parts,
    join_times,
    lay_out_years,
    name_part,
)
from rnn_pipelines.forecast.source.values import find_time_names, holds_numbers, make_turned_error
from rnn_pipelines.forecast.times.frequency import name_steps
from rnn_pipelines.reading.times import read_steps

logger = logging.getLogger(__name__)

# A table with more columns of numbers is likely a wide one.
_MAX_MEASURES = 7
# The fraction of rows that repeat a time if a table holds several series.
_MIN_REPEATED = 0.1
# Most cells of which a column is searched for digits.
_MAX_CELLS = 1_000


def choose_columns(
    table: pd.DataFrame, source: SourceSpec, given: Collection[str], others: Sequence[str]
) -> SourceSpec:
    """Return the source with the columns that are not given, or raise an error that names the candidates.

    The times are the column whose cells are dates. Whole numbers are times only if no column holds dates, and if they
    are equally spaced in ascending order. Of several such columns, the one named after a time is chosen. If its times
    are repeated, columns of months, hours and other parts of a time complete them, as in Year+Month. `given` are
    the names of the fields of `source` that the user gave, `others` columns of covariates. If no column or several can
    be the times, the values or the series, raise a SeriesError that names them.
    """
    table = table.loc[:, ~table.columns.duplicated()]
    if source.unavailable is not None:
        table = table.drop(columns=source.unavailable, errors="ignore")
    check_header(table, source.label)
    if TIME_SIGN in source.time and set(source.time.split(TIME_SIGN)) <= {*map(str, table)}:
        table = join_times(table, source.time.split(TIME_SIGN))
    taken = {
        *others,
        *(getattr(source, name) for name in given if name in ("time", "target", "id")),
    }
    free = [str(name) for name in table if name not in taken]
    if source.id is None and ID in free and not source.is_wide:
        source = source.model_copy(update={"id": ID})
        free.remove(ID)
    if "time" not in given:
        source = source.model_copy(update={"time": _choose_time(table, source, free)})
    if (
        "target" not in given
        and source.id is None
        and source.time in table
        and lay_out_years(table, source.time)
    ):
        return source.model_copy(update={"wide": True})
    source, table = _complete_time(table, source, is_given="time" in given)
    free = [name for name in free if name in table and name != source.time]
    free = [
        name
        for name in free
        if find_part(table[name]) is None and not _are_row_numbers(table[name])
    ] or free
    free = [name for name in free if holds_numbers(table[name], "^[^a-zA-Z]*[0-9]", _MAX_CELLS)]
    if "target" not in given and not source.is_wide:
        free = [name for name in free if name == TARGET or find_time_kind(table[name]) != "dates"]
        source = source.model_copy(update={"target": _choose_target(table, source, free)})
    if not source.is_wide and source.id is None:
        _check_single(table, source)
    return source


def choose_file_columns(
    source: SourceSpec, given: Collection[str], others: Sequence[str]
) -> SourceSpec:
    """Return the source of a file with the columns that are not given; see `choose_columns`."""
    if {"time", "target"} <= set(given):
        return source
    named = [getattr(source, name) for name in ("time", "target", "id") if name in given]
    table = read_file(source, [name for name in named if name])
    return choose_columns(table, source, given, others)


def _check_single(table: pd.DataFrame, source: SourceSpec) -> None:
    """Raise a SeriesError with the columns that name the series if times are repeated."""
    names = _find_ids(table, source, [*map(str, table)])
    if names:
        raise SeriesError(
            f"{source.label}: column '{source.time}' has times that are repeated, so that the table holds several "
            f"series. Name their column with source.id={names[0]}"
            + (f", or one of {show_all(names[1:])}." if names[1:] else ".")
        )
    candidates = _find_ids(table, source, [*map(str, table)], are_pairs=True)[:_MAX_MEASURES]
    for one, other in combinations(candidates, 2):
        num_series = len(table[[one, other]].drop_duplicates())
        # Values have as many pairs as rows.
        is_panel = num_series <= 2 * table[source.time].value_counts().max()
        if is_panel and not table.duplicated([source.time, one, other]).any():
            raise SeriesError(
                f"{source.label}: column '{source.time}' has times that are repeated, and {show_all([one, other])} "
                "name the series together. Write both into one column. In pandas: table.assign(series="
                f"table['{one}'].astype(str) + ' ' + table['{other}'].astype(str)).to_csv('joined.csv', index=False). "
                "Read joined.csv with source.id=series."
            )


def _complete_time(
    table: pd.DataFrame, source: SourceSpec, is_given: bool
) -> tuple[SourceSpec, pd.DataFrame]:
    """Return the source and the table with a time from several columns, if that of one column is repeated."""
    keys = [source.time, *([source.id] if source.id else [])]
    if not set(keys) <= {*map(str, table)} or not table.duplicated(keys).any():
        return source, table
    parts = find_time_parts(table.drop(columns=keys[1:]), source.time)
    ids = [] if source.id is not None else _find_ids(table, source, ())
    if not parts or any(not is_numeric_dtype(table[name]) for name in ids):
        return source, table
    joined = join_times(table, parts)
    keys[0] = TIME_SIGN.join(parts)
    if joined.duplicated(keys).any() and (
        ids or joined[keys[0]].nunique() == table[source.time].nunique()
    ):
        return source, table
    if is_given:
        raise SeriesError(
            f"{source.label}: column '{source.time}' has times that are repeated, which "
            f"{show_all(parts[1:])} complete. Give source.time={keys[0]}."
        )
    return source.model_copy(update={"time": keys[0]}), joined


def _choose_time(table: pd.DataFrame, source: SourceSpec, free: Sequence[str]) -> str:
    if TIME in free:
        return TIME
    if "y" not in free and (
        turned := next((name for name in free if lay_out_years(table, name)), None)
    ):
        return turned
    ids = None if source.id is None else table.get(source.id)
    kinds = {name: find_time_kind(table[name], ids) for name in free}
    named = [name for name in free if has_time_name(name)]
    for kind in TIME_KINDS:
        found = [name for name in free if kinds[name] == kind]
        chosen = found if len(found) == 1 else [name for name in found if name in named]
        if kind != "dates":
            names = find_time_names(free)
            if names:
                others = [name for name in free if name not in names]
                # The first one, which names the series, is the one without repeated or missing names.
                others.sort(
                    key=lambda name: (
                        not table[name].is_unique or table[name].isin(["", np.nan]).any()
                    )
                )
                raise make_turned_error(source.label, names, others)
        unread = [name for name in named if kinds[name] is None and kind == "steps"]
        if len(unread) == 1 and not set(found) & set(named):
            # Row numbers are not the times beside a column of times that has a mistake.
            return unread[0]
        if len(chosen) == 1:
            return chosen[0]
        if found:
            raise SeriesError(
                f"{source.label}: which column has the times? Name one of {show_all(chosen or found)} in source.time."
            )
    # The cells of a column that is named after a time show what is wrong with them.
    if len(named) == 1:
        return named[0]
    raise SeriesError(
        f"{source.label}: no column holds dates, or whole numbers that are equally spaced in ascending order. Name one "
        f"of {show_all(named or free)} in source.time, or add a column of times."
    )


def _choose_target(table: pd.DataFrame, source: SourceSpec, free: Sequence[str]) -> str:
    if TARGET in free or len(free) == 1:
        return TARGET if TARGET in free else free[0]
    if not free:
        advice = (
            "Give source.sep=space if blanks separate the cells."
            if table.shape[1] == 1
            else "Add one."
        )
        raise SeriesError(
            f"{source.label}: no column of numbers beside the times in {show(source.time)}. {advice}"
        )
    advice = f"Name one of {show_all(free)} in source.target."
    names = [] if source.id is not None else _find_ids(table, source, free)
    if names:
        advice += f" The times are repeated: name the column of the series in source.id, such as {show(names[0])}."
    elif source.id is None and len(free) > _MAX_MEASURES:
        advice = f"The table looks wide: add source.wide=true if each column is a series. Otherwise, n{advice[1:]}"
    elif source.id is None:
        advice += " If each column is a series, add source.wide=true."
    raise SeriesError(
        f"{source.label}: which column has the values? {advice} The times are read from {show(source.time)}; name "
        "another column in source.time, and that of several series in source.id."
    )


def _find_ids(
    table: pd.DataFrame, source: SourceSpec, names: Sequence[str], are_pairs: bool = False
) -> list[str]:
    """Return the columns that divide rows with repeated times into series, those of texts first.

    As pairs, these are columns that may do so together with another one.
    """
    if source.time not in table or table[source.time].duplicated().mean() < _MIN_REPEATED:
        return []
    taken = {source.time, source.target}
    others = [str(name) for name in table if name not in taken and not _is_part(table[name])]
    fitting = [
        name
        for name in dict.fromkeys([*names, *others])
        if name in others and table[name].nunique() < len(table) / 2
    ]
    if not are_pairs:
        filled = table[table[source.time].notna()]
        fitting = [name for name in fitting if not filled.duplicated([source.time, name]).any()]
    return sorted(fitting, key=lambda name: (is_numeric_dtype(table[name]), table[name].nunique()))


def _are_row_numbers(cells: pd.Series) -> bool:
    numbers = read_steps(cells.dropna())
    return (
        numbers is not None
        and numbers.iloc[0] in (0, 1)
        and bool((numbers.diff().iloc[1:] == 1).all())
    )


def _is_part(cells: pd.Series) -> bool:
    """Return whether a column holds months, hours or other parts of a time, which name no series."""
    return name_part(str(cells.name)) is not None or find_part(cells) is not None


def log_columns(profile: Profile) -> None:
    """Log how the columns of a table are read: the console shows the lines of this module's logger."""
    if described := describe_columns(profile):
        logger.info("%s: %s", profile["source"], described)


def describe_columns(profile: Profile) -> str:
    """Return the line that names the columns of a table; empty for packaged series."""
    columns = profile.get("columns", {})
    if not columns:
        return ""
    series = columns["series"]
    found = [f"times from {show(columns['time'])} ({name_steps(profile['freq'])})"]
    if series:
        found.append(f"a series in each of {count(len(series), 'column')}: {show_all(series)}")
    else:
        found.append(f"values from {show(profile['target'])}")
    if columns["id"] is not None:
        found.append(f"series by {show(columns['id'])}")
    if columns["unread"]:
        found.append(f"not read: {', '.join(map(show, columns['unread']))}")
    return ", ".join(found)
