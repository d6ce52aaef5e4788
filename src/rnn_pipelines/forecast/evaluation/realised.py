"""What past forecasts were worth once their actuals are there, against what their models promised."""

import logging
from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.series.frequency import format_time

logger = logging.getLogger(__name__)

LOG_COLUMNS = ("unique_id", "cutoff", "ds", "horizon_step", "y_hat", "model_version")
JUDGED_COLUMNS = ("unique_id", "cutoff", "ds", "horizon_step", "model_version", "y", "y_hat", "promised_mse")


def join_actuals(
    log: pd.DataFrame | None, series: pd.DataFrame, versions: Mapping[str, Mapping[str, Any]]
) -> pd.DataFrame:
    """The past forecasts that can be judged, each beside its actual and what its model promised for its step.

    A forecast without an actual is left out, as is one whose actual was filled in, and one whose model had learnt from
    what came after the cut-off, as a forecast of earlier days may have.

    Args:
        log: all forecasts that were ever made; None where there are none.
        series: what `repair_series` returns.
        versions: for each model version `by_step`, its promised MSE for each step ahead, and `trained_until` by series;
            either may be None.
    Returns:
        `unique_id, cutoff, ds, horizon_step, model_version, y, y_hat` and `promised_mse` (float64, NaN where nothing is
        on record).
    Raises:
        SeriesError: the forecasts are of dates and the series of steps, or the other way round.
    """
    if log is None or log.empty:
        return pd.DataFrame(columns=list(JUDGED_COLUMNS)).astype({"y": "float64", "promised_mse": "float64"})
    refuse_other_times(log, series)
    actuals = series.loc[series["observed"], ["unique_id", "ds", "y"]]
    joined = log[list(LOG_COLUMNS)].merge(actuals, on=["unique_id", "ds"], validate="many_to_one")
    joined = joined.merge(_tabulate_learnt(versions, joined["cutoff"]), on=["model_version", "unique_id"], how="left")
    has_seen = joined["cutoff"] < joined["last"]
    if has_seen.any():
        logger.warning("left out: %d forecasts whose model had learnt from what came after them", has_seen.sum())
    judged = joined[~has_seen].merge(_tabulate_promises(versions), on=["model_version", "horizon_step"], how="left")
    return judged[list(JUDGED_COLUMNS)]


def refuse_other_times(log: pd.DataFrame, series: pd.DataFrame) -> None:
    """Raises where forecasts and series can't be held against each other.

    Args:
        log, series: see `join_actuals`.
    Raises:
        SeriesError: one has dates and the other steps.
    """
    if log["ds"].dtype.kind != series["ds"].dtype.kind:
        raise SeriesError(
            f"forecasts: their times are {log['ds'].dtype}, those of the series {series['ds'].dtype}. Move the file of "
            "the forecasts away if the series are others now."
        )


def _tabulate_learnt(versions: Mapping[str, Mapping[str, Any]], cutoffs: pd.Series) -> pd.DataFrame:
    """The `last` time that a version has learnt from, for each `model_version` and `unique_id` that it is known of."""
    has_dates = cutoffs.dtype.kind == "M"
    rows = [
        (version, name, last)
        for version, known in versions.items()
        for name, last in (known.get("trained_until") or {}).items()
        if isinstance(last, str) is has_dates
    ]
    table = pd.DataFrame(rows, columns=["model_version", "unique_id", "last"])
    table["last"] = pd.to_datetime(table["last"]) if has_dates else table["last"].astype("int64")
    return table.astype({"model_version": "str", "unique_id": "str"})


def _tabulate_promises(versions: Mapping[str, Mapping[str, Any]]) -> pd.DataFrame:
    """The `promised_mse` of each `model_version` and `horizon_step`; what is not finite is no promise."""
    rows = [
        (version, step, float(promised))
        for version, known in versions.items()
        for step, promised in enumerate(known.get("by_step") or [], start=1)
        if promised is not None and np.isfinite(promised)
    ]
    table = pd.DataFrame(rows, columns=["model_version", "horizon_step", "promised_mse"])
    return table.astype({"model_version": "str", "horizon_step": "int64", "promised_mse": "float64"})


def keep_newest(judged: pd.DataFrame, num_cutoffs: int) -> pd.DataFrame:
    """The forecasts from the newest cut-offs."""
    newest = np.sort(judged["cutoff"].unique())[-num_cutoffs:]
    return judged[judged["cutoff"].isin(newest)]


def measure_realised(judged: pd.DataFrame) -> dict[str, Any]:
    """Realised error against the promise, over the forecasts whose model's promise is on record.

    Args:
        judged: what `join_actuals` returns, or a part of it.
    Returns:
        `num_forecasts, num_cutoffs, num_unpromised` (left out), `first_cutoff, last_cutoff` as texts, `mse, mae,
        promised_mse` (means over the forecasts of a series, then over series), `ratio` (realised MSE over promised) and
        `p_value` (of no difference between both, see `compute_p_value`). None where there is nothing to compare.
    """
    compared = judged[judged["promised_mse"].notna()]
    measures: dict[str, Any] = {
        "num_forecasts": len(compared),
        "num_cutoffs": int(compared["cutoff"].nunique()),
        "num_unpromised": len(judged) - len(compared),
    }
    names = ("first_cutoff", "last_cutoff", "mse", "mae", "promised_mse", "ratio", "p_value")
    if compared.empty:
        return measures | dict.fromkeys(names)
    errors = _compute_losses(compared)
    mse, mae, promised = (_average(errors, column) for column in ("mse", "mae", "promised_mse"))
    ratio = mse / promised if promised > 0 else float("nan")
    p_value = _compare(errors) if np.isfinite(ratio) else float("nan")
    cutoffs = format_time(compared["cutoff"].min()), format_time(compared["cutoff"].max())
    return measures | dict(zip(names, (*cutoffs, mse, mae, promised, ratio, p_value), strict=True))


def _compare(errors: pd.DataFrame) -> float:
    by_window = errors.groupby(["unique_id", "cutoff"], as_index=False)[["mse", "promised_mse"]].mean()
    realised, promised = (
        by_window[["unique_id", "cutoff", column]].rename(columns={column: "loss"})
        for column in ("mse", "promised_mse")
    )
    return compare_losses(realised, promised, int(errors["horizon_step"].max()))


def measure_groups(judged: pd.DataFrame, by: str) -> pd.DataFrame:
    """Realised error and promise by step ahead, by cut-off or by model version.

    Args:
        judged: see `measure_realised`.
        by: `horizon_step`, `cutoff` or `model_version`.
    Returns:
        `by`, `num_forecasts, first_cutoff, last_cutoff, mse, mae, promised_mse` (means over a series, then over series;
        the promise is NaN where it is not on record for all), in the order of `by`; versions by their first cut-off.
    """
    errors = _compute_losses(judged)
    means = errors.groupby([by, "unique_id"])[["mse", "mae"]].mean().groupby(by).mean()
    promised = errors.groupby([by, "unique_id"])["promised_mse"].agg(lambda values: values.mean(skipna=False))
    means["promised_mse"] = promised.groupby(by).agg(lambda values: values.mean(skipna=False))
    counts = errors.groupby(by)["cutoff"].agg(num_forecasts="size", first_cutoff="min", last_cutoff="max")
    order = ["first_cutoff", by] if by == "model_version" else [by]
    return counts.join(means).reset_index().sort_values(order, ignore_index=True)


def _compute_losses(judged: pd.DataFrame) -> pd.DataFrame:
    error = judged["y"] - judged["y_hat"]
    return judged[["unique_id", "cutoff", "horizon_step", "model_version", "promised_mse"]].assign(
        mse=error**2, mae=error.abs()
    )


def _average(errors: pd.DataFrame, column: str) -> float:
    return float(errors.groupby("unique_id")[column].mean().mean())
