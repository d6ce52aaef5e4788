"""Expected sizes of errors: bounds of generated panels stay near the values of each series, and hold."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from fuzzing import list_seeds
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.intervals.network_widths import find_network_of
from rnn_pipelines.forecast.intervals.panel_errors import fit_panel_sizes
from rnn_pipelines.forecast.intervals.window_facts import WindowFacts
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.predictions import tabulate_forecasts
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec

SEEDS = list_seeds("RNN_FUZZ_PANELS", 20)
HORIZONS = {"D": 14, "W": 8, "MS": 12}
KINDS = ("sparse", "turned constant", "constant", "jumping", "walk", "season")


def draw_series(kind: str, size: int, horizon: int, random: np.random.Generator) -> np.ndarray:
    """A series with its next values; only counts are in their own unit."""
    steps = np.arange(size + horizon)
    total = size + horizon
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
    horizon = HORIZONS[freq]
    size = int(random.integers(60, 300))
    kinds = random.choice(KINDS, int(random.choice([1, 2, len(KINDS)])), replace=False)
    chosen = [str(kinds[number % len(kinds)]) for number in range(int(random.integers(2, 30)))]
    values = np.array([draw_series(kind, size, horizon, random) for kind in chosen])
    times = pd.date_range("2015-01-04", periods=size, freq=freq)
    tables = [
        pd.DataFrame({"unique_id": f"s{number:02d}", "ds": times, "y": one[:size]})
        for number, one in enumerate(values)
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
    network = find_network_of(fitted[ENSEMBLE].model)
    predictions = add_intervals(points, intervals, panel.windows, panel.scaler, "future", network)
    bounds = [predictions.get_bounds(ENSEMBLE, level).to_numpy().T for level in (80, 95)]
    return np.array(bounds).reshape(2, 2, -1, horizon)


@pytest.fixture(scope="module")
def generated() -> list[tuple[pd.DataFrame, np.ndarray, list[str], np.ndarray]]:
    """Known values, next values, kinds and bounds of panels."""
    panels = []
    for seed in SEEDS:
        table, actual, kinds = draw_panel(seed)
        panels.append((table, actual, kinds, bound_next(table, actual.shape[1])))
    return panels


@pytest.mark.slow
def test_bounds_of_generated_panels_are_near_the_values(
    generated: list[tuple[pd.DataFrame, np.ndarray, list[str], np.ndarray]],
) -> None:
    """Within ten times the range of the series and 0."""
    for seed, (table, _, kinds, (_, widest)) in zip(SEEDS, generated, strict=True):
        known = table.groupby("unique_id")["y"]
        least, most = (side.to_numpy()[:, None] for side in (known.min(), known.max()))
        reach = 10 * (np.maximum(most, 0) - np.minimum(least, 0))
        is_near = (widest[0] >= least - reach) & (widest[1] <= most + reach)
        # Constant series may have no bounds.
        is_near |= np.isnan(widest).all(axis=0) & (least == most)
        far = [kinds[number] for number in np.flatnonzero(~is_near.all(axis=1))]
        assert is_near.all(), (seed, far)


@pytest.mark.slow
def test_bounds_of_generated_panels_hold(
    generated: list[tuple[pd.DataFrame, np.ndarray, list[str], np.ndarray]],
) -> None:
    covered = []
    for _, actual, kinds, ((low, high), _) in generated:
        is_inside = ((low <= actual) & (actual <= high)).mean(axis=1)
        covered += [
            share
            for share, kind in zip(is_inside, kinds, strict=True)
            if kind in ("walk", "season", "jumping")
        ]
    assert np.mean(covered) == pytest.approx(0.8, abs=0.05)


def test_counts_that_turn_constant_have_bounds_of_a_few_times_the_largest() -> None:
    """Their panel has hardly another window without many zeros; slopes of 3 made bounds of 26 and more."""
    random = np.random.default_rng(1)
    tables = []
    for number in range(52):
        values = np.where(random.random(250) < 0.35, 1.0 + random.binomial(4, 0.3, 250), 0.0)
        if random.random() < 0.6:
            start = 250 - int(random.integers(79, 95))
            values[start - int(random.integers(60, 150)) : start], values[start:] = 0, 2
        days = pd.date_range("2024-01-01", periods=250)
        tables.append(pd.DataFrame({"unique_id": f"s{number:02d}", "ds": days, "y": values}))
    bounds = bound_next(pd.concat(tables, ignore_index=True), 14)
    assert bounds.min() >= 0
    assert bounds[0].max() <= 5
    assert bounds[1].max() <= 10


def test_exponents_of_an_expected_size_are_at_least_0_with_a_sum_of_1() -> None:
    """Also of errors that grow like the third power of the level, and fall with the change."""
    random = np.random.default_rng(0)
    level, change, step_change = np.exp(random.normal(size=(3, 500, 1)))
    none = np.zeros(500)
    facts = WindowFacts(
        none.astype(int),
        np.zeros((500, 1)),
        change,
        step_change,
        level,
        none.astype(int),
        none,
        none,
    )
    forecasts = np.repeat(level, 4, axis=1) * np.exp(random.normal(size=(500, 4)))
    errors = level**3 / step_change * random.normal(size=(500, 4))
    of_change, of_forecast, rest = fit_panel_sizes(facts, forecasts, errors, np.full(1, 0.1)).slopes
    exponents = np.array([of_change, of_forecast, rest - of_forecast, 1 - of_change - rest])
    assert ((exponents > -1e-6) & (exponents < 1 + 1e-6)).all()
    assert exponents[2] > 0.5


@pytest.mark.parametrize("num_series", [1, 3])
def test_intervals_after_a_jump_follow_the_level(
    num_series: int, caplog: pytest.LogCaptureFixture
) -> None:
    """190 values around 1, then ten around a million: the bounds were 0.2 apart."""
    random = np.random.default_rng(0)
    tables = []
    for number in range(num_series):
        values = 1 + 0.1 * random.normal(size=200)
        values[190:] *= 1e6
        days = pd.date_range("2024-01-01", periods=200)
        tables.append(pd.DataFrame({"unique_id": f"s{number}", "ds": days, "y": values}))
    (low, high), _ = bound_next(
        pd.concat(tables, ignore_index=True), 14, breaks=BreakPolicy("keep")
    )
    assert (high - low > 5e4).all()
    assert caplog.text.count(f"{num_series} series (s0") == 1
