"""Metrics of forecasters over all series: errors, skills, and differences from the best baseline."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.manifest import fingerprint_table
from rnn_pipelines.forecast.evaluation import interval_metrics
from rnn_pipelines.forecast.evaluation.leaderboard import COLUMNS
from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    MetricsBySeries,
    MetricsBySeriesTable,
    MetricsByStep,
    MetricsByStepTable,
    choose_scale_season,
    measure_by,
    measure_by_series,
    measure_naive_error,
    measure_noise_floor,
    measure_ratios,
    measure_zero_fraction,
)
from rnn_pipelines.forecast.evaluation.past_comparison import PastComparison
from rnn_pipelines.forecast.evaluation.significance import centre_differences, measure_differences
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.local.intermittent import CONSTANTS, SOME_ZEROS
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series
from rnn_pipelines.forecast.windows.panel import EvaluationSpec

NOISE_FLOOR, MISSED_ORIGINS = "noise_floor", "missed_origins"
# Forecasts are float32, so that smaller errors, relative to the level of the data, are rounding.
ROUNDING = 1e-6


@dataclass(frozen=True)
class ForecastMetrics:
    """Metrics of forecasters over all series, as in `metrics.json`.

    Attributes:
        forecasters: by name, the metrics (means over the series that have them), the ratios of means, see
            `measure_ratios`, `skill_vs_<baseline>` (1 − MSE / the baseline's MSE: 1 is perfect, 0 is equal, negative is
            worse), `skill` (the same for the deciding metric, against the reference), `fit_seconds`,
            `prediction_seconds`, and the training record of a network.
        num_windows, num_cutoffs: evaluated windows of all series, and their different cut-offs.
        missed_origins: by level, the cut-offs of a panel that the intervals in use missed, see `list_missed`.
        values_needed: about the values of a series that the training of networks takes; 0 if they were trained.
        use: the forecaster that goes into use.
        mean_size: the mean absolute actual of the test part; 0 if unknown.
        test_fingerprint: of windows and actuals of the test part; empty if unknown.
        past: the method in use beside the others at all origins, see `compare_past`; None if unknown.
    """

    forecasters: Mapping[str, Mapping[str, float | None]]
    noise_floor_mse: float | None
    zero_fraction: float = 0.0
    num_windows: int = 0
    num_cutoffs: int = 0
    missed_origins: Mapping[str, Sequence[str]] = field(default_factory=dict)
    values_needed: int = 0
    use: str = ENSEMBLE
    mean_size: float = 0.0
    test_fingerprint: str = ""
    past: PastComparison | None = None

    @property
    def is_panel(self) -> bool:
        """Whether there are several series."""
        return any("relative_mae" in block for block in self.forecasters.values())

    @property
    def deciding(self) -> str:
        """The metric of the verdict, see `choose_deciding`."""
        has_scale = any(block.get("mase") is not None for block in self.forecasters.values())
        return choose_deciding(self.is_panel, self.zero_fraction, has_scale)

    @property
    def reference(self) -> str:
        """The forecaster that `skill` compares with."""
        return find_reference(self.forecasters)

    @classmethod
    def parse(cls, blocks: Mapping[str, Any]) -> "ForecastMetrics":
        """Read the result of `to_json`."""
        attributes = {name: blocks[name] for name in cls._list_attributes() if name in blocks}
        forecasters = {name: block for name, block in blocks.items() if name not in attributes}
        return cls(forecasters, **attributes)

    @classmethod
    def _list_attributes(cls) -> list[str]:
        """Return the attributes that stand beside the blocks of the forecasters in `metrics.json`."""
        return [part.name for part in fields(cls) if part.name != "forecasters"]

    def get(self, forecaster: str, metric: str) -> float:
        """Return a metric by its name in `METRICS`; NaN if the forecaster has none."""
        number = self.forecasters[forecaster][metric]
        return float("nan") if number is None else number

    def is_exact(self, forecaster: str) -> bool:
        """Return whether the errors of a forecaster are only rounding."""
        mae = self.forecasters.get(forecaster, {}).get("mae")
        return mae is not None and mae <= ROUNDING * self.mean_size

    def find_best_baseline(self) -> str:
        """Return the simple method with the lowest error in the deciding metric."""
        return min((name for name in self.forecasters if name in METHODS), key=self._find_error)

    def find_best_constant(self) -> str | None:
        """Return the constant forecast with the lowest error in the deciding metric; None if there is none."""
        constants = [name for name in CONSTANTS if name in self.forecasters]
        return min(constants, key=self._find_error, default=None)

    def rank(self) -> list[str]:
        """Return all forecasters, from the best to the worst; those without an error come last."""
        return sorted(self.forecasters, key=self._find_error)

    def _find_error(self, forecaster: str) -> float:
        """Return the deciding metric; infinite if the forecaster has none."""
        error = self.forecasters[forecaster][self.deciding]
        return float("inf") if error is None else error

    def add(self, numbers: Mapping[str, Mapping[str, float | None]]) -> "ForecastMetrics":
        """Return the metrics with more numbers of each forecaster."""
        added = {
            name: {**block, **numbers.get(name, {})} for name, block in self.forecasters.items()
        }
        return replace(self, forecasters=added)

    def to_json(self) -> dict[str, Any]:
        """Return a block for each forecaster, and the other attributes."""
        attributes = {name: getattr(self, name) for name in self._list_attributes()}
        return {**self.forecasters, **attributes}


def choose_deciding(is_panel: bool, zero_fraction: float, has_scale: bool) -> str:
    """Return the metric of verdict and ranking.

    It is `mse` for one series. For several it is `mase`, in which each has the same weight; or `rmsse` if many values
    are 0, because the lowest absolute error is then that of a forecast of 0, and not that of the mean. If the training
    parts of all series are constant, no error can be scaled by them, and it is `mae`.
    """
    if not is_panel:
        return "mse"
    if not has_scale:
        return "mae"
    return "rmsse" if zero_fraction > SOME_ZEROS else "mase"


def warn_of_zeros(zero_fraction: float, metric: str | None) -> str:
    """Return the warning of many zeros, with the metric of the ranking if there is one; empty if zeros are few."""
    if zero_fraction <= SOME_ZEROS:
        return ""
    warning = f"{100 * zero_fraction:.0f} % of the values are 0."
    # Nothing but zeros has no scale, and any other forecast than 0 is worse.
    if metric is None or metric == "mae":
        return warning
    reason = "a forecast of 0 can have the lowest MAE and MASE"
    return f"{warning} The ranking is by the {METRICS[metric].heading}, because {reason}."


def find_reference(forecasters: Container[str]) -> str:
    """Return the reference of `skill`: seasonal naive, or the last value if there is no season."""
    return "seasonal_naive" if "seasonal_naive" in forecasters else "last_value"


def evaluate_forecasts(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    predictions: Predictions,
    series: Series,
    cutoffs: Cutoffs,
    profile: Profile,
    evaluation: EvaluationSpec,
    seconds: Mapping[str, Mapping[str, float]],
    past: PastComparison | None = None,
    **records: Mapping[str, Any],
) -> tuple[dict[str, Any], MetricsBySeries, MetricsByStep, interval_metrics.MetricsByLevel]:
    """Measure all forecasters on the test part: over all series, by series, by step ahead, and intervals by level.

    Without a test part, there are no forecasters in the metrics and no rows in the tables. The series go up to their
    last observation, for the scales of MASE and RMSSE, which are limited to the training parts. The frequency in the
    profile gives the season if `evaluation` sets none.
    """
    zero_fraction = measure_zero_fraction(series, cutoffs)
    needed = max((record.get("values_needed", 0) for record in records.values()), default=0)
    if predictions.table.empty:
        summary = ForecastMetrics(
            {}, None, zero_fraction, values_needed=needed, use=predictions.use, past=past
        )
        return (
            summary.to_json(),
            MetricsBySeriesTable.make_empty(),
            MetricsByStepTable.make_empty(),
            interval_metrics.MetricsByLevelTable.make_empty(),
        )
    season_length = choose_scale_season(series, cutoffs, evaluation.choose_season_length(profile))
    by_series = measure_by_series(predictions, series, cutoffs, season_length)
    floor = measure_noise_floor(predictions)
    ratios = measure_ratios(predictions)
    summary = summarize_metrics(by_series, floor, records, ratios, zero_fraction)
    scale = measure_naive_error(series, cutoffs, season_length, METRICS[summary.deciding].statistic)
    if summary.deciding == "mae":
        scale = pd.Series(1.0, index=scale.index)
    baseline = summary.find_best_baseline()
    errors = {name: block[summary.deciding] for name, block in summary.forecasters.items()}
    differences = measure_differences(
        predictions, scale, baseline, is_root=summary.deciding == "rmsse"
    )
    of_intervals, by_level = interval_metrics.measure_intervals(predictions)
    tested = predictions.table[["unique_id", "cutoff", "ds", "y"]]
    observed = tested.loc[tested["y"].notna(), ["unique_id", "cutoff"]].drop_duplicates()
    summary = replace(
        summary.add(centre_differences(differences, errors, baseline))
        .add(of_intervals)
        .add(seconds),
        num_windows=len(observed),
        values_needed=needed,
        num_cutoffs=int(observed["cutoff"].nunique()),
        use=predictions.use,
        missed_origins=interval_metrics.list_missed(predictions, predictions.use),
        mean_size=float(np.nan_to_num(tested["y"].abs().mean())),
        test_fingerprint=fingerprint_table(tested),
        past=past,
    )
    return summary.to_json(), by_series, measure_by(predictions, "horizon_step"), by_level


def summarize_metrics(
    by_series: MetricsBySeries,
    noise_floor_mse: float | None,
    records: Mapping[str, Mapping[str, Any]],
    ratios: pd.DataFrame,
    zero_fraction: float,
) -> ForecastMetrics:
    """Return means over series, skills against the baselines, and the training records of the networks."""
    means = by_series.groupby("forecaster", sort=False)[list(METRICS)].mean().join(ratios)
    is_panel = by_series["unique_id"].nunique() > 1
    reference = find_reference(means.index)
    if is_panel:
        means["relative_mae"] = measure_relative_mae(by_series)
    if reference in means.index:
        errors = means[choose_deciding(is_panel, zero_fraction, bool(means["mase"].notna().any()))]
        means["skill"] = 1 - errors / errors.where(errors > 0)[reference]
    for key, column in COLUMNS.items():
        if column.measure is not None:
            means[key] = column.measure(means).replace([np.inf, -np.inf], np.nan)
    blocks: dict[str, dict[str, float | None]] = {}
    mse = means["mse"]
    for name, row in means.iterrows():
        numbers = dict(row)
        for baseline in METHODS:
            if baseline in means.index and baseline != name:
                has_error = mse[baseline] > 0
                skill = 1 - mse[name] / mse[baseline] if has_error else None
                numbers[f"skill_vs_{baseline}"] = skill
        blocks[str(name)] = {
            key: None if pd.isna(number) else float(number) for key, number in numbers.items()
        }
    for name, record in records.items():
        if name not in blocks:
            continue  # it was not trained
        blocks[name] |= {key: value for key, value in record.items() if key != "hyperparameters"}
    return ForecastMetrics(blocks, noise_floor_mse, zero_fraction)


def measure_relative_mae(by_series: MetricsBySeries) -> pd.Series:
    """Return the geometric mean over series of each forecaster's MAE over that of the reference: float64 by forecaster.

    Series with large values do not dominate it, and halving one error weighs as much as doubling another. Series on
    which either error is 0 are left out.

    Source: Hyndman & Koehler (2006), GMRAE over series, doi:10.1016/j.ijforecast.2006.03.001.
    """
    mae = by_series.pivot(index="unique_id", columns="forecaster", values="mae")
    ratios = mae.div(mae[find_reference(mae)], axis=0)
    return np.exp(np.log(ratios.where((ratios > 0) & np.isfinite(ratios))).mean())
