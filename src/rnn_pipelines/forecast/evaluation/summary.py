"""How good forecasters are over all series: their metrics, skills, and differences from the best baseline."""

from collections.abc import Container, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel, measure_intervals
from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    MetricsBySeries,
    MetricsByStep,
    average_errors,
    measure_by_series,
    measure_by_step,
    measure_naive_error,
    measure_noise_floor,
)
from rnn_pipelines.forecast.evaluation.significance import compute_interval
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series
from rnn_pipelines.forecast.series.windows import EvaluationSpec

NOISE_FLOOR = "noise_floor"


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
        known = [name for name in self.forecasters if name in METHODS]
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


def _sort_last(number: float | None) -> float:
    return float("inf") if number is None else number


def find_reference(forecasters: Container[str]) -> str:
    """Against whom everyone is told: seasonal naive, or the last value where there is no season."""
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
        for baseline in [baseline for baseline in METHODS if baseline in means.index and baseline != name]:
            theirs = means.loc[baseline, "mse"]
            numbers[f"skill_vs_{baseline}"] = 1 - row["mse"] / theirs if theirs > 0 else None
        blocks[str(name)] = {key: None if pd.isna(number) else float(number) for key, number in numbers.items()}
    for name, record in records.items():
        blocks[name] |= {key: value for key, value in record.items() if key != "hyperparameters"}
    return ForecastMetrics(blocks, noise_floor_mse)


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
