"""The verdict of a cross-validation says no more than its numbers, and the page shows all of them."""

from pathlib import Path

import pandas as pd
from plotly.graph_objects import Figure

from golden import fits_screen, has_in_order, is_golden
from rnn_pipelines.forecast.evaluation.windows import WindowResults
from rnn_pipelines.forecast.experiments.cross_validation import CrossValidationSpec
from rnn_pipelines.forecast.report.cross_validation import (
    draw_error_by_cutoff,
    report_cross_validation,
)
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.report import Report


def make_results(mse: float = 3.0, p_value: float = 0.01) -> WindowResults:
    return WindowResults(
        num_windows=5,
        num_series=1,
        first_cutoff="2021-01-31",
        last_cutoff="2021-02-28",
        baseline="ridge",
        forecasters={
            "gru": {
                "mse": mse,
                "mae": 1.5,
                "bias": -0.1234,
                "total_wape": 0.2,
                "p_value": p_value,
                "coverage_80": 0.75,
            },
            "ridge": {
                "mse": 4.0,
                "mae": 1.75,
                "bias": 0.05,
                "total_wape": 0.3,
                "p_value": None,
                "coverage_80": None,
            },
            "last_value": {"mse": 9.0, "mae": 1.25, "p_value": 0.2},
        },
    )


def make_report(figure: Figure | None = None, **changes: float) -> Report:
    return report_cross_validation(
        make_results(**changes).model_dump(), CrossValidationSpec(), figure or Figure()
    )


def test_the_verdict_names_the_best_with_its_difference() -> None:
    assert has_in_order(make_report().verdict, "GRU", "3.000", "25.0 %", "ridge", "p = 0.01")


def test_the_verdict_names_chance_for_a_high_p_value() -> None:
    assert "chance" in make_report(p_value=0.4).verdict


def test_the_verdict_names_the_baseline_if_it_is_the_best() -> None:
    assert has_in_order(make_report(mse=5.0).verdict, "No network", "ridge", "4.000")


def test_the_best_stands_first() -> None:
    (table,) = make_report().summary
    assert isinstance(table, Table)
    assert [row[0] for row in table.rows] == ["GRU", "ridge", "last value"]


def test_the_best_of_each_metric_is_marked() -> None:
    (table,) = make_report().summary
    assert isinstance(table, Table)
    best = {(table.rows[row][0], table.header[column]) for row, column in table.best}
    assert best == {
        ("GRU", "MSE"),
        ("last value", "MAE"),
        ("ridge", "bias, %"),
        ("GRU", "WAPE of totals, %"),
    }


def test_cells_are_in_percent() -> None:
    (table,) = make_report().summary
    assert isinstance(table, Table)
    columns = dict(zip(table.header, zip(*table.rows, strict=True), strict=True))
    assert columns["bias, %"] == ("−12.3", "+5.0", "–")
    assert columns["WAPE of totals, %"] == ("20.0", "30.0", "–")
    assert (columns["p"], columns["inside 80 %"]) == (("0.01", "–", "0.2"), ("75 %", "–", "–"))


def test_the_summary_fits_the_terminal() -> None:
    assert fits_screen(make_report().summarize(), make_report().verdict)


def test_page_is_the_golden_one_with_all_forecasters() -> None:
    cutoffs = pd.to_datetime(["2021-01-31", "2021-02-28"])
    errors = {"gru": 3.0, "ridge": 4.0, "last_value": 9.0}
    rows = [
        {"cutoff": c, "forecaster": name, "mse": mse, "mae": 1.0}
        for name, mse in errors.items()
        for c in cutoffs
    ]
    by_cutoff = pd.DataFrame(rows)
    lines = {trace.name: trace.visible for trace in draw_error_by_cutoff(by_cutoff).data}
    assert lines == {"GRU": True, "ridge": True, "last value": "legendonly"}
    page = make_report(draw_error_by_cutoff(by_cutoff)).render()
    assert is_golden(page, Path(__file__).parent / "golden/cross_validation.txt")
