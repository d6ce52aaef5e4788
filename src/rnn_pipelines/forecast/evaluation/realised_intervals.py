"""Realised coverage of past intervals, and actuals outside the widest interval."""

from typing import TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.realised import EvaluatedForecasts, EvaluatedForecastsTable
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL, name_own_bounds
from rnn_pipelines.reading.times import format_time


class RealisedCoverage(TypedDict):
    """Realised coverage of the intervals of one level, as JSON.

    `coverage` is the share of actuals inside, a mean over each series, then over series, from 0 to 1. `p_value` is that
    of no difference from the level.
    """

    level: int
    num_forecasts: int
    num_cutoffs: int
    coverage: float
    p_value: float


class Anomaly(TypedDict):
    """An actual outside the interval of its newest forecast, as JSON; times as text."""

    unique_id: str
    ds: str
    y: float
    lo: float
    hi: float


def measure_coverage(evaluated: EvaluatedForecasts) -> list[RealisedCoverage]:
    """Return the realised coverage of each level, over the forecasts with an interval of this level."""
    found = []
    for level in _list_levels(evaluated):
        bounds = _take_bounds(evaluated, level)
        if bounds.empty:
            continue
        is_outside = (bounds["y"] < bounds["lo"]) | (bounds["y"] > bounds["hi"])
        losses = bounds.assign(outside=is_outside.astype("float64"), expected=1 - level / 100)
        by_window = losses.groupby(["unique_id", "cutoff"], as_index=False)[["outside", "expected"]].mean()
        found.append(
            RealisedCoverage(
                level=level,
                num_forecasts=len(bounds),
                num_cutoffs=int(bounds["cutoff"].nunique()),
                coverage=1 - float(losses.groupby("unique_id")["outside"].mean().mean()),
                p_value=compare_losses(by_window, "outside", "expected", int(bounds["horizon_step"].max())),
            )
        )
    return found


def find_anomalies(evaluated: EvaluatedForecasts) -> list[Anomaly]:
    """Return the actuals outside the `ANOMALY_LEVEL` interval of their newest forecast, the newest first."""
    if ANOMALY_LEVEL not in _list_levels(evaluated):
        return []
    newest = (
        _take_bounds(evaluated, ANOMALY_LEVEL).sort_values(["cutoff"]).drop_duplicates(["unique_id", "ds"], keep="last")
    )
    outside = newest[(newest["y"] < newest["lo"]) | (newest["y"] > newest["hi"])].sort_values(
        ["ds", "unique_id"], ascending=[False, True]
    )
    return [
        Anomaly(unique_id=str(row.unique_id), ds=format_time(row.ds), y=row.y, lo=row.lo, hi=row.hi)
        for row in outside.itertuples()
    ]


def _list_levels(evaluated: EvaluatedForecasts) -> list[int]:
    names = [name for name in evaluated if EvaluatedForecastsTable.is_in_family(name)]
    return sorted({int(name.partition("_")[2]) for name in names})


def _take_bounds(evaluated: EvaluatedForecasts, level: int) -> pd.DataFrame:
    """Return the rows with two finite bounds, named `lo` and `hi`."""
    low, high = name_own_bounds(level)
    columns = ["unique_id", "cutoff", "ds", "horizon_step", "y", low, high]
    bounds = evaluated[columns].rename(columns={low: "lo", high: "hi"})
    return bounds[np.isfinite(bounds[["lo", "hi"]]).all(axis=1)]
