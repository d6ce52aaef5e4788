"""Differences of each forecaster's error from that of the best baseline, with intervals."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.metrics import average_errors
from rnn_pipelines.forecast.evaluation.significance import compute_interval, linearize_roots
from rnn_pipelines.forecast.methods.predictions import Predictions

# With fewer windows that do not overlap, an interval of a difference says nothing.
MIN_INDEPENDENT = 10


def measure_differences(
    predictions: Predictions, scale: pd.Series, baseline: str, is_root: bool = False
) -> dict[str, dict[str, float | None]]:
    """Return the relative difference of each forecaster's error from that of a baseline, with its interval.

    Args:
        scale: of MASE, or of RMSSE, by series.
        is_root: whether the errors of several series are those of RMSSE.
    Returns:
        By forecaster, `difference`: the mean over cut-offs of that of the mean squared error of one series, or of the
        scaled error of several, over the baseline's error; negative is better. `difference_low`, `difference_high`: its
        95 % interval over cut-offs, or over series if each has one cut-off. None if undefined, and the interval also if
        fewer than `MIN_INDEPENDENT` cut-offs or series do not overlap.
    """
    table = predictions.table
    is_panel = table["unique_id"].nunique() > 1
    statistic = "mae" if is_panel and not is_root else "mse"
    by_cutoff = average_errors(table, predictions.forecasters, statistic, by="cutoff")
    losses = by_cutoff[list(predictions.forecasters)]
    if is_panel:
        losses = losses.div(by_cutoff["unique_id"].map(scale.where(scale > 0)), axis=0)
    if is_root:
        losses = linearize_roots(losses, by_cutoff["unique_id"])
    has_one_each = len(by_cutoff) == by_cutoff["unique_id"].nunique()
    losses = losses if has_one_each else losses.groupby(by_cutoff["cutoff"]).mean()
    # A window without observations has no error; a series without a scale has no scaled error.
    losses = losses.dropna()
    horizon = 1 if has_one_each else _count_overlapping(table)
    theirs, is_enough = losses[baseline].mean(), len(losses) >= MIN_INDEPENDENT * horizon
    found: dict[str, dict[str, float | None]] = {}
    for name in predictions.forecasters:
        differences = (losses[name] - losses[baseline]).to_numpy() / theirs if theirs > 0 else np.array([np.nan])
        interval = compute_interval(differences, horizon) if is_enough else (np.nan, np.nan)
        ends = (float(np.mean(differences)), *interval)
        names = ("difference", "difference_low", "difference_high")
        found[name] = {key: end if np.isfinite(end) else None for key, end in zip(names, ends, strict=True)}
    return found


def _count_overlapping(table: pd.DataFrame) -> int:
    """Return the number of cut-offs in a horizon, which is less than its steps if only some origins are evaluated."""
    ends = table.groupby("cutoff")["ds"].max()
    cutoffs = ends.index.to_numpy()
    inside = np.searchsorted(cutoffs, ends.to_numpy()) - np.arange(len(cutoffs))
    return int(min(inside.max(initial=1), table["horizon_step"].max()))


def centre_differences(
    differences: Mapping[str, Mapping[str, float | None]], errors: Mapping[str, float | None], baseline: str
) -> dict[str, dict[str, float | None]]:
    """Return the differences of a metric itself, each with the width of its interval over cut-offs.

    The mean over cut-offs is another number if windows lack values or series have other cut-offs: each cut-off then has
    the same weight, however few errors it has. The report shows one difference, that of the two metrics.
    """
    theirs, centred = errors[baseline], {}
    for name, numbers in differences.items():
        ours, mean = errors[name], numbers["difference"]
        shift = 0.0 if ours is None or not theirs or mean is None else ours / theirs - 1 - mean
        # No error is lower than 0.
        centred[name] = {key: None if end is None else max(end + shift, -1.0) for key, end in numbers.items()}
    return centred
