"""The verdict of a backtest says no more than its numbers, and the page shows all of them."""

from typing import Any

import pandas as pd
import pytest

from rnn_pipelines.forecast.experiments.schedule import BacktestSpec
from rnn_pipelines.forecast.experiments.schedule_metrics import BacktestResults, Entry
from rnn_pipelines.forecast.report.backtest import (
    describe_verdict,
    draw_error_against_cost,
    render_report,
    tabulate_retrainings,
    tabulate_schedules,
)


def make_results(num_left_out: int = 0, **changes: dict[str, Any]) -> BacktestResults:
    """Schedules `never` and `weekly`, beside the simple methods; `changes` by name."""
    entries = {
        "never": {
            "mse": 4.0,
            "p_value": None,
            "num_trainings": 1,
            "num_promotions": 0,
            "training_seconds": 10.0,
            "coverage_80": 0.8125,
            "width_80": 2.5,
        },
        "weekly": {"mse": 3.0, "p_value": 0.01, "num_trainings": 52, "num_promotions": 7, "training_seconds": 1234.5},
        "last_value": {"mse": 9.0, "p_value": 0.001},
        "seasonal_naive": {"mse": 12.0, "p_value": 0.001},
        "ridge": {"mse": 3.5, "p_value": 0.02},
    }
    nothing = dict.fromkeys(("num_trainings", "num_promotions", "training_seconds"))
    return BacktestResults(
        num_forecasts=365,
        num_left_out=num_left_out,
        first_cutoff="1990-01-01",
        last_cutoff="1990-12-30",
        reference="never",
        forecasters=[
            Entry(**{"name": name, "mae": entry["mse"] / 2, **nothing, **entry, **changes.get(name, {})})
            for name, entry in entries.items()
        ],
    )


@pytest.fixture
def retrainings() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "schedule": ["never", "weekly", "weekly", "weekly"],
            "as_of": pd.to_datetime(["1989-12-31", "1989-12-31", "1990-01-07", "1990-01-14"]),
            "is_promoted": [True, False, False, True],
            "reason": ["there is no champion yet", "not below ridge", "no difference", "it is better"],
        }
    )


def test_schedule_that_is_shown_to_be_better_is_named_with_its_gain_and_cost() -> None:
    assert describe_verdict(make_results()) == (
        "The schedule weekly has an MSE 25.0 % below that of never (p = 0.01), for 1,234 seconds of training instead "
        "of 10. The lowest MSE of a schedule, 3.000 (weekly), is below that of ridge, 3.500."
    )


def test_difference_that_is_not_shown_is_none() -> None:
    verdict = describe_verdict(make_results(weekly={"p_value": 0.06}))
    assert verdict.startswith("No schedule is shown to be better than never. ")


def test_schedule_that_is_shown_to_be_worse_is_no_gain() -> None:
    verdict = describe_verdict(make_results(weekly={"mse": 5.0}))
    assert verdict.startswith("No schedule is shown to be better than never; shown to be worse: weekly. ")


def test_schedules_behind_a_simple_method_are_said_to_be() -> None:
    verdict = describe_verdict(make_results(ridge={"mse": 2.0}))
    assert verdict.endswith("The lowest MSE of a schedule, 3.000 (weekly), is not below that of ridge, 2.000.")


def test_lowest_errors_are_marked() -> None:
    assert tabulate_schedules(make_results()).best == {(1, 1), (1, 2)}
    assert tabulate_schedules(make_results(ridge={"mae": 0.1})).best == {(1, 1), (4, 2)}


def test_intervals_of_a_schedule_are_told_by_what_they_hold_and_how_wide_they_are() -> None:
    table = tabulate_schedules(make_results())
    assert table.header[-2:] == ["inside 80 %", "width 80 %"]
    assert table.rows[0][-2:] == ["81.2", "2.500"]


def test_simple_methods_have_no_cost_in_the_table() -> None:
    assert tabulate_schedules(make_results()).rows[4] == ["ridge", "3.500", "1.750", "0.02", *["–"] * 5]


def test_table_lists_what_came_into_use(retrainings: pd.DataFrame) -> None:
    assert tabulate_retrainings(retrainings).rows == [
        ["never", "1989-12-31", "the first"],
        ["weekly", "1989-12-31", "the first"],
        ["weekly", "1990-01-14", "it is better"],
    ]


def test_picture_has_a_point_for_each_schedule() -> None:
    points = draw_error_against_cost(make_results()).data[0]
    assert (list(points.text), list(points.x), list(points.y)) == (["never", "weekly"], [10.0, 1234.5], [4.0, 3.0])


def test_simple_methods_far_away_do_not_press_the_points_together() -> None:
    lines = {trace.name: trace.visible for trace in draw_error_against_cost(make_results()).data[1:]}
    assert lines == {"last value": "legendonly", "seasonal naive": "legendonly", "ridge": True}


def test_page_is_the_golden_one(retrainings: pd.DataFrame, is_golden) -> None:
    """With forecasts that were left out."""
    results = make_results(num_left_out=12)
    spec = BacktestSpec(schedules={"never": {}, "weekly": {"every": "week"}})
    assert is_golden(render_report(results, retrainings, spec, draw_error_against_cost(results)), "backtest")
