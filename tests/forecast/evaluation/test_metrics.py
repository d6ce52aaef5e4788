"""Every metric equals an independent one-line computation; signs, units and means are what their names say."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, root_mean_squared_error

from rnn_pipelines.forecast.evaluation.metrics import (
    compute_errors,
    list_forecasters,
    measure_by_series,
    measure_by_step,
    measure_naive_error,
    measure_noise_floor,
    summarize_metrics,
)

FORECASTERS = ["lstm", "gru", "last_value", "seasonal_naive", "ridge"]
RECORD = {
    "training_seconds": 1.5,
    "compile_seconds": 0.5,
    "num_parameters": 99,
    "num_epochs": 7,
    "best_epoch": 5,
    "layers": [{"layer": "lstm_1"}],
}


def make_predictions(sizes: dict[str, int], horizon: int = 2) -> pd.DataFrame:
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
    return pd.concat(tables, ignore_index=True)


def make_series(values: dict[str, list[float]]) -> pd.DataFrame:
    tables = [pd.DataFrame({"unique_id": name, "ds": range(len(y)), "y": y}) for name, y in values.items()]
    series = pd.concat(tables, ignore_index=True)
    return series.assign(observed=series["y"].notna())


def make_cutoffs(**train_stops: int) -> pd.DataFrame:
    return pd.DataFrame({"unique_id": list(train_stops), "train_stop": list(train_stops.values())})


@pytest.fixture(scope="module")
def predictions() -> pd.DataFrame:
    return make_predictions({"a": 5, "b": 20})


@pytest.fixture(scope="module")
def by_series(predictions: pd.DataFrame) -> pd.DataFrame:
    random = np.random.default_rng(1)
    series = make_series({"a": random.normal(size=30).tolist(), "b": random.normal(size=40).tolist()})
    return measure_by_series(predictions, series, make_cutoffs(a=20, b=30), season_length=3)


@pytest.fixture(scope="module")
def summary(by_series: pd.DataFrame) -> dict:
    return summarize_metrics(by_series, 1.25, {"lstm": RECORD})


# Errors


def test_forecasters_are_the_columns_that_are_no_keys(predictions: pd.DataFrame) -> None:
    assert list_forecasters(predictions) == FORECASTERS


def test_error_is_actual_minus_forecast(predictions: pd.DataFrame) -> None:
    assert compute_errors(predictions)["gru"].tolist() == (predictions["y"] - predictions["gru"]).tolist()


def test_forecast_that_is_too_low_has_a_positive_error() -> None:
    table = make_predictions({"a": 1}).assign(y=5.0, lstm=3.0)
    assert compute_errors(table)["lstm"].tolist() == [2.0, 2.0]


def test_predictions_are_not_changed(predictions: pd.DataFrame) -> None:
    before = predictions.copy()
    compute_errors(predictions)
    measure_by_step(predictions)
    measure_noise_floor(predictions)
    pd.testing.assert_frame_equal(predictions, before)


# By series


@pytest.mark.parametrize(
    ("metric", "compute"),
    [("mse", mean_squared_error), ("rmse", root_mean_squared_error), ("mae", mean_absolute_error)],
)
@pytest.mark.parametrize("name", ["a", "b"])
@pytest.mark.parametrize("forecaster", FORECASTERS)
def test_metric_equals_scikit_learns(
    predictions: pd.DataFrame,
    by_series: pd.DataFrame,
    metric: str,
    compute: Callable[..., float],
    name: str,
    forecaster: str,
) -> None:
    rows = predictions[predictions["unique_id"] == name]
    found = by_series.set_index(["unique_id", "forecaster"]).loc[(name, forecaster), metric]
    assert found == pytest.approx(compute(rows["y"], rows[forecaster]), rel=1e-12)


def test_one_row_for_each_series_and_forecaster(by_series: pd.DataFrame) -> None:
    assert list(by_series.columns) == ["unique_id", "forecaster", "mse", "rmse", "mae", "mase"]
    assert len(by_series) == 2 * len(FORECASTERS)


def test_empty_actuals_are_skipped(predictions: pd.DataFrame) -> None:
    series, cutoffs = make_series({"a": [1, 2, 4.0], "b": [1, 2, 4.0]}), make_cutoffs(a=3, b=3)
    holes = predictions.copy()
    holes.loc[[3, 12, 13], "y"] = np.nan
    with_holes = measure_by_series(holes, series, cutoffs, 1)
    without = measure_by_series(predictions.drop([3, 12, 13]), series, cutoffs, 1)
    pd.testing.assert_frame_equal(with_holes, without)


# MASE


def test_mase_is_mae_over_the_naive_error_of_training() -> None:
    y = np.random.default_rng(2).normal(size=30)
    predictions = make_predictions({"a": 5})
    table = measure_by_series(predictions, make_series({"a": y.tolist()}), make_cutoffs(a=20), season_length=3)
    scale = np.abs(y[3:20] - y[:17]).mean()
    assert table.set_index("forecaster").loc["lstm", "mase"] == pytest.approx(
        mean_absolute_error(predictions["y"], predictions["lstm"]) / scale, rel=1e-12
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
@pytest.mark.parametrize("step", [1, 2])
def test_metric_by_step_is_the_mean_over_series(
    predictions: pd.DataFrame, metric: str, compute: Callable[..., float], step: int
) -> None:
    rows = predictions[predictions["horizon_step"] == step].groupby("unique_id")
    expected = np.mean([compute(group["y"], group["gru"]) for _, group in rows])
    found = measure_by_step(predictions).set_index(["forecaster", "horizon_step"]).loc[("gru", step), metric]
    assert found == pytest.approx(expected, rel=1e-12)


def test_one_row_for_each_forecaster_and_step(predictions: pd.DataFrame) -> None:
    table = measure_by_step(predictions)
    assert list(table.columns) == ["forecaster", "horizon_step", "mse", "mae"]
    assert len(table) == 2 * len(FORECASTERS)


# Noise floor


def test_noise_floor_is_the_error_of_the_signal(predictions: pd.DataFrame) -> None:
    expected = [((group["y"] - 10) ** 2).mean() for _, group in predictions.groupby("unique_id")]
    assert measure_noise_floor(predictions) == pytest.approx(np.mean(expected), rel=1e-12)


def test_noise_floor_skips_empty_actuals(predictions: pd.DataFrame) -> None:
    holes = predictions.assign(y=predictions["y"].where(predictions.index != 3))
    assert measure_noise_floor(holes) == pytest.approx(measure_noise_floor(predictions.drop(3)), rel=1e-12)


def test_noise_floor_is_none_without_a_signal(predictions: pd.DataFrame) -> None:
    assert measure_noise_floor(predictions.drop(columns="signal")) is None


# The summary


@pytest.mark.parametrize("metric", ["mse", "rmse", "mae", "mase"])
def test_summary_is_the_mean_over_series_not_over_rows(by_series: pd.DataFrame, summary: dict, metric: str) -> None:
    rows = by_series[by_series["forecaster"] == "lstm"]
    assert summary["lstm"][metric] == pytest.approx((rows[metric].iloc[0] + rows[metric].iloc[1]) / 2, rel=1e-12)


def test_mase_of_the_summary_is_that_of_the_series_that_have_one(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mase=by_series["mase"].where(by_series["unique_id"] == "b"))
    expected = table[(table["unique_id"] == "b") & (table["forecaster"] == "gru")]["mase"].item()
    assert summarize_metrics(table, None, {})["gru"]["mase"] == pytest.approx(expected, rel=1e-12)


def test_mase_of_the_summary_is_none_where_no_series_has_one(by_series: pd.DataFrame) -> None:
    assert summarize_metrics(by_series.assign(mase=np.nan), None, {})["gru"]["mase"] is None


@pytest.mark.parametrize("baseline", ["last_value", "seasonal_naive", "ridge"])
def test_skill_is_1_minus_the_ratio_of_mse(summary: dict, baseline: str) -> None:
    expected = 1 - summary["lstm"]["mse"] / summary[baseline]["mse"]
    assert summary["lstm"][f"skill_vs_{baseline}"] == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize(("factor", "skill"), [(0.0, 1.0), (1.0, 0.0), (2.0, -1.0)], ids=["perfect", "equal", "worse"])
def test_skill_is_up_where_the_forecast_is_better(by_series: pd.DataFrame, factor: float, skill: float) -> None:
    table = by_series.set_index("forecaster")
    table.loc["lstm", "mse"] = factor * table.loc["last_value", "mse"].to_numpy()
    assert summarize_metrics(table.reset_index(), None, {})["lstm"]["skill_vs_last_value"] == pytest.approx(skill)


def test_baseline_has_no_skill_against_itself(summary: dict) -> None:
    assert "skill_vs_ridge" not in summary["ridge"]


def test_skill_against_a_perfect_baseline_is_none(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mse=by_series["mse"].where(by_series["forecaster"] != "ridge", 0.0))
    assert summarize_metrics(table, None, {})["lstm"]["skill_vs_ridge"] is None


def test_record_of_a_network_stands_in_its_block(summary: dict) -> None:
    keys = ("training_seconds", "compile_seconds", "num_parameters", "num_epochs", "best_epoch")
    assert [summary["lstm"][key] for key in keys] == [1.5, 0.5, 99, 7, 5]


def test_layers_are_no_metric(summary: dict) -> None:
    assert "layers" not in summary["lstm"]


@pytest.mark.parametrize("floor", [1.25, None])
def test_noise_floor_stands_beside_the_forecasters(by_series: pd.DataFrame, floor: float | None) -> None:
    assert summarize_metrics(by_series, floor, {})["noise_floor_mse"] == floor


def test_summary_has_a_block_for_each_forecaster(summary: dict) -> None:
    assert sorted(summary) == sorted([*FORECASTERS, "noise_floor_mse"])


def test_summary_holds_plain_numbers(summary: dict) -> None:
    assert {type(value) for name in FORECASTERS for value in summary[name].values()} <= {float, int}
