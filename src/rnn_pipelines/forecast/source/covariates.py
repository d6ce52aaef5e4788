"""Covariates of the series: other columns of their table, and holidays."""

from collections.abc import Callable, Collection, Mapping, Sequence
from typing import Annotated

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, is_numeric_dtype
from pydantic import AfterValidator, BeforeValidator, model_validator

from rnn_pipelines.errors import SeriesError, count, show, show_all
from rnn_pipelines.forecast.series.columns import AHEAD, CONSTANT, ROLES, Role, count_steps_ahead
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.readable import External
from rnn_pipelines.forecast.source.reading import join_columns, read_covariate_rows, read_table
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_axis import TimeAxis, find_axis
from rnn_pipelines.forecast.times.grid import count_steps_between, find_step_times
from rnn_pipelines.forecast.times.holidays import check_country, refuse_bare_no
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.reading.as_of import parse_first
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.report.numbers import list_some

KEY = ["unique_id", "ds"]
NAMES_IN_MESSAGE = 5


# Columns, also as a text such as `price+promo`, as on a command line.
Columns = Annotated[
    tuple[str, ...],
    BeforeValidator(lambda value: tuple(value.split("+")) if isinstance(value, str) else value),
]


class CovariateSpec(ParameterModel, frozen=True):
    """The covariates that forecasts read.

    Each list of columns may be one text, joined by `+`.

    Attributes:
        future: columns whose values are known over the whole horizon, such as prices and promotions.
        past: columns that are observed like the series, and unknown in the future.
        static: columns that are the same in all rows of a series.
        holidays: country, or country and part (`DE`, `DE-BY`), whose public holidays are future covariates.
        path: a table with more values of `future`; its time and id columns have the same names.
    """

    future: Columns = ()
    past: Columns = ()
    static: Columns = ()
    holidays: (
        Annotated[str, BeforeValidator(refuse_bare_no), AfterValidator(check_country)] | None
    ) = None
    path: str | None = None

    @model_validator(mode="after")
    def _validate_distinct_columns(self) -> "CovariateSpec":
        if len(set(self.columns)) < len(self.columns):
            raise ValueError(
                "future, past and static name a column twice; each column is of one kind"
            )
        if self.path is not None and not self.list_columns(AHEAD):
            raise ValueError("path is for values of future columns: name them in future")
        return self

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that forecasts read."""
        return self.list_columns(ROLES)

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns to read from the table."""
        return self.columns

    @property
    def by_role(self) -> dict[Role, tuple[str, ...]]:
        """The columns of each role."""
        return {role: getattr(self, role) for role in type(self).model_fields if role in ROLES}

    def list_columns(self, roles: Collection[Role]) -> tuple[str, ...]:
        """Return the columns of some roles."""
        return tuple(
            name for role, names in self.by_role.items() if role in roles for name in names
        )


NO_COVARIATES = CovariateSpec()


class GroupedCovariateSpec(CovariateSpec, frozen=True):
    """Covariates, and columns whose values are groups of series, which no forecast reads."""

    groups: Columns

    @property
    def all_columns(self) -> tuple[str, ...]:
        """The columns to read from the table."""
        return tuple(dict.fromkeys([*self.columns, *self.groups]))


def add_groups(covariates: CovariateSpec, groups: Sequence[str]) -> GroupedCovariateSpec:
    """Return the covariates with columns of groups to read."""
    return GroupedCovariateSpec(**covariates.model_dump(), groups=tuple(groups))


def read_series(
    source: SourceSpec,
    covariates: CovariateSpec,
    external: External = None,
    axis: TimeAxis | None = None,
) -> tuple[Source, pd.DataFrame]:
    """Read the series and their covariates, see `read_table`.

    Return the series; and `unique_id, ds` and the covariates of all rows, also of rows without a value of the series,
    with the rows of `covariates.path`. No covariates give no rows. Raise a SeriesError if a column of covariates has
    another role, or a time is repeated.
    """
    static = covariates.list_columns(CONSTANT)
    groups = [name for name in covariates.all_columns if name not in covariates.columns]
    if source.is_wide and groups:
        raise SeriesError(
            f"totals: a wide table has no columns of groups, received {show_all(groups)}. Give a table with a row for "
            "each series and time."
        )
    if source.is_wide and static:
        raise SeriesError(
            f"covariates.static: expected none, because the covariates of a wide table are those of all its series, "
            f"received {show_all(static)}. Give a table with a row for each series and time."
        )
    of_values = source.series if source.is_wide else (source.target, source.id)
    taken = list(
        dict.fromkeys(name for name in (source.time, *of_values, *KEY) if name is not None)
    )
    if source.id in groups:
        raise SeriesError(
            f"totals: {show(source.id)} names the series. Write series for the totals of each series."
        )
    wrong = [name for name in covariates.all_columns if name in taken]
    if wrong:
        raise SeriesError(
            f"covariates: expected columns other than {show_all(taken)}, which hold series, time and value, received "
            f"{show_all(wrong)}. Leave them out, or rename them."
        )
    table, columns = read_table(source, covariates.all_columns, external, axis)
    table = _leave_out_earlier(table, source)
    if not covariates.all_columns:
        return table, pd.DataFrame({"unique_id": [], "ds": []})
    covariate_table = _leave_out_repeated(join_columns(table, columns))
    if covariates.path is not None:
        others = source.model_copy(update={"path": covariates.path, "sheet": None})
        more = read_future(covariate_table, others, covariates.list_columns(AHEAD))
        covariate_table = join_rows(covariate_table, more)
    return table, covariate_table


def _leave_out_earlier(table: Source, source: SourceSpec) -> Source:
    """Return the rows from `source.from` on; a SeriesError if it is no such time, or no row is left."""
    if source.first_time is None:
        return table
    first = parse_bound("source.from", source.first_time, table, parse_first)
    kept = table[table["ds"] >= first]
    if kept.empty:
        raise SeriesError(
            f"{source.label}: source.from is {show(source.first_time)}, and the last row is of "
            f"{format_time(table['ds'].max())}. Give an earlier one."
        )
    return kept


def parse_bound(
    name: str,
    bound: int | str,
    table: Source,
    parse: Callable[[int | str, pd.Series, str | None], pd.Timestamp | int],
) -> pd.Timestamp | int:
    """Return a first or last time as those of a table are; raise a SeriesError with the parameter if it is none."""
    try:
        return parse(bound, table["ds"], table.attrs.get("tz"))
    except ValueError as error:
        first = format_time(table["ds"].iloc[0])
        message = (
            f"{name}: expected a time like those of the series ({first}), received {show(bound)}."
        )
        raise SeriesError(message) from error


def read_future(
    covariate_table: pd.DataFrame,
    source: SourceSpec,
    columns: Sequence[str],
    external: External = None,
) -> pd.DataFrame:
    """Read more values of future covariates, `unique_id, ds` and the columns, for `join_rows`; see `read_table`.

    Raise a SeriesError if a column is missing, a time is repeated, or the times and those of the series differ in kind
    or zone.
    """
    is_wide = source.is_wide
    names = covariate_table["unique_id"].unique()
    # If the series has steps, numbers are steps too, even if they may be dates.
    has_times = is_datetime64_any_dtype(covariate_table["ds"]) or covariate_table.empty
    freq = source.freq if has_times else source.freq or 1
    source = source.model_copy(update={"freq": freq, "wide": False, "series": ()})
    more = _leave_out_repeated(
        read_covariate_rows(source, columns, external, find_axis(covariate_table))
    )
    if is_wide:
        # Covariates of a wide table are those of all its series.
        more = pd.concat([more.assign(unique_id=name) for name in names])
    ds = covariate_table["ds"]
    others = more["ds"]
    kinds = ["times" if is_datetime64_any_dtype(column) else "steps" for column in (ds, others)]
    if len(ds) and len(others) and kinds[0] != kinds[1]:
        raise SeriesError(
            f"{more.attrs['label']}: column '{source.time}': expected {kinds[0]} like those of the series "
            f"({format_time(ds.iloc[0])}), received {kinds[1]} ({format_time(others.iloc[0])}). Write them alike."
        )
    return more


def join_rows(table: pd.DataFrame, more: pd.DataFrame) -> pd.DataFrame:
    """Return the rows of both tables; values of `more` replace those of the same time."""
    joined = more.set_index(KEY).combine_first(table.set_index(KEY)).reset_index()
    joined.attrs |= table.attrs
    return joined[list(table)]


def _leave_out_repeated(table: pd.DataFrame) -> pd.DataFrame:
    """Return the table without rows that repeat others; raise a SeriesError for a time with other values."""
    # Most tables hold one series after another, in the order of time, which this test finds faster than a search.
    numbers = pd.factorize(table["unique_id"])[0]
    ds = table["ds"].to_numpy()
    if ((numbers[1:] > numbers[:-1]) | ((numbers[1:] == numbers[:-1]) & (ds[1:] > ds[:-1]))).all():
        return table
    table = table.drop_duplicates()
    repeated = table[table.duplicated(KEY)]
    if len(repeated):
        first = repeated.iloc[0]
        raise SeriesError(
            f"{table.attrs['label']}: row {repeated.index[0]}: series {show(first['unique_id'])} has "
            f"{format_time(first['ds'])} a second time. Keep one row for each time."
        )
    return table


def check_covariate_columns(table: pd.DataFrame | None, columns: tuple[str, ...]) -> None:
    """Raise a SeriesError with the missing names if the table lacks covariates of a forecaster."""
    missing = [name for name in columns if table is None or name not in table]
    if missing:
        raise SeriesError(
            f"the forecaster reads the covariates {show_all(columns)}, and the data lacks {show_all(missing)}. Add "
            "these columns, or train a forecaster without them."
        )


def check_future_covariates(
    table: pd.DataFrame,
    covariate_table: pd.DataFrame,
    by_role: Mapping[Role, tuple[str, ...]],
    horizon: int,
    freq: int | str,
) -> None:
    """Raise a SeriesError, before a file is saved, if future covariates lack values over the horizon.

    The series are as read, or repaired. One whose last value is not on a step is skipped.
    """
    tz = covariate_table.attrs.get("tz")
    ends = _find_ends(table, freq)
    for role in AHEAD:
        names = by_role.get(role, ())
        num_steps = count_steps_ahead(role, horizon)
        if not names:
            continue
        steps = _list_horizon(ends, num_steps, freq)
        some = [
            f"{show(name)} lacks {len(times)} of {num_steps} steps, the first at {format_time(times.iloc[0], tz)}"
            for name, times in find_lacking(steps, covariate_table).groupby(
                "unique_id", sort=False
            )["ds"]
        ]
        if some:
            raise SeriesError(
                f"covariates {show_all(names)} are missing over the horizon, in {len(some)} of {len(ends)} series: "
                f"{list_some(some, NAMES_IN_MESSAGE)}. Add a row at each step of '{freq}' after the last value of the "
                "series, with these columns and without a value, or name a table of them with covariates.path."
            )
        cells = steps.merge(covariate_table[[*KEY, *names]], on=KEY, how="left")
        check_future_values(cells, find_empty(cells[list(names)]), tz)


def _find_ends(table: pd.DataFrame, freq: int | str) -> pd.Series:
    """Return the last time with a value, by series, without series whose last value is not on a step."""
    spans = table[table["y"].notna()].groupby("unique_id", sort=False)["ds"].agg(["min", "max"])
    _, is_on_step = count_steps_between(spans["min"].to_numpy(), spans["max"].to_numpy(), freq)
    return spans["max"][is_on_step]


def _list_horizon(ends: pd.Series, horizon: int, freq: int | str) -> pd.DataFrame:
    """Return `unique_id, ds` of the steps after each end."""
    names = np.repeat(ends.index, horizon)
    times = np.repeat(ends.to_numpy(), horizon)
    steps = np.tile(np.arange(1, horizon + 1), len(ends))
    return pd.DataFrame(
        {"unique_id": names, "ds": find_step_times(times, steps, freq).astype(times.dtype)}
    )


def find_lacking(keys: pd.DataFrame, others: pd.DataFrame) -> pd.DataFrame:
    """Return the rows, by `unique_id, ds`, that another table lacks."""
    found = keys.merge(others[KEY], on=KEY, how="left", indicator="origin")
    return found[found["origin"] == "left_only"]


def list_all_steps(table: pd.DataFrame, horizon: int, freq: int | str) -> pd.DataFrame:
    """Return `unique_id, ds` of all steps of repaired series, and of the horizon after them."""
    return pd.concat(
        [table[KEY], _list_horizon(_find_ends(table, freq), horizon, freq)], ignore_index=True
    )


def find_empty(cells: pd.DataFrame) -> pd.DataFrame:
    """Return whether cells are missing or blank: bool[row, column]."""
    blank = {
        name: cells[name].astype(str).str.strip() == ""
        for name in cells
        if not is_numeric_dtype(cells[name])
    }
    return cells.isna() | pd.DataFrame(blank, index=cells.index).reindex(
        columns=cells.columns, fill_value=False
    )


def check_future_values(
    keys: pd.DataFrame, is_missing: pd.DataFrame, tz: str | None = None
) -> None:
    """Raise a SeriesError with columns, series and times if future covariates have missing values.

    `keys` are `unique_id, ds`, and `is_missing` is bool[row, column], for the same rows; UTC times are shown in zone
    `tz`.
    """
    found = [
        f"{show(name)} of {parts}"
        for name in is_missing.columns[is_missing.any()]
        for parts in list_times(keys[is_missing[name].to_numpy()], tz)
    ]
    if found:
        raise SeriesError(
            f"future covariates lack values: {list_some(found, NAMES_IN_MESSAGE)}. Fill them in, because they are "
            "not imputed."
        )


def list_times(rows: pd.DataFrame, tz: str | None) -> list[str]:
    """Describe the rows of each series: one time, or the number of times with the first and the last."""
    parts = []
    for name, times in rows.groupby("unique_id", sort=False)["ds"]:
        span = format_time(times.iloc[0], tz)
        if len(times) > 1:
            span = f"{count(len(times), 'time')} from {span} to {format_time(times.iloc[-1], tz)}"
        parts.append(f"series {show(name)} at {span}")
    return parts
