"""Realised errors of past forecasts, compared with the expected ones; realised coverage, and actuals outside."""

import logging
from collections.abc import Mapping
from typing import Annotated, Any, Literal, NotRequired, TypedDict

import numpy as np
import pandas as pd

from rnn_pipelines.champion.verdict import KnownChampion
from rnn_pipelines.errors import SeriesError, count
from rnn_pipelines.forecast.evaluation.metrics import STABILITY, list_ratios
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.evaluation.suspects import leave_out_corrected, list_corrected
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


class RealisedAccuracy(TypedDict):
    """Realised MAE and coverage by level, as JSON: means over each series, then over series.

    The MAE is None if it is not finite.
    """

    mae: float | None
    coverage: dict[str, float]


class Anomaly(TypedDict):
    """An actual outside the interval of its newest forecast, as JSON; times as text."""

    unique_id: str
    ds: str
    y: float
    lo: float
    hi: float


def join_actuals(
    log: ForecastLog | None, series: Series, champion: KnownChampion
) -> EvaluatedForecasts:
    """Return the past forecasts that can be evaluated, each with its actual and its expected error.

    Of several records of a forecast, the first one counts. Forecasts are left out if the actual is missing or imputed,
    or if the model was trained on data after the cut-off, which is possible for forecasts of earlier days.

    Args:
        champion: `versions` has the expected MSE `by_step` ahead and `trained_until` by series; either may be None.
    Raises:
        SeriesError: the forecasts have dates and the series have steps, or vice versa.
    """
    if log is None or log.empty:
        log = ForecastLogTable.make_empty().astype(
            dict.fromkeys(("cutoff", "ds"), series["ds"].dtype)
        )
    check_same_kind_of_time(log, series)
    actuals = series.loc[series["observed"], ["unique_id", "ds", "y"]]
    bounds = [name for name in log if ForecastLogTable.is_in_family(name)]
    records = keep_first_record(log)[[*StepsTable.columns, "y_hat", "model_version", *bounds]]
    joined = records.merge(actuals, on=["unique_id", "ds"], validate="many_to_one")
    return evaluate_records(joined, champion["versions"])


def evaluate_records(
    joined: pd.DataFrame, versions: Mapping[str, Mapping[str, Any]]
) -> EvaluatedForecasts:
    """Return forecasts and their actuals with the expected errors, without those that `join_actuals` leaves out."""
    # The last training time of each series that a version knows, as a date or a step like those of the log.
    has_dates = joined["cutoff"].dtype.kind == "M"
    rows = [
        (version, name, last)
        for version, record in versions.items()
        for name, last in (record.get("trained_until") or {}).items()
        if isinstance(last, str) is has_dates
    ]
    learnt = pd.DataFrame(rows, columns=["model_version", "unique_id", "last"])
    learnt["last"] = pd.to_datetime(learnt["last"]) if has_dates else learnt["last"].astype("int64")
    joined = joined.merge(learnt.astype({"model_version": "str", "unique_id": "str"}), how="left")
    has_seen = joined["cutoff"] < joined["last"]
    if has_seen.any():
        logger.warning(
            "left out: %s, because the model was trained on later values",
            count(has_seen.sum(), "forecast"),
        )
    # Expected errors that are not finite are left out.
    errors = [
        (version, step, float(expected))
        for version, record in versions.items()
        for step, expected in enumerate(record.get("by_step") or [], start=1)
        if expected is not None and np.isfinite(expected)
    ]
    expected_errors = pd.DataFrame(
        errors, columns=["model_version", "horizon_step", "expected_mse"]
    )
    types = {"model_version": "str", "horizon_step": "int64", "expected_mse": "float64"}
    evaluated = joined[~has_seen].merge(expected_errors.astype(types), how="left")
    bounds = [name for name in joined if EvaluatedForecastsTable.is_in_family(name)]
    return evaluated[[*EvaluatedForecastsTable.columns, *bounds]]


def join_uncorrected(
    log: ForecastLog | None, series: Series, champion: KnownChampion
) -> EvaluatedForecasts:
    """Return the evaluated forecasts of `join_actuals` without those from a value that was corrected afterwards."""
    uncorrected = None if log is None else keep_uncorrected(log, series)
    return join_actuals(uncorrected, series, champion)


def keep_uncorrected(log: ForecastLog, series: Series) -> ForecastLog:
    """Return the log without forecasts from a value that was corrected afterwards."""
    if log.empty:
        return log
    check_same_kind_of_time(log, series)
    return leave_out_corrected(log, list_corrected(log, series))


def check_same_kind_of_time(log: ForecastLog, series: Series) -> None:
    """Raise a SeriesError if the forecasts have dates and the series have steps, or vice versa."""
    if log["ds"].dtype.kind != series["ds"].dtype.kind:
        raise SeriesError(
            f"forecasts: expected times of {series['ds'].dtype}, as the series has, received {log['ds'].dtype}. "
            "Move the file of forecasts away if it belongs to another series."
        )


def keep_newest(evaluated: EvaluatedForecasts, num_cutoffs: int) -> EvaluatedForecasts:
    """Return the forecasts from the newest cut-offs."""
    newest = np.sort(evaluated["cutoff"].unique())[-num_cutoffs:]
    return evaluated[evaluated["cutoff"].isin(newest)]


def measure_realised(evaluated: EvaluatedForecasts) -> RealisedError:
    """Compare the realised error of forecasts with the expected one."""
    compared = evaluated[evaluated["expected_mse"].notna()]
    measured = RealisedError(
        num_forecasts=len(compared),
        num_cutoffs=int(compared["cutoff"].nunique()),
        num_without_expected_error=len(evaluated) - len(compared),
        first_cutoff=None,
        last_cutoff=None,
        mse=None,
        mae=None,
        expected_mse=None,
        ratio=None,
        p_value=None,
        newest_ratio=None,
    )
    if compared.empty:
        return measured
    errors = _compute_losses(compared)
    means = errors.groupby("unique_id")[["mse", "mae", "expected_mse"]].mean().mean()
    measured["first_cutoff"] = format_time(compared["cutoff"].min())
    measured["last_cutoff"] = format_time(compared["cutoff"].max())
    measured["mse"] = float(means["mse"])
    measured["mae"] = float(means["mae"])
    measured["expected_mse"] = float(means["expected_mse"])
    ratio = means["mse"] / means["expected_mse"] if means["expected_mse"] > 0 else np.nan
    measured["ratio"] = float(ratio)
    measured["p_value"] = float("nan")
    measured["newest_ratio"] = float("nan")
    if np.isfinite(ratio):
        horizon = int(errors["horizon_step"].max())
        measured["p_value"] = compare_losses(
            _average_windows(errors, ["mse", "expected_mse"]), "mse", "expected_mse", horizon
        )
        is_newest = errors["ds"] == errors.groupby("unique_id")["ds"].transform("max")
        newest = errors[is_newest].groupby("unique_id")[["mse", "expected_mse"]]
        medians = newest.median().mean()
        measured["newest_ratio"] = float(medians["mse"] / medians["expected_mse"])
    return measured


def _average_windows(errors: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the means of columns over the steps of each window: `unique_id, cutoff`, and the columns."""
    return errors.groupby(["unique_id", "cutoff"], as_index=False)[columns].mean()


def measure_stability(evaluated: EvaluatedForecasts) -> dict[str, float | None]:
    """Return `STABILITY` of forecasts as they were issued: of several versions from one cut-off, the last one counts.

    None if no date has two forecasts.
    """
    issued = evaluated[np.isfinite(evaluated["y_hat"])].drop_duplicates(KEY, keep="last")
    if issued.empty:
        return dict.fromkeys(STABILITY)
    ratios = list_ratios(Predictions(issued[[*StepsTable.columns, "y", "y_hat"]], ("y_hat",)))[
        "y_hat"
    ]
    return {name: ratios[name] for name in STABILITY}


def measure_groups(
    evaluated: EvaluatedForecasts, by: Literal["horizon_step", "cutoff", "model_version"]
) -> pd.DataFrame:
    """Return realised and expected error by step ahead, by cut-off or by model version.

    Returns:
        `by, num_forecasts, first_cutoff, last_cutoff, mse, mae, expected_mse`: means over each series, then over
        series. The expected MSE is NaN if any forecast lacks it. Sorted by `by`; versions by their first cut-off.
    """
    errors = _compute_losses(evaluated)
    means = errors.groupby([by, "unique_id"])[["mse", "mae"]].mean().groupby(by).mean()
    expected = errors.groupby([by, "unique_id"])["expected_mse"].agg(
        lambda values: values.mean(skipna=False)
    )
    means["expected_mse"] = expected.groupby(by).agg(lambda values: values.mean(skipna=False))
    counts = errors.groupby(by)["cutoff"].agg(
        num_forecasts="size", first_cutoff="min", last_cutoff="max"
    )
    order = ["first_cutoff", by] if by == "model_version" else [by]
    return counts.join(means).reset_index().sort_values(order, ignore_index=True)


def _compute_losses(evaluated: EvaluatedForecasts) -> pd.DataFrame:
    error = evaluated["y"] - evaluated["y_hat"]
    columns = [*StepsTable.columns, "model_version", "expected_mse"]
    return evaluated[columns].assign(mse=error**2, mae=error.abs())


def measure_coverage(evaluated: EvaluatedForecasts) -> list[RealisedCoverage]:
    """Return the realised coverage of each level, over the forecasts with an interval of this level."""
    measured = []
    for level in _list_levels(evaluated):
        bounds = _pick_bounds(evaluated, level)
        if bounds.empty:
            continue
        losses = bounds.assign(
            outside=bounds["outside"].astype("float64"), expected=1 - level / 100
        )
        by_window = _average_windows(losses, ["outside", "expected"])
        horizon = int(bounds["horizon_step"].max())
        measured.append(
            RealisedCoverage(
                level=level,
                num_forecasts=len(bounds),
                num_cutoffs=int(bounds["cutoff"].nunique()),
                coverage=1 - float(losses.groupby("unique_id")["outside"].mean().mean()),
                p_value=compare_losses(by_window, "outside", "expected", horizon),
            )
        )
    return measured


def measure_accuracy(evaluated: EvaluatedForecasts) -> RealisedAccuracy:
    """Return the realised MAE and coverage of forecasts."""
    error = (evaluated["y"] - evaluated["y_hat"]).abs()
    mae = float(error.groupby(evaluated["unique_id"]).mean().mean())
    coverage = {
        str(of_level["level"]): of_level["coverage"] for of_level in measure_coverage(evaluated)
    }
    return RealisedAccuracy(mae=mae if np.isfinite(mae) else None, coverage=coverage)


def find_anomalies(evaluated: EvaluatedForecasts) -> list[Anomaly]:
    """Return the actuals outside the `ANOMALY_LEVEL` interval of their newest forecast, the newest first."""
    if ANOMALY_LEVEL not in _list_levels(evaluated):
        return []
    bounds = _pick_bounds(evaluated, ANOMALY_LEVEL).sort_values(["cutoff"])
    newest = bounds.drop_duplicates(["unique_id", "ds"], keep="last")
    rows = (
        newest[newest["outside"]]
        .sort_values(["ds", "unique_id"], ascending=[False, True])
        .itertuples()
    )
    return [
        Anomaly(unique_id=str(r.unique_id), ds=format_time(r.ds), y=r.y, lo=r.lo, hi=r.hi)
        for r in rows
    ]


def _list_levels(evaluated: EvaluatedForecasts) -> list[int]:
    names = [name for name in evaluated if EvaluatedForecastsTable.is_in_family(name)]
    return sorted({int(name.partition("_")[2]) for name in names})


def _pick_bounds(evaluated: EvaluatedForecasts, level: int) -> pd.DataFrame:
    """Return the rows with two finite bounds, named `lo` and `hi`, and whether the actual is `outside`."""
    names = dict(zip(name_own_bounds(level), ("lo", "hi"), strict=True))
    bounds = evaluated[[*StepsTable.columns, "y", *names]].rename(columns=names)
    bounds["outside"] = (bounds["y"] < bounds["lo"]) | (bounds["y"] > bounds["hi"])
    return bounds[np.isfinite(bounds[["lo", "hi"]]).all(axis=1)]
