"""Metrics of forecasts, said once: a statistic of each error, its mean over windows and steps, and an aggregation.

The error is actual minus forecast. Lower is better in all of them.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, ClassVar, Literal

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.baselines import BASELINES
from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel, measure_intervals
from rnn_pipelines.forecast.evaluation.significance import compute_interval
from rnn_pipelines.forecast.predictions import Predictions
from rnn_pipelines.forecast.series.rows import find_rows, look_up
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series
from rnn_pipelines.forecast.series.windows import EvaluationSpec
from rnn_pipelines.tables import Column, Table

NOISE_FLOOR = "noise_floor"
Unit = Literal["data", "square", "none"]
UNITS: tuple[Unit, ...] = ("data", "square", "none")


@dataclass(frozen=True)
class Metric:
    """One number that a forecaster has on a series; lower is better.

    Attributes:
        heading: in tables and figures.
        statistic: of each error, and its mean over windows and steps: a function of `utilsforecast.losses`.
        aggregation: that mean as it is, its root, or divided by the MAE of seasonal naive in training.
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
# Those that are a plain mean, so that they can be told of a step ahead, or of a schedule, as well; each has the name of
# its statistic.
MEANS = tuple(name for name, metric in METRICS.items() if metric.aggregation == "mean")
NUMBER = Column("float", can_be_empty=True, can_be_infinite=True)


class MetricsBySeriesTable(Table):
    """Every metric of each forecaster on each series.

    MASE is missing where the training part repeats itself exactly or is shorter than a season.
    """

    columns: ClassVar = {"unique_id": Column("text"), "forecaster": Column("text"), **dict.fromkeys(METRICS, NUMBER)}
    key = ("unique_id", "forecaster")


class MetricsByStepTable(Table):
    """The metrics that are plain means, of each forecaster at each step ahead: means over windows, then over series."""

    columns: ClassVar = {"forecaster": Column("text"), "horizon_step": Column("int"), **dict.fromkeys(MEANS, NUMBER)}
    key = ("forecaster", "horizon_step")


MetricsBySeries = Annotated[pd.DataFrame, MetricsBySeriesTable]
MetricsByStep = Annotated[pd.DataFrame, MetricsByStepTable]


@dataclass(frozen=True)
class ForecastMetrics:
    """How good forecasters are over all series; `metrics.json` holds it.

    Attributes:
        forecasters: for each one its metrics (means over the series that have them), `skill_vs_<baseline>` (1 − MSE /
            the baseline's MSE: 0 is as good, 1 is perfect, below 0 is worse), `skill` (the same of the metric of the
            verdict, against seasonal naive or the last value), `fit_seconds`, `prediction_seconds`, and what a
            network's training took.
        noise_floor_mse: what is beaten by luck alone; None where it is unknown.
    """

    forecasters: Mapping[str, Mapping[str, float | None]]
    noise_floor_mse: float | None

    @property
    def deciding(self) -> str:
        """The metric of the verdict: `mase` where there are several series, `mse` of one."""
        return "mase" if any("relative_mae" in block for block in self.forecasters.values()) else "mse"

    @property
    def reference(self) -> str:
        """Against whom `skill` is."""
        return find_reference(self.forecasters)

    @classmethod
    def parse(cls, blocks: Mapping[str, Any]) -> "ForecastMetrics":
        """Reads what `to_json` has made."""
        return cls({k: v for k, v in blocks.items() if k != f"{NOISE_FLOOR}_mse"}, blocks[f"{NOISE_FLOOR}_mse"])

    def get(self, forecaster: str, metric: str) -> float:
        """A metric by its name in `METRICS`; NaN where the forecaster has none."""
        number = self.forecasters[forecaster][metric]
        return float("nan") if number is None else number

    def find_best_baseline(self) -> str:
        """That with the least error: MSE, or MASE, in which each series weighs the same, where there are several."""
        known = [name for name in self.forecasters if name in BASELINES]
        return min(known, key=lambda name: _sort_last(self.forecasters[name][self.deciding]))

    def rank(self) -> list[str]:
        """All forecasters, from the best to the worst; those without an error last."""
        return sorted(self.forecasters, key=lambda name: _sort_last(self.forecasters[name][self.deciding]))

    def add(self, numbers: Mapping[str, Mapping[str, float | None]]) -> "ForecastMetrics":
        """With more numbers of each forecaster."""
        added = {name: {**block, **numbers.get(name, {})} for name, block in self.forecasters.items()}
        return replace(self, forecasters=added)

    def to_json(self) -> dict[str, Any]:
        """One block for each forecaster, and the noise floor beside them."""
        return {**self.forecasters, f"{NOISE_FLOOR}_mse": self.noise_floor_mse}


def evaluate_forecasts(
    predictions: Predictions,
    series: Series,
    cutoffs: Cutoffs,
    profile: Profile,
    evaluation: EvaluationSpec,
    seconds: Mapping[str, Mapping[str, float]],
    **records: Mapping[str, Any],
) -> tuple[dict[str, Any], MetricsBySeries, MetricsByStep, MetricsByLevel]:
    """Measures every forecaster on the test part: over all, by series, by step ahead, and its intervals by level.

    Args:
        predictions: beside what happened.
        series: up to their last observation, for the scale of MASE.
        cutoffs: of the training part, from which alone the scale comes.
        profile: of the series; the season is that of their frequency where `evaluation` names none.
        evaluation: with the steps in a season.
        seconds: that each forecaster took, see `count_seconds`.
        records: of each network's training.
    """
    season_length = evaluation.choose_season_length(profile)
    by_series = measure_by_series(predictions, series, cutoffs, season_length)
    scale = measure_naive_error(series, cutoffs, season_length)
    summary = summarize_metrics(by_series, measure_noise_floor(predictions), records)
    summary = summary.add(measure_differences(predictions, scale, summary.find_best_baseline()))
    of_intervals, by_level = measure_intervals(predictions)
    return summary.add(of_intervals).add(seconds).to_json(), by_series, measure_by_step(predictions), by_level


def average_errors(
    table: pd.DataFrame, forecasters: Sequence[str], statistic: str, by: str | None = None
) -> pd.DataFrame:
    """The mean of a statistic over the errors of each series.

    Args:
        table: `unique_id`, the actual `y`, and the forecasters; where one of the two is missing there is no error.
        forecasters: columns of the table.
        statistic: see `Metric`.
        by: a column whose values are averaged apart; None for all of a series together.
    Returns:
        `by`, `unique_id` and a column for each forecaster, sorted by the first two.
    """
    from utilsforecast import losses

    # The library averages apart what this argument names, and all together if there is no such column.
    means: pd.DataFrame = getattr(losses, statistic)(table, models=list(forecasters), cutoff_col=by or "")
    return means


def measure_by_series(
    predictions: Predictions, series: Series, cutoffs: Cutoffs, season_length: int
) -> MetricsBySeries:
    """Every metric of every forecaster on every series.

    Args:
        predictions: beside what happened.
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
    """A row for each series or step and each forecaster, a column for each metric."""
    columns = [
        metrics[name]
        .melt(var_name="forecaster", value_name=name, ignore_index=False)
        .set_index("forecaster", append=True)
        for name in metrics
    ]
    return pd.concat(columns, axis=1).reset_index()


def measure_naive_error(series: Series, cutoffs: Cutoffs, season_length: int) -> pd.Series:
    """MAE of seasonal naive one season ahead within each training part, by series: the scale of MASE.

    Args:
        series: of which only observed values count.
        cutoffs: of the training part.
        season_length: steps in a season.
    Source: Hyndman & Koehler (2006), equation for MASE, doi:10.1016/j.ijforecast.2006.03.001.
    """
    rows = find_rows(series)
    training = series[rows.places < rows.spread(look_up(series, cutoffs, "train_stop"))]
    training = training.assign(y=training["y"].where(training["observed"]))
    naive = training.groupby("unique_id", sort=False)["y"].shift(season_length)
    return average_errors(training.assign(naive=naive), ["naive"], "mae").set_index("unique_id")["naive"]


def measure_by_step(predictions: Predictions) -> MetricsByStep:
    """The metrics that are plain means, of every forecaster at every step ahead.

    Args:
        predictions: beside what happened.
    """
    columns = {}
    for name in MEANS:
        means = average_errors(predictions.table, predictions.forecasters, METRICS[name].statistic, by="horizon_step")
        columns[name] = means.drop(columns="unique_id").groupby("horizon_step").mean()
    return _stack(columns)[list(MetricsByStepTable.columns)]


def measure_relative_mae(by_series: MetricsBySeries) -> pd.Series:
    """The geometric mean over series of a forecaster's MAE over that of seasonal naive, or of the last value.

    No series rules it, however large its values are, and halving one error weighs as much as doubling another. Series
    on which either is exact are left out.

    Args:
        by_series: every metric of several series.
    Returns:
        float64 by forecaster.
    Source: Hyndman & Koehler (2006), GMRAE over series, doi:10.1016/j.ijforecast.2006.03.001.
    """
    mae = by_series.pivot(index="unique_id", columns="forecaster", values="mae")
    ratios = mae.div(mae[find_reference(mae)], axis=0)
    return np.exp(np.log(ratios.where((ratios > 0) & np.isfinite(ratios))).mean())


def find_reference(forecasters: Container[str]) -> str:
    """Against whom everyone is told: seasonal naive, or the last value where there is no season."""
    return "seasonal_naive" if "seasonal_naive" in forecasters else "last_value"


def measure_differences(
    predictions: Predictions, scale: pd.Series, baseline: str
) -> dict[str, dict[str, float | None]]:
    """By how much each forecaster's error differs from that of a baseline, and what chance alone could make of it.

    Args:
        predictions: beside what happened.
        scale: by series, of MASE.
        baseline: which one.
    Returns:
        By forecaster `difference`, of the mean squared error of one series, of the scaled absolute error of several,
        over the baseline's: below 0 is better; and `difference_low`, `difference_high`, its 95 % interval over
        cut-offs, or over series where each has one cut-off. None where nothing can be said.
    """
    table = predictions.table
    is_panel = table["unique_id"].nunique() > 1
    by_cutoff = average_errors(table, predictions.forecasters, "mae" if is_panel else "mse", by="cutoff")
    losses = by_cutoff[list(predictions.forecasters)]
    if is_panel:
        losses = losses.div(by_cutoff["unique_id"].map(scale.where(scale > 0)), axis=0)
    has_one_each = len(by_cutoff) == by_cutoff["unique_id"].nunique()
    losses = losses if has_one_each else losses.groupby(by_cutoff["cutoff"]).mean()
    # A window of which nothing was observed has no error, a series without a scale none that could be scaled.
    losses = losses.dropna()
    horizon = 1 if has_one_each else int(table["horizon_step"].max())
    theirs = losses[baseline].mean()
    found: dict[str, dict[str, float | None]] = {}
    for name in predictions.forecasters:
        differences = (losses[name] - losses[baseline]).to_numpy() / theirs if theirs > 0 else np.array([np.nan])
        ends = (float(np.mean(differences)), *compute_interval(differences, horizon))
        names = ("difference", "difference_low", "difference_high")
        found[name] = {key: end if np.isfinite(end) else None for key, end in zip(names, ends, strict=True)}
    return found


def _sort_last(number: float | None) -> float:
    return float("inf") if number is None else number


def average_over_series(predictions: Predictions, statistic: str = "mse") -> dict[str, float]:
    """The mean of a statistic over the errors of a series, then over series, for each forecaster.

    Args:
        predictions: beside what happened.
        statistic: see `Metric`.
    """
    means = average_errors(predictions.table, predictions.forecasters, statistic)
    return {name: float(means[name].mean()) for name in predictions.forecasters}


def measure_noise_floor(predictions: Predictions) -> float | None:
    """MSE of the noise-free signal, mean over series, which is beaten by luck alone; None where it is unknown."""
    if "signal" not in predictions.table:
        return None
    return float(average_errors(predictions.table, ["signal"], "mse")["signal"].mean())


def summarize_metrics(
    by_series: MetricsBySeries, noise_floor_mse: float | None, records: Mapping[str, Mapping[str, Any]]
) -> ForecastMetrics:
    """Means over series, skills against the baselines, and what the networks took.

    Args:
        by_series: every metric on every series.
        noise_floor_mse: see `measure_noise_floor`.
        records: of each network's training.
    """
    means = by_series.groupby("forecaster", sort=False)[list(METRICS)].mean()
    is_panel, reference = by_series["unique_id"].nunique() > 1, find_reference(means.index)
    if is_panel:
        means["relative_mae"] = measure_relative_mae(by_series)
    if reference in means.index:
        errors = means["mase" if is_panel else "mse"]
        means["skill"] = 1 - errors / errors.where(errors > 0)[reference]
    blocks: dict[str, dict[str, float | None]] = {}
    for name, row in means.iterrows():
        numbers = dict(row)
        for baseline in [baseline for baseline in BASELINES if baseline in means.index and baseline != name]:
            theirs = means.loc[baseline, "mse"]
            numbers[f"skill_vs_{baseline}"] = 1 - row["mse"] / theirs if theirs > 0 else None
        blocks[str(name)] = {key: None if pd.isna(number) else float(number) for key, number in numbers.items()}
    for name, record in records.items():
        blocks[name] |= {key: value for key, value in record.items() if key != "design"}
    return ForecastMetrics(blocks, noise_floor_mse)
