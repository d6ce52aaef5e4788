"""The errors of totals on the test part, by the way in which they are forecast."""

import logging
from collections.abc import Callable
from functools import cache, partial
from typing import Annotated

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.series.tables import Cutoffs
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.times.offsets import add_steps
from rnn_pipelines.forecast.totals.adding import find_periods
from rnn_pipelines.forecast.totals.reconciling import (
    Forecasting,
    Hierarchy,
    ReconcileSpec,
    fit_own,
    reconcile_series,
)
from rnn_pipelines.forecast.totals.specs import (
    CROSS,
    HORIZON,
    PERIODS,
    SERIES,
    Total,
    TotalsSpec,
)
from rnn_pipelines.reading.zones import show_local
from rnn_pipelines.storage.tables import Column, Table

logger = logging.getLogger(__name__)

# About so many origins in the test part.
NUM_ORIGINS = 6
# Sample paths of each series, and the tails outside their intervals.
NUM_PATHS, TAILS = 200, (0.1, 0.9)
SUMS, OWN, RECONCILED = "bottom_up", "own", "reconciled"
ACTUAL, INSIDE = "y", "inside"
# The periods whose totals have forecasts of their own.
CALENDAR = [name for name in PERIODS if name != HORIZON]


class MetricsByTotalTable(Table):
    """The errors of the series and of each kind of total, from several origins in the test part.

    `method` is `bottom_up` for sums of the series' forecasts, `own` for forecasts that are made on the past of the
    totals, and `reconciled` for sums after both are reconciled. `wape` is the sum of absolute errors over that of
    absolute actual values, and `coverage_80` the share of actual totals inside the intervals of joint sample paths.
    """

    key = ("level", "method")
    level = Column("text")
    method = Column("text")
    num_forecasts = Column("int")
    wape = Column("float", can_be_empty=True)
    coverage_80 = Column("float", can_be_empty=True)


MetricsByTotal = Annotated[pd.DataFrame, MetricsByTotalTable]


def measure_levels(
    leaves: Forecasting,
    hierarchy: Hierarchy,
    totals: TotalsSpec,
    cutoffs: Cutoffs,
    reconcile: ReconcileSpec,
) -> MetricsByTotal:
    """Measure the series and their totals from several origins; no rows if the test part is shorter than the horizon.

    Args:
        leaves: the forecasts of the series by a model that has not learnt the test part, with its intervals.
    """
    of_series = cutoffs.set_index(ID).loc[hierarchy.values.columns]
    num_test = int((of_series["num_steps"] - of_series["validation_stop"]).min())
    tables = [MetricsByTotalTable.make_empty()]
    if num_test >= hierarchy.axis["horizon"]:
        own = hierarchy.fit(num_test, is_evaluated=True)
        forecast = cache(partial(forecast_origin, leaves, own, hierarchy, reconcile.method))
        for level in dict.fromkeys([Total(SERIES, (ID,), None), *totals.totals]):
            compared = compare_level(level, hierarchy, num_test, forecast)
            if len(compared):
                tables.append(summarize_level(level, compared))
    metrics = pd.concat(tables[1:] or tables, ignore_index=True)
    wape = metrics[metrics["level"] == SERIES].set_index("method")["wape"]
    if RECONCILED in wape and wape[RECONCILED] > wape[SUMS]:
        logger.warning(
            "reconcile: %s makes the forecasts of the series worse: WAPE %.4g on the test part, %.4g without it",
            reconcile.method,
            wape[RECONCILED],
            wape[SUMS],
        )
    return MetricsByTotalTable.validate(metrics)


def forecast_origin(
    leaves: Forecasting,
    own: Forecasting,
    hierarchy: Hierarchy,
    method: str | None,
    steps_back: int,
) -> tuple[dict[str, np.ndarray], np.ndarray]:
    """Return the forecasts of totals and series by method, float64[total or series, step], and their paths.

    The paths are float64[total or series, path, step]; there is no path without intervals.
    """
    of_series = leaves.forecast(steps_back)
    own_and_series = np.concatenate([own.forecast(steps_back), of_series])
    forecasts = {SUMS: hierarchy.add(of_series), OWN: own_and_series}
    if method is not None:
        reconciled = reconcile_series(method, hierarchy, own, leaves, steps_back)
        forecasts[RECONCILED] = hierarchy.add(reconciled)
    none = np.zeros((len(of_series), 0, of_series.shape[1]))
    paths = np.concatenate([*leaves.draw_paths(steps_back, NUM_PATHS)] or [none])
    return forecasts, hierarchy.add(paths)


def find_borders(hierarchy: Hierarchy, period: str | None) -> np.ndarray:
    """Return the first step of each whole period, and the one after the last: int64[period + 1]."""
    index = hierarchy.values.index
    if period is None:
        return np.arange(len(index) + 1)
    horizon, freq, tz = (hierarchy.axis[name] for name in ("horizon", "freq", "tz"))
    if period == HORIZON:
        return np.arange(len(index) % horizon, len(index) + 1, horizon)
    around = [add_steps(index[0], -1, freq), *index, add_steps(index[-1], 1, freq)]
    numbers = find_periods(show_local(pd.Series(around), tz), period, freq)
    return np.flatnonzero(np.diff(numbers))


def compare_level(
    level: Total,
    hierarchy: Hierarchy,
    num_test: int,
    forecast: Callable[[int], tuple[dict[str, np.ndarray], np.ndarray]],
) -> pd.DataFrame:
    """Return a row for each origin, total and whole period: its value `y`, the forecasts by method, and `inside`."""
    horizon = hierarchy.axis["horizon"]
    num_steps = len(hierarchy.values)
    is_level = hierarchy.kinds == (ID if ID in level.columns else CROSS.join(level.columns))
    values = hierarchy.add(hierarchy.values.to_numpy().T)[is_level]
    borders = find_borders(hierarchy, level.period)
    begins = borders[:-1]
    origins = begins[
        (begins >= num_steps - num_test)
        & (begins <= num_steps - horizon)
        & (borders[1:] <= begins + horizon)
    ]
    own = None
    if len(origins) and level.period in CALENDAR:
        sums = np.add.reduceat(values[:, : borders[-1]], begins, axis=1)
        times = show_local(hierarchy.values.index.to_series(), hierarchy.axis["tz"]).iloc[begins]
        labels = pd.Index(times.dt.to_period(PERIODS[level.period]).dt.start_time)
        num_periods = 1 + horizon * len(begins) // num_steps
        num_later = int((begins >= origins[0]).sum())
        own = fit_own(sums, labels, num_periods, num_later, None, is_evaluated=True)
    tables = [pd.DataFrame()]
    for begin in origins[:: max(1, len(origins) // NUM_ORIGINS)]:
        some = borders[(borders >= begin) & (borders <= begin + horizon)] - begin
        forecasts, paths = forecast(num_steps - begin)

        def add(steps: np.ndarray, some: np.ndarray = some) -> np.ndarray:
            return np.add.reduceat(steps[..., : some[-1]], some[:-1], axis=-1)

        columns = {name: add(by_step[is_level]) for name, by_step in forecasts.items()}
        if own is not None:
            columns[OWN] = own.forecast(int((begins >= begin).sum()))[:, : len(some) - 1]
        actual = add(values[:, begin:])
        if paths.shape[1]:
            low, high = np.quantile(add(paths[is_level]), TAILS, axis=1)
            columns[INSIDE] = ((low <= actual) & (actual <= high)).astype(float)
        columns[ACTUAL] = actual
        tables.append(pd.DataFrame({name: column.ravel() for name, column in columns.items()}))
    return pd.concat(tables, ignore_index=True)


def summarize_level(level: Total, compared: pd.DataFrame) -> MetricsByTotal:
    """Return the metrics of one kind of total."""
    known = compared.dropna(subset=ACTUAL)
    methods = [name for name in (SUMS, OWN, RECONCILED) if name in known]
    if level.name == SERIES:
        # Their own forecasts are those that are added.
        methods.remove(OWN)
    errors = known[methods].rsub(known[ACTUAL], axis=0).abs().sum()
    table = pd.DataFrame({"level": level.name, "method": methods, "num_forecasts": len(known)})
    table["wape"] = (errors / known[ACTUAL].abs().sum()).to_numpy()
    table["coverage_80"] = np.nan
    if INSIDE in known:
        table.loc[0, "coverage_80"] = known[INSIDE].mean()
    return table
