"""What is linear in covariates: an effect of each value that is known ahead on its own step, and lags of all."""

from collections.abc import Sequence

import numpy as np

from rnn_pipelines.forecast.series.windows import WindowedPanel, find_history

# Lags of all covariates together: with many of them, few lags of each.
MAX_LAGGED = 60
# Targets and covariates farther out, in spreads of their window, are drawn in before anything is fitted on them.
MAX_FRAMED = 30.0
# Keeps the effect of what never changes at 0, and shrinks others by a ten-thousandth.
EFFECT_PENALTY = 1e-4


def count_lags(panel: WindowedPanel) -> int:
    """Newest steps of the window at which covariates are predictors: all of them if they are few."""
    num_moving = panel.num_future + panel.num_past
    return min(panel.lookback, max(1, MAX_LAGGED // num_moving)) if num_moving else 0


def count_predictors(panel: WindowedPanel) -> tuple[int, int]:
    """Predictors that are values known ahead, at each step of the horizon; and those of all other covariates."""
    num_lagged = (panel.num_future + panel.num_past) * count_lags(panel)
    return panel.num_future * panel.horizon, num_lagged + panel.num_static


def gather_predictors(panel: WindowedPanel, origins: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """What is known of covariates at some origins, nothing of a past one after them.

    Args:
        panel: the windows' series.
        origins: int64[window].
        spread: float64[window, 1], see `frame_moving`.
    Returns:
        float64[window, predictor]: values known ahead, each at all steps of the horizon; what moves, each at the newest
        steps of the window; what is static.
    """
    ahead = gather_ahead(panel, origins, spread)
    rows = find_history(panel, origins)[:, panel.lookback - count_lags(panel) :]
    lagged = frame_moving(panel.values[rows][:, :, panel.moving], spread).transpose(0, 2, 1).reshape(len(origins), -1)
    static = panel.values[origins - 1][:, panel.static]
    return np.concatenate([ahead, lagged, static], axis=1, dtype=np.float64)


def gather_ahead(panel: WindowedPanel, origins: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Covariates that are known ahead, each at all steps of the horizon: float64[window, future · horizon], framed."""
    rows = origins[:, None] + np.arange(panel.horizon)
    return frame_moving(panel.values[rows][:, :, panel.ahead], spread).transpose(0, 2, 1).reshape(len(origins), -1)


def frame_moving(values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Covariates in the frame of each window: what adds as much in the series adds more where the spread is small.

    Args:
        values: float32[window, step, covariate].
        spread: float64[window, 1], see `Units`.
    """
    framed: np.ndarray = np.clip(values / spread[:, :, None], -MAX_FRAMED, MAX_FRAMED)
    return framed


def fit_effects(
    product: tuple[np.ndarray, np.ndarray, int], inputs: np.ndarray, offset: np.ndarray, ahead: Sequence[np.ndarray]
) -> np.ndarray:
    """The offset with what each covariate that is known ahead adds at its own step, as much at each step.

    One number for each covariate, and not one for each step and each step before it: what is regressed on everything
    else is regressed on what of the covariate everything else can't say, over all steps at once.

    Args:
        product: XᵀX, Xᵀy and the number of windows.
        inputs: float64[predictor, input], everything else.
        offset: float64[predictor, horizon], what is taken off the targets before.
        ahead: of each covariate, what hands its value at each step on to the forecast of that step:
            float64[predictor, horizon].
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
