"""Metrics of intervals are those of utilsforecast, by step and over all; what was not promised has none."""

from typing import Any

import numpy as np
import pandas as pd
import pytest
from utilsforecast import losses

from rnn_pipelines.forecast.evaluation.interval_metrics import (
    MetricsByLevelTable,
    list_missed,
    measure_intervals,
)
from rnn_pipelines.forecast.methods.predictions import Predictions, name_bounds

LEVELS = (80, 95)


def make_predictions(names: tuple[str, ...] = ("gru", "baseline_ensemble")) -> Predictions:
    """Of two series with six cut-offs each and two steps; some actuals lie outside, one is missing."""
    random = np.random.default_rng(0)
    rows = [
        (name, cutoff, cutoff + step, step)
        for name in "ab"
        for cutoff in range(6)
        for step in (1, 2)
    ]
    table = pd.DataFrame(rows, columns=["unique_id", "cutoff", "ds", "horizon_step"])
    table["y"] = random.normal(10, 3, len(table))
    table.loc[5, "y"] = np.nan
    for name in names:
        table[name] = random.normal(10, 1, len(table))
        for level in LEVELS:
            low, high = name_bounds(name, level)
            table[low] = table[name] - level / 30 - random.uniform(size=len(table))
            table[high] = table[name] + level / 30
    return Predictions(table, names, LEVELS)


@pytest.fixture(scope="module")
def predictions() -> Predictions:
    return make_predictions()


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(
    ("ours", "theirs"), [("coverage", losses.coverage), ("winkler", losses.winkler_score)]
)
def test_metric_is_that_of_utilsforecast(
    predictions: Predictions, ours: str, theirs: Any, level: int
) -> None:
    observed = predictions.table.dropna()
    expected = theirs(observed, ["gru", "baseline_ensemble"], level, cutoff_col="")[
        ["gru", "baseline_ensemble"]
    ].mean()
    numbers, _ = measure_intervals(predictions)
    assert [
        numbers[name][f"{ours}_{level}"] for name in ("gru", "baseline_ensemble")
    ] == pytest.approx(expected.tolist())


@pytest.mark.parametrize(
    ("ours", "theirs"), [("coverage", losses.coverage), ("winkler", losses.winkler_score)]
)
def test_metric_of_a_step_is_that_of_utilsforecast(
    predictions: Predictions, ours: str, theirs: Any
) -> None:
    expected = theirs(predictions.table.dropna(), ["gru"], 80, cutoff_col="horizon_step")
    _, by_level = measure_intervals(predictions)
    found = by_level.query("forecaster == 'gru' and level == 80").set_index("horizon_step")[ours]
    assert found.tolist() == pytest.approx(expected.groupby("horizon_step")["gru"].mean().tolist())


def test_scaled_crps_is_that_of_utilsforecast(predictions: Predictions) -> None:
    columns = ["gru-lo-95", "gru-lo-80", "gru", "gru-hi-80", "gru-hi-95"]
    quantiles = np.array([0.025, 0.1, 0.5, 0.9, 0.975])
    expected = losses.scaled_crps(
        predictions.table.dropna(), {"gru": columns}, quantiles, cutoff_col=""
    )["gru"].mean()
    assert measure_intervals(predictions)[0]["gru"]["scaled_crps"] == pytest.approx(expected)


def test_width_is_the_mean_over_series(predictions: Predictions) -> None:
    bounds = predictions.get_bounds("gru", 80)[predictions.table["y"].notna()]
    by_series = (bounds["hi"] - bounds["lo"]).groupby(predictions.table["unique_id"]).mean()
    assert measure_intervals(predictions)[0]["gru"]["width_80"] == pytest.approx(by_series.mean())


def test_each_forecaster_has_a_row_for_each_step_of_each_level(predictions: Predictions) -> None:
    _, by_level = measure_intervals(predictions)
    assert len(MetricsByLevelTable.validate(by_level)) == 2 * 2 * 2


def test_relative_width_is_that_of_seasonal_naive(predictions: Predictions) -> None:
    low, high = name_bounds("gru", 80)
    names = dict(zip(name_bounds("seasonal_naive", 80), (low, high), strict=True))
    keys = ["unique_id", "cutoff", "ds", "horizon_step", "y", "gru", low, high]
    table = predictions.table[keys].assign(seasonal_naive=predictions.table["gru"])
    middle = (table[low] + table[high]) / 2
    twice_as_wide = {name: middle + 2 * (table[bound] - middle) for name, bound in names.items()}
    table = table.assign(**twice_as_wide)
    numbers, by_level = measure_intervals(Predictions(table, ("gru", "seasonal_naive"), (80,)))
    assert numbers["gru"]["relative_width_80"] == pytest.approx(0.5)
    assert by_level.query("forecaster == 'gru' and level == 80")[
        "relative_width"
    ].tolist() == pytest.approx([0.5, 0.5])


def make_step(actuals: list[float], forecast: float) -> pd.DataFrame:
    """One step of two series from two origins; the interval of 80 % reaches one to each side."""
    table = pd.DataFrame(
        {"unique_id": list("abab"), "cutoff": [0, 0, 1, 1], "ds": [1, 1, 2, 2], "horizon_step": 1}
    )
    bounds = {"gru-lo-80": forecast - 1, "gru-hi-80": forecast + 1}
    return table.assign(y=actuals, gru=forecast, **bounds)


def test_least_coverage_is_that_of_an_origin() -> None:
    table = make_step([0.0, 0.0, 0.0, 9.0], 0.0)
    numbers, _ = measure_intervals(Predictions(table, ("gru",), (80,)))
    assert (numbers["gru"]["least_coverage_80"], numbers["gru"]["most_coverage_80"]) == (0.5, 1.0)


def test_values_above_the_upper_bound_count_in_series_with_zeros() -> None:
    """Series `a` has zeros; `b` has none, and does not count."""
    table = make_step([0.0, 9.0, 3.0, 9.0], 1.0)
    numbers, _ = measure_intervals(Predictions(table, ("gru",), (80,)))
    assert (numbers["gru"]["coverage_80"], numbers["gru"]["above_80"]) == (0.25, 0.5)


def test_values_above_the_upper_bound_are_not_counted_without_zeros() -> None:
    table = make_step([0.0, 9.0, 3.0, 9.0], 1.0)
    dense, _ = measure_intervals(Predictions(table[table["unique_id"] == "b"], ("gru",), (80,)))
    assert "above_80" not in dense["gru"]


@pytest.fixture
def by_day() -> pd.DataFrame:
    days = pd.to_datetime(["2024-05-01", "2024-05-02"]).repeat(2)
    return make_step([0.0, 9.0, 9.0, 9.0], 0.0).assign(cutoff=days, ds=days)


def test_days_on_which_most_series_lie_outside_are_listed(by_day: pd.DataFrame) -> None:
    assert list_missed(Predictions(by_day, ("gru",), (80,)), "gru") == {"80": ["2024-05-02"]}


def test_no_days_are_listed_for_one_series(by_day: pd.DataFrame) -> None:
    alone = by_day[by_day["unique_id"] == "a"]
    assert list_missed(Predictions(alone, ("gru",), (80,)), "gru") == {}


@pytest.fixture(scope="module")
def without_95(predictions: Predictions) -> Predictions:
    """The bounds of 95 % are missing."""
    low, high = name_bounds("gru", 95)
    table = predictions.table.assign(**{low: np.nan, high: np.nan})
    return Predictions(table, predictions.forecasters, LEVELS)


def test_level_without_intervals_has_no_metrics(without_95: Predictions) -> None:
    metrics = measure_intervals(without_95)[0]["gru"]
    assert [metrics[f"{name}_95"] for name in ("coverage", "width", "winkler")] == [None] * 3


def test_scaled_crps_is_that_of_the_levels_with_intervals(without_95: Predictions) -> None:
    low, high = name_bounds("gru", 95)
    expected = losses.scaled_crps(
        without_95.table.drop(columns=[low, high]).dropna(),
        {"gru": ["gru-lo-80", "gru", "gru-hi-80"]},
        np.array([0.1, 0.5, 0.9]),
        cutoff_col="",
    )
    metrics = measure_intervals(without_95)[0]["gru"]
    assert metrics["scaled_crps"] == pytest.approx(expected["gru"].mean())


def test_table_has_rows_without_numbers_for_a_level_without_intervals(
    without_95: Predictions,
) -> None:
    by_level = MetricsByLevelTable.validate(measure_intervals(without_95)[1])
    assert by_level.query("forecaster == 'gru' and level == 95")["coverage"].isna().all()


def test_forecasts_without_intervals_have_no_metrics(predictions: Predictions) -> None:
    points = Predictions(
        predictions.table[["unique_id", "cutoff", "ds", "horizon_step", "y", "gru"]], ("gru",)
    )
    numbers, by_level = measure_intervals(points)
    assert (numbers, len(MetricsByLevelTable.validate(by_level))) == ({"gru": {}}, 0)
