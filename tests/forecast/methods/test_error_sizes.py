"""Expected sizes of errors: bounds of generated panels stay near the values of each series, and hold."""

import os
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.intervals import LevelSpec, add_intervals, fit_intervals
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.predictions import tabulate_forecasts
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.source_reading import read_source
from rnn_pipelines.forecast.series.windows import OpenWindowSpec

NUM_PANELS = int(os.environ.get("RNN_FUZZ_PANELS", "25"))
HORIZONS = {"D": 14, "W": 8, "MS": 12}
KINDS = ("sparse", "turned constant", "constant", "jumping", "walk", "season")


def draw_series(kind: str, size: int, horizon: int, random: np.random.Generator) -> np.ndarray:
    """A series with its next values; only counts are in their own unit."""
    steps, total = np.arange(size + horizon), size + horizon
    if kind in ("sparse", "turned constant"):
        demand = 1.0 + random.binomial(4, 0.3, total)
        values = np.where(random.random(total) < random.uniform(0.1, 0.5), demand, 0.0)
        if kind == "turned constant":
            start = size - int(random.integers(size // 5, size // 2))
            values[max(0, start - int(random.integers(1, size))) : start] = 0
            values[start:] = 2
        return values
    noise = random.normal(size=total)
    if kind == "constant":
        values = np.full(total, 3.0)
    elif kind == "walk":
        values = 30 + noise.cumsum()
    else:
        values = 10 + 3 * np.sin(2 * np.pi * steps / 7) + noise
    if kind == "jumping":
        values[size - int(random.integers(1, size // 2)) :] *= 10.0 ** random.uniform(-3, 6)
    return np.asarray(10.0 ** random.uniform(-3, 6) * values)


def draw_panel(seed: int) -> tuple[pd.DataFrame, np.ndarray, list[str]]:
    """Known values, next values float64[series, step], and kinds: of one kind, of two, or of all."""
    random = np.random.default_rng([seed, 31])
    freq = str(random.choice(list(HORIZONS)))
    horizon, size = HORIZONS[freq], int(random.integers(60, 300))
    kinds = random.choice(KINDS, int(random.choice([1, 2, len(KINDS)])), replace=False)
    chosen = [str(kinds[number % len(kinds)]) for number in range(int(random.integers(2, 30)))]
    values = np.array([draw_series(kind, size, horizon, random) for kind in chosen])
    times = pd.date_range("2015-01-04", periods=size, freq=freq)
    tables = [
        pd.DataFrame({"unique_id": f"s{number:02d}", "ds": times, "y": one[:size]}) for number, one in enumerate(values)
    ]
    return pd.concat(tables, ignore_index=True), values[:, size:], chosen


def bound_next(table: pd.DataFrame, horizon: int, **blocks: Any) -> np.ndarray:
    """The bounds of the simple methods' ensemble: float64[level, side, series, step]."""
    source = SourceSpec(name="catalog", id="unique_id", time="ds", target="y")
    recipe = Recipe(source=source, window=OpenWindowSpec(horizon=horizon), **blocks)
    panel = prepare_panel(read_source(source, table), recipe)
    data = prepare_fitting(panel.windows)
    fitted, _ = fit_all_methods(data, {})
    intervals = fit_intervals(data, fitted, LevelSpec((80, 95)))
    forecasts = forecast_methods(panel.windows, data.linear, {ENSEMBLE: fitted[ENSEMBLE]})
    points = tabulate_forecasts(panel.windows, panel.features, panel.scaler, forecasts, "future")
    predictions = add_intervals(points, intervals, panel.windows, panel.scaler, "future")
    bounds = [predictions.get_bounds(ENSEMBLE, level).to_numpy().T for level in (80, 95)]
    return np.array(bounds).reshape(2, 2, -1, horizon)


@pytest.mark.slow
def test_bounds_of_generated_panels_are_near_the_values_and_hold() -> None:
    """Within ten times the range of the series, or of a constant one and 0. Of sparse ones, 80 % intervals hold more."""
    covered = []
    for seed in range(NUM_PANELS):
        table, actual, kinds = draw_panel(seed)
        (low, high), widest = bound_next(table, actual.shape[1])
        known = table.groupby("unique_id")["y"]
        least, most = (side.to_numpy()[:, None] for side in (known.min(), known.max()))
        reach = 10 * np.where(most > least, most - least, np.abs(most))
        is_near = (widest[0] >= least - reach) & (widest[1] <= most + reach)
        assert is_near.all(), (seed, [kinds[number] for number in np.flatnonzero(~is_near.all(axis=1))])
        is_inside = ((low <= actual) & (actual <= high)).mean(axis=1)
        covered += [one for one, kind in zip(is_inside, kinds, strict=True) if kind in ("walk", "season", "jumping")]
    assert np.mean(covered) == pytest.approx(0.8, abs=0.05)
