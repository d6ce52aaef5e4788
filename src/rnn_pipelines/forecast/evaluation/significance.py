"""Test of equal accuracy of two forecasters, and the intervals of differences from the best baseline."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.evaluation.metrics import average_errors
from rnn_pipelines.forecast.methods.predictions import Predictions

# With fewer windows that do not overlap, an interval of a difference says nothing.
MIN_INDEPENDENT = 10


def compare_losses(losses: pd.DataFrame, one: str, other: str, horizon: int) -> float:
    """Return the two-sided p-value of equal accuracy of two forecasters over the windows of a panel.

    Losses at the same cut-off are correlated across series. A panel therefore counts as one series of mean differences
    by cut-off. `losses` has `unique_id, cutoff`, and the losses of both over all steps of a window, the horizon.
    """
    differences = (losses[one] - losses[other]).groupby(losses["cutoff"]).mean()
    return compute_p_value(differences.to_numpy(), horizon)


def compute_p_value(differences: np.ndarray, horizon: int) -> float:
    """Return the two-sided p-value of a mean of 0, by the Diebold-Mariano test with the correction for small samples.

    Forecasts of `horizon` steps overlap with those of the next `horizon - 1` cut-offs, and so do their losses: the
    variance of the mean includes as many autocovariances. If their plain sum is not positive, they are weighted by
    Bartlett's kernel.

        d_t   loss of one minus loss of the other at cut-off t, t = 1 … n, h the horizon
        V     (γ_0 + 2 Σ_k w_k γ_k) / n, k = 1 … h - 1, w_k = 1 (Bartlett: 1 - k/h), γ_k = Σ_t (d_t - d̄)(d_t-k - d̄) / n
        S     d̄ / √V · √((n + 1 - 2h + h(h - 1)/n) / n), against Student's t with n - 1 degrees of freedom

    Args:
        differences: float64[cutoff], in the order of time.
        horizon: steps of a window.
    Returns:
        From 0 to 1; 1 if the number of cut-offs does not exceed the horizon, which is too few for a test.
    Source: Diebold & Mariano (1995), doi:10.1080/07350015.1995.10524599; Harvey, Leybourne & Newbold (1997),
    doi:10.1016/S0169-2070(96)00719-4; Bartlett's kernel: Harvey, Leybourne & Whitehouse (2017), International Journal
    of Forecasting 33(4).
    """
    from scipy.special import stdtr

    num = len(differences)
    mean = float(np.mean(differences)) if len(differences) else 0.0
    if num <= max(horizon, 1) or not np.any(differences):
        return 1.0
    error = _estimate_error(differences, horizon)
    if error <= 0:  # the difference is constant
        return 0.0 if mean else 1.0
    return float(2 * stdtr(num - 1, -abs(mean) / error))


def compute_interval(
    differences: np.ndarray, horizon: int, level: float = 0.95
) -> tuple[float, float]:
    """Return the ends of the confidence interval of the mean by the test of `compute_p_value`, at a level from 0 to 1.

    They are infinite if the number of cut-offs does not exceed the horizon.
    """
    from scipy.special import stdtrit

    num = len(differences)
    if num <= max(horizon, 1):
        return -np.inf, np.inf
    mean = float(np.mean(differences))
    half = float(stdtrit(num - 1, (1 + level) / 2) * _estimate_error(differences, horizon))
    return mean - half, mean + half


def _estimate_error(differences: np.ndarray, horizon: int) -> float:
    """Return the standard error of the mean of an autocorrelated series, corrected for small samples."""
    num = len(differences)
    centred = differences - np.mean(differences)
    covariances = np.array([centred[lag:] @ centred[: num - lag] / num for lag in range(horizon)])
    variance = covariances[0] + 2 * covariances[1:].sum()
    if variance <= 0:
        variance = covariances[0] + 2 * (1 - np.arange(1, horizon) / horizon) @ covariances[1:]
    correction = (num + 1 - 2 * horizon + horizon * (horizon - 1) / num) / num
    return float(np.sqrt(max(float(variance / num), 0.0) / correction))


def measure_differences(
    predictions: Predictions, scale: pd.Series, baseline: str, is_root: bool = False
) -> dict[str, dict[str, float | None]]:
    """Return the relative difference of each forecaster's error from that of a baseline, with its interval.

    The scale, by series, is that of MASE, or of RMSSE, whose errors are roots.

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
        # By the delta method: R = √(mean of the losses l of a series), so that l / 2R + R / 2 has the mean R, and to
        # first order the variance of R.
        roots = np.sqrt(losses.groupby(by_cutoff["unique_id"]).transform("mean"))
        losses = ((losses / roots + roots) / 2).where((roots > 0) & np.isfinite(roots), roots)
    has_one_each = len(by_cutoff) == by_cutoff["unique_id"].nunique()
    losses = losses if has_one_each else losses.groupby(by_cutoff["cutoff"]).mean()
    # A window without observations has no error; a series without a scale has no scaled error.
    losses = losses.dropna()
    horizon = 1 if has_one_each else count_overlapping(table)
    of_baseline = losses[baseline].mean()
    is_enough = len(losses) >= MIN_INDEPENDENT * horizon
    measured: dict[str, dict[str, float | None]] = {}
    for name in predictions.forecasters:
        mean = low = high = float("nan")
        if of_baseline > 0:
            differences = (losses[name] - losses[baseline]).to_numpy() / of_baseline
            mean = float(np.mean(differences))
            if is_enough:
                low, high = compute_interval(differences, horizon)
        ends = {"difference": mean, "difference_low": low, "difference_high": high}
        measured[name] = {key: end if np.isfinite(end) else None for key, end in ends.items()}
    return measured


def count_overlapping(table: pd.DataFrame) -> int:
    """Return the number of cut-offs in a horizon, which is less than its steps if only some origins are evaluated."""
    ends = table.groupby("cutoff")["ds"].max()
    cutoffs = ends.index.to_numpy()
    inside = np.searchsorted(cutoffs, ends.to_numpy()) - np.arange(len(cutoffs))
    return int(min(inside.max(initial=1), table["horizon_step"].max()))


def centre_differences(
    differences: Mapping[str, Mapping[str, float | None]],
    errors: Mapping[str, float | None],
    baseline: str,
) -> dict[str, dict[str, float | None]]:
    """Return the differences of a metric itself, each with the width of its interval over cut-offs.

    The mean over cut-offs is another number if windows lack values or series have other cut-offs: each cut-off then has
    the same weight, however few errors it has. The report shows one difference, that of the two metrics.
    """
    theirs = errors[baseline]
    centred = {}
    for name, numbers in differences.items():
        ours = errors[name]
        mean = numbers["difference"]
        shift = 0.0 if ours is None or not theirs or mean is None else ours / theirs - 1 - mean
        # No error is lower than 0.
        centred[name] = {
            key: None if end is None else max(end + shift, -1.0) for key, end in numbers.items()
        }
    return centred
