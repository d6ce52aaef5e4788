"""The pretrained network as a method: nothing is fitted, and its weights come with the package or from the user."""

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.local import contribute_as_whole, forecast_locally
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.network import PretrainedNetwork
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.report.styles import Style

PRETRAINED = "pretrained"


@dataclass(frozen=True)
class PretrainedModel:
    """The model of a pretrained network; see `Model`.

    Attributes:
        network: its weights, which a saved forecaster keeps, so that a newer package does not change its forecasts.
    """

    network: PretrainedNetwork

    def forecast(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> np.ndarray:
        """Continue the values before each origin."""
        return forecast_locally(panel, origins, self.network.extend)

    def contribute(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> Contributions:
        """Return the forecast as a whole."""
        return contribute_as_whole(PRETRAINED, self.forecast(panel, windows, origins)[0], panel, windows)

    def pack(self) -> dict[str, Any]:
        """Return the arrays of the network."""
        return self.network.to_arrays()


@dataclass(frozen=True)
class PretrainedMethod:
    """The pretrained network; see `Method`."""

    style: Style
    does: str
    is_candidate: bool = True

    def fit(self, data: FittingData) -> FittedMethod | None:
        """Forecast the validation windows. Each forecast only reads values before its origin."""
        if not data.pretrained.is_used:
            return None
        started = time.perf_counter()
        model = PretrainedModel(load_network(data.pretrained))
        forecasts = model.forecast(data.panel, data.windows, data.validation)
        return FittedMethod(model, forecasts, time.perf_counter() - started)

    def unpack(self, values: Mapping[str, Any]) -> PretrainedModel:
        """Return the model with these arrays."""
        return PretrainedModel(PretrainedNetwork.from_arrays(values))
