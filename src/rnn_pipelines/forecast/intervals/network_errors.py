"""The way of few windows with the pretrained network: the errors that it expects at the end of each series.

The network has learnt the errors of forecasts from few values on many series. Their growth with the step is ours:
decision 47.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.intervals.past_errors import (
    find_stops,
    find_t_bounds,
    list_past_origins,
    make_t_errors,
    measure_past_errors,
)
from rnn_pipelines.forecast.intervals.quantiles import find_growth, find_t
from rnn_pipelines.forecast.intervals.sizes import SizeModel
from rnn_pipelines.forecast.intervals.ways import MIN_ERRORS, MethodErrors, Way, list_error_origins
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts
from rnn_pipelines.forecast.methods.local.method import forecast_locally
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.pretrained.files import load_used_network
from rnn_pipelines.forecast.pretrained.network import LEVELS, PretrainedNetwork
from rnn_pipelines.forecast.windows.panel import WindowedPanel

# Degrees of freedom of errors whose size the network expects, for the ratio of 95 to 80 % intervals.
FREEDOM = 8
# The smallest width, scaled.
SMALLEST_WIDTH = 1e-12


class NetworkSizes(SizeModel):
    """The size is the error that the pretrained network expects at the end of the series."""

    rule = "pretrained"
    is_of_series = True

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        """Return the size of each error, see `SizeModel`."""
        return np.broadcast_to(self.usual[windows.series][:, None], forecasts.shape)


def pool_expected(
    panel: WindowedPanel, levels: np.ndarray, network: PretrainedNetwork
) -> MethodErrors:
    """Return Student's t quantiles over the error that the network expects of each series, which grow with the step."""
    usual, growth = _expect_errors(panel, panel.series_stops - panel.horizon, network)
    errors = make_t_errors(NetworkSizes(usual), panel.horizon, levels, growth, FREEDOM)
    # The sizes of the test part are those before it: in a panel, by their mean ratio to those after it.
    usual_before, growth = _expect_errors(panel, find_stops(panel), network)
    ratio = np.exp(np.log(usual_before / usual).mean())
    highs = find_t_bounds(panel.horizon, levels, growth, FREEDOM) * ratio
    return replace(errors, evaluated=np.stack([-highs, highs]))


def measure_series_errors(panel: WindowedPanel, network: PretrainedNetwork | None) -> np.ndarray:
    """Return the expected error of each series, of one step ahead: float64[series], scaled.

    The network expects them if there is one, and a series with an earlier origin; else they are past errors.
    """
    if network is None or not has_past_origins(panel):
        return measure_past_errors(panel)
    return _expect_errors(panel, panel.series_stops - panel.horizon, network)[0]


def has_past_origins(panel: WindowedPanel) -> bool:
    """Return whether a series has two values before its test part, so that the network can read it."""
    return len(list_past_origins(panel, find_stops(panel))) > 0


def _expect_errors(
    panel: WindowedPanel, stops: np.ndarray, network: PretrainedNetwork
) -> tuple[np.ndarray, float]:
    """Return expected error and growth by the network's 80 % intervals from the rows `stops` on, int64[series]."""

    def find_width(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
        quantiles = network.forecast(past, season_length, horizon)
        return quantiles[:, :, LEVELS.index(0.9)] - quantiles[:, :, LEVELS.index(0.1)]

    # Series without a value there have the errors that are usual for the others.
    has_value = (stops > panel.series_starts) & ~np.isnan(panel.values[np.maximum(stops - 1, 0), 0])
    zeros = panel.zeros[has_value].astype(np.float64)[:, None]
    widths = forecast_locally(panel, stops[has_value], find_width) - zeros
    widths = np.maximum(widths, SMALLEST_WIDTH)
    growth = find_growth(np.exp(np.log(widths).mean(axis=0)))
    logs = (np.log(widths) - growth * np.log(np.arange(1.0, panel.horizon + 1))).mean(axis=1)
    usual = np.full(len(stops), np.exp(logs.mean()))
    usual[has_value] = np.exp(logs)
    return usual / (2 * find_t(np.array(0.9), FREEDOM)), growth


def _applies(data: FittingData) -> bool:
    return (
        len(list_error_origins(data)) < MIN_ERRORS
        and load_used_network(data.pretrained) is not None
        and has_past_origins(data.panel)
    )


def _measure(
    data: FittingData, fitted: Mapping[str, FittedMethod], levels: np.ndarray
) -> dict[str, MethodErrors]:
    network = load_used_network(data.pretrained)
    assert network is not None, "applies only with the network"
    return dict.fromkeys(fitted, pool_expected(data.panel, levels, network))


NETWORK_ERRORS = Way(NetworkSizes, _applies, _measure)
