"""Every metric equals an independent one-line computation; signs, units and means are what their names say."""

import json
from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, root_mean_squared_error

from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    ForecastMetrics,
    Metric,
    evaluate_forecasts,
    measure_by_series,
    measure_by_step,
    measure_differences,
    measure_naive_error,
    measure_noise_floor,
    measure_relative_mae,
    summarize_metrics,
)
from rnn_pipelines.forecast.evaluation.significance import compute_interval
from rnn_pipelines.forecast.predictions import Predictions
from rnn_pipelines.forecast.series.windows import EvaluationSpec

FORECASTERS = ["lstm", "gru", "last_value", "seasonal_naive", "ridge"]
RECORD = {
    "training_seconds": 1.5,
    "num_parameters": 99,
    "num_steps": 700,
    "best_step": 500,
    "gain": 0.5,
    "design": {"units": 16},
}


def make_predictions(sizes: dict[str, int], horizon: int = 2) -> Predictions:
    """Random actuals and forecasts, with more windows in some series than in others."""
    random = np.random.default_rng(0)
    tables = []
    for scale, (name, size) in enumerate(sizes.items(), start=1):
        table = pd.DataFrame(
            {
                "unique_id": name,
                "cutoff": np.repeat(np.arange(size), horizon),
                "ds": np.repeat(np.arange(size), horizon) + np.tile(np.arange(1, horizon + 1), size),
                "horizon_step": np.tile(np.arange(1, horizon + 1), size),
                "y": random.normal(10, scale, size * horizon),
                "signal": 10.0,
            }
        )
        tables.append(table.assign(**{name: table["y"] + random.normal(0, scale, len(table)) for name in FORECASTERS}))
    return Predictions(pd.concat(tables, ignore_index=True), tuple(FORECASTERS))


def change(predictions: Predictions, **columns: object) -> Predictions:
    return replace(predictions, table=predictions.table.assign(**columns))


def make_series(values: dict[str, list[float]]) -> pd.DataFrame:
    tables = [pd.DataFrame({"unique_id": name, "ds": range(len(y)), "y": y}) for name, y in values.items()]
    series = pd.concat(tables, ignore_index=True)
    return series.assign(observed=series["y"].notna())


def make_cutoffs(**train_stops: int) -> pd.DataFrame:
    return pd.DataFrame({"unique_id": list(train_stops), "train_stop": list(train_stops.values())})


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return make_predictions({"a": 5, "b": 20})


@pytest.fixture(scope="module")
def by_series(predictions: Predictions) -> pd.DataFrame:
    random = np.random.default_rng(1)
    series = make_series({"a": random.normal(size=30).tolist(), "b": random.normal(size=40).tolist()})
    return measure_by_series(predictions, series, make_cutoffs(a=20, b=30), season_length=3)


@pytest.fixture(scope="module")
def summary(by_series: pd.DataFrame) -> ForecastMetrics:
    return summarize_metrics(by_series, 1.25, {"lstm": RECORD})


def test_predictions_are_not_changed(predictions: Predictions) -> None:
    before = predictions.table.copy()
    measure_by_step(predictions)
    measure_noise_floor(predictions)
    pd.testing.assert_frame_equal(predictions.table, before)


# By series


@pytest.mark.parametrize(
    ("metric", "compute"),
    [("mse", mean_squared_error), ("rmse", root_mean_squared_error), ("mae", mean_absolute_error)],
)
def test_metric_equals_scikit_learns(
    predictions: Predictions, by_series: pd.DataFrame, metric: str, compute: Callable[..., float]
) -> None:
    for row in by_series.to_dict(orient="records"):
        rows = predictions.table[predictions.table["unique_id"] == row["unique_id"]]
        assert row[metric] == pytest.approx(compute(rows["y"], rows[row["forecaster"]]), rel=1e-12)


def test_one_row_for_each_series_and_forecaster(by_series: pd.DataFrame) -> None:
    pairs = list(zip(by_series["forecaster"], by_series["unique_id"], strict=True))
    assert pairs == [(forecaster, name) for forecaster in FORECASTERS for name in "ab"]


def test_columns_are_those_of_the_registry(by_series: pd.DataFrame) -> None:
    assert list(by_series.columns) == ["unique_id", "forecaster", *METRICS]


def test_empty_actuals_are_skipped(predictions: Predictions) -> None:
    series, cutoffs = make_series({"a": [1, 2, 4.0], "b": [1, 2, 4.0]}), make_cutoffs(a=3, b=3)
    is_hole = predictions.table.index.isin([3, 12, 13])
    with_holes = measure_by_series(change(predictions, y=predictions.table["y"].mask(is_hole)), series, cutoffs, 1)
    without = measure_by_series(predictions.keep(~is_hole), series, cutoffs, 1)
    pd.testing.assert_frame_equal(with_holes, without)


# MASE


def test_mase_is_mae_over_the_naive_error_of_training() -> None:
    y = np.random.default_rng(2).normal(size=30)
    predictions = make_predictions({"a": 5})
    table = measure_by_series(predictions, make_series({"a": y.tolist()}), make_cutoffs(a=20), season_length=3)
    scale = np.abs(y[3:20] - y[:17]).mean()
    assert table.set_index("forecaster").loc["lstm", "mase"] == pytest.approx(
        mean_absolute_error(predictions.table["y"], predictions.table["lstm"]) / scale, rel=1e-12
    )


def test_naive_error_is_that_of_one_season_ahead() -> None:
    series = make_series({"a": [0, 10, 1, 12, 3, 15]})
    assert measure_naive_error(series, make_cutoffs(a=6), season_length=2)["a"] == np.mean([1, 2, 2, 3])


def test_naive_error_sees_the_training_part_alone() -> None:
    short, long = ([1, 2, 4], [1, 2, 4, 1000, -1000])
    errors = [measure_naive_error(make_series({"a": y}), make_cutoffs(a=3), 1)["a"] for y in (short, long)]
    assert errors == [1.5, 1.5]


def test_naive_error_never_crosses_into_another_series() -> None:
    series = make_series({"a": [1, 2], "b": [100, 101]})
    assert measure_naive_error(series, make_cutoffs(a=2, b=2), 1).tolist() == [1, 1]


def test_naive_error_skips_filled_values() -> None:
    series = make_series({"a": [1, 2, 99, 4, 6]}).assign(observed=[True, True, False, True, True])
    assert measure_naive_error(series, make_cutoffs(a=5), 1)["a"] == np.mean([1, 2])


@pytest.mark.parametrize("y", [[1, 2, 1, 2], [1]], ids=["repeats itself", "shorter than a season"])
def test_mase_is_empty_where_training_has_no_naive_error(y: list[float]) -> None:
    table = measure_by_series(make_predictions({"a": 3}), make_series({"a": y}), make_cutoffs(a=len(y)), 2)
    assert table["mase"].isna().all()


# By step


@pytest.mark.parametrize(("metric", "compute"), [("mse", mean_squared_error), ("mae", mean_absolute_error)])
def test_metric_by_step_is_the_mean_over_series(
    predictions: Predictions, metric: str, compute: Callable[..., float]
) -> None:
    for row in measure_by_step(predictions).to_dict(orient="records"):
        rows = predictions.table[predictions.table["horizon_step"] == row["horizon_step"]].groupby("unique_id")
        expected = np.mean([compute(group["y"], group[row["forecaster"]]) for _, group in rows])
        assert row[metric] == pytest.approx(expected, rel=1e-12)


def test_one_row_for_each_forecaster_and_step(predictions: Predictions) -> None:
    table = measure_by_step(predictions)
    assert list(table.columns) == ["forecaster", "horizon_step", "mse", "mae"]
    assert len(table) == 2 * len(FORECASTERS)


# Noise floor


def test_noise_floor_is_the_error_of_the_signal(predictions: Predictions) -> None:
    expected = [((group["y"] - 10) ** 2).mean() for _, group in predictions.table.groupby("unique_id")]
    assert measure_noise_floor(predictions) == pytest.approx(np.mean(expected), rel=1e-12)


def test_noise_floor_skips_empty_actuals(predictions: Predictions) -> None:
    is_hole = predictions.table.index == 3
    holes = change(predictions, y=predictions.table["y"].mask(is_hole))
    assert measure_noise_floor(holes) == pytest.approx(measure_noise_floor(predictions.keep(~is_hole)), rel=1e-12)


def test_noise_floor_is_none_without_a_signal(predictions: Predictions) -> None:
    without = replace(predictions, table=predictions.table.drop(columns="signal"))
    assert measure_noise_floor(without) is None


# Intervals


def test_bounds_of_intervals_are_not_forecasters(predictions: Predictions) -> None:
    """Metrics of points are the same with and without them."""
    bounds = {f"gru-{side}-{level}": predictions.table["gru"] for side in ("lo", "hi") for level in (80, 95)}
    banded = Predictions(predictions.table.assign(**bounds), predictions.forecasters, levels=(80, 95))
    pd.testing.assert_frame_equal(measure_by_step(banded), measure_by_step(predictions))


# The summary


@pytest.mark.parametrize("metric", list(METRICS))
def test_summary_is_the_mean_over_series_not_over_rows(
    by_series: pd.DataFrame, summary: ForecastMetrics, metric: str
) -> None:
    one, other = by_series.loc[by_series["forecaster"] == "lstm", metric]
    assert summary.get("lstm", metric) == pytest.approx((one + other) / 2, rel=1e-12)


def test_mase_of_the_summary_is_that_of_the_series_that_have_one(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mase=by_series["mase"].where(by_series["unique_id"] == "b"))
    expected = table[(table["unique_id"] == "b") & (table["forecaster"] == "gru")]["mase"].item()
    assert summarize_metrics(table, None, {}).get("gru", "mase") == pytest.approx(expected, rel=1e-12)


def test_mase_of_the_summary_is_none_where_no_series_has_one(by_series: pd.DataFrame) -> None:
    assert summarize_metrics(by_series.assign(mase=np.nan), None, {}).forecasters["gru"]["mase"] is None


def test_skill_is_1_minus_the_ratio_of_mse(summary: ForecastMetrics) -> None:
    for baseline in ("last_value", "seasonal_naive", "ridge"):
        expected = 1 - summary.get("lstm", "mse") / summary.get(baseline, "mse")
        assert summary.get("lstm", f"skill_vs_{baseline}") == pytest.approx(expected, rel=1e-12)


def test_skill_of_several_series_is_that_of_mase_against_seasonal_naive(summary: ForecastMetrics) -> None:
    expected = 1 - summary.get("lstm", "mase") / summary.get("seasonal_naive", "mase")
    assert (summary.reference, summary.get("lstm", "skill")) == ("seasonal_naive", pytest.approx(expected))


def test_skill_of_one_series_is_that_of_mse_and_against_the_last_value_without_a_season(by_series) -> None:
    alone = by_series[(by_series["unique_id"] == "a") & (by_series["forecaster"] != "seasonal_naive")]
    found = summarize_metrics(alone, None, {})
    assert found.get("lstm", "skill") == pytest.approx(1 - found.get("lstm", "mse") / found.get("last_value", "mse"))


@pytest.mark.parametrize(("factor", "skill"), [(0.0, 1.0), (1.0, 0.0), (2.0, -1.0)], ids=["perfect", "equal", "worse"])
def test_skill_is_up_where_the_forecast_is_better(by_series: pd.DataFrame, factor: float, skill: float) -> None:
    table = by_series.set_index("forecaster")
    table.loc["lstm", "mse"] = factor * table.loc["last_value", "mse"].to_numpy()
    found = summarize_metrics(table.reset_index(), None, {})
    assert found.get("lstm", "skill_vs_last_value") == pytest.approx(skill)


def test_baseline_has_no_skill_against_itself(summary: ForecastMetrics) -> None:
    assert "skill_vs_ridge" not in summary.forecasters["ridge"]


def test_skill_against_a_perfect_baseline_is_none(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mse=by_series["mse"].where(by_series["forecaster"] != "ridge", 0.0))
    assert summarize_metrics(table, None, {}).forecasters["lstm"]["skill_vs_ridge"] is None


def test_record_of_a_network_stands_in_its_block(summary: ForecastMetrics) -> None:
    """But for what was chosen, which is no number."""
    assert summary.forecasters["lstm"].items() >= {(key, value) for key, value in RECORD.items() if key != "design"}
    assert "design" not in summary.forecasters["lstm"]


@pytest.mark.parametrize("floor", [1.25, None])
def test_json_holds_the_forecasters_and_the_noise_floor(by_series: pd.DataFrame, floor: float | None) -> None:
    summary = summarize_metrics(by_series, floor, {"lstm": RECORD})
    found = json.loads(json.dumps(summary.to_json(), allow_nan=False))
    assert sorted(found) == sorted([*FORECASTERS, "noise_floor_mse"])
    assert ForecastMetrics.parse(found) == summary


# Relative MAE


def test_relative_mae_is_the_geometric_mean_of_ratios_to_seasonal_naive(
    predictions: Predictions, by_series: pd.DataFrame
) -> None:
    found = measure_relative_mae(by_series)
    for name in FORECASTERS:
        ratios = [
            mean_absolute_error(rows["y"], rows[name]) / mean_absolute_error(rows["y"], rows["seasonal_naive"])
            for _, rows in predictions.table.groupby("unique_id")
        ]
        assert found[name] == pytest.approx((ratios[0] * ratios[1]) ** 0.5, rel=1e-12)


def test_relative_mae_of_seasonal_naive_is_1(by_series: pd.DataFrame) -> None:
    assert measure_relative_mae(by_series)["seasonal_naive"] == pytest.approx(1)


def test_relative_mae_is_against_the_last_value_where_there_is_no_season(by_series: pd.DataFrame) -> None:
    without = by_series[by_series["forecaster"] != "seasonal_naive"]
    mae = without.pivot(index="unique_id", columns="forecaster", values="mae")
    expected = (mae["gru"] / mae["last_value"]).prod() ** 0.5
    assert measure_relative_mae(without)["gru"] == pytest.approx(expected, rel=1e-12)


def test_unit_of_a_series_does_not_change_relative_mae(by_series: pd.DataFrame) -> None:
    factor = by_series["unique_id"].map({"a": 1.0, "b": 1e6})
    found = measure_relative_mae(by_series.assign(mae=factor * by_series["mae"]))
    pd.testing.assert_series_equal(found, measure_relative_mae(by_series))


def test_half_the_error_on_one_series_weighs_as_much_as_twice_on_another(by_series: pd.DataFrame) -> None:
    factor = by_series["unique_id"].map({"a": 0.5, "b": 2.0}).where(by_series["forecaster"] == "gru", 1.0)
    found = measure_relative_mae(by_series.assign(mae=factor * by_series["mae"]))
    pd.testing.assert_series_equal(found, measure_relative_mae(by_series))


@pytest.mark.parametrize("exact", ["gru", "seasonal_naive"])
def test_series_on_which_one_is_exact_is_left_out_of_relative_mae(by_series: pd.DataFrame, exact: str) -> None:
    is_exact = (by_series["forecaster"] == exact) & (by_series["unique_id"] == "a")
    found = measure_relative_mae(by_series.assign(mae=by_series["mae"].mask(is_exact, 0.0)))
    mae = by_series[by_series["unique_id"] == "b"].set_index("forecaster")["mae"]
    assert found["gru"] == pytest.approx(mae["gru"] / mae["seasonal_naive"], rel=1e-12)


def test_summary_of_several_series_has_relative_mae(by_series: pd.DataFrame, summary: ForecastMetrics) -> None:
    assert summary.get("gru", "relative_mae") == pytest.approx(measure_relative_mae(by_series)["gru"], rel=1e-12)
    alone = summarize_metrics(by_series[by_series["unique_id"] == "a"], None, {})
    assert "relative_mae" not in alone.forecasters["gru"]


# What decides


def test_several_series_are_judged_by_mase_and_one_by_mse(by_series: pd.DataFrame, summary: ForecastMetrics) -> None:
    alone = summarize_metrics(by_series[by_series["unique_id"] == "a"], None, {})
    assert (summary.deciding, alone.deciding) == ("mase", "mse")


@pytest.mark.parametrize("names", [["a"], ["a", "b"]], ids=["one", "many"])
def test_best_baseline_has_the_least_of_what_decides(by_series: pd.DataFrame, names: list[str]) -> None:
    found = summarize_metrics(by_series[by_series["unique_id"].isin(names)], None, {})
    errors = {name: found.get(name, found.deciding) for name in ("last_value", "seasonal_naive", "ridge")}
    assert errors[found.find_best_baseline()] == min(errors.values())


def test_network_is_never_the_best_baseline(by_series: pd.DataFrame) -> None:
    exact = by_series.assign(**{name: by_series[name].mask(by_series["forecaster"] == "lstm", 0.0) for name in METRICS})
    assert summarize_metrics(exact, None, {}).find_best_baseline() != "lstm"


def test_baseline_without_the_metric_that_decides_is_not_the_best(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mase=by_series["mase"].where(by_series["forecaster"] == "last_value"))
    assert summarize_metrics(table, None, {}).find_best_baseline() == "last_value"


def test_numbers_are_added_to_those_that_are_there(summary: ForecastMetrics) -> None:
    found = summary.add({"gru": {"difference": -0.5}})
    assert found.forecasters["gru"] == {**summary.forecasters["gru"], "difference": -0.5}
    assert found.forecasters["lstm"] == summary.forecasters["lstm"]
    assert "difference" not in summary.forecasters["gru"]


# Differences


def compute_losses(predictions: Predictions, name: str, power: int) -> pd.Series:
    """The mean of |error|^power of each window, by series and cut-off."""
    errors = (predictions.table["y"] - predictions.table[name]).abs() ** power
    return errors.groupby([predictions.table["unique_id"], predictions.table["cutoff"]]).mean()


def read_difference(found: dict[str, dict[str, float | None]], name: str) -> list[float | None]:
    return [found[name][key] for key in ("difference", "difference_low", "difference_high")]


def test_difference_of_one_series_is_that_of_the_mse_over_cutoffs() -> None:
    predictions = make_predictions({"a": 30}, horizon=3)
    found = measure_differences(predictions, pd.Series({"a": 2.0}), "ridge")
    ours, theirs = (compute_losses(predictions, name, 2).to_numpy() for name in ("gru", "ridge"))
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(found, "gru") == pytest.approx([parts.mean(), *compute_interval(parts, 3)], rel=1e-12)


def test_difference_of_one_series_is_minus_the_skill() -> None:
    """Where each window has as many values."""
    predictions = make_predictions({"a": 30})
    series = make_series({"a": [1, 2, 4.0]})
    summary = summarize_metrics(measure_by_series(predictions, series, make_cutoffs(a=3), 1), None, {})
    found = measure_differences(predictions, pd.Series({"a": 1.0}), "ridge")
    assert found["gru"]["difference"] == pytest.approx(-summary.get("gru", "skill_vs_ridge"))


def test_difference_of_a_panel_is_that_of_the_scaled_error_over_cutoffs() -> None:
    """The mean over the series at a cut-off first: they share their luck."""
    predictions = make_predictions({"a": 30, "b": 25}, horizon=3)
    scale = pd.Series({"a": 2.0, "b": 5.0})
    found = measure_differences(predictions, scale, "ridge")
    means = {}
    for name in ("gru", "ridge"):
        losses = compute_losses(predictions, name, 1)
        a, b = losses["a"] / 2, losses["b"] / 5
        means[name] = np.array([(a[cutoff] + b[cutoff]) / 2 if cutoff in b else a[cutoff] for cutoff in range(30)])
    parts = (means["gru"] - means["ridge"]) / means["ridge"].mean()
    assert read_difference(found, "gru") == pytest.approx([parts.mean(), *compute_interval(parts, 3)], rel=1e-12)


def test_difference_of_a_panel_with_one_origin_each_is_over_series() -> None:
    """Whose forecasts don't overlap, however far they reach."""
    names = [f"s{number}" for number in range(12)]
    predictions = make_predictions(dict.fromkeys(names, 1), horizon=6)
    scale = pd.Series(np.linspace(1, 3, 12), index=names)
    found = measure_differences(predictions, scale, "ridge")
    ours, theirs = (
        (compute_losses(predictions, name, 1).droplevel("cutoff") / scale)[names].to_numpy()
        for name in ("gru", "ridge")
    )
    parts = (ours - theirs) / theirs.mean()
    assert read_difference(found, "gru") == pytest.approx([parts.mean(), *compute_interval(parts, 1)], rel=1e-12)


def test_window_of_which_nothing_was_observed_has_no_part_in_the_difference() -> None:
    predictions = make_predictions({"a": 30}, horizon=1)
    is_hole = predictions.table["cutoff"] == 4
    found = measure_differences(
        change(predictions, y=predictions.table["y"].mask(is_hole)), pd.Series({"a": 1.0}), "ridge"
    )
    expected = measure_differences(predictions.keep(~is_hole), pd.Series({"a": 1.0}), "ridge")
    assert read_difference(found, "gru") == pytest.approx(read_difference(expected, "gru"))


def test_cutoffs_of_a_series_without_a_scale_alone_have_no_part_in_the_difference() -> None:
    """Those from the twentieth on."""
    predictions = make_predictions({"a": 30, "b": 20})
    found = measure_differences(predictions, pd.Series({"a": 0.0, "b": 1.0}), "ridge")
    kept = predictions.keep(predictions.table["cutoff"] < 20)
    expected = measure_differences(kept, pd.Series({"a": 0.0, "b": 1.0}), "ridge")
    assert read_difference(found, "gru") == pytest.approx(read_difference(expected, "gru"))


def test_series_without_a_scale_have_no_part_in_the_difference() -> None:
    names = [f"s{number}" for number in range(12)]
    predictions = make_predictions(dict.fromkeys(names, 1))
    scale = pd.Series(1.0, index=names)
    found = measure_differences(predictions, scale.mask(scale.index == "s3", 0.0), "ridge")
    kept = predictions.keep(predictions.table["unique_id"] != "s3")
    expected = measure_differences(kept, scale, "ridge")
    assert read_difference(found, "gru") == pytest.approx(read_difference(expected, "gru"))


@pytest.mark.parametrize("sizes", [{"a": 30}, {"a": 30, "b": 20}], ids=["one", "many"])
def test_baseline_differs_from_itself_by_nothing(sizes: dict[str, int]) -> None:
    found = measure_differences(make_predictions(sizes), pd.Series(1.0, index=list(sizes)), "ridge")
    assert read_difference(found, "ridge") == [0, 0, 0]


def test_half_the_error_is_a_difference_below_zero() -> None:
    predictions = make_predictions({"a": 40})
    table = predictions.table
    halved = change(predictions, gru=table["y"] - 0.5 * (table["y"] - table["ridge"]))
    found = read_difference(measure_differences(halved, pd.Series({"a": 1.0}), "ridge"), "gru")
    assert found[0] == pytest.approx(-0.75)
    assert found[1] < -0.75 < found[2] < 0


def test_too_few_cutoffs_have_a_difference_without_an_interval() -> None:
    found = measure_differences(make_predictions({"a": 2}), pd.Series({"a": 1.0}), "ridge")
    assert found["gru"]["difference"] is not None
    assert read_difference(found, "gru")[1:] == [None, None]


def test_nothing_is_said_against_a_baseline_that_is_exact() -> None:
    predictions = make_predictions({"a": 30})
    exact = change(predictions, ridge=predictions.table["y"])
    assert read_difference(measure_differences(exact, pd.Series({"a": 1.0}), "ridge"), "gru") == [None, None, None]


def test_seconds_stand_beside_the_metrics() -> None:
    predictions, evaluation = make_predictions({"a": 30}), EvaluationSpec(season_length=1)
    series, cutoffs = make_series({"a": [1, 2, 4.0, 7]}), make_cutoffs(a=4)
    seconds = {"gru": {"fit_seconds": 2.0, "prediction_seconds": 1.0}}
    blocks, *_ = evaluate_forecasts(predictions, series, cutoffs, {"season_length": 1}, evaluation, seconds)
    assert blocks["gru"].items() >= seconds["gru"].items()


def test_metrics_tell_the_difference_from_the_best_baseline() -> None:
    predictions = make_predictions({"a": 30})
    series, cutoffs = make_series({"a": [1, 2, 4.0, 7]}), make_cutoffs(a=4)
    blocks, _, _, _ = evaluate_forecasts(
        predictions, series, cutoffs, {"season_length": 1}, EvaluationSpec(season_length=1), {}
    )
    found = ForecastMetrics.parse(blocks)
    expected = measure_differences(predictions, pd.Series({"a": 2.0}), found.find_best_baseline())
    assert all(found.forecasters[name].items() >= expected[name].items() for name in FORECASTERS)


# A metric is one line


def test_new_metric_is_measured_and_summarized(monkeypatch: pytest.MonkeyPatch, predictions: Predictions) -> None:
    monkeypatch.setitem(METRICS, "root_mae", Metric("√MAE", "mae", "root", "none"))
    by_series = measure_by_series(predictions, make_series({"a": [1, 2, 4.0]}), make_cutoffs(a=3), 1)
    assert by_series["root_mae"].tolist() == pytest.approx(np.sqrt(by_series["mae"]).tolist())
    assert "root_mae" in summarize_metrics(by_series, None, {}).forecasters["gru"]
