"""The mean of the most similar past windows: a global method, as somebody would add it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.local.method import contribute_as_whole
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, fit_by_fold
from rnn_pipelines.forecast.methods.predictors import (
    NormalizedWindows,
    normalize_targets,
    normalize_windows,
)
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.report.styles import Style

NUM_NEIGHBOURS = 5


@dataclass(frozen=True)
class NeighbourModel:
    """Past windows, float64[window, lookback], and what followed them, float64[window, horizon], normalised."""

    history: np.ndarray
    targets: np.ndarray

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        distances = ((windows.history[:, None] - self.history[None]) ** 2).sum(axis=2)
        nearest = np.argsort(distances, axis=1)[:, :NUM_NEIGHBOURS]
        return windows.units.denormalize(self.targets[nearest].mean(axis=1))

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        return contribute_as_whole(
            "neighbours", self.forecast(panel, windows, origins)[0], panel, windows
        )

    def pack(self) -> dict[str, Any]:
        return vars(self)


@dataclass(frozen=True)
class NeighbourMethod:
    style: Style
    does: str = "averages what followed the most similar windows"
    is_candidate: bool = True

    def fit(self, data: FittingData) -> FittedMethod:
        def learn(origins: np.ndarray) -> NeighbourModel:
            windows = normalize_windows(data.panel, data.linear.normalizer, origins)
            return NeighbourModel(windows.history, normalize_targets(data.panel, windows, origins))

        return fit_by_fold(data, learn)

    def unpack(self, values: Mapping[str, Any]) -> NeighbourModel:
        return NeighbourModel(**values)
