"""What a cross-validation comes to, from forecasts that are made up."""

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.evaluation.windows import (
    MetricsByCutoffTable,
    WindowResults,
    count_overlapping,
    summarize_windows,
)
from rnn_pipelines.forecast.methods.predictions import Predictions


@pytest.fixture
def make_predictions() -> Callable[..., Predictions]:
    """Windows of two steps of two series: the errors of `gru` are those given by cut-off, those of `ridge` are 2."""

    def make(errors: dict[int, float], step_size: int = 2) -> Predictions:
        rows = [
            {
                "unique_id": name,
                "cutoff": step_size * number,
                "ds": step_size * number + step,
                "horizon_step": step,
                "y": 10.0,
                "gru": 10.0 - error,
                "ridge": 8.0,
                "gru-lo-80": 9.0,
                "gru-hi-80": 11.0,
            }
            for name in ("a", "b")
            for number, error in errors.items()
            for step in (1, 2)
        ]
        return Predictions(pd.DataFrame(rows), ("gru", "ridge"), (80,))

    return make


def test_errors_are_means_over_windows(make_predictions: Callable[..., Predictions]) -> None:
    results, _ = summarize_windows(make_predictions({1: 1.0, 2: 3.0}))
    measured = results["forecasters"]["gru"]
    expected = {"mse": 5.0, "mae": 2.0, "coverage_80": 1.0, "width_80": 2.0, "winkler_80": 2.0}
    assert {name: measured[name] for name in expected} == pytest.approx(expected)


def test_baseline_has_no_p_value(make_predictions: Callable[..., Predictions]) -> None:
    results, _ = summarize_windows(make_predictions({1: 1.0, 2: 3.0}))
    measured = results["forecasters"]["ridge"]
    expected = {"mse": 4.0, "mae": 2.0, "bias": -0.2, "total_wape": 0.2, "p_value": None}
    assert {name: measured[name] for name in expected} == pytest.approx(expected)


def test_errors_by_cutoff_are_those_of_one_window(
    make_predictions: Callable[..., Predictions],
) -> None:
    _, by_cutoff = summarize_windows(make_predictions({1: 1.0, 2: 3.0}))
    MetricsByCutoffTable.validate(by_cutoff)
    gru = by_cutoff[by_cutoff["forecaster"] == "gru"]
    assert gru[["cutoff", "mse", "mae"]].to_numpy().tolist() == [[2.0, 1.0, 1.0], [4.0, 9.0, 3.0]]


def test_results_describe_the_windows(make_predictions: Callable[..., Predictions]) -> None:
    results, _ = summarize_windows(make_predictions({1: 1.0, 2: 3.0, 5: 1.0}))
    expected = {
        "num_windows": 6,
        "num_series": 2,
        "first_cutoff": "2",
        "last_cutoff": "10",
        "baseline": "ridge",
    }
    assert {name: results[name] for name in expected} == expected


def test_forecasters_are_ranked_by_their_errors(
    make_predictions: Callable[..., Predictions],
) -> None:
    results, _ = summarize_windows(make_predictions({1: 3.0}))
    assert WindowResults(**results).rank() == ["ridge", "gru"]


def test_one_window_shows_no_difference(make_predictions: Callable[..., Predictions]) -> None:
    results, _ = summarize_windows(make_predictions({1: 0.1}))
    assert results["forecasters"]["gru"]["p_value"] == 1.0


def test_many_windows_show_a_difference(make_predictions: Callable[..., Predictions]) -> None:
    results, _ = summarize_windows(
        make_predictions({number: 0.1 + 0.01 * (number % 3) for number in range(12)})
    )
    assert results["forecasters"]["gru"]["p_value"] < 1e-6


@pytest.mark.parametrize(("step_size", "expected"), [(2, 1), (1, 2)])
def test_windows_closer_than_the_horizon_overlap(
    make_predictions: Callable[..., Predictions], step_size: int, expected: int
) -> None:
    errors = dict.fromkeys(range(5), 1.0)
    assert count_overlapping(make_predictions(errors, step_size=step_size).table) == expected


def test_windows_without_an_actual_are_refused(
    make_predictions: Callable[..., Predictions],
) -> None:
    predictions = make_predictions({1: 1.0})
    predictions.table["y"] = np.nan
    with pytest.raises(SeriesError, match="n_windows"):
        summarize_windows(predictions)
