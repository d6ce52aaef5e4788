"""The pretrained network as a method: nothing is fitted, and its weights come with the package or from the user."""

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions, add_weighted
from rnn_pipelines.forecast.methods.local.method import gather_from_zero, split_origins
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.normalization import Units
from rnn_pipelines.forecast.methods.predictors import NormalizedWindows
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.gradients import differentiate_forecast
from rnn_pipelines.forecast.pretrained.memory import revert
from rnn_pipelines.forecast.pretrained.network import (
    LEVELS,
    MIDDLE,
    NUM_READ,
    PretrainedNetwork,
    compute_logarithms,
    find_past_length,
    limit_exponential,
)
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.report.styles import Style

PRETRAINED = "pretrained"
# The name of a contribution; see `forecast.pretrained.memory`.
LONG_MEMORY = "long memory"


@dataclass(frozen=True)
class PretrainedModel:
    """The model of a pretrained network; see `Model`."""

    # Its weights, which a saved forecaster keeps, so that a newer package does not change its forecasts.
    network: PretrainedNetwork

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        return forecast_network_quantiles(self.network, panel, origins)[:, :, MIDDLE]

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        """Return exact contributions of past values to both forecasts whose mean it is: slope times distance.

        The distances are those from the mean of the newest season; see `differentiate_forecast`. What the long memory
        adds is one contribution as a whole, because its weights depend on the values.
        """
        num_covariates = len(panel.roles)
        horizon = panel.horizon
        season = panel.season_length
        remembered, zeros = gather_from_zero(panel, origins, find_past_length(season, horizon))
        remembered = remembered[:, ~np.isnan(remembered[0])]
        past = remembered[:, -NUM_READ:]
        values, is_log = compute_logarithms(past)
        read = np.concatenate([values, -past])
        are_logs = np.append(is_log, False)
        medians, slopes, levels = differentiate_forecast(
            self.network, read, season, horizon, are_logs
        )
        none = np.zeros((1, 1))
        one = np.ones((1, 1))
        lags = np.arange(past.shape[1], 0, -1)
        by_value = slopes * (read - levels[:, None])[:, :, None]
        others = np.zeros((num_covariates, horizon))
        halves = []
        for own, level, log in zip(by_value, levels, are_logs, strict=True):
            half = Contributions(lags, own, others, np.zeros(horizon), np.full(horizon, level))
            halves.append(half.denormalize(Units(none, one, none, one, bool(log))))
        parts = add_weighted([(0.5, halves[0]), (-0.5, halves[1])])
        # A forecast by logarithms is limited, and those of the others are from the zero of the data.
        raised = limit_exponential(medians[:1], values)[0] if is_log[0] else medians[0]
        of_network = (raised - medians[1]) / 2
        parts = replace(parts, baseline=parts.baseline + of_network + zeros[0] - parts.forecast)
        change = revert(remembered, season, of_network[None])[0] - of_network
        return replace(parts, whole={LONG_MEMORY: change}) if change.any() else parts

    def pack(self) -> dict[str, Any]:
        return self.network.to_arrays()


def forecast_network_quantiles(
    network: PretrainedNetwork, panel: WindowedPanel, origins: np.ndarray
) -> np.ndarray:
    """Return the quantiles of the next values at the levels of the network: float32[window, horizon, level], scaled."""
    season = panel.season_length
    horizon = panel.horizon
    longest = int((panel.series_stops - panel.series_starts).max(initial=1))
    num_read = min(find_past_length(season, horizon), longest)
    found = [np.zeros((0, horizon, len(LEVELS)), np.float32)]
    for some in split_origins(origins, num_read):
        past, zeros = gather_from_zero(panel, some, num_read)
        found.append(
            (network.forecast(past, season, horizon) + zeros[:, :, None]).astype(np.float32)
        )
    return np.concatenate(found)


def find_network(models: Mapping[str, object]) -> PretrainedNetwork | None:
    """Return the pretrained network among models by name; None if there is none."""
    model = models.get(PRETRAINED)
    return model.network if isinstance(model, PretrainedModel) else None


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
        return PretrainedModel(PretrainedNetwork.from_arrays(values))
