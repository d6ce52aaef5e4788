"""Metrics over all series, skills and differences are what a plain computation gives."""

import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error

from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    RATIOS,
    Metric,
    list_ratios,
    measure_by_series,
)
from rnn_pipelines.forecast.evaluation.summary import (
    ForecastMetrics,
    evaluate_forecasts,
    measure_relative_mae,
    summarize_metrics,
)
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.windows.panel import EvaluationSpec

MakePredictions = Callable[..., Predictions]
MakeTable = Callable[..., pd.DataFrame]
RECORD = {
    "training_seconds": 1.5,
    "num_parameters": 99,
    "num_steps": 700,
    "best_step": 500,
    "shrinkage": 0.5,
    "hyperparameters": {"units": 16},
}


def change(predictions: Predictions, **columns: object) -> Predictions:
    return replace(predictions, table=predictions.table.assign(**columns))


def summarize(
    by_series: pd.DataFrame,
    floor: float | None = None,
    records: dict[str, Any] | None = None,
    zeros: float = 0.0,
) -> ForecastMetrics:
    """The summary without measures of sums."""
    return summarize_metrics(
        by_series, floor, records or {}, pd.DataFrame(columns=list(RATIOS)), zeros
    )


@pytest.fixture(scope="module")
def summary(by_series: pd.DataFrame) -> ForecastMetrics:
    return summarize(by_series, 1.25, {"lstm": RECORD})


@pytest.mark.parametrize("metric", list(METRICS))
def test_summary_is_the_mean_over_series(
    by_series: pd.DataFrame, summary: ForecastMetrics, metric: str
) -> None:
    one, other = by_series.loc[by_series["forecaster"] == "lstm", metric]
    assert summary.get("lstm", metric) == pytest.approx((one + other) / 2, rel=1e-12)


def test_mase_of_the_summary_is_that_of_the_series_that_have_one(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mase=by_series["mase"].where(by_series["unique_id"] == "b"))
    expected = table[(table["unique_id"] == "b") & (table["forecaster"] == "gru")]["mase"].item()
    assert summarize(table).get("gru", "mase") == pytest.approx(expected, rel=1e-12)
    assert summarize(by_series.assign(mase=np.nan)).forecasters["gru"]["mase"] is None


@pytest.mark.parametrize("baseline", ["last_value", "seasonal_naive", "ridge"])
def test_skill_against_a_baseline_is_1_minus_the_ratio_of_the_mse(
    summary: ForecastMetrics, baseline: str
) -> None:
    expected = 1 - summary.get("lstm", "mse") / summary.get(baseline, "mse")
    assert summary.get("lstm", f"skill_vs_{baseline}") == pytest.approx(expected, rel=1e-12)


def test_skill_is_1_minus_the_ratio_of_the_deciding_metric(summary: ForecastMetrics) -> None:
    assert summary.reference == "seasonal_naive"
    expected = 1 - summary.get("lstm", "mase") / summary.get("seasonal_naive", "mase")
    assert summary.get("lstm", "skill") == pytest.approx(expected)


def test_skill_of_one_series_is_against_the_last_value_without_seasonal_naive(
    by_series: pd.DataFrame,
) -> None:
    alone = by_series[
        (by_series["unique_id"] == "a") & (by_series["forecaster"] != "seasonal_naive")
    ]
    summary = summarize(alone)
    assert summary.get("lstm", "skill") == pytest.approx(
        1 - summary.get("lstm", "mse") / summary.get("last_value", "mse")
    )


def test_baseline_has_no_skill_against_itself(summary: ForecastMetrics) -> None:
    assert "skill_vs_ridge" not in summary.forecasters["ridge"]


def test_skill_against_an_exact_baseline_is_missing(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mse=by_series["mse"].where(by_series["forecaster"] != "ridge", 0.0))
    assert summarize(table).forecasters["lstm"]["skill_vs_ridge"] is None


@pytest.mark.parametrize(
    ("factor", "skill"), [(0.0, 1.0), (1.0, 0.0), (2.0, -1.0)], ids=["perfect", "equal", "worse"]
)
def test_skill_is_up_where_the_forecast_is_better(
    by_series: pd.DataFrame, factor: float, skill: float
) -> None:
    table = by_series.set_index("forecaster")
    table.loc["lstm", "mse"] = factor * table.loc["last_value", "mse"].to_numpy()
    found = summarize(table.reset_index())
    assert found.get("lstm", "skill_vs_last_value") == pytest.approx(skill)


@pytest.mark.parametrize("floor", [1.25, None])
def test_summary_is_read_back_from_json(
    by_series: pd.DataFrame, floor: float | None, predictions: Predictions
) -> None:
    summary = summarize(by_series, floor, {"lstm": RECORD})
    blocks = json.loads(json.dumps(summary.to_json(), allow_nan=False))
    whole = (
        "noise_floor_mse",
        "zero_fraction",
        "num_windows",
        "num_cutoffs",
        "missed_origins",
        "values_needed",
        "use",
        "mean_size",
        "test_fingerprint",
        "past",
    )
    assert sorted(blocks) == sorted([*predictions.forecasters, *whole])
    assert ForecastMetrics.parse(blocks) == summary


def test_relative_mae_is_the_geometric_mean_of_ratios(
    predictions: Predictions, by_series: pd.DataFrame
) -> None:
    found = measure_relative_mae(by_series)
    for name in predictions.forecasters:
        ratios = [
            mean_absolute_error(rows["y"], rows[name])
            / mean_absolute_error(rows["y"], rows["seasonal_naive"])
            for _, rows in predictions.table.groupby("unique_id")
        ]
        assert found[name] == pytest.approx((ratios[0] * ratios[1]) ** 0.5, rel=1e-12)
    assert measure_relative_mae(by_series)["seasonal_naive"] == pytest.approx(1)
    without = by_series[by_series["forecaster"] != "seasonal_naive"]
    mae = without.pivot(index="unique_id", columns="forecaster", values="mae")
    expected = (mae["gru"] / mae["last_value"]).prod() ** 0.5
    assert measure_relative_mae(without)["gru"] == pytest.approx(expected, rel=1e-12)
    factor = by_series["unique_id"].map({"a": 1.0, "b": 1e6})
    found = measure_relative_mae(by_series.assign(mae=factor * by_series["mae"]))
    pd.testing.assert_series_equal(found, measure_relative_mae(by_series))
    factor = (
        by_series["unique_id"]
        .map({"a": 0.5, "b": 2.0})
        .where(by_series["forecaster"] == "gru", 1.0)
    )
    found = measure_relative_mae(by_series.assign(mae=factor * by_series["mae"]))
    pd.testing.assert_series_equal(found, measure_relative_mae(by_series))


@pytest.mark.parametrize("exact", ["gru", "seasonal_naive"])
def test_series_on_which_one_is_exact_is_left_out_of_relative_mae(
    by_series: pd.DataFrame, exact: str
) -> None:
    is_exact = (by_series["forecaster"] == exact) & (by_series["unique_id"] == "a")
    found = measure_relative_mae(by_series.assign(mae=by_series["mae"].mask(is_exact, 0.0)))
    mae = by_series[by_series["unique_id"] == "b"].set_index("forecaster")["mae"]
    assert found["gru"] == pytest.approx(mae["gru"] / mae["seasonal_naive"], rel=1e-12)


def test_relative_mae_is_that_of_the_table(
    by_series: pd.DataFrame, summary: ForecastMetrics
) -> None:
    assert summary.get("gru", "relative_mae") == pytest.approx(
        measure_relative_mae(by_series)["gru"], rel=1e-12
    )


def test_one_series_has_no_relative_mae(by_series: pd.DataFrame) -> None:
    alone = summarize(by_series[by_series["unique_id"] == "a"])
    assert "relative_mae" not in alone.forecasters["gru"]


def test_mase_decides_on_several_series(summary: ForecastMetrics) -> None:
    assert summary.deciding == "mase"


def test_mse_decides_on_one_series(by_series: pd.DataFrame) -> None:
    assert summarize(by_series[by_series["unique_id"] == "a"]).deciding == "mse"


def test_summary_has_the_numbers_of_the_training(summary: ForecastMetrics) -> None:
    """Hyperparameters are no numbers."""
    numbers = {key: value for key, value in RECORD.items() if key != "hyperparameters"}
    assert summary.forecasters["lstm"].items() >= numbers.items()
    assert "hyperparameters" not in summary.forecasters["lstm"]


def test_numbers_are_added_to_a_copy(summary: ForecastMetrics) -> None:
    added = summary.add({"gru": {"difference": -0.5}})
    assert added.forecasters["gru"] == {**summary.forecasters["gru"], "difference": -0.5}
    assert added.forecasters["lstm"] == summary.forecasters["lstm"]
    assert "difference" not in summary.forecasters["gru"]


@pytest.fixture(scope="module", params=[0.0, 1.0])
def without_scale(
    request: pytest.FixtureRequest,
    make_predictions: MakePredictions,
    make_series: MakeTable,
    make_cutoffs: MakeTable,
) -> ForecastMetrics:
    """The training parts are constant, so that no series has a MASE; the parameter is their part of zeros."""
    predictions = make_predictions({"a": 30, "b": 20})
    constant = [5.0 * (1 - request.param)] * 4
    series = make_series({"a": constant, "b": constant})
    blocks, *_ = evaluate_forecasts(
        predictions,
        series,
        make_cutoffs(a=4, b=4),
        {"season_length": 1},
        EvaluationSpec(season_length=1),
        {},
    )
    summary = ForecastMetrics.parse(blocks)
    assert summary.zero_fraction == request.param
    return summary


def read_mae(summary: ForecastMetrics) -> dict[str, float]:
    return {name: summary.get(name, "mae") for name in summary.forecasters}


def test_series_without_a_scale_are_ranked_by_mae(without_scale: ForecastMetrics) -> None:
    errors = read_mae(without_scale)
    assert without_scale.deciding == "mae"
    assert without_scale.rank() == sorted(errors, key=lambda name: errors[name])


def test_skill_without_a_scale_is_of_the_mae(without_scale: ForecastMetrics) -> None:
    errors = read_mae(without_scale)
    expected = 1 - errors["gru"] / errors["seasonal_naive"]
    assert without_scale.get("gru", "skill") == pytest.approx(expected)


def test_difference_without_a_scale_is_of_the_mae(without_scale: ForecastMetrics) -> None:
    errors = read_mae(without_scale)
    expected = errors["gru"] / errors[without_scale.find_best_baseline()] - 1
    assert without_scale.get("gru", "difference") == pytest.approx(expected)


@pytest.mark.parametrize(("zeros", "metric"), [(0.1, "mase"), (0.11, "rmsse")])
def test_several_series_with_many_zeros_are_ranked_by_rmsse(
    by_series: pd.DataFrame, zeros: float, metric: str
) -> None:
    """In the order of the ranking and in the skill; one series is ranked by its MSE, which gives the same order."""
    found = summarize(by_series, zeros=zeros)
    errors = {name: found.get(name, metric) for name in found.forecasters}
    assert (found.deciding, found.rank()) == (metric, sorted(errors, key=lambda name: errors[name]))
    assert found.get("gru", "skill") == pytest.approx(1 - errors["gru"] / errors["seasonal_naive"])
    assert summarize(by_series[by_series["unique_id"] == "a"], zeros=zeros).deciding == "mse"


@pytest.mark.parametrize("names", [["a"], ["a", "b"]], ids=["one", "many"])
def test_best_baseline_has_the_least_of_what_decides(
    by_series: pd.DataFrame, names: list[str]
) -> None:
    found = summarize(by_series[by_series["unique_id"].isin(names)])
    errors = {
        name: found.get(name, found.deciding) for name in ("last_value", "seasonal_naive", "ridge")
    }
    assert errors[found.find_best_baseline()] == min(errors.values())


def test_best_baseline_is_no_network(by_series: pd.DataFrame) -> None:
    exact = by_series.assign(
        **{name: by_series[name].mask(by_series["forecaster"] == "lstm", 0.0) for name in METRICS}
    )
    assert summarize(exact).find_best_baseline() != "lstm"


def test_best_baseline_has_the_deciding_metric(by_series: pd.DataFrame) -> None:
    table = by_series.assign(mase=by_series["mase"].where(by_series["forecaster"] == "last_value"))
    assert summarize(table).find_best_baseline() == "last_value"


def test_best_constant_has_the_least_error_of_zero_or_mean(by_series: pd.DataFrame) -> None:
    renamed = by_series.replace({"forecaster": {"ridge": "zero", "last_value": "mean"}})
    summary = summarize(renamed)
    assert summary.find_best_constant() == min(
        ("zero", "mean"), key=lambda name: summary.get(name, "mase")
    )


def test_there_is_no_best_constant_without_constants(by_series: pd.DataFrame) -> None:
    assert summarize(by_series).find_best_constant() is None


def test_metrics_hold_the_seconds(
    make_predictions: MakePredictions, make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    seconds = {"gru": {"fit_seconds": 2.0, "prediction_seconds": 1.0}}
    blocks, *_ = evaluate_forecasts(
        make_predictions({"a": 30}),
        make_series({"a": [1, 2, 4.0, 7]}),
        make_cutoffs(a=4),
        {"season_length": 1},
        EvaluationSpec(season_length=1),
        seconds,
    )
    assert blocks["gru"].items() >= seconds["gru"].items()


@pytest.fixture(scope="module")
def holes(make_predictions: MakePredictions) -> Predictions:
    """Nothing was observed in the windows of cut-off 25."""
    predictions = make_predictions({"a": 30, "b": 20})
    return change(predictions, y=predictions.table["y"].mask(predictions.table["cutoff"] == 25))


@pytest.fixture(scope="module")
def blocks_of_holes(
    holes: Predictions, make_series: MakeTable, make_cutoffs: MakeTable
) -> dict[str, Any]:
    series = make_series({"a": [1, 0, 4.0, 7], "b": [1, 2, 0, 7.0]})
    blocks, *_ = evaluate_forecasts(
        holes,
        series,
        make_cutoffs(a=4, b=4),
        {"season_length": 1},
        EvaluationSpec(season_length=1),
        {},
    )
    return blocks


def test_windows_without_an_actual_are_not_counted(blocks_of_holes: dict[str, Any]) -> None:
    assert (blocks_of_holes["num_windows"], blocks_of_holes["num_cutoffs"]) == (49, 29)


def test_zeros_of_the_training_part_are_counted(blocks_of_holes: dict[str, Any]) -> None:
    assert blocks_of_holes["zero_fraction"] == 0.25


def test_metrics_hold_the_ratios(blocks_of_holes: dict[str, Any], holes: Predictions) -> None:
    assert blocks_of_holes["gru"].items() >= list_ratios(holes)["gru"].items()


@pytest.mark.parametrize(
    ("sizes", "zeros"),
    [({"a": 30}, False), ({"a": 30, "b": 20}, False), ({"a": 30, "b": 20}, True)],
)
def test_difference_is_that_of_the_deciding_metric(
    sizes: dict[str, int],
    zeros: bool,
    make_predictions: MakePredictions,
    make_series: MakeTable,
    make_cutoffs: MakeTable,
) -> None:
    """Also if windows lack values, and series have other cut-offs, so that the mean over cut-offs is another."""
    predictions = make_predictions(sizes)
    is_hole = (predictions.table["horizon_step"] == 2) & (predictions.table["cutoff"] % 3 == 0)
    holes = change(predictions, y=predictions.table["y"].mask(is_hole))
    values = [1, 0, 4.0, 7] if zeros else [1, 2, 4.0, 7]
    series = make_series(dict.fromkeys(sizes, values))
    cutoffs = make_cutoffs(**dict.fromkeys(sizes, 4))
    blocks, *_ = evaluate_forecasts(
        holes, series, cutoffs, {"season_length": 1}, EvaluationSpec(season_length=1), {}
    )
    found = ForecastMetrics.parse(blocks)
    assert found.deciding == ("mse" if len(sizes) == 1 else "rmsse" if zeros else "mase")
    best = found.find_best_baseline()
    for name in predictions.forecasters:
        expected = found.get(name, found.deciding) / found.get(best, found.deciding) - 1
        assert found.get(name, "difference") == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_new_metric_is_in_the_summary(
    monkeypatch: pytest.MonkeyPatch,
    predictions: Predictions,
    make_series: MakeTable,
    make_cutoffs: MakeTable,
) -> None:
    monkeypatch.setitem(METRICS, "root_mae", Metric("√MAE", "mae", "root", "none"))
    by_series = measure_by_series(
        predictions, make_series({"a": [1, 2, 4.0]}), make_cutoffs(a=3), 1
    )
    assert by_series["root_mae"].tolist() == pytest.approx(np.sqrt(by_series["mae"]).tolist())
    assert "root_mae" in summarize(by_series).forecasters["gru"]
