"""Simple forecasters that a network must beat to be worth its while, said once."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from rnn_pipelines.forecast.predictions import Forecasts
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.series.windows import EvaluationSpec, Part, WindowedPanel, gather_windows, number_series
from rnn_pipelines.looks import Look

BATCH_SIZE = 4096
# For each training window.
RIDGE_PENALTIES = tuple(10.0**exponent for exponent in range(-10, 1))

# From int64[batch] origins to float32[batch, horizon], scaled.
Forecast = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Baseline:
    """One simple forecaster.

    Attributes:
        look: how it appears.
        fit: from a panel and the steps in a season to what forecasts from origins; it sees training and validation.
        does: for the report: what it does, after its name; empty to say nothing.
    """

    look: Look
    fit: Callable[[WindowedPanel, int], Forecast]
    does: str = ""


def forecast_baselines(panel: WindowedPanel, profile: Profile, evaluation: EvaluationSpec) -> dict[str, Forecasts]:
    """Forecasts the test windows and the steps after each series' end by every simple method.

    Args:
        panel: the windows that the networks see too.
        profile: of the series; the season is that of their frequency where `evaluation` names none.
        evaluation: with the steps in a season.
    """
    season_length = evaluation.choose_season_length(profile)
    fitted = {name: baseline.fit(panel, season_length) for name, baseline in BASELINES.items()}

    def forecast(name: str, part: Part) -> np.ndarray:
        batches = [fitted[name](origins) for origins in panel.index(part).batches(BATCH_SIZE)]
        return np.concatenate(batches).astype(np.float32)

    return {name: Forecasts(test=forecast(name, "test"), future=forecast(name, "future")) for name in fitted}


def repeat_last_value(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """The last value seen, for every step ahead: float32[batch, horizon], scaled."""
    return np.repeat(panel.values[origins - 1, 0][:, None], panel.horizon, axis=1)


def repeat_season(panel: WindowedPanel, origins: np.ndarray, season_length: int) -> np.ndarray:
    """The newest value seen of the same season; the last value where the series is too young for one.

    Args:
        panel: the windows' series.
        origins: int64[batch].
        season_length: steps in a season; 1 gives the last value.
    Returns:
        float32[batch, horizon], scaled.
    """
    steps = np.arange(panel.horizon)
    rows = origins[:, None] + steps - season_length * (steps // season_length + 1)
    starts = panel.series_starts[number_series(panel.series_starts, origins)]
    values = np.where(rows >= starts[:, None], panel.values[np.maximum(rows, 0), 0], np.nan)
    return np.where(np.isnan(values), repeat_last_value(panel, origins), values)


def fit_ridge(panel: WindowedPanel) -> np.ndarray:
    """Ridge regression of every step ahead on the window's history and the targets' known features.

    Batch by batch through the normal equations, so that the windows are never all in memory, as scikit-learn's Ridge
    would need them. The penalty is the one with the smallest squared error on the validation windows.

    Args:
        panel: windows for training and validation.
    Returns:
        float64[predictor, horizon]: weights of the flattened window; the last predictor is the constant, which is not
        penalised.
    """
    gram, moment, _ = _sum_products(panel, "train")
    validation = _sum_products(panel, "validation")
    penalty = np.eye(len(gram)) * len(panel.index("train"))
    penalty[-1, -1] = 0.0
    candidates = [np.linalg.solve(gram + alpha * penalty, moment) for alpha in RIDGE_PENALTIES]
    return min(candidates, key=lambda weights: _squared_error(weights, *validation))


def _flatten_windows(panel: WindowedPanel, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Predictors float64[batch, lookback + horizon · known + 1] and targets float64[batch, horizon]."""
    history, known, targets = gather_windows(panel, origins)
    constant = np.ones((len(origins), 1))
    flat = np.concatenate([history[:, :, 0], known.reshape(len(origins), -1), constant], axis=1, dtype=np.float64)
    return flat, targets.astype(np.float64)


def _sum_products(panel: WindowedPanel, part: Part) -> tuple[np.ndarray, np.ndarray, float]:
    """XᵀX, Xᵀy and yᵀy over the windows of one part."""
    total: tuple[np.ndarray, np.ndarray, float] | None = None
    for origins in panel.index(part).batches(BATCH_SIZE):
        predictors, targets = _flatten_windows(panel, origins)
        products = (predictors.T @ predictors, predictors.T @ targets, float((targets**2).sum()))
        total = products if total is None else tuple(a + b for a, b in zip(total, products, strict=True))
    assert total is not None
    return total


def _squared_error(weights: np.ndarray, gram: np.ndarray, moment: np.ndarray, square: float) -> float:
    """|y - Xw|² from the sums of products alone."""
    return float(square - 2 * (weights * moment).sum() + (weights * (gram @ weights)).sum())


def _fit_last_value(panel: WindowedPanel, season_length: int) -> Forecast:
    return lambda origins: repeat_last_value(panel, origins)


def _fit_seasonal_naive(panel: WindowedPanel, season_length: int) -> Forecast:
    return lambda origins: repeat_season(panel, origins, season_length)


def _fit_ridge(panel: WindowedPanel, season_length: int) -> Forecast:
    weights = fit_ridge(panel)
    return lambda origins: _flatten_windows(panel, origins)[0] @ weights


BASELINES: dict[str, Baseline] = {
    "last_value": Baseline(Look("last value", "#bfa66a", "dot"), _fit_last_value, "repeats the last observation"),
    "seasonal_naive": Baseline(
        Look("seasonal naive", "#b48ead", "dashdot"), _fit_seasonal_naive, "the newest one of the same season"
    ),
    "ridge": Baseline(Look("ridge", "#5fa58e", "dash"), _fit_ridge, "is a linear regression on the same window"),
}
