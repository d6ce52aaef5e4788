"""Forecasts of a linear model by one matrix, and the contributions of its predictors."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.effects import count_lags
from rnn_pipelines.forecast.methods.folds import find_series
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows, Normalizer
from rnn_pipelines.forecast.series.windows import WindowedPanel


@dataclass(frozen=True)
class LinearModel:
    """One linear model, fitted on all data; see `Model`.

    Attributes:
        matrix: float64[predictor, horizon], normalised.
    """

    matrix: np.ndarray

    def forecast(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> np.ndarray:
        """Multiply the predictors by the matrix."""
        forecasts: np.ndarray = windows.predictors @ self.matrix
        return forecasts

    def contribute(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> Contributions:
        """Return coefficient times value for each predictor."""
        linear = windows.predictors[0][:, None] * self.matrix
        seasons = _find_season_lags(windows.normalizer, panel, int(origins[0]))
        lags = np.concatenate([np.arange(panel.lookback, 0, -1), *seasons])
        num_free = 1 + len(windows.normalizer.calendar)
        values, covariates, calendar, baseline = np.split(linear, [len(lags), len(linear) - num_free, len(linear) - 1])
        return Contributions(lags, values, _sum_by_covariate(panel, covariates), calendar.sum(axis=0), baseline[0])

    def pack(self) -> dict[str, Any]:
        """Return the matrix."""
        return {"matrix": self.matrix}


def _find_season_lags(normalizer: Normalizer, panel: WindowedPanel, origin: int) -> list[np.ndarray]:
    """Return the lags of the seasonal predictors, see `gather_season`: int64[horizon] each."""
    steps = np.arange(panel.horizon)
    start = panel.series_starts[find_series(panel, np.array([origin]))[0]]
    found = []
    for season in (normalizer.season, normalizer.long_season):
        if season:
            lags = season * (steps // season + 1) - steps
            rows = origin - lags
            is_there = (rows >= start) & ~np.isnan(panel.values[np.maximum(rows, 0), 0])
            found.append(np.where(is_there, lags, 1))
    return found


def _sum_by_covariate(panel: WindowedPanel, linear: np.ndarray) -> np.ndarray:
    """Sum contributions in the order of `gather_predictors` by covariate: float64[covariate, horizon]."""
    num_varying = panel.num_future + panel.num_past
    ends = np.cumsum([panel.num_future * panel.horizon, num_varying * count_lags(panel)])
    future, lagged, static = np.split(linear, ends)
    varying = lagged.reshape(num_varying, count_lags(panel), panel.horizon).sum(axis=1)
    varying[: panel.num_future] += future.reshape(panel.num_future, panel.horizon, panel.horizon).sum(axis=1)
    return np.concatenate([static, varying])
