"""Metrics of forecasters over all series: errors, skills, and differences from the best baseline."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.interval_metrics import (
    MetricsByLevel,
    MetricsByLevelTable,
    list_missed,
    measure_intervals,
)
from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    MetricsBySeries,
    MetricsBySeriesTable,
    MetricsByStep,
    MetricsByStepTable,
    average_errors,
    measure_by_series,
    measure_by_step,
    measure_naive_error,
    measure_noise_floor,
)
from rnn_pipelines.forecast.evaluation.significance import compute_interval
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series
from rnn_pipelines.forecast.series.windows import EvaluationSpec

NOISE_FLOOR, MISSED_ORIGINS = "noise_floor", "missed_origins"


@dataclass(frozen=True)
class ForecastMetrics:
    """Metrics of forecasters over all series, as in `metrics.json`.

    Attributes:
        forecasters: by name, the metrics (means over the series that have them), `skill_vs_<baseline>` (1 − MSE / the
            baseline's MSE: 1 is perfect, 0 is equal, negative is worse), `skill` (the same for the deciding metric,
            against the reference), `fit_seconds`, `prediction_seconds`, and the training record of a network.
        noise_floor_mse: see `measure_noise_floor`.
        missed_origins: by level, the cut-offs of a panel that the intervals of the ensemble missed, see `list_missed`.
    """

    forecasters: Mapping[str, Mapping[str, float | None]]
    noise_floor_mse: float | None
    missed_origins: Mapping[str, Sequence[str]] = field(default_factory=dict)

    @property
    def deciding(self) -> str:
        """The metric of the verdict: `mse` for one series; `mase` for several, which weighs each the same."""
        return "mase" if any("relative_mae" in block for block in self.forecasters.values()) else "mse"

    @property
    def reference(self) -> str:
        """The forecaster that `skill` compares with."""
        return find_reference(self.forecasters)

    @classmethod
    def parse(cls, blocks: Mapping[str, Any]) -> "ForecastMetrics":
        """Read the result of `to_json`."""
        others = {f"{NOISE_FLOOR}_mse", MISSED_ORIGINS}
        forecasters = {name: block for name, block in blocks.items() if name not in others}
        return cls(forecasters, blocks[f"{NOISE_FLOOR}_mse"], blocks.get(MISSED_ORIGINS, {}))

    def get(self, forecaster: str, metric: str) -> float:
        """Return a metric by its name in `METRICS`; NaN if the forecaster has none."""
        number = self.forecasters[forecaster][metric]
        return float("nan") if number is None else number

    def find_best_baseline(self) -> str:
        """Return the simple method with the lowest error in the deciding metric."""
        baselines = [name for name in self.forecasters if name in METHODS]
        return min(baselines, key=lambda name: _sort_last(self.forecasters[name][self.deciding]))

    def rank(self) -> list[str]:
        """Return all forecasters, from the best to the worst; those without an error come last."""
        return sorted(self.forecasters, key=lambda name: _sort_last(self.forecasters[name][self.deciding]))

    def add(self, numbers: Mapping[str, Mapping[str, float | None]]) -> "ForecastMetrics":
        """Return the metrics with more numbers of each forecaster."""
        added = {name: {**block, **numbers.get(name, {})} for name, block in self.forecasters.items()}
        return replace(self, forecasters=added)

    def to_json(self) -> dict[str, Any]:
        """Return a block for each forecaster, the noise floor, and of a panel the missed origins."""
        missed = {MISSED_ORIGINS: dict(self.missed_origins)} if self.missed_origins else {}
        return {**self.forecasters, f"{NOISE_FLOOR}_mse": self.noise_floor_mse, **missed}


def _sort_last(number: float | None) -> float:
    return float("inf") if number is None else number


def find_reference(forecasters: Container[str]) -> str:
    """Return the reference of `skill`: seasonal naive, or the last value if there is no season."""
    return "seasonal_naive" if "seasonal_naive" in forecasters else "last_value"


def evaluate_forecasts(
    predictions: Predictions,
    series: Series,
    cutoffs: Cutoffs,
    profile: Profile,
    evaluation: EvaluationSpec,
    seconds: Mapping[str, Mapping[str, float]],
    **records: Mapping[str, Any],
) -> tuple[dict[str, Any], MetricsBySeries, MetricsByStep, MetricsByLevel]:
    """Measure all forecasters on the test part: over all series, by series, by step ahead, and intervals by level.

    Without a test part, there are no forecasters in the metrics and no rows in the tables.

    Args:
        predictions: with the actuals.
        series: up to their last observation, for the scale of MASE.
        cutoffs: with the ends of the training parts, to which the scale is limited.
        profile: of the series; its frequency gives the season if `evaluation` sets none.
        evaluation: with the season length in steps.
        seconds: the times of each forecaster, see `list_seconds`.
        records: the training record of each network.
    """
    if predictions.table.empty:
        empty = (table.make_empty() for table in (MetricsBySeriesTable, MetricsByStepTable, MetricsByLevelTable))
        return ForecastMetrics({}, None).to_json(), *empty
    season_length = evaluation.choose_season_length(profile)
    by_series = measure_by_series(predictions, series, cutoffs, season_length)
    scale = measure_naive_error(series, cutoffs, season_length)
    summary = summarize_metrics(by_series, measure_noise_floor(predictions), records)
    summary = summary.add(measure_differences(predictions, scale, summary.find_best_baseline()))
    of_intervals, by_level = measure_intervals(predictions)
    summary = replace(summary, missed_origins=list_missed(predictions, ENSEMBLE))
    return summary.add(of_intervals).add(seconds).to_json(), by_series, measure_by_step(predictions), by_level


def summarize_metrics(
    by_series: MetricsBySeries, noise_floor_mse: float | None, records: Mapping[str, Mapping[str, Any]]
) -> ForecastMetrics:
    """Return means over series, skills against the baselines, and the training records of the networks.

    Args:
        by_series: all metrics on each series.
        noise_floor_mse: see `measure_noise_floor`.
        records: the training record of each network.
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
        for baseline in [baseline for baseline in METHODS if baseline in means.index and baseline != name]:
            theirs = means.loc[baseline, "mse"]
            numbers[f"skill_vs_{baseline}"] = 1 - row["mse"] / theirs if theirs > 0 else None
        blocks[str(name)] = {key: None if pd.isna(number) else float(number) for key, number in numbers.items()}
    for name, record in records.items():
        blocks[name] |= {key: value for key, value in record.items() if key != "hyperparameters"}
    return ForecastMetrics(blocks, noise_floor_mse)


def measure_relative_mae(by_series: MetricsBySeries) -> pd.Series:
    """Return the geometric mean over series of each forecaster's MAE over that of the reference: float64 by forecaster.

    Series with large values do not dominate it, and halving one error weighs as much as doubling another. Series on
    which either error is 0 are left out.

    Source: Hyndman & Koehler (2006), GMRAE over series, doi:10.1016/j.ijforecast.2006.03.001.
    """
    mae = by_series.pivot(index="unique_id", columns="forecaster", values="mae")
    ratios = mae.div(mae[find_reference(mae)], axis=0)
    return np.exp(np.log(ratios.where((ratios > 0) & np.isfinite(ratios))).mean())


def measure_differences(
    predictions: Predictions, scale: pd.Series, baseline: str
) -> dict[str, dict[str, float | None]]:
    """Return the relative difference of each forecaster's error from that of a baseline, with its interval.

    Args:
        predictions: with the actuals.
        scale: of MASE, by series.
        baseline: name of the baseline.
    Returns:
        By forecaster, `difference`: that of the mean squared error of one series, or of the scaled absolute error of
        several, over the baseline's error; negative is better. `difference_low`, `difference_high`: its 95 % interval
        over cut-offs, or over series if each has one cut-off. None if undefined.
    """
    table = predictions.table
    is_panel = table["unique_id"].nunique() > 1
    by_cutoff = average_errors(table, predictions.forecasters, "mae" if is_panel else "mse", by="cutoff")
    losses = by_cutoff[list(predictions.forecasters)]
    if is_panel:
        losses = losses.div(by_cutoff["unique_id"].map(scale.where(scale > 0)), axis=0)
    has_one_each = len(by_cutoff) == by_cutoff["unique_id"].nunique()
    losses = losses if has_one_each else losses.groupby(by_cutoff["cutoff"]).mean()
    # A window without observations has no error; a series without a scale has no scaled error.
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
