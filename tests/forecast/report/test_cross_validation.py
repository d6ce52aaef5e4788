"""The verdict of a cross-validation says no more than its numbers, and the page shows all of them."""

from pathlib import Path

import pandas as pd
import pytest

from golden import is_golden
from rnn_pipelines.forecast.evaluation.windows import WindowResults
from rnn_pipelines.forecast.experiments.cross_validation import CrossValidationSpec
from rnn_pipelines.forecast.report.cross_validation import (
    describe_verdict,
    draw_error_by_cutoff,
    render_report,
    tabulate_forecasters,
)


def make_results(mse: float = 3.0, p_value: float = 0.01) -> WindowResults:
    return WindowResults(
        num_windows=5,
        num_series=1,
        first_cutoff="2021-01-31",
        last_cutoff="2021-02-28",
        baseline="ridge",
        forecasters={
            "gru": {"mse": mse, "mae": 1.5, "p_value": p_value, "coverage_80": 0.75},
            "ridge": {"mse": 4.0, "mae": 1.75, "p_value": None, "coverage_80": None},
            "last_value": {"mse": 9.0, "mae": 1.25, "p_value": 0.2},
        },
    )


@pytest.fixture
def by_cutoff() -> pd.DataFrame:
    cutoffs = pd.to_datetime(["2021-01-31", "2021-02-28"])
    errors = {"gru": 3.0, "ridge": 4.0, "last_value": 9.0}
    rows = [{"cutoff": c, "forecaster": name, "mse": mse, "mae": 1.0} for name, mse in errors.items() for c in cutoffs]
    return pd.DataFrame(rows)


def test_a_difference_that_is_shown_is_said_with_its_size() -> None:
    assert describe_verdict(make_results()) == (
        "The lowest MSE over these windows, 3.000, has GRU: 25.0 % below ridge (p = 0.01)."
    )


def test_a_difference_that_is_not_shown_is_said_to_be_none() -> None:
    assert describe_verdict(make_results(p_value=0.4)).endswith("which so few windows don't show to be more than luck.")


def test_a_simple_method_that_is_best_is_said_to_be() -> None:
    assert describe_verdict(make_results(mse=5.0)) == "No network has a lower MSE over these windows than ridge, 4.000."


def test_the_best_stands_first_and_the_lowest_errors_are_marked() -> None:
    table = tabulate_forecasters(make_results())
    assert [row[0] for row in table.rows] == ["GRU", "ridge", "last value"]
    assert table.best == {(0, 1), (2, 2)}
    assert [row[3:] for row in table.rows] == [["0.01", "75 %"], ["–", "–"], ["0.2", "–"]]


def test_forecasters_far_away_do_not_press_the_others_together(by_cutoff: pd.DataFrame) -> None:
    lines = {trace.name: trace.visible for trace in draw_error_by_cutoff(by_cutoff).data}
    assert lines == {"GRU": True, "ridge": True, "last value": "legendonly"}


def test_page_is_the_golden_one(by_cutoff: pd.DataFrame) -> None:
    page = render_report(make_results().model_dump(), CrossValidationSpec(), draw_error_by_cutoff(by_cutoff))
    assert is_golden(page, Path(__file__).parent / "golden/cross_validation.txt")
