"""The way of few windows without the pretrained network: errors of the rule for short series on each series' past.

It also serves series whose windows are nearly all constant, such as those before a launch. The widths, and their growth
with the step, are ours: decision 47.
"""

from dataclasses import replace

import numpy as np

from rnn_pipelines.forecast.intervals.quantiles import find_growth, find_t, link_steps
from rnn_pipelines.forecast.intervals.sizes import SizeModel, enlarge_outside
from rnn_pipelines.forecast.intervals.ways import (
    MIN_ERRORS,
    NUM_SAMPLES,
    MethodErrors,
    Way,
    list_changing,
    list_error_origins,
)
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts
from rnn_pipelines.forecast.methods.local.method import forecast_locally
from rnn_pipelines.forecast.methods.local.short_series_rule import extend_by_rule
from rnn_pipelines.forecast.windows.panel import WindowedPanel

# The newest part of the past whose errors count, because those on fewer values are larger; and the most origins.
NEWEST_PART = 2 / 5
MAX_ORIGINS = 60
# The growth is measured from so many errors of a step; and the fewest degrees of freedom.
MIN_ERRORS_OF_STEP, MIN_FREEDOM = 8, 2
# The expected error includes this many errors of the mean size of all series.
PRIOR_ERRORS = 3.0


class PastSizes(SizeModel):
    """The size is the expected error of the series."""

    rule = "past"
    is_of_series = True

    def expect(
        self, windows: WindowFacts, forecasts: np.ndarray, first_step: int = 1
    ) -> np.ndarray:
        """Return the size of each error, see `SizeModel`."""
        usual = np.broadcast_to(self.usual[windows.series][:, None], forecasts.shape)
        return enlarge_outside(usual, usual, forecasts)


def pool_past(panel: WindowedPanel, levels: np.ndarray) -> MethodErrors:
    """Return Student's t quantiles over the expected error of each series, symmetric, which grow with the step.

    They come from forecasts at earlier origins in the values for training and validation; without such windows, before
    the test part; of a series that is constant there, in all of its values. NaN if no series has two values.
    """
    usual, growth, freedom = _measure_past(panel)
    errors = make_t_errors(PastSizes(usual), panel.horizon, levels, growth, freedom)
    stops = find_stops(panel)
    if not len(stops) or find_changing(panel, stops).any():
        return errors
    # If all series are constant before the test part, nothing before it tells of its errors.
    unknown = np.full_like(errors.lows, np.inf)
    return replace(errors, evaluated=np.stack([-unknown, unknown]))


def measure_past_errors(panel: WindowedPanel) -> np.ndarray:
    """Return the expected error of each series, of one step ahead; see `pool_past`: float64[series]."""
    return _measure_past(panel)[0]


def _measure_past(panel: WindowedPanel) -> tuple[np.ndarray, float, int]:
    """Return the expected error of each series, the exponent of the step with which errors grow, degrees of freedom."""
    stops = find_stops(panel)
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


def find_stops(panel: WindowedPanel) -> np.ndarray:
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


PAST_ERRORS = Way(
    PastSizes,
    lambda data: len(list_changing(data.panel, list_error_origins(data))) < MIN_ERRORS,
    lambda data, fitted, levels: dict.fromkeys(fitted, pool_past(data.panel, levels)),
)
