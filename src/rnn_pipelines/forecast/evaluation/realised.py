"""Realised errors of past forecasts, compared with the expected ones; realised coverage, and actuals outside."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.champion.verdict import ExpectedError, KnownChampion
from rnn_pipelines.errors import SeriesError, count
from rnn_pipelines.forecast.evaluation.metrics import list_ratios
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.evaluation.stability import STABILITY
from rnn_pipelines.forecast.methods.predictions import (
    ANOMALY_LEVEL,
    BOUNDS,
    KEY,
    ForecastLog,
    ForecastLogTable,
    Predictions,
    StepsTable,
    keep_first_record,
    name_own_bounds,
)
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.storage.tables import Column

logger = logging.getLogger(__name__)


class EvaluatedForecastsTable(StepsTable):
    """Past forecasts with their actuals, and the expected MSE of the model at the step, missing if it is not on record.

    The bounds of the available intervals are included.
    """

    families = BOUNDS
    key = ("unique_id", "cutoff", "ds", "model_version")
    model_version = Column("text")
    y = Column("float")
    y_hat = Column("float", can_be_empty=True, can_be_infinite=True)
    expected_mse = Column("float", can_be_empty=True)


EvaluatedForecasts = Annotated[pd.DataFrame, EvaluatedForecastsTable]


class GroupError(TypedDict):
    """Realised and expected error of a group of forecasts, as JSON: means over each series, then over series.

    The key of the group is included: its `horizon_step` or `model_version`. None stands for missing or non-finite
    numbers.
    """

    horizon_step: NotRequired[int]
    model_version: NotRequired[str]
    num_forecasts: int
    first_cutoff: str | None
    last_cutoff: str | None
    mse: float | None
    mae: float | None
    expected_mse: float | None


class RealisedError(GroupError):
    """Realised and expected error, over the forecasts with an expected error on record.

    `num_without_expected_error` is the number of the others. `ratio` is realised over expected MSE; `p_value` is that
    of no difference between them. `newest_ratio` is realised over expected MSE at the newest time of each series alone,
    as medians over the cut-offs, so that few bad forecasts do not count.
    """

    num_cutoffs: int
    num_without_expected_error: int
    ratio: float | None
    p_value: float | None
    newest_ratio: float | None


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


def join_actuals(log: ForecastLog | None, series: Series, champion: KnownChampion) -> EvaluatedForecasts:
    """Return the past forecasts that can be evaluated, each with its actual and its expected error.

    Of several records of a forecast, the first one counts. Forecasts are left out if the actual is missing or imputed,
    or if the model was trained on data after the cut-off, which is possible for forecasts of earlier days.

    Args:
        series: up to the day of the verdict.
        champion: with its `versions`: the expected MSE `by_step` ahead, and `trained_until` by series; either may be
            None.
    Raises:
        SeriesError: the forecasts have dates and the series have steps, or vice versa.
    """
    if log is None or log.empty:
        log = ForecastLogTable.make_empty().astype(dict.fromkeys(("cutoff", "ds"), series["ds"].dtype))
    check_same_kind_of_time(log, series)
    versions = champion["versions"]
    actuals = series.loc[series["observed"], ["unique_id", "ds", "y"]]
    bounds = [name for name in log if ForecastLogTable.is_in_family(name)]
    joined = keep_first_record(log)[[*StepsTable.columns, "y_hat", "model_version", *bounds]].merge(
        actuals, on=["unique_id", "ds"], validate="many_to_one"
    )
    joined = joined.merge(_tabulate_learnt(versions, joined["cutoff"]), on=["model_version", "unique_id"], how="left")
    has_seen = joined["cutoff"] < joined["last"]
    if has_seen.any():
        logger.warning("left out: %s, because the model was trained on later values", count(has_seen.sum(), "forecast"))
    evaluated = joined[~has_seen].merge(
        _tabulate_expected_errors(versions), on=["model_version", "horizon_step"], how="left"
    )
    return evaluated[[*EvaluatedForecastsTable.columns, *bounds]]


def check_same_kind_of_time(log: ForecastLog, series: Series) -> None:
    """Check that forecasts and series both have dates, or both have steps.

    Raises:
        SeriesError: one has dates and the other has steps.
    """
    if log["ds"].dtype.kind != series["ds"].dtype.kind:
        raise SeriesError(
            f"forecasts: expected times of {series['ds'].dtype}, as the series has, received {log['ds'].dtype}. Move "
            "the file of forecasts away if it belongs to another series."
        )


def _tabulate_learnt(versions: Mapping[str, ExpectedError], cutoffs: pd.Series) -> pd.DataFrame:
    """Return the `last` training time of each `model_version` and `unique_id` on record."""
    has_dates = cutoffs.dtype.kind == "M"
    rows = [
        (version, name, last)
        for version, record in versions.items()
        for name, last in (record.get("trained_until") or {}).items()
        if isinstance(last, str) is has_dates
    ]
    table = pd.DataFrame(rows, columns=["model_version", "unique_id", "last"])
    table["last"] = pd.to_datetime(table["last"]) if has_dates else table["last"].astype("int64")
    return table.astype({"model_version": "str", "unique_id": "str"})


def _tabulate_expected_errors(versions: Mapping[str, ExpectedError]) -> pd.DataFrame:
    """Return the `expected_mse` of each `model_version` and `horizon_step`; non-finite values are left out."""
    rows = [
        (version, step, float(expected))
        for version, record in versions.items()
        for step, expected in enumerate(record.get("by_step") or [], start=1)
        if expected is not None and np.isfinite(expected)
    ]
    table = pd.DataFrame(rows, columns=["model_version", "horizon_step", "expected_mse"])
    return table.astype({"model_version": "str", "horizon_step": "int64", "expected_mse": "float64"})


def keep_newest(evaluated: EvaluatedForecasts, num_cutoffs: int) -> EvaluatedForecasts:
    """Return the forecasts from the newest cut-offs."""
    newest = np.sort(evaluated["cutoff"].unique())[-num_cutoffs:]
    return evaluated[evaluated["cutoff"].isin(newest)]


def measure_realised(evaluated: EvaluatedForecasts) -> RealisedError:
    """Compare the realised error of forecasts with the expected one."""
    compared = evaluated[evaluated["expected_mse"].notna()]
    names = ("first_cutoff", "last_cutoff", "mse", "mae", "expected_mse", "ratio", "p_value", "newest_ratio")
    measured: dict[str, Any] = dict.fromkeys(names)
    if len(compared):
        errors = _compute_losses(compared)
        means = errors.groupby("unique_id")[["mse", "mae", "expected_mse"]].mean().mean()
        ratio = float(means["mse"] / means["expected_mse"]) if means["expected_mse"] > 0 else float("nan")
        measured |= {name: float(mean) for name, mean in means.items()} | {
            "first_cutoff": format_time(compared["cutoff"].min()),
            "last_cutoff": format_time(compared["cutoff"].max()),
            "ratio": ratio,
            "p_value": float("nan"),
            "newest_ratio": float("nan"),
        }
        if np.isfinite(ratio):
            by_window = errors.groupby(["unique_id", "cutoff"], as_index=False)[["mse", "expected_mse"]].mean()
            horizon = int(errors["horizon_step"].max())
            is_newest = errors["ds"] == errors.groupby("unique_id")["ds"].transform("max")
            medians = errors[is_newest].groupby("unique_id")[["mse", "expected_mse"]].median().mean()
            measured["p_value"] = compare_losses(by_window, "mse", "expected_mse", horizon)
            measured["newest_ratio"] = float(medians["mse"] / medians["expected_mse"])
    counts = {
        "num_forecasts": len(compared),
        "num_cutoffs": int(compared["cutoff"].nunique()),
        "num_without_expected_error": len(evaluated) - len(compared),
    }
    return RealisedError(**counts | measured)  # type: ignore[typeddict-item]


def measure_stability(evaluated: EvaluatedForecasts) -> dict[str, float | None]:
    """Return `STABILITY` of forecasts as they were issued: of several versions from one cut-off, the last one counts.

    None if no date has two forecasts.
    """
    issued = evaluated[np.isfinite(evaluated["y_hat"])].drop_duplicates(KEY, keep="last")
    if issued.empty:
        return dict.fromkeys(STABILITY)
    ratios = list_ratios(Predictions(issued[[*StepsTable.columns, "y", "y_hat"]], ("y_hat",)))["y_hat"]
    return {name: ratios[name] for name in STABILITY}


def measure_groups(
    evaluated: EvaluatedForecasts, by: Literal["horizon_step", "cutoff", "model_version"]
) -> pd.DataFrame:
    """Return realised and expected error by step ahead, by cut-off or by model version.

    Returns:
        `by`, `num_forecasts, first_cutoff, last_cutoff, mse, mae, expected_mse`: means over each series, then over
            series.
        The expected MSE is NaN if any forecast lacks it. Sorted by `by`; versions by their first cut-off.
    """
    errors = _compute_losses(evaluated)
    means = errors.groupby([by, "unique_id"])[["mse", "mae"]].mean().groupby(by).mean()
    expected = errors.groupby([by, "unique_id"])["expected_mse"].agg(lambda values: values.mean(skipna=False))
    means["expected_mse"] = expected.groupby(by).agg(lambda values: values.mean(skipna=False))
    counts = errors.groupby(by)["cutoff"].agg(num_forecasts="size", first_cutoff="min", last_cutoff="max")
    order = ["first_cutoff", by] if by == "model_version" else [by]
    return counts.join(means).reset_index().sort_values(order, ignore_index=True)


def _compute_losses(evaluated: EvaluatedForecasts) -> pd.DataFrame:
    error = evaluated["y"] - evaluated["y_hat"]
    return evaluated[["unique_id", "cutoff", "ds", "horizon_step", "model_version", "expected_mse"]].assign(
        mse=error**2, mae=error.abs()
    )


def measure_coverage(evaluated: EvaluatedForecasts) -> list[RealisedCoverage]:
    """Return the realised coverage of each level, over the forecasts with an interval of this level."""
    found = []
    for level in _list_levels(evaluated):
        bounds = _pick_bounds(evaluated, level)
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
        _pick_bounds(evaluated, ANOMALY_LEVEL).sort_values(["cutoff"]).drop_duplicates(["unique_id", "ds"], keep="last")
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


def _pick_bounds(evaluated: EvaluatedForecasts, level: int) -> pd.DataFrame:
    """Return the rows with two finite bounds, named `lo` and `hi`."""
    low, high = name_own_bounds(level)
    columns = ["unique_id", "cutoff", "ds", "horizon_step", "y", low, high]
    bounds = evaluated[columns].rename(columns={low: "lo", high: "hi"})
    return bounds[np.isfinite(bounds[["lo", "hi"]]).all(axis=1)]
