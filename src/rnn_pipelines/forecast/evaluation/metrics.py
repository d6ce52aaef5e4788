"""Metrics of point forecasts: a statistic of each error, its mean over windows and steps, and an aggregation.

The error is actual minus forecast. Lower is better for all metrics.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.series.rows import find_rows, look_up
from rnn_pipelines.forecast.series.tables import Cutoffs, Series
from rnn_pipelines.storage.tables import Column, Table

Unit = Literal["data", "square", "none"]
UNITS: tuple[Unit, ...] = ("data", "square", "none")


@dataclass(frozen=True)
class Metric:
    """A metric of one forecaster on one series; lower is better.

    Attributes:
        heading: in tables and figures.
        statistic: of each error, averaged over windows and steps: a function of `utilsforecast.losses`.
        aggregation: the mean itself, its root, or the mean over the MAE of seasonal naive in training.
        unit: that of the data, its square, or none.
    """

    heading: str
    statistic: str
    aggregation: Literal["mean", "root", "scaled"]
    unit: Unit


METRICS = {
    "mse": Metric("MSE", "mse", "mean", "square"),
    "rmse": Metric("RMSE", "mse", "root", "data"),
    "mae": Metric("MAE", "mae", "mean", "data"),
    "mase": Metric("MASE", "mae", "scaled", "none"),
}
# Plain means, which also exist by step ahead and for a schedule. Each has the name of its statistic.
MEANS = tuple(name for name, metric in METRICS.items() if metric.aggregation == "mean")
NUMBER = Column("float", can_be_empty=True, can_be_infinite=True)


class MetricsBySeriesTable(Table):
    """All metrics of each forecaster on each series.

    MASE is missing if the training part repeats itself exactly or is shorter than a season.
    """

    columns: ClassVar = {"unique_id": Column("text"), "forecaster": Column("text"), **dict.fromkeys(METRICS, NUMBER)}
    key = ("unique_id", "forecaster")


class MetricsByStepTable(Table):
    """Plain-mean metrics of each forecaster at each step ahead: means over windows, then over series."""

    columns: ClassVar = {"forecaster": Column("text"), "horizon_step": Column("int"), **dict.fromkeys(MEANS, NUMBER)}
    key = ("forecaster", "horizon_step")


MetricsBySeries = Annotated[pd.DataFrame, MetricsBySeriesTable]
MetricsByStep = Annotated[pd.DataFrame, MetricsByStepTable]


def average_errors(
    table: pd.DataFrame, forecasters: Sequence[str], statistic: str, by: str | None = None
) -> pd.DataFrame:
    """Return the mean of a statistic over the errors of each series.

    Args:
        table: `unique_id`, the actual `y`, and the forecasters; missing actuals and forecasts have no error.
        forecasters: columns of the table.
        statistic: see `Metric`.
        by: a column to group by besides the series; None for one mean per series.
    Returns:
        `by`, `unique_id` and a column for each forecaster, sorted by the first two.
    """
    from utilsforecast import losses

    # The library groups by this column, and only by series if there is no such column.
    means: pd.DataFrame = getattr(losses, statistic)(table, models=list(forecasters), cutoff_col=by or "")
    return means


def measure_by_series(
    predictions: Predictions, series: Series, cutoffs: Cutoffs, season_length: int
) -> MetricsBySeries:
    """Return all metrics of each forecaster on each series.

    Args:
        predictions: with the actuals.
        series, cutoffs, season_length: see `measure_naive_error`.
    """
    means = {
        statistic: average_errors(predictions.table, predictions.forecasters, statistic).set_index("unique_id")
        for statistic in {metric.statistic for metric in METRICS.values()}
    }
    scale = measure_naive_error(series, cutoffs, season_length)
    return _stack({name: _aggregate(metric, means[metric.statistic], scale) for name, metric in METRICS.items()})


def _aggregate(metric: Metric, means: pd.DataFrame, scale: pd.Series) -> pd.DataFrame:
    match metric.aggregation:
        case "mean":
            return means
        case "root":
            return np.sqrt(means)
        case "scaled":
            return means.div(scale.where(scale > 0).reindex(means.index), axis=0)


def _stack(metrics: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row for each series or step and each forecaster, with a column for each metric."""
    columns = [
        metrics[name]
        .melt(var_name="forecaster", value_name=name, ignore_index=False)
        .set_index("forecaster", append=True)
        for name in metrics
    ]
    return pd.concat(columns, axis=1).reset_index()


def measure_naive_error(series: Series, cutoffs: Cutoffs, season_length: int) -> pd.Series:
    """Return the MAE of seasonal naive, one season ahead in each training part, by series: the scale of MASE.

    Args:
        series: only observed values count.
        cutoffs: with the ends of the training parts.
        season_length: in steps.
    Source: Hyndman & Koehler (2006), equation for MASE, doi:10.1016/j.ijforecast.2006.03.001.
    """
    rows = find_rows(series)
    training = series[rows.places < rows.spread(look_up(series, cutoffs, "train_stop"))]
    training = training.assign(y=training["y"].where(training["observed"]))
    naive = training.groupby("unique_id", sort=False)["y"].shift(season_length)
    return average_errors(training.assign(naive=naive), ["naive"], "mae").set_index("unique_id")["naive"]


def measure_by_step(predictions: Predictions) -> MetricsByStep:
    """Return the plain-mean metrics of each forecaster at each step ahead.

    Args:
        predictions: with the actuals.
    """
    columns = {}
    for name in MEANS:
        means = average_errors(predictions.table, predictions.forecasters, METRICS[name].statistic, by="horizon_step")
        columns[name] = means.drop(columns="unique_id").groupby("horizon_step").mean()
    return _stack(columns)[list(MetricsByStepTable.columns)]


def average_over_series(predictions: Predictions, statistic: str = "mse") -> dict[str, float]:
    """Return the mean of a statistic over the errors of each series, then over series, for each forecaster.

    Args:
        predictions: with the actuals.
        statistic: see `Metric`.
    """
    means = average_errors(predictions.table, predictions.forecasters, statistic)
    return {name: float(means[name].mean()) for name in predictions.forecasters}


def measure_noise_floor(predictions: Predictions) -> float | None:
    """Return the MSE of the noise-free signal, averaged over series; None if the signal is unknown.

    Forecasts have a lower MSE only by chance.
    """
    if "signal" not in predictions.table:
        return None
    return float(average_errors(predictions.table, ["signal"], "mse")["signal"].mean())
