"""Test of equal accuracy of two forecasters, and the interval of their difference."""

import numpy as np
import pandas as pd


def compare_losses(losses: pd.DataFrame, one: str, other: str, horizon: int) -> float:
    """Return the two-sided p-value of equal accuracy of two forecasters over the windows of a panel.

    Losses at the same cut-off are correlated across series. A panel therefore counts as one series of mean differences
    by cut-off.

    Args:
        losses: `unique_id, cutoff`, one row for each window, and the losses of both.
        horizon: steps of a window, all of which are in its loss.
    Returns:
        See `compute_p_value`.
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

    num, mean = len(differences), float(np.mean(differences)) if len(differences) else 0.0
    if num <= max(horizon, 1) or not np.any(differences):
        return 1.0
    error = _estimate_error(differences, horizon)
    if error <= 0:  # the difference is constant
        return 0.0 if mean else 1.0
    return float(2 * stdtr(num - 1, -abs(mean) / error))


def compute_interval(differences: np.ndarray, horizon: int, level: float = 0.95) -> tuple[float, float]:
    """Return the confidence interval of the mean by the test of `compute_p_value`.

    Args:
        level: from 0 to 1.
    Returns:
        Its ends; infinite if the number of cut-offs does not exceed the horizon.
    """
    from scipy.special import stdtrit

    num = len(differences)
    if num <= max(horizon, 1):
        return -np.inf, np.inf
    mean = float(np.mean(differences))
    half = float(stdtrit(num - 1, (1 + level) / 2) * _estimate_error(differences, horizon))
    return mean - half, mean + half


def _estimate_error(differences: np.ndarray, horizon: int) -> float:
    """Return the standard error of the mean, corrected for small samples."""
    num = len(differences)
    correction = (num + 1 - 2 * horizon + horizon * (horizon - 1) / num) / num
    return float(np.sqrt(max(_estimate_variance(differences, horizon), 0.0) / correction))


def _estimate_variance(differences: np.ndarray, horizon: int) -> float:
    """Return the variance of the mean of an autocorrelated series."""
    num, centred = len(differences), differences - np.mean(differences)
    covariances = np.array([centred[lag:] @ centred[: num - lag] / num for lag in range(horizon)])
    variance = covariances[0] + 2 * covariances[1:].sum()
    if variance <= 0:
        variance = covariances[0] + 2 * (1 - np.arange(1, horizon) / horizon) @ covariances[1:]
    return float(variance / num)


def linearize_roots(losses: pd.DataFrame, series: pd.Series) -> pd.DataFrame:
    """Return losses whose mean over the windows of a series is the root of its mean loss.

    R = √(mean of the losses l), so that l / 2R + R / 2 has the mean R, and to first order the variance of R: the delta
    method.

    Args:
        losses: mean squared errors of each window, by forecaster.
    """
    roots = np.sqrt(losses.groupby(series).transform("mean"))
    return ((losses / roots + roots) / 2).where((roots > 0) & np.isfinite(roots), roots)
