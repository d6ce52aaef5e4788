"""Local methods, which are fitted at each origin to all earlier values of one series, and store nothing.

A local method is a function of the past values and one line in `registry.METHODS`.
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.report.styles import Style

# From past values, season length and horizon to the next values, float64[window, horizon]. The past is
# float64[window, time], the newest value last and NaN before the first one, with the zero of the data at 0.
LocalForecast = Callable[[np.ndarray, int, int], np.ndarray]
# Largest number of past steps; older ones matter little for level and season.
MAX_PAST = 500
# Largest number of past values of a batch of windows.
BATCH_VALUES = 512 * MAX_PAST


def forecast_locally(
    panel: WindowedPanel, origins: np.ndarray, extend: LocalForecast
) -> np.ndarray:
    """Return forecasts, float64[window, horizon], scaled; each reads only values of its series before its origin."""
    found = [np.zeros((0, panel.horizon))]
    for some in split_origins(origins):
        past, zeros = gather_from_zero(panel, some)
        found.append(extend(past, panel.season_length, panel.horizon) + zeros)
    return np.concatenate(found)


def split_origins(origins: np.ndarray, max_past: int = MAX_PAST) -> Iterator[np.ndarray]:
    """Yield batches of origins, whose past values have about the same memory for each length of the past.

    Their size is a power of 2, so that a part of the origins has the same batches.
    """
    size = 1 << max(0, (BATCH_VALUES // max_past).bit_length() - 1)
    for begin in range(0, len(origins), size):
        yield origins[begin : begin + size]


def gather_from_zero(
    panel: WindowedPanel, origins: np.ndarray, max_past: int = MAX_PAST
) -> tuple[np.ndarray, np.ndarray]:
    """Return what `gather_past` does, with the zero of the data at 0, and this zero: float64[window, 1]."""
    zeros = panel.find_zeros(origins).astype(np.float64)[:, None]
    return gather_past(panel, origins, max_past) - zeros, zeros


def gather_past(panel: WindowedPanel, origins: np.ndarray, max_past: int = MAX_PAST) -> np.ndarray:
    """Return the values since the last gap before each origin, newest last: float64[window, time], NaN before them."""
    starts = panel.find_starts(origins)
    length = min(max_past, int((origins - starts).max()))
    rows = origins[:, None] + np.arange(-length, 0)
    past = np.where(rows >= starts[:, None], panel.values[np.maximum(rows, 0), 0], np.nan).astype(
        np.float64
    )
    is_newer = np.logical_and.accumulate(~np.isnan(past[:, ::-1]), axis=1)[:, ::-1]
    return np.where(is_newer, past, np.nan)


def contribute_as_whole(
    name: str, forecast: np.ndarray, panel: WindowedPanel, windows: NormalizedWindows
) -> Contributions:
    """Return the forecast of one window, float64[horizon], scaled, as a whole, beyond the level of the window."""
    none = np.zeros((len(panel.roles), panel.horizon))
    level = np.broadcast_to(windows.units.denormalize(np.zeros((1, 1)))[0], panel.horizon)
    lags = np.zeros(0, np.int64)
    values = np.zeros((0, panel.horizon))
    calendar = np.zeros(panel.horizon)
    return Contributions(lags, values, none, calendar, level, {name: forecast - level})


@dataclass(frozen=True)
class LocalModel:
    """The model of a local method; see `Model`."""

    name: str  # of its contribution
    extend: LocalForecast  # continues past values

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        return forecast_locally(panel, origins, self.extend)

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        return contribute_as_whole(
            self.name, self.forecast(panel, windows, origins)[0], panel, windows
        )

    def pack(self) -> dict[str, Any]:
        """Return nothing, because the model has no fitted values."""
        return {}


@dataclass(frozen=True)
class LocalMethod:
    """A local method; see `Method`."""

    name: str  # in the registry
    extend: LocalForecast  # continues past values
    style: Style
    does: str = ""
    is_candidate: bool = True
    # returns whether the method is of use for these series
    suits: Callable[[FittingData], bool] = lambda data: True

    def fit(self, data: FittingData) -> FittedMethod | None:
        """Forecast the validation windows. Each forecast only reads values before its origin."""
        if not self.suits(data):
            return None
        model = LocalModel(self.name, self.extend)
        return FittedMethod(model, model.forecast(data.panel, data.windows, data.validation))

    def unpack(self, values: Mapping[str, Any]) -> LocalModel:
        return LocalModel(self.name, self.extend)
