"""Errors for series with too few windows for other errors: expected by the pretrained network, or those of the rule.

The network has learnt the errors of forecasts from few values on many series. Without it, those of the rule for short
series on the past of the same series count. The widths of both, and their growth with the step, are ours: decision 47.
"""

from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import find_growth, find_t, link_steps
from rnn_pipelines.forecast.intervals.sizes import NUM_SAMPLES, TINY, Pool, SizeModel
from rnn_pipelines.forecast.methods.local.method import forecast_locally
from rnn_pipelines.forecast.methods.local.short_series_rule import extend_by_rule
from rnn_pipelines.forecast.pretrained.network import LEVELS, PretrainedNetwork
from rnn_pipelines.forecast.windows.panel import WindowedPanel

# The newest part of the past whose errors count, because those on fewer values are larger; and the most origins.
NEWEST_PART = 2 / 5
MAX_ORIGINS = 60
# The growth is measured from so many errors of a step; and the fewest degrees of freedom.
MIN_ERRORS, MIN_FREEDOM = 8, 2
# The expected error includes this many errors of the mean size of all series.
PRIOR_ERRORS = 3.0
# Degrees of freedom of errors whose size the network expects, for the ratio of 95 to 80 % intervals.
FREEDOM = 8


def pool_past(
    panel: WindowedPanel, levels: np.ndarray, network: PretrainedNetwork | None = None
) -> Pool:
    """Return Student's t quantiles over the expected error of each series, symmetric, which grow with the step.

    They come from the pretrained network, if it has a weight with too few windows, or from forecasts at earlier origins
    in the values for training and validation; without such windows, before the test part; of a series that is constant
    there, in all of its values. NaN if no series has two values.
    """
    usual, growth, freedom = _measure(panel, network)
    steps = np.arange(1.0, panel.horizon + 1)
    none = np.zeros(0)
    quantiles = find_t((1 + levels / 100) / 2, freedom)
    bounds = np.outer(quantiles, steps**growth)
    samples = (_draw_samples(panel.horizon, growth, freedom) * steps**growth).astype(np.float32)
    stops = _find_stops(panel)
    sizes = SizeModel("past", usual, none, none, none, none)
    if network is None or not len(_list_origins(panel, stops)):
        # If all series are constant before the test part, nothing before it tells of its errors.
        is_known = not len(stops) or find_changing(panel, stops).any()
        evaluated = np.zeros(0) if is_known else np.stack([bounds - np.inf, bounds + np.inf])
        return Pool(sizes, -bounds, bounds, samples, growth, evaluated)
    pool = Pool(replace(sizes, rule="pretrained"), -bounds, bounds, samples, growth)
    # The sizes of the test part are those before it: in a panel, by their mean ratio to those after it.
    before, growth = _expect_errors(panel, stops, network)
    bounds = np.outer(quantiles, steps**growth) * np.exp(np.log(before / usual).mean())
    return replace(pool, evaluated=np.stack([-bounds, bounds]))


def measure_past_errors(
    panel: WindowedPanel, network: PretrainedNetwork | None = None
) -> np.ndarray:
    """Return the expected error of each series, of one step ahead; see `pool_past`: float64[series]."""
    return _measure(panel, network)[0]


def _measure(
    panel: WindowedPanel, network: PretrainedNetwork | None
) -> tuple[np.ndarray, float, int]:
    """Return the expected error of each series, the exponent of the step with which errors grow, degrees of freedom."""
    stops = _find_stops(panel)
    ends = panel.series_stops - panel.horizon
    if network is not None and len(_list_origins(panel, stops)):
        return *_expect_errors(panel, ends, network), FREEDOM
    stops = np.where(find_changing(panel, stops), stops, ends)
    origins = _list_origins(panel, stops)
    series = panel.find_series(origins)
    rows = origins[:, None] + np.arange(panel.horizon)
    actual = np.where(
        rows < stops[series][:, None],
        panel.values[np.minimum(rows, len(panel.values) - 1), 0],
        np.nan,
    )
    is_there = ~np.isnan(actual)
    errors = actual - forecast_locally(panel, origins, extend_by_rule)
    squares = np.where(is_there, errors, 0.0) ** 2
    counts = is_there.sum(axis=0)
    enough = counts >= MIN_ERRORS
    growth = find_growth(np.sqrt(squares[:, enough].sum(axis=0) / counts[enough]))
    steps = np.arange(1.0, panel.horizon + 1) ** growth
    # Sizes of one step: errors of later steps are divided by their growth.
    sums = np.bincount(series, (squares / steps**2).sum(axis=1), minlength=len(stops))
    numbers = np.bincount(series, is_there.sum(axis=1), minlength=len(stops))
    mean = sums.sum() / max(1, numbers.sum()) if len(origins) else np.nan
    usual = np.sqrt((sums + PRIOR_ERRORS * mean) / (numbers + PRIOR_ERRORS))
    return usual, growth, max(MIN_FREEDOM, int(counts[0]) - 1)


def _expect_errors(
    panel: WindowedPanel, stops: np.ndarray, network: PretrainedNetwork
) -> tuple[np.ndarray, float]:
    """Return expected error and growth by the network's 80 % intervals from the rows `stops` on, int64[series]."""

    def find_width(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
        quantiles = network.forecast(past, season_length, horizon)
        return quantiles[:, :, LEVELS.index(0.9)] - quantiles[:, :, LEVELS.index(0.1)]

    # Series without a value there have the errors that are usual for the others.
    is_there = (stops > panel.series_starts) & ~np.isnan(panel.values[np.maximum(stops - 1, 0), 0])
    zeros = panel.zeros[is_there].astype(np.float64)[:, None]
    widths = np.maximum(forecast_locally(panel, stops[is_there], find_width) - zeros, TINY)
    growth = find_growth(np.exp(np.log(widths).mean(axis=0)))
    logs = (np.log(widths) - growth * np.log(np.arange(1.0, panel.horizon + 1))).mean(axis=1)
    usual = np.full(len(stops), np.exp(logs.mean()))
    usual[is_there] = np.exp(logs)
    return usual / (2 * find_t(np.array(0.9), FREEDOM)), growth


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


def _find_stops(panel: WindowedPanel) -> np.ndarray:
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


def _list_origins(panel: WindowedPanel, stops: np.ndarray) -> np.ndarray:
    """Return origins in the newest part of each series before the row after its past, int64[series]: int64[window]."""
    spans = [np.zeros(0, np.int64)]
    for start, stop in zip(panel.series_starts, stops, strict=True):
        first = max(start + 1, stop - MAX_ORIGINS, start + int((1 - NEWEST_PART) * (stop - start)))
        spans.append(np.arange(first, stop))
    origins = np.concatenate(spans)
    return origins[~np.isnan(panel.values[origins - 1, 0]) & ~np.isnan(panel.values[origins, 0])]
