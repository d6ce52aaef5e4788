"""The log of the totals of each night, and their errors once all of their values are known."""

from collections.abc import Iterator
from typing import Annotated, Any

import pandas as pd

from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.forecast.evaluation.realised import (
    EvaluatedForecasts,
    RealisedAccuracy,
    check_same_kind_of_time,
    evaluate_records,
    measure_accuracy,
)
from rnn_pipelines.forecast.methods.predictions import (
    REASON,
    SUSPECT,
    ForecastLog,
    ForecastLogTable,
    fill_marks,
    keep_first_record,
)
from rnn_pipelines.forecast.model.artefact import FORECAST as Y_HAT
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.totals.adding import Totals, TotalsTable, list_groups, name_group
from rnn_pipelines.forecast.totals.groups import select_groups
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.storage.tables import Column

STEP = [ID, "ds"]


class TotalsLogTable(ForecastLogTable):
    """The totals of all nights, in the form of the log of forecasts.

    `unique_id` names the total and its group, such as `region × week: North`, and `horizon_step` counts the totals of a
    group. `cutoff` is the newest one of the series at the first step; the total is suspect if one of them is.
    """

    until = Column("moment")
    num_series = Column("int")
    num_steps = Column("int")


TotalsLog = Annotated[pd.DataFrame, TotalsLogTable]


class RealisedTotals(RealisedAccuracy):
    """Realised errors of one kind of total, as JSON; `error_percent` is of the mean total, None if that is 0."""

    total: str
    num_totals: int
    error_percent: float | None


def log_totals(
    totals: Totals, made: ForecastLog, groups: pd.DataFrame, spec: TotalsSpec
) -> TotalsLog:
    """Return the totals of a night as rows of the log; no rows if there are none.

    Args:
        made: the forecasts that are added up.
        groups: of their series, see `select_groups`.
    """
    if totals.empty:
        return TotalsLogTable.make_empty()
    bounds = {name: name.replace("-", "_") for name in totals if TotalsTable.is_in_family(name)}
    log = totals.rename(columns={FORECAST: Y_HAT, **bounds})
    log[ID] = list(map(name_group, log["total"], log["group"]))
    log["horizon_step"] = log.groupby(ID).cumcount() + 1
    for name in ("ds", "until"):
        # The log has the times of the series, in UTC, and no zone.
        if getattr(log[name].dtype, "tz", None) is not None:
            log[name] = log[name].dt.tz_convert(None)
    columns = ["cutoff", "model_version", "recorded_at", SUSPECT, REASON]
    steps = made[[*STEP, *columns]]
    members = [
        steps.assign(unique_id=steps[ID].map(names)).merge(log[STEP])
        for _, names in name_totals(groups, spec)
    ]
    at_first_step = pd.concat(members).groupby(STEP, as_index=False)[columns].max()
    joined = log.merge(at_first_step, on=STEP, validate="one_to_one")
    return joined[[*TotalsLogTable.columns, *bounds.values()]]


def name_totals(groups: pd.DataFrame, spec: TotalsSpec) -> Iterator[tuple[str, pd.Series]]:
    """Yield each kind of total, and the name that the log has for that of each series, by `unique_id`."""
    members = groups.assign(unique_id=groups.index)
    for total in spec.totals:
        names = [name_group(total.name, group) for group in list_groups(members, total.columns)]
        yield total.name, pd.Series(names, groups.index, dtype="str")


def join_total_actuals(
    log: TotalsLog, series: Series, champion: KnownChampion, names: pd.Series
) -> EvaluatedForecasts:
    """Return the past totals of one kind with the sums of their actuals, and without expected errors.

    A total is left out if it is suspect, if at one of its steps the number of series with an observed value is not that
    of the forecast, or if the model was trained on data after the cut-off; see `join_actuals`.

    Args:
        names: see `name_totals`.
    """
    check_same_kind_of_time(log, series)
    observed = series[series["observed"]]
    by_step = observed.assign(unique_id=observed[ID].map(names)).groupby(STEP)["y"]
    sums = by_step.agg(y="sum", num_series="size").reset_index()
    # The sums and their number, up to each step, over the steps with the same number of series.
    key = [ID, "num_series"]
    sums["added"] = sums.groupby(key)["y"].cumsum()
    sums["number"] = sums.groupby(key).cumcount()
    ends = sums.drop(columns="y").rename(columns={"ds": "until"})
    records = keep_first_record(log[~fill_marks(log)[SUSPECT]])
    joined = records.merge(sums, on=[*key, "ds"])
    joined = joined.merge(ends, on=[*key, "until"], suffixes=("", "_at_end"))
    is_complete = joined["number_at_end"] - joined["number"] + 1 == joined["num_steps"]
    actuals = joined["added_at_end"] - joined["added"] + joined["y"]
    versions = {
        version: {"trained_until": _find_newest(record.get("trained_until") or {}, names)}
        for version, record in champion["versions"].items()
    }
    return evaluate_records(joined.assign(y=actuals)[is_complete], versions)


def _find_newest(times: dict[str, Any], names: pd.Series) -> dict[str, Any]:
    """Return the newest of the times of the series of each total."""
    return dict(pd.Series(times, dtype=object).groupby(names).max())


def measure_totals(
    log: TotalsLog | None,
    series: Series,
    champion: KnownChampion,
    group_table: pd.DataFrame,
    spec: TotalsSpec,
) -> list[RealisedTotals]:
    """Return the realised errors of each kind of total that has some.

    Args:
        log: None without one.
        group_table: `unique_id` and the columns of the totals.
    """
    if log is None or log.empty or not spec.root:
        return []
    groups = select_groups(group_table, spec.columns, list(series[ID].unique()))
    measured: list[RealisedTotals] = []
    for total, names in name_totals(groups, spec):
        evaluated = join_total_actuals(log, series, champion, names)
        if evaluated.empty:
            continue
        error = (evaluated["y"] - evaluated[Y_HAT]).abs().mean()
        size = evaluated["y"].abs().mean()
        measured.append(
            RealisedTotals(
                total=total,
                num_totals=len(evaluated),
                error_percent=float(100 * error / size) if size else None,
                **measure_accuracy(evaluated),
            )
        )
    return measured
