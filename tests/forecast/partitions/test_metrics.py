"""The summary of the errors on all series of a divided panel."""

from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.metrics import (
    METRICS,
    measure_by_series,
    measure_ratios,
    sum_ratios,
)
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.partitions.fitted import (
    NUM_ENDS,
    AllMetricsTable,
    measure_all,
    summarize_series,
)

NUM_SERIES = 50
HORIZON = 7
SEASON = 7


def make_panel() -> tuple[Predictions, pd.DataFrame, pd.DataFrame]:
    """Return predictions of two forecasters, the series and their cut-offs."""
    random = np.random.default_rng(0)
    names = [f"s{number:02d}" for number in range(NUM_SERIES)]
    days = pd.date_range("2024-01-01", periods=40)
    series = pd.DataFrame(
        {
            "unique_id": np.repeat(names, 40),
            "ds": np.tile(days, NUM_SERIES),
            "y": random.gamma(2, 50, NUM_SERIES * 40),
            "observed": True,
        }
    )
    cutoffs = pd.DataFrame(
        {"unique_id": names, "num_steps": 40, "train_stop": 26, "validation_stop": 33}
    )
    test = series[series["ds"] >= days[33]].drop(columns="observed").reset_index(drop=True)
    test.insert(1, "cutoff", days[32])
    test.insert(3, "horizon_step", np.tile(np.arange(1, HORIZON + 1), NUM_SERIES))
    test["ensemble"] = test["y"] * random.normal(1, 0.2, len(test))
    test["ridge"] = test["y"] * random.normal(1.1, 0.2, len(test))
    # Each date has two forecasts, so that they have a stability.
    earlier = test.assign(
        cutoff=days[31], horizon_step=test["horizon_step"] + 1, ridge=1.1 * test["ridge"]
    )
    return (
        Predictions(pd.concat([earlier, test], ignore_index=True), ("ensemble", "ridge")),
        series,
        cutoffs,
    )


def summarize(num_parts: int) -> dict[str, Any]:
    """Return the summary of the panel in parts."""
    predictions, series, cutoffs = make_panel()
    tables = []
    facts = []
    for part in np.array_split(cutoffs["unique_id"].to_numpy(), num_parts):
        own = predictions.keep(predictions.table["unique_id"].isin(part))
        some, some_cutoffs = (
            one[one["unique_id"].isin(part)].reset_index(drop=True) for one in (series, cutoffs)
        )
        tables.append(measure_by_series(own, some, some_cutoffs, SEASON))
        facts.append(
            {"num_series": len(part), "left_out": [], "repairs": [], "ratios": sum_ratios(own)}
        )
    return summarize_series(tables, facts, "ensemble")


@pytest.mark.parametrize("num_parts", [1, 7])
def test_metrics_are_those_of_the_whole_panel(num_parts: int) -> None:
    predictions, series, cutoffs = make_panel()
    whole = (
        measure_by_series(predictions, series, cutoffs, SEASON)
        .groupby("forecaster")[list(METRICS)]
        .mean()
    )
    ratios = measure_ratios(predictions)
    found = summarize(num_parts)["forecasters"]
    for name in predictions.forecasters:
        expected = whole.loc[name].to_dict() | ratios.loc[name].to_dict()
        assert {key: found[name][key] for key in expected} == pytest.approx(expected)


def test_best_forecaster_comes_first() -> None:
    assert list(summarize(3)["forecasters"]) == ["ensemble", "ridge"]


def test_best_series_come_first() -> None:
    predictions, series, cutoffs = make_panel()
    by_series = measure_by_series(predictions, series, cutoffs, SEASON)
    errors = (
        by_series[by_series["forecaster"] == "ensemble"]
        .set_index("unique_id")["mase"]
        .sort_values()
    )
    found = summarize(4)
    assert list(found["best"]) == errors.index[:NUM_ENDS].tolist()
    assert list(found["worst"]) == errors.index[::-1][:NUM_ENDS].tolist()


def test_median_error_is_that_of_all_series() -> None:
    predictions, series, cutoffs = make_panel()
    by_series = measure_by_series(predictions, series, cutoffs, SEASON)
    errors = (
        by_series[by_series["forecaster"] == "ensemble"]
        .set_index("unique_id")["mase"]
        .sort_values()
    )
    found = summarize(4)
    assert found["mase"]["0.5"] == pytest.approx(errors.median())


def test_infinite_errors_do_not_count() -> None:
    predictions, series, cutoffs = make_panel()
    table = measure_by_series(predictions, series, cutoffs, SEASON)
    table.loc[table["forecaster"] == "ridge", "mse"] = [np.inf, *[2.0] * (NUM_SERIES - 1)]
    assert summarize_series([table], [], "ensemble")["forecasters"]["ridge"]["mse"] == 2.0


def test_empty_partitions_count_nothing() -> None:
    found = summarize_series(
        [pd.DataFrame()],
        [{"num_series": 0, "left_out": ["a"], "repairs": [], "ratios": {}}],
        "ensemble",
    )
    assert (found["num_series"], found["num_evaluated"], found["left_out"]) == (0, 0, ["a"])
    assert found["forecasters"] == found["best"] == found["mase"] == {}


def test_scale_is_of_one_step_if_no_training_part_holds_a_season() -> None:
    metrics = measure_all(*make_panel(), 52)
    AllMetricsTable.validate(metrics)
    assert metrics["mase"].notna().all()
    pd.testing.assert_frame_equal(metrics, measure_all(*make_panel(), 1))
