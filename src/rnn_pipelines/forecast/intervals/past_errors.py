"""The ways of few windows: errors that the pretrained network expects, or those of a rule on the past of each series.

The network has learnt the errors of forecasts from few values on many series. Without it, those of the rule for short
series count; these also if nearly all windows are constant, such as those before a launch. The widths of both, and
their growth with the step, are ours: decision 47.
"""

from collections.abc import Mapping
from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import find_growth, find_t, link_steps
from rnn_pipelines.forecast.intervals.ways import (
    MIN_ERRORS,
    NUM_SAMPLES,
    MethodErrors,
    SizeModel,
    Way,
    enlarge_outside,
    list_changing,
    list_error_origins,
)
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts
from rnn_pipelines.forecast.methods.local.method import forecast_locally
from rnn_pipelines.forecast.methods.local.short_series_rule import extend_by_rule
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.pretrained.files import load_used_network
from rnn_pipelines.forecast.pretrained.network import LEVELS, PretrainedNetwork
from rnn_pipelines.forecast.windows.panel import WindowedPanel

# The newest part of the past whose errors count, because those on fewer values are larger; and the most origins.
NEWEST_PART = 2 / 5
MAX_ORIGINS = 60
# The growth is measured from so many errors of a step; and the fewest degrees of freedom.
MIN_ERRORS_OF_STEP, MIN_FREEDOM = 8, 2
# The expected error includes this many errors of the mean size of all series.
PRIOR_ERRORS = 3.0
# Degrees of freedom of errors whose size the network expects, for the ratio of 95 to 80 % intervals.
FREEDOM = 8
# The smallest width that it expects, scaled.
SMALLEST_WIDTH = 1e-12


class NetworkSizes(SizeModel):
    """The size is the error that the pretrained network expects at the end of the series."""

    rule = "pretrained"
    is_of_series = True


class PastSizes(SizeModel):
    """The size is the expected error of the series."""

    rule = "past"
    is_of_series = True

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        """Return the size of each error, see `SizeModel`."""
        usual = super().expect(windows, forecasts)
        return enlarge_outside(usual, usual, forecasts)


def pool_past(panel: WindowedPanel, levels: np.ndarray) -> MethodErrors:
    """Return Student's t quantiles over the expected error of each series, symmetric, which grow with the step.

    They come from forecasts at earlier origins in the values for training and validation; without such windows, before
    the test part; of a series that is constant there, in all of its values. NaN if no series has two values.
    """
    usual, growth, freedom = _measure_past(panel)
    errors = make_t_errors(PastSizes(usual), panel.horizon, levels, growth, freedom)
    stops = find_past_stops(panel)
    if not len(stops) or find_changing(panel, stops).any():
        return errors
    # If all series are constant before the test part, nothing before it tells of its errors.
    unknown = np.full_like(errors.lows, np.inf)
    return replace(errors, evaluated=np.stack([-unknown, unknown]))


def _measure_past(panel: WindowedPanel) -> tuple[np.ndarray, float, int]:
    """Return the expected error of each series, the exponent of the step with which errors grow, degrees of freedom."""
    stops = find_past_stops(panel)
    stops = np.where(find_changing(panel, stops), stops, panel.series_stops - panel.horizon)
    origins = list_past_origins(panel, stops)
    series = panel.find_series(origins)
    rows = origins[:, None] + np.arange(panel.horizon)
    values = panel.values[np.minimum(rows, len(panel.values) - 1), 0]
    actual = np.where(rows < stops[series][:, None], values, np.nan)
    is_known = ~np.isnan(actual)
    errors = actual - forecast_locally(panel, origins, extend_by_rule)
    squares = np.where(is_known, errors, 0.0) ** 2
    counts = is_known.sum(axis=0)
    enough = counts >= MIN_ERRORS_OF_STEP
    growth = find_growth(np.sqrt(squares[:, enough].sum(axis=0) / counts[enough]))
    steps = np.arange(1.0, panel.horizon + 1) ** growth
    # Sizes of one step: errors of later steps are divided by their growth.
    sums = np.bincount(series, (squares / steps**2).sum(axis=1), minlength=len(stops))
    numbers = np.bincount(series, is_known.sum(axis=1), minlength=len(stops))
    mean = sums.sum() / max(1, numbers.sum()) if len(origins) else np.nan
    usual = np.sqrt((sums + PRIOR_ERRORS * mean) / (numbers + PRIOR_ERRORS))
    return usual, growth, max(MIN_FREEDOM, int(counts[0]) - 1)


def make_t_errors(
    sizes: SizeModel, horizon: int, levels: np.ndarray, growth: float, freedom: int
) -> MethodErrors:
    """Return symmetric errors with Student's t distribution, which grow with a power of the step."""
    highs = find_t_bounds(horizon, levels, growth, freedom)
    steps = np.arange(1.0, horizon + 1) ** growth
    samples = (_draw_samples(horizon, growth, freedom) * steps).astype(np.float32)
    return MethodErrors(sizes, -highs, highs, samples, growth)


def find_t_bounds(horizon: int, levels: np.ndarray, growth: float, freedom: int) -> np.ndarray:
    """Return the upper bounds of such errors: float64[level, horizon]."""
    return np.outer(find_t((1 + levels / 100) / 2, freedom), np.arange(1.0, horizon + 1) ** growth)


def _draw_samples(horizon: int, growth: float, freedom: float) -> np.ndarray:
    """Return vectors of errors, each step with Student's t distribution: float64[NUM_SAMPLES, horizon]."""
    random = np.random.default_rng(0)
    errors = [random.normal(size=NUM_SAMPLES)]
    for step in range(1, horizon):
        linked = link_steps(step, np.array([step + 1]), growth)
        errors.append(
            linked * errors[-1] + np.sqrt(1 - linked**2) * random.normal(size=NUM_SAMPLES)
        )
    # A common factor makes normal errors those of Student's t; ranks make their distribution exact.
    common = np.sqrt(random.chisquare(freedom, NUM_SAMPLES) / freedom)
    ranks = (np.stack(errors, axis=1) / common[:, None]).argsort(axis=0).argsort(axis=0)
    return find_t((ranks + 0.5) / NUM_SAMPLES, freedom)


def find_past_stops(panel: WindowedPanel) -> np.ndarray:
    """Return the row after the past of each series, int64[series]: training and validation, or all before its test."""
    stops = panel.past_stops
    if not (stops > panel.series_starts).any():
        stops = panel.series_stops - panel.horizon
        np.minimum.at(stops, panel.find_series(panel.test[:, 0]), panel.test[:, 0])
    return stops


def find_changing(panel: WindowedPanel, stops: np.ndarray) -> np.ndarray:
    """Return whether the values of each series change before a row, int64[series]: bool[series]."""
    is_changing = np.zeros(len(stops), bool)
    for number, (start, stop) in enumerate(zip(panel.series_starts, stops, strict=True)):
        values = panel.values[start:stop, 0]
        values = values[~np.isnan(values)]
        is_changing[number] = bool((values != values[:1]).any())
    return is_changing


def list_past_origins(panel: WindowedPanel, stops: np.ndarray) -> np.ndarray:
    """Return origins in the newest part of each series before the row after its past, int64[series]: int64[window]."""
    spans = [np.zeros(0, np.int64)]
    for start, stop in zip(panel.series_starts, stops, strict=True):
        first = max(start + 1, stop - MAX_ORIGINS, start + int((1 - NEWEST_PART) * (stop - start)))
        spans.append(np.arange(first, stop))
    origins = np.concatenate(spans)
    return origins[~np.isnan(panel.values[origins - 1, 0]) & ~np.isnan(panel.values[origins, 0])]


def pool_expected(
    panel: WindowedPanel, levels: np.ndarray, network: PretrainedNetwork
) -> MethodErrors:
    """Return Student's t quantiles over the error that the network expects of each series, which grow with the step."""
    usual, growth = _expect_errors(panel, panel.series_stops - panel.horizon, network)
    errors = make_t_errors(NetworkSizes(usual), panel.horizon, levels, growth, FREEDOM)
    # The sizes of the test part are those before it: in a panel, by their mean ratio to those after it.
    usual_before, growth = _expect_errors(panel, find_past_stops(panel), network)
    ratio = np.exp(np.log(usual_before / usual).mean())
    highs = find_t_bounds(panel.horizon, levels, growth, FREEDOM) * ratio
    return replace(errors, evaluated=np.stack([-highs, highs]))


def measure_series_errors(panel: WindowedPanel, network: PretrainedNetwork | None) -> np.ndarray:
    """Return the expected error of each series, of one step ahead: float64[series], scaled.

    The network expects them if there is one, and a series with an earlier origin; else they are past errors.
    """
    if network is None or not has_past_origins(panel):
        return _measure_past(panel)[0]
    return _expect_errors(panel, panel.series_stops - panel.horizon, network)[0]


def has_past_origins(panel: WindowedPanel) -> bool:
    """Return whether a series has two values before its test part, so that the network can read it."""
    return len(list_past_origins(panel, find_past_stops(panel))) > 0


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


def _network_applies(data: FittingData) -> bool:
    return (
        len(list_error_origins(data)) < MIN_ERRORS
        and load_used_network(data.pretrained) is not None
        and has_past_origins(data.panel)
    )


def _measure_expected(
    data: FittingData, fitted: Mapping[str, FittedMethod], levels: np.ndarray
) -> dict[str, MethodErrors]:
    network = load_used_network(data.pretrained)
    assert network is not None, "applies only with the network"
    return dict.fromkeys(fitted, pool_expected(data.panel, levels, network))


NETWORK_ERRORS = Way(NetworkSizes, _network_applies, _measure_expected)
PAST_ERRORS = Way(
    PastSizes,
    lambda data: len(list_changing(data.panel, list_error_origins(data))) < MIN_ERRORS,
    lambda data, fitted, levels: dict.fromkeys(fitted, pool_past(data.panel, levels)),
)
