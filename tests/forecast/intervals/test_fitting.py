"""Intervals: from held-out and fitted errors to bounds, their coverage, and series with few, sparse or no errors."""

import logging
from collections.abc import Callable, Collection
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from pydantic import ValidationError

from fitted import find_all_errors, hold_out
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.intervals.bounding import (
    add_intervals,
    bound_forecasts,
    describe_windows,
)
from rnn_pipelines.forecast.intervals.fitting import Intervals, fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.intervals.quantiles import count_needed, find_ranks
from rnn_pipelines.forecast.intervals.window_facts import measure_windows
from rnn_pipelines.forecast.methods.ensemble import make_ensemble
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.linear_fitting import fit_linear_models
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.predictions import Predictions, tabulate_forecasts
from rnn_pipelines.forecast.methods.predictors import normalize_targets, normalize_windows
from rnn_pipelines.forecast.methods.pretrained import find_network
from rnn_pipelines.forecast.methods.registry import METHODS, fit_methods
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec, gather_targets
from rnn_pipelines.forecast.windows.splits import SplitSpec

MakeValues = Callable[..., list[float | None]]

Prepare = Callable[..., SimpleNamespace]
LEVEL = LevelSpec((80, 95))
NUM_STEPS = 1000
SPLIT = SplitSpec(validation=0.1, test=0.2)
WINDOW = WindowSpec(lookback=14, horizon=3)
SIGNAL = 20 + 10 * np.sin(2 * np.pi * np.arange(NUM_STEPS) / 365)
NOISES: dict[str, Callable[[np.random.Generator], np.ndarray]] = {
    "even": lambda random: random.normal(0, 2, NUM_STEPS),
    "heavy-tailed": lambda random: random.standard_t(3, NUM_STEPS),
    "uneven": lambda random: random.normal(0, 1, NUM_STEPS) * SIGNAL / 10,
}


def forecast_all(
    prepared: SimpleNamespace, level: LevelSpec = LEVEL, names: Collection[str] = METHODS
) -> tuple[Predictions, Intervals]:
    """The forecasts of simple methods for the test part, with their intervals."""
    panel = prepared.windows
    data = FittingData(panel, fit_linear_models(panel))
    fitted = {name: method for name in names if (method := METHODS[name].fit(data)) is not None}
    intervals = fit_intervals(data, fitted, level)
    forecasts = forecast_methods(panel, data.linear, fitted)
    points = tabulate_forecasts(panel, prepared.features, prepared.scaler, forecasts, "test")
    network = find_network({name: method.model for name, method in fitted.items()})
    return add_intervals(points, intervals, panel, prepared.scaler, "test", network), intervals


def forecast_baseline(
    prepared: SimpleNamespace, level: LevelSpec = LEVEL
) -> tuple[Predictions, Intervals]:
    """Those of the baseline ensemble alone."""
    return forecast_all(prepared, level, ["baseline_ensemble"])


@pytest.mark.parametrize("levels", [[0], [100], [80.5], ["high"]])
def test_level_that_is_no_whole_percent_is_refused(levels: list[object]) -> None:
    with pytest.raises(ValidationError):
        LevelSpec.model_validate(levels)


def test_levels_are_sorted_without_doubles() -> None:
    assert LevelSpec((95, 80, 95)).root == (80, 95)


def test_bounds_are_the_ranks_of_the_errors() -> None:
    errors = np.random.default_rng(0).permutation(np.arange(1.0, 100.0))[:, None]
    lows, highs = find_ranks(errors, np.array([80]))
    assert (lows[0, 0], highs[0, 0]) == (10, 90)


def test_bounds_of_skewed_errors_are_skewed() -> None:
    lows, highs = find_ranks(np.random.default_rng(0).exponential(size=(500, 1)), np.array([90]))
    assert lows[0, 0] > 0
    assert highs[0, 0] > 2.5


def test_few_errors_bound_both_sides_by_the_largest() -> None:
    """By rank 19 of 19, because 20 · .95 = 19."""
    lows, highs = find_ranks(np.linspace(-3, 1, 19)[:, None], np.array([95]))
    assert (lows[0, 0], highs[0, 0]) == (-3, 3)


def test_each_step_has_its_own_bounds() -> None:
    errors = np.random.default_rng(0).normal(size=(200, 2)) * [1, 5]
    lows, highs = find_ranks(errors, np.array([80]))
    assert 3 < (highs - lows)[0, 1] / (highs - lows)[0, 0] < 7


@pytest.mark.parametrize(
    ("level", "num_errors"), [(50, 3), (80, 9), (90, 19), (95, 39), (95, 40), (95, 400), (99, 199)]
)
def test_next_error_lies_inside_as_often_as_promised(level: int, num_errors: int) -> None:
    """Of n + 1 exchangeable values each is as likely to be the next: counted for all of them, not drawn."""
    values = np.arange(num_errors + 1.0)
    inside = 0
    for number in range(num_errors + 1):
        lows, highs = find_ranks(np.delete(values, number)[:, None], np.array([level]))
        inside += int(lows[0, 0] <= values[number] <= highs[0, 0])
    assert level / 100 <= inside / (num_errors + 1) <= level / 100 + 2 / (num_errors + 1)


@pytest.mark.parametrize("level", [50, 80, 90, 95, 99])
def test_level_that_so_few_errors_cannot_promise_is_infinite(level: int) -> None:
    """And never silently narrower."""
    enough = count_needed(level)
    for num_errors, is_finite in ((enough, True), (enough - 1, False)):
        lows, highs = find_ranks(np.zeros((num_errors, 1)), np.array([level]))
        assert np.isfinite([lows[0, 0], highs[0, 0]]).tolist() == [is_finite] * 2


@pytest.fixture(scope="module")
def walk(prepare: Prepare, make_values: MakeValues) -> SimpleNamespace:
    return prepare(make_values(300), WINDOW)


@pytest.fixture(scope="module")
def of_walk(walk: SimpleNamespace) -> tuple[Predictions, Intervals]:
    return forecast_all(walk)


def test_widths_of_forecasters_differ(of_walk: tuple[Predictions, Intervals]) -> None:
    predictions, intervals = of_walk
    bounds = {
        name: predictions.get_bounds(name, 80)
        for name in intervals.methods
        if name in predictions.forecasters
    }
    widths = {name: pair.eval("hi - lo").mean() for name, pair in bounds.items()}
    assert set(widths) == set(predictions.forecasters)
    assert len(set(widths.values())) == len(widths)


@pytest.fixture(scope="module")
def linear_of_walk(walk: SimpleNamespace) -> LinearModels:
    return fit_linear_models(walk.windows)


def test_bounds_of_the_ensemble_are_ranks_of_out_of_fold_errors(
    of_walk: tuple[Predictions, Intervals], walk: SimpleNamespace, linear_of_walk: LinearModels
) -> None:
    _, intervals = of_walk
    of_baseline = intervals.methods["baseline_ensemble"]
    assert not of_baseline.sizes.slopes.any()
    lows, highs = find_ranks(
        find_all_errors(walk.windows, linear_of_walk, {})["baseline_ensemble"], intervals.levels
    )
    np.testing.assert_array_equal([of_baseline.lows, of_baseline.highs], [lows, highs])


def test_bounds_of_the_last_value_are_ranks_of_its_errors(
    of_walk: tuple[Predictions, Intervals], walk: SimpleNamespace, linear_of_walk: LinearModels
) -> None:
    panel = walk.windows
    normalized = normalize_windows(panel, linear_of_walk.normalizer, linear_of_walk.validation)
    last = hold_out(linear_of_walk, normalized.predictors, "last_value")
    np.testing.assert_allclose(last, np.repeat(normalized.history[:, -1:], panel.horizon, axis=1))
    _, intervals = of_walk
    lows, _ = find_ranks(
        normalize_targets(panel, normalized, linear_of_walk.validation) - last, intervals.levels
    )
    np.testing.assert_allclose(intervals.methods["last_value"].lows, lows)


def test_intervals_change_no_forecast(
    of_walk: tuple[Predictions, Intervals], walk: SimpleNamespace
) -> None:
    with_intervals, _ = of_walk
    without, _ = forecast_all(walk, LevelSpec(()))
    assert without.levels == ()
    pd.testing.assert_frame_equal(
        with_intervals.table[without.table.columns], without.table, check_exact=True
    )


def test_higher_levels_contain_lower_ones(of_walk: tuple[Predictions, Intervals]) -> None:
    predictions, _ = of_walk
    inner, outer = (predictions.get_bounds("baseline_ensemble", level) for level in (80, 95))
    assert ((outer["lo"] <= inner["lo"]) & (inner["hi"] <= outer["hi"])).all()


def test_intervals_do_not_change_the_table_that_they_are_added_to(
    of_walk: tuple[Predictions, Intervals], walk: SimpleNamespace
) -> None:
    predictions, intervals = of_walk
    points = predictions.table[
        ["unique_id", "cutoff", "ds", "horizon_step", "y", "baseline_ensemble"]
    ]
    before = points.copy()
    add_intervals(
        Predictions(points, ("baseline_ensemble",)), intervals, walk.windows, walk.scaler, "test"
    )
    pd.testing.assert_frame_equal(points, before)


@pytest.mark.parametrize("name", ["baseline_ensemble", "theta"])
def test_best_is_judged_by_its_own_unseen_errors(walk: SimpleNamespace, name: str) -> None:
    """Of one alone it has those of that one."""
    weights = {"baseline_ensemble": 0.0, "theta": 0.0} | {name: 1.0}
    panel = walk.windows
    linear = fit_linear_models(walk.windows)
    data = FittingData(panel, linear)
    fitted = fit_methods(data)
    fitted["ensemble"] = make_ensemble(data, fitted, weights)
    intervals = fit_intervals(data, fitted, LevelSpec((80,)))
    np.testing.assert_array_equal(intervals.methods["ensemble"].lows, intervals.methods[name].lows)


def test_intervals_see_nothing_of_the_test_part(prepare: Prepare, make_values: MakeValues) -> None:
    values = np.array(make_values(300), float)
    wild = np.where(np.arange(300) < 290, values, 1e6)
    one, other = (
        forecast_all(prepare(list(v), WINDOW, SplitSpec(validation=10, test=10)))[1]
        for v in (values, wild)
    )
    for part in ("lows", "highs"):
        np.testing.assert_array_equal(
            one.as_evaluated().to_arrays()[part], other.as_evaluated().to_arrays()[part]
        )


def test_too_few_past_errors_leave_cells_empty_with_a_warning(
    prepare: Prepare, make_values: MakeValues, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)
    predictions, _ = forecast_baseline(
        prepare(make_values(80), WindowSpec(lookback=4, horizon=2)), LevelSpec((80, 99))
    )
    assert predictions.get_bounds("baseline_ensemble", 99).isna().all(axis=None)
    assert predictions.get_bounds("baseline_ensemble", 80).notna().all(axis=None)
    assert "level 99" in caplog.text


@pytest.mark.parametrize("num_series", [1, 3])
@pytest.mark.parametrize("num_values", [12, 30, 45])
def test_short_have_intervals(
    num_series: int, num_values: int, prepare: Prepare, make_values: MakeValues
) -> None:
    """From errors of one held-out origin, of fitted windows, or of the series' own past."""
    series = {f"s{number}": make_values(num_values, seed=number) for number in range(num_series)}
    split = SplitSpec(validation=2, test=2)
    predictions, intervals = forecast_all(prepare(series, WindowSpec(lookback=4, horizon=2), split))
    assert set(predictions.forecasters) <= set(intervals.methods)
    widths = [predictions.get_bounds("last_value", level).eval("hi - lo") for level in (80, 95)]
    assert (widths[0] > 0).all()
    assert (widths[1] > widths[0]).all()


@pytest.mark.filterwarnings("error::RuntimeWarning")
@pytest.mark.parametrize("week", [np.arange(7) + 0.1, np.arange(7) / 7])
def test_errors_of_rounding_size_have_narrow_bounds(week: np.ndarray) -> None:
    """They were divided by sizes near 0, which made bounds of up to 1e121."""
    times = pd.date_range("2024-01-01", periods=210)
    factors = (1, 2, 3)
    table = pd.concat(
        [
            pd.DataFrame({"unique_id": f"s{factor}", "ds": times, "y": np.tile(factor * week, 30)})
            for factor in factors
        ]
    )
    small: dict[str, Any] = {
        "lstm": {"units": 3},
        "gru": {"units": 3},
        "training": {"max_steps": 20},
    }
    found = Forecaster(h=7, lookback=14, **small).fit(table).predict(methods="all")
    assert (found["ensemble-hi-95"] - found["ensemble-lo-95"]).max() < 1e-3
    assert (found["last_value-hi-95"] - found["last_value-lo-95"]).max() < 10 * np.ptp(3 * week)


def test_folds_of_one_origin_give_bounds(walk: SimpleNamespace) -> None:
    """Without another fold, nothing shows that the noise is uneven."""
    linear = fit_linear_models(walk.windows)
    one = replace(
        linear, fold=np.zeros_like(linear.fold), begins=linear.begins[:1], stops=linear.stops[-1:]
    )
    data = FittingData(walk.windows, one)
    intervals = fit_intervals(data, fit_methods(data), LEVEL)
    arrays = intervals.to_arrays()
    assert np.isfinite(arrays["lows"]).all()
    assert not np.any(arrays["slopes"])


def test_large_series_of_a_panel_have_wide_intervals(
    prepare: Prepare, make_values: MakeValues
) -> None:
    """Errors are pooled, each in the frame of its window."""
    series = {f"s{number}": make_values(60, seed=number) for number in range(20)}
    series["large"] = [100 * value for value in make_values(60, seed=0) if value is not None]
    predictions, _ = forecast_baseline(prepare(series, WINDOW), LevelSpec((80,)))
    widths = (
        predictions.get_bounds("baseline_ensemble", 80)
        .eval("hi - lo")
        .groupby(predictions.table["unique_id"])
        .mean()
    )
    assert 95 < widths["large"] / widths["s0"] < 105


def test_picked_forecaster_has_a_new_name(
    walk: SimpleNamespace, of_walk: tuple[Predictions, Intervals]
) -> None:
    _, intervals = of_walk
    panel = walk.windows
    origins = walk.windows.index("test").origins(np.arange(3))
    names = np.repeat(walk.scaler["unique_id"].to_numpy(), 3)
    forecasts = np.zeros((3, panel.horizon))
    picked = intervals.pick("ridge", "y_hat")
    one, other = (
        bound_forecasts(
            found, name, describe_windows(found, panel, origins, names, walk.scaler), forecasts
        )
        for found, name in ((intervals, "ridge"), (picked, "y_hat"))
    )
    np.testing.assert_array_equal(one, other)


@pytest.fixture(scope="module")
def drifting(prepare: Prepare) -> FittingData:
    """A trend becomes steeper, so that forecasts lag behind more and more."""
    times = np.arange(300)
    noise = np.random.default_rng(3).normal(size=300)
    panel = prepare(list(times**2 / 100 + noise), WINDOW).windows
    return FittingData(panel, fit_linear_models(panel))


@pytest.fixture(scope="module")
def of_last_value(drifting: FittingData) -> dict[str, FittedMethod]:
    return {"last_value": fit_methods(drifting)["last_value"]}


def test_bounds_of_a_drifting_series_widen_with_its_errors(
    drifting: FittingData, of_last_value: dict[str, FittedMethod]
) -> None:
    """Later steps by more, because fewer of their targets do not overlap; and a higher level by more."""
    linear = drifting.linear
    assert linear.is_forward
    wide, narrow = (
        fit_intervals(
            replace(drifting, linear=replace(linear, is_forward=forward)), of_last_value, LEVEL
        )
        .as_evaluated()
        .methods["last_value"]
        for forward in (True, False)
    )
    sizes = np.abs(drifting.actual[:, 0] - of_last_value["last_value"].out_of_fold[:, 0])
    assert sizes[linear.fold == 4].mean() > 1.1 * sizes[linear.fold == 0].mean()
    ratio = (wide.highs - wide.lows) / (narrow.highs - narrow.lows)
    assert (np.diff(ratio, axis=1) > 0).all()
    assert 1.02 < ratio[0, 0] < ratio[1, 0]


def test_bounds_of_a_drifting_series_follow_from_validation_with_test_part(
    drifting: FittingData, of_last_value: dict[str, FittedMethod]
) -> None:
    panel = drifting.panel
    intervals = fit_intervals(drifting, of_last_value, LEVEL)
    tested = panel.index("test").origins(np.arange(len(panel.index("test"))))
    last = np.repeat(panel.values[tested - 1, :1], panel.horizon, axis=1)
    origins, forecasts = (
        np.concatenate(parts)
        for parts in (
            (drifting.validation, tested),
            (of_last_value["last_value"].out_of_fold, last),
        )
    )
    of_method = intervals.methods["last_value"]
    sizes = of_method.sizes.expect(measure_windows(panel, origins), forecasts)
    errors = (gather_targets(panel, origins) - forecasts) / sizes
    ratio = np.stack([of_method.lows, of_method.highs]) / np.stack(
        find_ranks(errors, intervals.levels)
    )
    np.testing.assert_allclose(ratio, np.broadcast_to(ratio[:1], ratio.shape), rtol=1e-4)


def test_evaluated_bounds_are_not_those_of_the_forecast(
    drifting: FittingData, of_last_value: dict[str, FittedMethod]
) -> None:
    intervals = fit_intervals(drifting, of_last_value, LEVEL)
    of_method = intervals.methods["last_value"]
    evaluated = intervals.pick("last_value", "y_hat").as_evaluated().methods["y_hat"]
    assert (evaluated.highs != of_method.highs).all()


def test_evaluated_bounds_without_a_drift_are_those_of_the_forecast(prepare: Prepare) -> None:
    values = np.random.default_rng(0).normal(size=300)
    _, intervals = forecast_all(prepare(list(values), WINDOW))
    assert all(errors.evaluated is None for errors in intervals.methods.values())


def test_widths_follow_the_noise(prepare: Prepare) -> None:
    """Three times as loud at the height as at the bottom."""
    values = SIGNAL + NOISES["uneven"](np.random.default_rng(0))
    predictions, intervals = forecast_baseline(
        prepare(list(values), WINDOW, SplitSpec(validation=0.1, test=400))
    )
    assert intervals.methods["baseline_ensemble"].sizes.slopes.any()
    width = predictions.get_bounds("baseline_ensemble", 80).eval("hi - lo")
    level = predictions.table["baseline_ensemble"]
    assert 2 < width[level > 27].mean() / width[level < 13].mean() < 4


def test_widths_of_even_noise_are_constant(prepare: Prepare) -> None:
    values = SIGNAL + NOISES["even"](np.random.default_rng(0))
    _, intervals = forecast_baseline(prepare(list(values), WINDOW, SPLIT))
    assert not intervals.methods["baseline_ensemble"].sizes.slopes.any()


@pytest.mark.slow
@pytest.mark.parametrize("noise", NOISES)
def test_intervals_cover_what_they_promise(noise: str, prepare: Prepare) -> None:
    """At every step, over 20 draws: within 3 points, which is two standard errors of so few."""
    covered = []
    for seed in range(20):
        values = SIGNAL + NOISES[noise](np.random.default_rng(seed))
        predictions, _ = forecast_baseline(prepare(list(values), WINDOW, SPLIT))
        y = predictions.table["y"]
        steps = predictions.table["horizon_step"]
        bounds = {level: predictions.get_bounds("baseline_ensemble", level) for level in (80, 95)}
        covered.append(
            [((b["lo"] <= y) & (y <= b["hi"])).groupby(steps).mean() for b in bounds.values()]
        )
    found = np.mean(covered, axis=0)
    assert np.abs(found - [[0.80], [0.95]]).max() < 0.03


def measure_coverage(recipe: Recipe) -> np.ndarray:
    """Of the mix of simple methods on the test part, float64[level]."""
    panel = prepare_panel(read_source(recipe.source), recipe)
    predictions, _ = forecast_baseline(SimpleNamespace(**vars(panel)))
    table = predictions.table
    bounds = [
        predictions.get_bounds("baseline_ensemble", level)[table["y"].notna()] for level in (80, 95)
    ]
    y = table["y"].dropna()
    return np.array([((pair["lo"] <= y) & (y <= pair["hi"])).mean() for pair in bounds])


def test_coverage_of_seattle_is_within_4_points() -> None:
    assert (
        np.abs(measure_coverage(Recipe(source=SourceSpec(name="seattle"))) - [0.80, 0.95]).max()
        < 0.04
    )


@pytest.mark.real_data
@pytest.mark.parametrize(
    ("name", "time", "target", "lookback", "horizon"),
    [
        ("daily-min-temperatures", "Date", "Temp", 14, 7),
        ("monthly-sunspots", "Month", "Sunspots", 132, 12),
    ],
)
def test_coverage_of_real_series_is_within_4_points(
    real_data: Path, name: str, time: str, target: str, lookback: int, horizon: int
) -> None:
    source = SourceSpec(path=str(real_data / f"series/{name}.csv"), time=time, target=target)
    recipe = Recipe(source=source, window=WindowSpec(lookback=lookback, horizon=horizon))
    assert np.abs(measure_coverage(recipe) - [0.80, 0.95]).max() < 0.04
