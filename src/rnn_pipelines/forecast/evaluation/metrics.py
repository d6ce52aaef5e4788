"""Metrics of point forecasts: a statistic of each error, its mean over windows and steps, and an aggregation.

The error is actual minus forecast. Lower is better for all metrics. Four more, `RATIOS`, are ratios of means: two of
sums of forecasts, and two of their changes, see below. With the forecasts f of the actuals y, sums over all
windows, and totals over the steps h of a window:

    bias         Σ Σ_h (f − y) / Σ Σ_h |y|
    total_wape   Σ |Σ_h (f − y)| / Σ |Σ_h y|

A bias above 0 means that forecasts are too high. If no value is negative, it is the sum of the forecasts over that of
the actuals, minus 1; otherwise, as for temperatures, the mean error over the mean absolute actual. Both are fractions,
without a value if the denominator is 0. Over several series, numerator and denominator are means over the windows of
a series, then over series: a series of zeros counts, and large series have the most weight.

Stability is how far a method moves the forecast of a date from one origin to the next, relative to its error. With the
forecasts f of a date t from neighbouring origins n and n', both of which forecast it, and the actuals y:

    stability           mean |f(t, n) − f(t, n')| / mean |y − f|
    horizon_stability   the same times the changes of a date from its first forecast to its last one

Lower is steadier, and 0 never changes. Forecasts whose origins are further apart than the horizon have no stability.
Unlike a percentage change, it exists for values around 0, and tells whether the changes are large for the errors.

Source: Kolassa & Schütz (2007), Foresight 6, 40-43, for the ratio of means. Stability: Godahewa et al. (2023), vertical
    stability and mean absolute change, arXiv:2310.17332; Van Belle, Crevits & Verbeke (2023), sMAPC,
    doi:10.1016/j.ijforecast.2022.06.007; Zanotti (2025) for retraining, arXiv:2506.05776.
"""

from collections.abc import Iterator, Mapping, Sequence
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
        statistic: of each error, averaged over windows and steps: a function of `utilsforecast.losses`.
        aggregation: the mean itself, its root, or either over the same error of seasonal naive in training.
        unit: that of the data, its square, or none.
    """

    heading: str
    statistic: str
    aggregation: Literal["mean", "root", "scaled", "scaled_root"]
    unit: Unit


METRICS = {
    "mse": Metric("MSE", "mse", "mean", "square"),
    "rmse": Metric("RMSE", "mse", "root", "data"),
    "mae": Metric("MAE", "mae", "mean", "data"),
    "mase": Metric("MASE", "mae", "scaled", "none"),
    "rmsse": Metric("RMSSE", "mse", "scaled_root", "none"),
}
STABILITY = ("stability", "horizon_stability")
# Ratios of means; the best bias is the one nearest to 0.
RATIOS = ("bias", "total_wape", *STABILITY)
# Plain means, which also exist by step ahead and for a schedule. Each has the name of its statistic.
MEANS = tuple(name for name, metric in METRICS.items() if metric.aggregation == "mean")
NUMBER = Column("float", can_be_empty=True, can_be_infinite=True)


class MetricsBySeriesTable(Table):
    """All metrics of each forecaster on each series.

    MASE and RMSSE are missing if the training part repeats itself exactly, or is shorter than a season and those of
    other series are not.
    """

    columns: ClassVar = {
        **dict.fromkeys(("unique_id", "forecaster"), Column("text")),
        **dict.fromkeys([*METRICS, *RATIOS], NUMBER),
    }
    key = ("unique_id", "forecaster")


class MetricsByStepTable(Table):
    """Plain-mean metrics of each forecaster at each step ahead: means over windows, then over series."""

    columns: ClassVar = {
        "forecaster": Column("text"),
        "horizon_step": Column("int"),
        **dict.fromkeys(MEANS, NUMBER),
    }
    key = ("forecaster", "horizon_step")


MetricsBySeries = Annotated[pd.DataFrame, MetricsBySeriesTable]
MetricsByStep = Annotated[pd.DataFrame, MetricsByStepTable]


def average_errors(
    table: pd.DataFrame, forecasters: Sequence[str], statistic: str, by: str | None = None
) -> pd.DataFrame:
    """Return the mean of a statistic over the errors of each series: `by, unique_id`, sorted, and the forecasters.

    Missing actuals `y` and forecasts of the table have no error. `by` is a column besides the series; None for none.
    """
    from utilsforecast import losses

    # The library groups by this column, and only by series if there is no such column.
    return getattr(losses, statistic)(table, models=list(forecasters), cutoff_col=by or "")


def average_changes(
    table: pd.DataFrame, forecasters: Sequence[str], before: Sequence[str] | None = None
) -> tuple[pd.DataFrame, pd.Series]:
    """Return the mean absolute change of each forecaster by series, and the most changes of a date.

    The table has `unique_id, cutoff, ds`, each once, and the forecasters. Those of the earlier origins are `before`,
    for changes of the model between two origins. The changes are float64, by `unique_id`, a column for each forecaster,
    NaN for series without two forecasts of a date; the numbers of changes are by `unique_id`.
    """
    ordered = table.sort_values(["unique_id", "ds", "cutoff"], kind="stable")
    dates = ordered[["unique_id", "ds"]]
    is_same = (dates == dates.shift()).all(axis=1)
    now = ordered[list(forecasters)].to_numpy("float64")
    earlier = ordered[list(before or forecasters)].to_numpy("float64")
    changes = pd.DataFrame(np.nan, index=ordered.index, columns=list(forecasters))
    # Forecasts that are infinite twice have no change.
    with np.errstate(invalid="ignore"):
        changes.iloc[1:] = np.abs(now[1:] - earlier[:-1])
    changes = changes.where(is_same)
    num_changes = (
        is_same.groupby([dates["unique_id"], dates["ds"]]).sum().groupby("unique_id").max()
    )
    return changes.groupby(dates["unique_id"]).mean(), num_changes


def measure_by_series(
    predictions: Predictions, series: Series, cutoffs: Cutoffs, season_length: int
) -> MetricsBySeries:
    """Return all metrics of each forecaster on each series."""
    means = {
        statistic: average_errors(predictions.table, predictions.forecasters, statistic).set_index(
            "unique_id"
        )
        for statistic in {metric.statistic for metric in METRICS.values()}
    }
    scales = {
        statistic: measure_naive_error(series, cutoffs, season_length, statistic)
        for statistic in means
    }
    metrics = {}
    for name, metric in METRICS.items():
        errors = means[metric.statistic]
        scale = scales[metric.statistic]
        if metric.aggregation.startswith("scaled"):
            errors = errors.div(scale.where(scale > 0).reindex(errors.index), axis=0)
        metrics[name] = np.sqrt(errors) if metric.aggregation.endswith("root") else errors
    ratios = {
        name: errors / sizes.where(sizes > 0) for name, errors, sizes in _average_parts(predictions)
    }
    return _stack(metrics | ratios)


def measure_ratios(predictions: Predictions) -> pd.DataFrame:
    """Return the ratios of means over all series: `RATIOS`, by forecaster. Steps without an actual are left out."""
    averages = {
        name: (parts.mean(), sizes.mean()) for name, parts, sizes in _average_parts(predictions)
    }
    return pd.DataFrame(
        {name: part / size.where(size > 0) for name, (part, size) in averages.items()}
    )


def sum_ratios(predictions: Predictions) -> dict[str, dict[str, tuple[float, float]]]:
    """Return numerator and denominator of each ratio of means, added over the series: by measure and forecaster."""
    return {
        name: {
            str(method): (float(parts[method].sum()), float(sizes[method].sum()))
            for method in parts
        }
        for name, parts, sizes in _average_parts(predictions)
    }


def list_ratios(predictions: Predictions) -> dict[str, dict[str, float | None]]:
    """Return `measure_ratios` as plain numbers, by forecaster; None for missing ones."""
    ratios = measure_ratios(predictions).astype(object)
    return ratios.where(ratios.notna(), None).to_dict(orient="index")


def _average_parts(predictions: Predictions) -> Iterator[tuple[str, pd.DataFrame, pd.DataFrame]]:
    """Yield numerator and denominator of each ratio of means, by series and forecaster."""
    names = list(predictions.forecasters)
    steps = predictions.table.loc[
        predictions.table["y"].notna(), ["unique_id", "cutoff", "ds", "y", *names]
    ]
    # A window without one of its forecasts has no total.
    windows = (
        steps.drop(columns="ds")
        .groupby(["unique_id", "cutoff"], sort=False)
        .sum(skipna=False)
        .reset_index()
    )
    for name, table, statistic in (("bias", steps, "bias"), ("total_wape", windows, "mae")):
        size = table["y"].abs().groupby(table["unique_id"]).mean()
        parts = average_errors(table, names, statistic).set_index("unique_id")
        yield name, parts, pd.DataFrame(dict.fromkeys(names, size))
    changes, num_changes = average_changes(steps, names)
    errors = average_errors(steps, names, "mae").set_index("unique_id").where(changes.notna())
    for name, parts in zip(STABILITY, (changes, changes.mul(num_changes, axis=0)), strict=True):
        yield name, parts, errors


def _stack(metrics: Mapping[str, pd.DataFrame]) -> pd.DataFrame:
    """Return a row for each series or step and each forecaster, with a column for each metric."""
    columns = [
        table.melt(var_name="forecaster", value_name=name, ignore_index=False).set_index(
            "forecaster", append=True
        )
        for name, table in metrics.items()
    ]
    return pd.concat(columns, axis=1).reset_index()


def measure_naive_error(
    series: Series, cutoffs: Cutoffs, season_length: int, statistic: str = "mae"
) -> pd.Series:
    """Return the error of seasonal naive, one season ahead in each training part, by series.

    Its MAE is the scale of MASE, and its MSE that of RMSSE.

    Args:
        series: only observed values count.
    Source: Hyndman & Koehler (2006), equation for MASE, doi:10.1016/j.ijforecast.2006.03.001; RMSSE: Makridakis,
        Spiliotis & Assimakopoulos (2022), M5, doi:10.1016/j.ijforecast.2021.11.013, here with a season.
    """
    training = _find_training(series, cutoffs)
    naive = training.groupby("unique_id", sort=False)["y"].shift(season_length)
    return average_errors(training.assign(naive=naive), ["naive"], statistic).set_index(
        "unique_id"
    )["naive"]


def choose_scale_season(series: Series, cutoffs: Cutoffs, season_length: int) -> int:
    """Return the season of the scales of MASE and RMSSE; 1 if no series has a scale with its season.

    A panel is ranked by these metrics. Weekly series of a year are shorter than their season, and would have none.
    """
    return season_length if (measure_naive_error(series, cutoffs, season_length) > 0).any() else 1


def _find_training(series: Series, cutoffs: Cutoffs) -> pd.DataFrame:
    """Return the training parts, without values that were not observed."""
    rows = find_rows(series)
    training = series[rows.places < rows.spread(look_up(series, cutoffs, "train_stop"))]
    return training.assign(y=training["y"].where(training["observed"]))


def measure_zero_fraction(series: Series, cutoffs: Cutoffs) -> float:
    """Return the share of zeros among the observed values of all training parts."""
    values = _find_training(series, cutoffs)["y"].dropna()
    return float((values == 0).mean()) if len(values) else 0.0


def measure_by(predictions: Predictions, by: Literal["horizon_step", "cutoff"]) -> pd.DataFrame:
    """Return the plain-mean metrics of each forecaster at each step ahead or cut-off, see `MetricsByStepTable`."""
    columns = {}
    for name in MEANS:
        means = average_errors(
            predictions.table, predictions.forecasters, METRICS[name].statistic, by=by
        )
        columns[name] = means.drop(columns="unique_id").groupby(by).mean()
    return _stack(columns)[["forecaster", by, *MEANS]]


def average_over_series(predictions: Predictions, statistic: str = "mse") -> dict[str, float]:
    """Return the mean of a statistic over the errors of each series, then over series, for each forecaster."""
    means = average_errors(predictions.table, predictions.forecasters, statistic)
    return {name: float(means[name].mean()) for name in predictions.forecasters}


def measure_noise_floor(predictions: Predictions) -> float | None:
    """Return the MSE of the noise-free signal, averaged over series, a floor but for chance; None if it is unknown."""
    if "signal" not in predictions.table:
        return None
    return float(average_errors(predictions.table, ["signal"], "mse")["signal"].mean())
