"""Every metric equals an independent one-line computation; signs, units and means are what their names say."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, mean_squared_error, root_mean_squared_error

from rnn_pipelines.forecast.evaluation.metrics import (
    MEANS,
    METRICS,
    RATIOS,
    choose_scale_season,
    list_ratios,
    measure_by,
    measure_by_series,
    measure_naive_error,
    measure_noise_floor,
    measure_ratios,
    measure_zero_fraction,
)
from rnn_pipelines.forecast.methods.predictions import Predictions

MakePredictions = Callable[..., Predictions]
MakeTable = Callable[..., pd.DataFrame]


def change(predictions: Predictions, **columns: object) -> Predictions:
    return replace(predictions, table=predictions.table.assign(**columns))


def test_predictions_are_not_changed(predictions: Predictions) -> None:
    before = predictions.table.copy()
    measure_by(predictions, "horizon_step")
    measure_noise_floor(predictions)
    pd.testing.assert_frame_equal(predictions.table, before)


def test_table_has_a_row_for_each_series_of_each_forecaster(
    predictions: Predictions, by_series: pd.DataFrame
) -> None:
    pairs = list(zip(by_series["forecaster"], by_series["unique_id"], strict=True))
    assert pairs == [(forecaster, name) for forecaster in predictions.forecasters for name in "ab"]
    assert list(by_series.columns) == ["unique_id", "forecaster", *METRICS, *RATIOS]


def test_table_has_a_row_for_each_step_of_each_forecaster(predictions: Predictions) -> None:
    table = measure_by(predictions, "horizon_step")
    assert list(table.columns) == ["forecaster", "horizon_step", *MEANS]
    assert len(table) == 2 * len(predictions.forecasters)


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


def test_empty_actuals_are_skipped(
    predictions: Predictions, make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    series = make_series({"a": [1, 2, 4.0], "b": [1, 2, 4.0]})
    cutoffs = make_cutoffs(a=3, b=3)
    is_hole = predictions.table.index.isin([3, 12, 13])
    with_holes = measure_by_series(
        change(predictions, y=predictions.table["y"].mask(is_hole)), series, cutoffs, 1
    )
    without = measure_by_series(predictions.keep(~is_hole), series, cutoffs, 1)
    pd.testing.assert_frame_equal(with_holes, without)


SCALED_SERIES = np.random.default_rng(2).normal(size=30)


@pytest.fixture(scope="module")
def scaled(
    make_predictions: MakePredictions, make_series: MakeTable, make_cutoffs: MakeTable
) -> tuple[pd.DataFrame, pd.Series]:
    """Forecasts of one series of season 3 with 20 training values, and the metrics of `lstm`."""
    predictions = make_predictions({"a": 5})
    table = measure_by_series(
        predictions,
        make_series({"a": SCALED_SERIES.tolist()}),
        make_cutoffs(a=20),
        season_length=3,
    )
    return predictions.table, table.set_index("forecaster").loc["lstm"]


def test_mase_is_the_error_over_that_of_seasonal_naive_in_training(
    scaled: tuple[pd.DataFrame, pd.Series],
) -> None:
    table, metrics = scaled
    scale = np.abs(SCALED_SERIES[3:20] - SCALED_SERIES[:17]).mean()
    expected = mean_absolute_error(table["y"], table["lstm"]) / scale
    assert metrics["mase"] == pytest.approx(expected, rel=1e-12)


def test_rmsse_is_the_error_over_that_of_seasonal_naive_in_training(
    scaled: tuple[pd.DataFrame, pd.Series],
) -> None:
    table, metrics = scaled
    scale = ((SCALED_SERIES[3:20] - SCALED_SERIES[:17]) ** 2).mean()
    expected = (mean_squared_error(table["y"], table["lstm"]) / scale) ** 0.5
    assert metrics["rmsse"] == pytest.approx(expected, rel=1e-12)


def test_naive_error_is_of_one_season_ahead(
    make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    series = make_series({"a": [0, 10, 1, 12, 3, 15]})
    errors = measure_naive_error(series, make_cutoffs(a=6), season_length=2)
    assert errors["a"] == np.mean([1, 2, 2, 3])


def test_naive_error_is_of_the_training_part(
    make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    short = [1, 2, 4]
    long = [1, 2, 4, 1000, -1000]
    errors = [
        measure_naive_error(make_series({"a": y}), make_cutoffs(a=3), 1)["a"] for y in (short, long)
    ]
    assert errors == [1.5, 1.5]


def test_naive_error_does_not_cross_series(make_series: MakeTable, make_cutoffs: MakeTable) -> None:
    series = make_series({"a": [1, 2], "b": [100, 101]})
    assert measure_naive_error(series, make_cutoffs(a=2, b=2), 1).tolist() == [1, 1]


def test_naive_error_is_of_observed_values(make_series: MakeTable, make_cutoffs: MakeTable) -> None:
    series = make_series({"a": [1, 2, 99, 4, 6]}).assign(observed=[True, True, False, True, True])
    assert measure_naive_error(series, make_cutoffs(a=5), 1)["a"] == np.mean([1, 2])


def test_season_of_the_scale_is_one_step_if_no_series_has_more_than_a_season(
    make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    """Weekly series of a year had no MASE, so that the first baseline of the list was called the best."""
    short = [1.0, 2.0, 4.0]
    series = make_series({"a": short, "b": short})
    assert choose_scale_season(series, make_cutoffs(a=3, b=3), 3) == 1


def test_season_of_the_scale_is_kept_if_one_series_is_longer(
    make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    series = make_series({"a": [1.0, 2.0, 4.0], "b": [1.0, 2.0, 4.0, 3.0]})
    assert choose_scale_season(series, make_cutoffs(a=3, b=4), 3) == 3


@pytest.mark.parametrize("y", [[1, 2, 1, 2], [1]], ids=["repeats itself", "shorter than a season"])
def test_mase_is_empty_where_training_has_no_naive_error(
    y: list[float],
    make_predictions: MakePredictions,
    make_series: MakeTable,
    make_cutoffs: MakeTable,
) -> None:
    table = measure_by_series(
        make_predictions({"a": 3}), make_series({"a": y}), make_cutoffs(a=len(y)), 2
    )
    assert table[["mase", "rmsse"]].isna().all(axis=None)


def compute_totals(table: pd.DataFrame, name: str) -> dict[str, tuple[float, float, float, float]]:
    """The mean error and absolute actual of each series, then the mean absolute error and size of its totals."""
    found = {}
    for series, rows in table.dropna(subset="y").groupby("unique_id"):
        errors = []
        sizes = []
        for _, window in rows.groupby("cutoff"):
            errors.append(abs(sum(window[name]) - sum(window["y"])))
            sizes.append(abs(sum(window["y"])))
        found[str(series)] = (
            np.mean(rows[name] - rows["y"]),
            np.mean(np.abs(rows["y"])),
            np.mean(errors),
            np.mean(sizes),
        )
    return found


def make_changed(predictions: Predictions, kind: str) -> Predictions:
    y = predictions.table["y"]
    match kind:
        case "counts":
            return change(predictions, y=y.round().where(np.arange(len(y)) % 3 == 0, 0.0))
        case "temperatures":
            return change(predictions, y=y - 10)
        case "a series of zeros":
            return change(predictions, y=y.where(predictions.table["unique_id"] == "b", 0.0))
        case _:
            return change(predictions, y=y.mask(predictions.table.index.isin([3, 12, 13])))


KINDS = ["counts", "temperatures", "a series of zeros", "holes"]


@pytest.mark.parametrize("kind", KINDS)
def test_totals_equal_a_second_computation(predictions: Predictions, kind: str) -> None:
    changed = make_changed(predictions, kind)
    ratios = measure_ratios(changed)
    for name in changed.forecasters:
        error, size, total, total_size = np.mean(
            list(compute_totals(changed.table, name).values()), axis=0
        )
        assert ratios.loc[name, "bias"] == pytest.approx(error / size, rel=1e-12)
        assert ratios.loc[name, "total_wape"] == pytest.approx(total / total_size, rel=1e-12)


@pytest.mark.parametrize("kind", KINDS)
def test_totals_by_series_equal_a_second_computation(
    predictions: Predictions, kind: str, make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    changed = make_changed(predictions, kind)
    series = make_series({"a": [1, 2, 4.0], "b": [1, 2, 4.0]})
    cutoffs = make_cutoffs(a=3, b=3)
    table = measure_by_series(changed, series, cutoffs, 1).set_index(["forecaster", "unique_id"])
    for name in changed.forecasters:
        for one, (error, size, total, total_size) in compute_totals(changed.table, name).items():
            expected = [error / size, total / total_size] if size else [np.nan, np.nan]
            assert table.loc[(name, one), ["bias", "total_wape"]].tolist() == pytest.approx(
                expected, nan_ok=True
            )


def test_bias_is_a_ratio_of_sums(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 5})
    sums = predictions.table[["lstm", "y"]].sum()
    assert measure_ratios(predictions).loc["lstm", "bias"] == pytest.approx(
        sums["lstm"] / sums["y"] - 1
    )


def test_forecasts_20_percent_too_low_have_that_bias(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 5})
    low = change(predictions, gru=0.8 * predictions.table["y"])
    assert measure_ratios(low).loc["gru", ["bias", "total_wape"]].tolist() == pytest.approx(
        [-0.2, 0.2]
    )


def test_bias_keeps_its_sign_for_negative_actuals(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 5})
    cold = change(predictions, y=predictions.table["y"] - 20, gru=predictions.table["y"] - 25)
    assert measure_ratios(cold).loc["gru", "bias"] < 0


def test_errors_of_a_window_cancel_in_bias_as_in_total_wape(
    make_predictions: MakePredictions,
) -> None:
    predictions = make_predictions({"a": 5})
    steps = predictions.table["horizon_step"].map({1: 1.0, 2: -1.0})
    ratios = measure_ratios(change(predictions, gru=predictions.table["y"] + steps))
    assert ratios.loc["gru", ["bias", "total_wape"]].tolist() == pytest.approx([0, 0], abs=1e-12)


def test_ratios_to_sums_of_zero_are_missing(make_predictions: MakePredictions) -> None:
    predictions = make_predictions({"a": 5})
    ratios = list_ratios(change(predictions, y=0.0 * predictions.table["y"]))
    assert (ratios["gru"]["bias"], ratios["gru"]["total_wape"]) == (None, None)


def test_zero_fraction_is_that_of_observed_values_in_training(
    make_series: MakeTable, make_cutoffs: MakeTable
) -> None:
    series = make_series({"a": [0, 1, 0, np.nan, 2, 0, 0], "b": [0, 3, 0, 0]})
    assert measure_zero_fraction(series, make_cutoffs(a=5, b=2)) == pytest.approx(3 / 6)
    assert measure_zero_fraction(series, make_cutoffs(a=0, b=0)) == 0


@pytest.mark.parametrize(
    ("metric", "compute"), [("mse", mean_squared_error), ("mae", mean_absolute_error)]
)
def test_metric_by_step_is_a_series_mean(
    predictions: Predictions, metric: str, compute: Callable[..., float]
) -> None:
    for row in measure_by(predictions, "horizon_step").to_dict(orient="records"):
        rows = predictions.table[predictions.table["horizon_step"] == row["horizon_step"]].groupby(
            "unique_id"
        )
        expected = np.mean([compute(group["y"], group[row["forecaster"]]) for _, group in rows])
        assert row[metric] == pytest.approx(expected, rel=1e-12)


def test_noise_floor_is_the_error_of_the_signal(predictions: Predictions) -> None:
    expected = [
        ((group["y"] - 10) ** 2).mean() for _, group in predictions.table.groupby("unique_id")
    ]
    assert measure_noise_floor(predictions) == pytest.approx(np.mean(expected), rel=1e-12)
    is_hole = predictions.table.index == 3
    holes = change(predictions, y=predictions.table["y"].mask(is_hole))
    assert measure_noise_floor(holes) == pytest.approx(
        measure_noise_floor(predictions.keep(~is_hole)), rel=1e-12
    )
    without = replace(predictions, table=predictions.table.drop(columns="signal"))
    assert measure_noise_floor(without) is None
    # Metrics of points are the same with and without them.
    bounds = {
        f"gru-{side}-{level}": predictions.table["gru"]
        for side in ("lo", "hi")
        for level in (80, 95)
    }
    banded = Predictions(
        predictions.table.assign(**bounds), predictions.forecasters, levels=(80, 95)
    )
    pd.testing.assert_frame_equal(
        measure_by(banded, "horizon_step"), measure_by(predictions, "horizon_step")
    )
