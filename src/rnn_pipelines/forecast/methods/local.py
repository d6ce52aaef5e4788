"""Local methods, which are fitted to one series at each origin and store nothing.

A local method is a function and one line in `registry.METHODS`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions, make_whole
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.report.styles import Style

# From a panel and origins int64[window] to float[window, horizon], scaled.
LocalForecast = Callable[[WindowedPanel, np.ndarray], np.ndarray]


@dataclass(frozen=True)
class LocalModel:
    """The model of a local method; see `Model`.

    Attributes:
        name: of its contribution.
        function: returns the forecasts.
    """

    name: str
    function: LocalForecast

    def forecast(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> np.ndarray:
        """Return the normalised forecasts of the function."""
        return windows.units.normalize(self.function(panel, origins))

    def contribute(self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> Contributions:
        """Return the forecast as a whole."""
        num_covariates = panel.num_static + panel.num_future + panel.num_past
        return make_whole(self.name, self.forecast(panel, windows, origins)[0], num_covariates)

    def pack(self) -> dict[str, Any]:
        """Return nothing, because the model has no fitted values."""
        return {}


@dataclass(frozen=True)
class LocalMethod:
    """A local method; see `Method`.

    Attributes:
        name: in the registry.
        function: returns the forecasts.
    """

    name: str
    function: LocalForecast
    style: Style
    does: str = ""
    is_candidate: bool = True

    def fit(self, data: FittingData) -> FittedMethod:
        """Forecast the validation windows. Each forecast only reads values before its origin."""
        model = LocalModel(self.name, self.function)
        return FittedMethod(model, model.forecast(data.panel, data.windows, data.validation))

    def unpack(self, values: Mapping[str, Any]) -> LocalModel:
        """Return the model, which has no stored values."""
        return LocalModel(self.name, self.function)
