"""Metrics of forecasts: a statistic of each error, then a mean over windows and steps, then over series.

The error is actual minus forecast. Everything is in the unit of the data, or its square.
"""

from typing import Any

import numpy as np
import pandas as pd

KEY_COLUMNS = ("unique_id", "cutoff", "ds", "horizon_step", "y", "signal")
BASELINES = ("last_value", "seasonal_naive", "ridge")


def list_forecasters(predictions: pd.DataFrame) -> list[str]:
    """The columns of a table of predictions that are forecasts."""
    return [column for column in predictions.columns if column not in KEY_COLUMNS]


def compute_errors(predictions: pd.DataFrame) -> pd.DataFrame:
    """Actual minus forecast, float64 for each forecaster, beside `unique_id, cutoff, ds, horizon_step`."""
    names = list_forecasters(predictions)
    errors = predictions[names].rsub(predictions["y"], axis=0)
    return pd.concat([predictions[["unique_id", "cutoff", "ds", "horizon_step"]], errors], axis=1)


def evaluate_forecasts(
    predictions: pd.DataFrame,
    series: pd.DataFrame,
    cutoffs: pd.DataFrame,
    season_length: int,
    records: dict[str, dict[str, Any]],
) -> tuple[dict[str, Any], pd.DataFrame, pd.DataFrame]:
    """Measures every forecaster over all, by series and by step ahead.

    Args:
        predictions, series, cutoffs, season_length: see `measure_by_series`.
        records: see `summarize_metrics`.
    Returns:
        What `summarize_metrics`, `measure_by_series` and `measure_by_step` return.
    """
    by_series = measure_by_series(predictions, series, cutoffs, season_length)
    summary = summarize_metrics(by_series, measure_noise_floor(predictions), records)
    return summary, by_series, measure_by_step(predictions)


def measure_by_series(
    predictions: pd.DataFrame, series: pd.DataFrame, cutoffs: pd.DataFrame, season_length: int
) -> pd.DataFrame:
    """MSE, RMSE, MAE and MASE of every forecaster on every series.

    Args:
        predictions: `unique_id, cutoff, ds, horizon_step, y` and a column for each forecaster.
        series: the series up to their last observation, for the scale of MASE.
        cutoffs: `unique_id, train_stop`: the scale comes from the training part alone.
        season_length: steps in a season, for the same scale.
    Returns:
        One row for each series and forecaster: `unique_id, forecaster, mse, rmse, mae, mase` (float64; MASE is NaN
        where the training part repeats itself exactly or is shorter than a season).
    """
    table = _average_errors(predictions, ["unique_id"])
    scale = table["unique_id"].map(measure_naive_error(series, cutoffs, season_length))
    table["mase"] = table["mae"] / scale.where(scale > 0)
    table.insert(3, "rmse", np.sqrt(table["mse"]))
    return table


def measure_naive_error(series: pd.DataFrame, cutoffs: pd.DataFrame, season_length: int) -> pd.Series:
    """Mean absolute error of seasonal naive one season ahead within each training part: the scale of MASE.

    Source: Hyndman & Koehler (2006), equation for MASE, doi:10.1016/j.ijforecast.2006.03.001.
    """
    groups = series.groupby("unique_id", sort=False)
    is_train = groups.cumcount() < series["unique_id"].map(cutoffs.set_index("unique_id")["train_stop"])
    observed = series["y"].where(series["observed"])
    changes = (observed - observed.groupby(series["unique_id"], sort=False).shift(season_length)).abs()
    return changes[is_train].groupby(series["unique_id"], sort=False).mean()


def measure_by_step(predictions: pd.DataFrame) -> pd.DataFrame:
    """MSE and MAE of every forecaster at every step ahead: `forecaster, horizon_step, mse, mae`, mean over series."""
    by_series = _average_errors(predictions, ["unique_id", "horizon_step"])
    return by_series.groupby(["forecaster", "horizon_step"], sort=False)[["mse", "mae"]].mean().reset_index()


def _average_errors(predictions: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """A row for each group and forecaster: the keys, `forecaster, mse, mae`."""
    errors, names = compute_errors(predictions), list_forecasters(predictions)
    groups = [errors[key] for key in keys]
    # Grouped before forecasters become rows, which would make the errors of a long series many times as large.
    mse, mae = (
        statistic.groupby(groups, sort=False)
        .mean()
        .melt(ignore_index=False, var_name="forecaster", value_name=metric)
        .reset_index()
        for metric, statistic in (("mse", errors[names] ** 2), ("mae", errors[names].abs()))
    )
    return mse.merge(mae)


def measure_noise_floor(predictions: pd.DataFrame) -> float | None:
    """MSE of the noise-free signal, mean over series, which is beaten by luck alone; None where it is unknown."""
    if "signal" not in predictions:
        return None
    squared = (predictions["y"] - predictions["signal"]) ** 2
    return float(squared.groupby(predictions["unique_id"]).mean().mean())


def summarize_metrics(
    by_series: pd.DataFrame, noise_floor_mse: float | None, records: dict[str, dict[str, Any]]
) -> dict[str, Any]:
    """One block of metrics for each forecaster: what `metrics.json` holds.

    Args:
        by_series: what `measure_by_series` returns.
        noise_floor_mse: what `measure_noise_floor` returns.
        records: the record of `fit` for each network.
    Returns:
        For each forecaster `mse, rmse, mae, mase` (means over series; MASE over those that have one) and
        `skill_vs_<baseline>`, 1 - MSE / the baseline's MSE: 0 is as good, 1 is perfect, below 0 is worse. For each
        network also `training_seconds, compile_seconds, num_parameters, num_epochs, best_epoch`. And
        `noise_floor_mse`.
    """
    means = by_series.groupby("forecaster", sort=False)[["mse", "rmse", "mae", "mase"]].mean()
    summary: dict[str, Any] = {}
    for name, row in means.iterrows():
        skills = {
            f"skill_vs_{baseline}": 1 - row["mse"] / means.loc[baseline, "mse"]
            if means.loc[baseline, "mse"] > 0
            else None
            for baseline in BASELINES
            if baseline != name
        }
        summary[str(name)] = {
            key: None if pd.isna(value) else float(value) for key, value in (dict(row) | skills).items()
        }
    for name, record in records.items():
        summary[name] |= {key: value for key, value in record.items() if key != "layers"}
    return summary | {"noise_floor_mse": noise_floor_mse}
