"""Results of a cross-validation: the errors of all forecasters, over all windows and by window."""

from typing import Annotated, Any, ClassVar

import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.interval_metrics import measure_intervals
from rnn_pipelines.forecast.evaluation.metrics import (
    MEANS,
    METRICS,
    average_errors,
    average_over_series,
    list_ratios,
    measure_by,
)
from rnn_pipelines.forecast.evaluation.significance import compare_losses
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.storage.tables import Column, Table


class MetricsByCutoffTable(Table):
    """Plain-mean metrics of each forecaster at each cut-off: means over steps, then over series."""

    columns: ClassVar = {"cutoff": Column("moment"), "forecaster": Column("text")} | dict.fromkeys(
        MEANS, Column("float")
    )
    key = ("cutoff", "forecaster")


MetricsByCutoff = Annotated[pd.DataFrame, MetricsByCutoffTable]


class WindowResults(BaseModel, extra="forbid", frozen=True):
    """Results of a cross-validation, as in `metrics.json`.

    Attributes:
        num_windows, num_series: windows that all forecasters have and that are observed in part, and their series.
        first_cutoff, last_cutoff: as text.
        baseline: the simple method with the lowest MSE.
        forecasters: by name, the metrics of forecasts, sums and intervals, and `p_value` of no difference from the
            squared errors of `baseline`, over cut-offs (None for itself).
    """

    num_windows: int
    num_series: int
    first_cutoff: str
    last_cutoff: str
    baseline: str
    forecasters: dict[str, dict[str, float | None]]

    def rank(self) -> list[str]:
        """Return the forecasters, the lowest MSE first."""
        return sorted(self.forecasters, key=lambda name: self.forecasters[name]["mse"] or 0.0)


def summarize_windows(predictions: Predictions) -> tuple[dict[str, Any], MetricsByCutoff]:
    """Measure all forecasters on the steps that all of them forecast: `WindowResults` as JSON; metrics by cut-off.

    Raises:
        SeriesError: no window has an observed value.
    """
    evaluated = predictions.keep(predictions.errors.notna().all(axis=1))
    table = evaluated.table
    if table.empty:
        raise SeriesError(
            "cross-validation: no window has an observed value. Give a larger n_windows."
        )
    losses = average_over_series(evaluated, "mse")
    baseline = min(
        (name for name in evaluated.forecasters if name in METHODS), key=lambda name: losses[name]
    )
    results = WindowResults(
        num_windows=len(table[["unique_id", "cutoff"]].drop_duplicates()),
        num_series=table["unique_id"].nunique(),
        first_cutoff=format_time(table["cutoff"].min()),
        last_cutoff=format_time(table["cutoff"].max()),
        baseline=baseline,
        forecasters=measure_forecasters(evaluated, baseline, count_overlapping(table)),
    )
    by_cutoff = measure_by(evaluated, "cutoff").sort_values(
        "cutoff", kind="stable", ignore_index=True
    )
    return results.model_dump(), by_cutoff[list(MetricsByCutoffTable.columns)]


def measure_forecasters(
    evaluated: Predictions, reference: str, num_overlapping: int
) -> dict[str, dict[str, float | None]]:
    """Return plain-mean metrics of each forecaster, the ratios of means, `p_value`, and those of its intervals.

    `p_value` is that of no difference from the squared errors of the reference; None for itself. At most
    `num_overlapping` windows contain the same step.
    """
    means = {metric: average_over_series(evaluated, METRICS[metric].statistic) for metric in MEANS}
    squared = average_errors(evaluated.table, evaluated.forecasters, "mse", by="cutoff")
    ratios = list_ratios(evaluated)
    of_intervals, _ = measure_intervals(evaluated)
    blocks = {}
    for name in evaluated.forecasters:
        p_value = None
        if name != reference:
            p_value = compare_losses(squared, name, reference, num_overlapping)
        blocks[name] = {
            **{metric: by_forecaster[name] for metric, by_forecaster in means.items()},
            **ratios[name],
            "p_value": p_value,
            **of_intervals[name],
        }
    return blocks


def count_overlapping(table: pd.DataFrame) -> int:
    """Return the largest number of windows with the same step, from `unique_id, cutoff, ds`; 1 without an overlap."""
    return int(table.groupby(["unique_id", "ds"]).size().max())
