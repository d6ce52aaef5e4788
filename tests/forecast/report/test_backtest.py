"""The verdict of a backtest says no more than its numbers, and the page shows all of them."""

from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from golden import fits_screen, has_in_order, is_golden
from rnn_pipelines.forecast.experiments.schedule import BacktestResults, BacktestSpec, Entry
from rnn_pipelines.forecast.report.backtest import (
    draw_error_against_cost,
    report_backtest,
    tabulate_retrainings,
    tabulate_schedules,
)
from rnn_pipelines.report.report import Report


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
        "weekly": {
            "mse": 3.0,
            "p_value": 0.01,
            "num_trainings": 52,
            "num_promotions": 7,
            "training_seconds": 1234.5,
        },
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
            Entry(
                **{
                    "name": name,
                    "mae": entry["mse"] / 2,
                    **nothing,
                    **entry,
                    **changes.get(name, {}),
                }
            )
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
            "reason": [
                "there is no champion yet",
                "not below ridge",
                "no difference",
                "it is better",
            ],
        }
    )


def make_report(retrainings: pd.DataFrame, results: BacktestResults) -> Report:
    spec = BacktestSpec(schedules={"never": {}, "weekly": {"every": "week"}})
    metrics = results.model_dump()
    return report_backtest(metrics, retrainings, spec, draw_error_against_cost(metrics))


@pytest.mark.parametrize(
    ("changes", "facts"),
    [
        (
            {},
            (
                "weekly",
                "25.0 %",
                "never",
                "p = 0.01",
                "1,234",
                "10",
                "3.000",
                "weekly",
                "below",
                "ridge",
                "3.500",
            ),
        ),
        ({"weekly": {"p_value": 0.06}}, ("No schedule", "never", "3.000")),
        ({"weekly": {"mse": 5.0}}, ("No schedule", "never", "worse", "weekly", "4.000")),
        ({"ridge": {"mse": 2.0}}, ("3.000", "weekly", "not below", "ridge", "2.000")),
    ],
    ids=["better", "no difference", "worse", "behind a simple method"],
)
def test_verdict_names_the_better_schedule(
    retrainings: pd.DataFrame, changes: dict[str, Any], facts: tuple[str, ...]
) -> None:
    assert has_in_order(make_report(retrainings, make_results(**changes)).verdict, *facts)


def test_lowest_errors_are_marked() -> None:
    assert tabulate_schedules(make_results()).best == {(1, 1), (1, 2)}
    assert tabulate_schedules(make_results(ridge={"mae": 0.1})).best == {(1, 1), (4, 2)}


def test_table_lists_the_first_training_with_promotions(retrainings: pd.DataFrame) -> None:
    assert tabulate_retrainings(retrainings).rows == [
        ["never", "1989-12-31", "the first"],
        ["weekly", "1989-12-31", "the first"],
        ["weekly", "1990-01-14", "it is better"],
    ]


def test_summary_fits_the_terminal(retrainings: pd.DataFrame) -> None:
    report = make_report(retrainings, make_results())
    assert fits_screen(report.summarize(), report.verdict)


def test_page_is_the_golden_one(retrainings: pd.DataFrame) -> None:
    """With forecasts that were left out."""
    page = make_report(retrainings, make_results(num_left_out=12)).render()
    assert is_golden(page, Path(__file__).parent / "golden/backtest.txt")


def test_picture_has_a_point_for_each_schedule() -> None:
    points = draw_error_against_cost(make_results().model_dump()).data[0]
    assert (list(points.text), list(points.x), list(points.y)) == (
        ["never", "weekly"],
        [10.0, 1234.5],
        [4.0, 3.0],
    )


def test_picture_hides_lines_far_away() -> None:
    lines = {
        trace.name: trace.visible
        for trace in draw_error_against_cost(make_results().model_dump()).data[1:]
    }
    assert lines == {"last value": "legendonly", "seasonal naive": "legendonly", "ridge": True}


def test_without_a_trained_network_there_is_no_cost_to_draw() -> None:
    """All points and labels would lie above each other at 0 s."""
    free = {name: {"training_seconds": 0.0} for name in ("never", "weekly")}
    figure = draw_error_against_cost(make_results(**free).model_dump())
    assert (len(figure.data), figure.layout.title.text) == (0, "Error against cost")
    assert "no network was trained" in figure.layout.title.subtitle.text
