"""The answer: the next value, the usual error, and the comparison with a naive forecast and the best other method."""

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.past_comparison import PastComparison, PastRival
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.answer import (
    describe_comparison,
    describe_next_values,
    describe_usual_error,
)

PROFILE: Any = {"target": "sales", "freq": "D", "season_length": 7, "horizon": 14}


def make_next_values(names: tuple[str, ...] = ("shop",), horizon: int = 14) -> Predictions:
    ds = pd.date_range("2026-01-30", periods=horizon)
    table = pd.DataFrame(
        {
            "unique_id": np.repeat(names, horizon),
            "cutoff": ds[0] - pd.Timedelta(1, "D"),
            "ds": np.tile(ds, len(names)),
            "horizon_step": np.tile(np.arange(1, horizon + 1), len(names)),
            "ensemble": 100.0,
            "ensemble-lo-80": 97.5,
            "ensemble-hi-80": 102.5,
        }
    )
    return Predictions(table, ("ensemble",), (80,))


def make_metrics(mae: float = 1.0, **errors: float | None) -> ForecastMetrics:
    """Return metrics of an ensemble with the errors of others relative to its own at 40 origins in 8 periods."""
    rivals = {
        name: PastRival(relative_error=error, num_lower=6 if error is None or error > 1 else 2)
        for name, error in errors.items()
    }
    past = PastComparison(num_origins=40, num_periods=8, has_past=True, rivals=rivals)
    numbers = {"mae": mae, "mse": mae**2, "rmse": mae, "mase": mae}
    forecasters = dict.fromkeys(["ensemble", *errors], numbers)
    return ForecastMetrics(
        forecasters, None, num_windows=20, num_cutoffs=20, mean_size=100.0, past=past
    )


def test_next_value_has_the_name_of_the_column() -> None:
    sentence = describe_next_values(make_next_values(), PROFILE)
    assert (
        sentence
        == "sales on 2026-01-30: 100.0 (80 % interval 97.5 to 102.5), the first of 14 days."
    )


def test_next_value_of_a_panel_names_its_series() -> None:
    sentence = describe_next_values(make_next_values(("a", "b")), PROFILE)
    assert sentence.startswith("sales of a on 2026-01-30: ")
    assert sentence.endswith("the first of 14 days of 2 series.")


def test_column_without_a_meaning_is_not_named() -> None:
    sentence = describe_next_values(make_next_values(horizon=1), {**PROFILE, "target": "y"})
    assert sentence == "Forecast on 2026-01-30: 100.0 (80 % interval 97.5 to 102.5)."


def test_missing_next_values_have_a_reason() -> None:
    values = make_next_values()
    empty = replace(values, table=values.table[:0])
    assert describe_next_values(empty, PROFILE).startswith("No next values: ")


def test_usual_error_counts_the_forecasts() -> None:
    sentence = describe_usual_error(make_metrics(), PROFILE)
    assert sentence == "Usual error: ±1.00 (mean of 20 forecasts of 14 days)."


def test_exact_forecast_has_no_usual_error() -> None:
    assert "none, up to rounding" in describe_usual_error(make_metrics(1e-7), PROFILE)


def test_usual_error_is_unknown_without_a_test_part() -> None:
    assert "unknown" in describe_usual_error(ForecastMetrics({}, None), PROFILE)


def test_comparison_names_the_season_and_the_best_other_method() -> None:
    sentence = describe_comparison(make_metrics(seasonal_naive=1.25, ridge=1.1), PROFILE)
    assert sentence == (
        "Error at 40 origins of the past: 20 % below last week's value, and 9 % below the best of 2 other methods, "
        "ridge (lower in 6 of 8 periods)."
    )


@pytest.mark.parametrize(
    ("error", "relation"),
    [
        (1.0, "level with"),
        (0.8, "25 % above"),
        (0.4, "2.5 times that of"),
        (1e-9, "more than 1,000 times that of"),
        (None, "less than that of"),
    ],
)
def test_comparison_says_how_much_the_error_differs(error: float | None, relation: str) -> None:
    assert f"{relation} the best of" in describe_comparison(make_metrics(ridge=error), PROFILE)


def test_naive_forecast_that_is_best_is_named_once() -> None:
    sentence = describe_comparison(make_metrics(seasonal_naive=0.9, ridge=1.1), PROFILE)
    assert "last week" not in sentence
    assert "11 % above the best of 2 other methods, seasonal naive" in sentence


def test_no_method_is_better_than_an_exact_forecast() -> None:
    assert "none can be lower" in describe_comparison(make_metrics(1e-7, ridge=1e-9), PROFILE)


def test_nothing_is_compared_without_errors() -> None:
    assert describe_comparison(ForecastMetrics({}, None), PROFILE) == ""
