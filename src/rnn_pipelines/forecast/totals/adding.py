"""Sums of forecasts and of sample paths over groups of series and calendar periods.

First the steps of each group are summed over its series, then the steps of each period. So the sums of parts of a panel
can be added in between.
"""

import logging
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd

from rnn_pipelines.errors import ParameterError, count, show
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.times.offsets import add_steps
from rnn_pipelines.forecast.totals.specs import ALL, CROSS, HORIZON, PERIODS, Total, TotalsSpec
from rnn_pipelines.storage.tables import Column, Table

logger = logging.getLogger(__name__)

# Sample paths of each series, if the user does not ask for another number.
NUM_PATHS = 500
# Of the sums over series.
KEY = ["columns", "group", "ds"]


class TotalsTable(Table):
    """The totals of forecasts, and the bounds of their intervals, such as `lo-80, hi-80`.

    `total` is the name in `TotalsSpec`, `group` that of the series in it. The steps are those from `ds` to `until`;
    `is_whole` is False if the period has more steps than were forecast. `num_series` is the number of series.
    """

    key = ("total", "group", "ds")
    families = dict.fromkeys(("lo-", "hi-"), Column("float", can_be_empty=True))
    total = Column("text")
    group = Column("text")
    ds = Column("moment")
    until = Column("moment")
    num_series = Column("int")
    num_steps = Column("int")
    is_whole = Column("bool")
    forecast = Column("float", can_be_empty=True)


Totals = Annotated[pd.DataFrame, TotalsTable]


@dataclass(frozen=True)
class Question:
    """The totals to compute: the `levels` of their intervals in percent, and the frequency of the steps."""

    spec: TotalsSpec
    levels: Sequence[int]
    freq: int | str


@dataclass(frozen=True)
class PartialTotals:
    """The totals of some series of a panel, which can be added to those of others.

    Attributes:
        sums: over the series of each group: `columns, group, ds`; `num_series` with a forecast of this step, and
            `num_begun`, whose first step it is; `forecast`, and the sample paths by their number.
        of_series: totals of single series, which are complete.
    """

    sums: pd.DataFrame
    of_series: Totals


def add_forecasts(
    steps: pd.DataFrame,
    paths: Iterable[np.ndarray],
    groups: pd.DataFrame,
    question: Question,
) -> PartialTotals:
    """Return the totals of some series.

    Args:
        steps: `unique_id, ds, forecast`, of one series after another.
        paths: float64[series, path, step] of some series after others, in the same order; none for no intervals.
        groups: see `select_groups`.
    Raises:
        ParameterError: a period is shorter than a step, or the steps have no calendar.
    """
    chunks = _sum_chunks(steps, paths, groups, question.spec)
    return join_totals(_finish_series(sums, question) for sums in chunks)


def _finish_series(sums: pd.DataFrame, question: Question) -> PartialTotals:
    single = {CROSS.join(total.columns) for total in question.spec.totals if ID in total.columns}
    is_single = sums["columns"].isin(single)
    return PartialTotals(sums[~is_single], sum_periods(sums[is_single], question))


def join_totals(parts: Iterable[PartialTotals]) -> PartialTotals:
    """Return the totals of all series of some parts."""
    sums = pd.DataFrame()
    of_series = [TotalsTable.make_empty()]
    for part in parts:
        joined = pd.concat([sums, part.sums], ignore_index=True)
        sums = joined.groupby(KEY, sort=False).sum().reset_index()
        of_series.append(part.of_series)
    return PartialTotals(sums, _join(of_series))


def finish_totals(partial: PartialTotals, question: Question) -> Totals:
    """Return the totals in the order of the question, from those of all parts of a panel."""
    joined = _join([sum_periods(partial.sums, question), partial.of_series])
    order = joined["total"].map({name: place for place, name in enumerate(question.spec.root)})
    ordered = joined.iloc[np.argsort(order, kind="stable")].reset_index(drop=True)
    return TotalsTable.validate(ordered)


def _join(tables: Sequence[Totals]) -> Totals:
    return pd.concat([table for table in tables if len(table)] or tables[:1], ignore_index=True)


def _sum_chunks(
    steps: pd.DataFrame, paths: Iterable[np.ndarray], groups: pd.DataFrame, spec: TotalsSpec
) -> Iterator[pd.DataFrame]:
    """Yield the sums of some series after others, see `PartialTotals`."""
    kinds = list(dict.fromkeys(total.columns for total in spec.totals))
    is_first = ~steps[ID].duplicated()
    table = steps[["ds", FORECAST]].assign(num_series=1, num_begun=is_first.astype(int))
    members = groups.assign(unique_id=groups.index).reindex(steps[ID])
    first = 0
    for some in paths:
        stop = first + len(some) * some.shape[2]
        rows = table.iloc[first:stop].reset_index(drop=True)
        values = some.transpose(0, 2, 1).reshape(len(rows), -1)
        # A series without an interval has the same value in all paths.
        values = np.where(np.isnan(values), rows[[FORECAST]].to_numpy(), values)
        rows = pd.concat([rows, pd.DataFrame(values).add_prefix("path_")], axis=1)
        yield _sum_groups(rows, members.iloc[first:stop], kinds)
        first = stop
    if not first:
        yield _sum_groups(table, members, kinds)


def _sum_groups(
    rows: pd.DataFrame, members: pd.DataFrame, kinds: Sequence[Sequence[str]]
) -> pd.DataFrame:
    """Return the sums of each step over the series of each group, for all kinds of groups."""
    tables = []
    for columns in kinds:
        groups = list_groups(members, columns)
        summed = rows.assign(group=groups).groupby(["group", "ds"], sort=False).sum()
        tables.append(summed.reset_index().assign(columns=CROSS.join(columns)))
    return pd.concat(tables, ignore_index=True)


def list_groups(members: pd.DataFrame, columns: Sequence[str]) -> list[str]:
    """Return the group of each row by the values of some columns; without columns, all rows are one group."""
    if not columns:
        return [ALL] * len(members)
    return [CROSS.join(values) for values in members[list(columns)].to_numpy()]


def name_group(total: str, group: str) -> str:
    """Return the name of a group of a total, such as `region × week: North`."""
    return total if group == ALL else f"{total}: {group}"


def sum_periods(sums: pd.DataFrame, question: Question) -> Totals:
    """Return the totals over the steps of each period, with intervals from the paths.

    The steps are those at which most series of a group have a forecast, because some series may end earlier than
    others. The sums are those of `PartialTotals`.

    Raises:
        ParameterError: a period is shorter than a step, or the steps have no calendar.
    """
    tables = [TotalsTable.make_empty()]
    for total in question.spec.totals:
        of_groups = sums[sums["columns"] == CROSS.join(total.columns)] if len(sums) else sums
        if of_groups.empty:
            continue
        largest = of_groups.groupby("group")["num_series"].transform("max")
        _report_left_out(total, of_groups)
        common = of_groups[of_groups["num_series"] == largest].sort_values(["group", "ds"])
        tables.append(_sum_steps(total, common, question))
    return _join(tables)


def _report_left_out(total: Total, sums: pd.DataFrame) -> None:
    by_group = sums.groupby("group")
    num_left_out = int((by_group["num_begun"].sum() - by_group["num_series"].max()).sum())
    if num_left_out:
        logger.warning(
            "totals: %s of %s end so much earlier than the others that their forecasts do not meet: they are left out; "
            "a longer horizon includes them",
            count(num_left_out, "series", "series"),
            show(total.name),
        )


def _sum_steps(total: Total, sums: pd.DataFrame, question: Question) -> Totals:
    """Return the totals of the steps in each period, from rows that are sorted by group and time."""
    period = find_periods(sums["ds"], total.period, question.freq)
    by_period = sums.groupby([sums["group"].to_numpy(), period], sort=False)
    starts = by_period["ds"].min().reset_index(drop=True)
    ends = by_period["ds"].max().reset_index(drop=True)
    added = by_period[
        [name for name in sums if name not in (*KEY, "num_begun", "num_series")]
    ].sum()
    paths = added.drop(columns=FORECAST).to_numpy()
    forecast = added[FORECAST].to_numpy()
    table = pd.DataFrame(
        {
            "total": total.name,
            "group": [group for group, _ in added.index],
            "ds": starts,
            "until": ends,
            "num_series": by_period["num_series"].max().to_numpy(),
            "num_steps": by_period.size().to_numpy(),
            "is_whole": _are_whole(starts, ends, total.period, question.freq),
            FORECAST: forecast,
        }
    ).astype({"total": "str", "group": "str"})
    for level in question.levels if paths.shape[1] else ():
        tail = (1 - level / 100) / 2
        low, high = np.quantile(paths, [tail, 1 - tail], axis=1)
        # The mean of skewed paths may lie outside a narrow interval.
        table[f"lo-{level}"] = np.minimum(low, forecast)
        table[f"hi-{level}"] = np.maximum(high, forecast)
    return table


def find_periods(times: pd.Series, period: str | None, freq: int | str) -> np.ndarray:
    """Return the number of the period of each time; without a period, each time has one of its own.

    Raises:
        ParameterError: a period is shorter than a step, or the steps have no calendar.
    """
    if period is None:
        return np.asarray(pd.factorize(times)[0])
    if period == HORIZON:
        return np.zeros(len(times), int)
    if not isinstance(freq, str):
        raise ParameterError(
            f"totals: {period} needs times of a calendar, and the series have numbered steps. Write {HORIZON}."
        )
    numbers = _number_periods(times, period)
    steps = np.diff(np.unique(numbers))
    if len(steps) and steps.min() > 1:
        raise ParameterError(
            f"totals: a {period} is shorter than a step, {freq}. Name a longer period."
        )
    return numbers


def _number_periods(times: pd.Series, period: str) -> np.ndarray:
    return np.asarray(times.dt.tz_localize(None).dt.to_period(PERIODS[period]).astype("int64"))


def _are_whole(
    starts: pd.Series, ends: pd.Series, period: str | None, freq: int | str
) -> np.ndarray:
    """Return whether the steps before and after those of a period are in other periods."""
    if period in (None, HORIZON):
        return np.ones(len(starts), bool)
    local = starts.dt.tz_localize(None), ends.dt.tz_localize(None)
    # Several groups have the same times.
    before, after = (
        times.map({time: add_steps(time, number, freq) for time in times.unique()})
        for times, number in zip(local, (-1, 1), strict=True)
    )
    number = _number_periods(starts, str(period))
    return (_number_periods(before, str(period)) < number) & (
        _number_periods(after, str(period)) > number
    )
