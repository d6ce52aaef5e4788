"""Linear effects of covariates: one of each future value on its own step, and lags of all time-varying covariates."""

from collections.abc import Sequence

import numpy as np

from rnn_pipelines.forecast.series.windows import WindowedPanel, find_history

# The number of lags of all covariates together.
MAX_LAGGED = 60
# Normalised targets and covariates are clipped to this before a fit.
MAX_NORMALIZED = 30.0
# Keeps the effect of a constant covariate at 0, and shrinks the others by a ten-thousandth.
EFFECT_PENALTY = 1e-4


def count_lags(panel: WindowedPanel) -> int:
    """Return the number of lags of each time-varying covariate: the lookback, or fewer with many covariates."""
    num_time_varying = panel.num_future + panel.num_past
    return min(panel.lookback, max(1, MAX_LAGGED // num_time_varying)) if num_time_varying else 0


def count_predictors(panel: WindowedPanel) -> tuple[int, int]:
    """Return the number of predictors of future covariates over the horizon, and of all other covariate predictors."""
    num_lagged = (panel.num_future + panel.num_past) * count_lags(panel)
    return panel.num_future * panel.horizon, num_lagged + panel.num_static


def gather_predictors(panel: WindowedPanel, origins: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the covariates at some origins as predictors. Past covariates are read up to the origin.

    Args:
        panel: the windows' series.
        origins: int64[window].
        spread: float64[window, 1], see `normalize_time_varying`.
    Returns:
        float64[window, predictor]: future covariates at all steps of the horizon, time-varying ones at the newest steps
        of the window, static ones.
    """
    future = gather_future(panel, origins, spread)
    rows = find_history(panel, origins)[:, panel.lookback - count_lags(panel) :]
    lagged = _lay_out(normalize_time_varying(panel.values[rows][:, :, panel.time_varying], spread))
    static = panel.values[origins - 1][:, panel.static]
    return np.concatenate([future, lagged, static], axis=1, dtype=np.float64)


def gather_future(panel: WindowedPanel, origins: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return future covariates, normalised, each at all steps of the horizon: float64[window, future · horizon]."""
    rows = origins[:, None] + np.arange(panel.horizon)
    return _lay_out(normalize_time_varying(panel.values[rows][:, :, panel.future_covariates], spread))


def normalize_time_varying(values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Normalise covariates by the spread of the window, which also normalises the target.

    Args:
        values: float32[window, step, covariate].
        spread: float64[window, 1], see `Units`.
    """
    normalized: np.ndarray = np.clip(values / spread[:, :, None], -MAX_NORMALIZED, MAX_NORMALIZED)
    return normalized


def _lay_out(values: np.ndarray) -> np.ndarray:
    """Return float64[window, covariate · step] of float64[window, step, covariate]."""
    num_windows, num_steps, num_covariates = values.shape
    return values.transpose(0, 2, 1).reshape(num_windows, num_covariates * num_steps)


def fit_effects(
    product: tuple[np.ndarray, np.ndarray, int], inputs: np.ndarray, offset: np.ndarray, ahead: Sequence[np.ndarray]
) -> np.ndarray:
    """Add to the offset one coefficient per future covariate, the same at each step.

    The coefficients are estimated over all steps at once, with the other regressors partialled out.

    Args:
        product: XᵀX, Xᵀy and the number of windows.
        inputs: float64[predictor, input], the other regressors.
        offset: float64[predictor, horizon], subtracted from the targets before the fit.
        ahead: for each covariate the matrix that selects its value at each step: float64[predictor, horizon].
    Returns:
        float64[predictor, horizon].
    Source: Frisch and Waugh (1933), Lovell (1963), doi:10.1080/01621459.1963.10480682.
    """
    gram, moment, number = product
    squares = inputs.T @ gram @ inputs
    squares += EFFECT_PENALTY * number * np.eye(len(squares))
    sums = np.stack([gram @ part for part in ahead])
    left = moment - gram @ offset
    explained = np.stack([np.linalg.solve(squares, inputs.T @ part) for part in sums])
    crossed = np.array([[np.sum(one * part) for part in sums] for one in ahead])
    crossed -= np.array([[np.sum((inputs.T @ one) * part) for part in explained] for one in sums])
    goal = np.array([np.sum(one * left) for one in ahead])
    goal -= np.array([np.sum((inputs.T @ left) * part) for part in explained])
    crossed += EFFECT_PENALTY * number * offset.shape[1] * np.eye(len(ahead))
    total: np.ndarray = offset + np.tensordot(np.linalg.solve(crossed, goal), np.stack(ahead), 1)
    return total
