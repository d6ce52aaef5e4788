"""Errors of the rule for short series on their own past, for series with too few windows for other errors."""

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import find_growth, find_t, link_steps
from rnn_pipelines.forecast.intervals.sizes import NUM_SAMPLES, Pool, SizeModel
from rnn_pipelines.forecast.methods.local.method import forecast_locally
from rnn_pipelines.forecast.methods.local.short_series_rule import extend_by_rule
from rnn_pipelines.forecast.methods.past import find_past
from rnn_pipelines.forecast.windows.panel import WindowedPanel, number_series

# The newest part of the past whose errors count, because those on fewer values are larger; and the most origins.
NEWEST_PART, MAX_ORIGINS = 2 / 5, 60
# The growth is measured from so many errors of a step; and the fewest degrees of freedom.
MIN_ERRORS, MIN_FREEDOM = 8, 2
# The usual error includes this many errors of the mean size of all series.
PRIOR_ERRORS = 3.0


def pool_past(panel: WindowedPanel, levels: np.ndarray) -> Pool:
    """Return symmetric bounds from local forecasts at earlier origins of each series, growing with the step.

    Args:
        panel: its values for training and validation are read; without such windows, all values before the test part.
        levels: int64[level], in percent.
    Returns:
        Student's t quantiles over the root mean squared error of each series; NaN if no series has two values.
    """
    usual, growth, freedom = _measure(panel)
    steps, none = np.arange(1.0, panel.horizon + 1) ** growth, np.zeros(0)
    bounds = np.outer(find_t((1 + levels / 100) / 2, freedom), steps)
    samples = (_draw_samples(panel.horizon, growth, freedom) * steps).astype(np.float32)
    return Pool(SizeModel("past", usual, none, none, none, none), -bounds, bounds, samples, growth)


def measure_past_errors(panel: WindowedPanel) -> np.ndarray:
    """Return the root mean squared error of each series, of one step ahead; see `pool_past`: float64[series]."""
    return _measure(panel)[0]


def _measure(panel: WindowedPanel) -> tuple[np.ndarray, float, int]:
    """Return the usual error of each series, the exponent of the step with which errors grow, degrees of freedom."""
    origins, stops = _list_origins(panel)
    series, errors = number_series(panel.series_starts, origins), _find_errors(panel, origins, stops)
    is_there = ~np.isnan(errors)
    squares, counts = np.where(is_there, errors, 0.0) ** 2, is_there.sum(axis=0)
    enough = counts >= MIN_ERRORS
    growth = find_growth(np.sqrt(squares[:, enough].sum(axis=0) / counts[enough]))
    steps = np.arange(1.0, panel.horizon + 1) ** growth
    # Sizes of one step: errors of later steps are divided by their growth.
    sums = np.bincount(series, (squares / steps**2).sum(axis=1), minlength=len(stops))
    numbers = np.bincount(series, is_there.sum(axis=1), minlength=len(stops))
    mean = sums.sum() / max(1, numbers.sum())
    usual = (
        np.sqrt((sums + PRIOR_ERRORS * mean) / (numbers + PRIOR_ERRORS))
        if len(origins)
        else np.full(len(stops), np.nan)
    )
    return usual, growth, max(MIN_FREEDOM, int(counts[0]) - 1)


def _draw_samples(horizon: int, growth: float, freedom: float) -> np.ndarray:
    """Return vectors of errors, each step with Student's t distribution: float64[NUM_SAMPLES, horizon]."""
    random = np.random.default_rng(0)
    found = [random.normal(size=NUM_SAMPLES)]
    for step in range(1, horizon):
        linked = link_steps(step, np.array([step + 1]), growth)
        found.append(linked * found[-1] + np.sqrt(1 - linked**2) * random.normal(size=NUM_SAMPLES))
    # A common factor makes normal errors those of Student's t; ranks make their distribution exact.
    common = np.sqrt(random.chisquare(freedom, NUM_SAMPLES) / freedom)
    ranks = (np.stack(found, axis=1) / common[:, None]).argsort(axis=0).argsort(axis=0)
    return find_t((ranks + 0.5) / NUM_SAMPLES, freedom)


def _find_errors(panel: WindowedPanel, origins: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the errors of the rule for short series: float64[window, horizon], NaN after the past."""
    rows = origins[:, None] + np.arange(panel.horizon)
    is_known = rows < stops[number_series(panel.series_starts, origins)][:, None]
    actual = np.where(is_known, panel.values[np.minimum(rows, len(panel.values) - 1), 0], np.nan)
    return actual - forecast_locally(panel, origins, extend_by_rule)


def _list_origins(panel: WindowedPanel) -> tuple[np.ndarray, np.ndarray]:
    """Return origins in the newest part of each series, int64[window], and the row after its past, int64[series]."""
    ends = panel.series_stops - panel.horizon
    past = find_past(panel)
    stops = panel.series_starts + np.add.reduceat(past, panel.series_starts)
    if not past.any():
        stops = ends.copy()
        np.minimum.at(stops, number_series(panel.series_starts, panel.test[:, 0]), panel.test[:, 0])
    found = [np.zeros(0, np.int64)]
    for start, stop in zip(panel.series_starts, stops, strict=True):
        first = max(start + 1, stop - MAX_ORIGINS, start + int((1 - NEWEST_PART) * (stop - start)))
        own = np.arange(first, stop)
        is_usable = ~np.isnan(panel.values[own - 1, 0]) & ~np.isnan(panel.values[own, 0])
        found.append(own[is_usable])
    return np.concatenate(found), stops
