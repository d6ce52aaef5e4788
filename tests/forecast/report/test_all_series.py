"""The section on all series of a divided panel, and its summary."""

from typing import Any

import pytest

from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS
from rnn_pipelines.forecast.report.all_series import (
    NUM_IN_TERMINAL,
    report_all_series,
    summarize_all_series,
)
from rnn_pipelines.report.page import Table
from rnn_pipelines.report.terminal import WIDTH

NUMBERS = {"mase": 0.7123, "mae": 123.4, "rmse": 156.7, "bias": -0.0123, "total_wape": 0.0456}


@pytest.fixture
def found() -> dict[str, Any]:
    names = ["ridge", "theta", "seasonal_naive", "last_value", "drift", *NETWORKS]
    forecasters = {name: NUMBERS for name in names if name in (*METHODS, *NETWORKS)}
    forecasters["ensemble"] = {**NUMBERS, "coverage_80": 0.812, "coverage_95": 0.951}
    ends = {f"shop {number}": number / 10 for number in range(1, 4)}
    return {
        "run": "a run",
        "num_series": 1234,
        "use": "ensemble",
        "num_evaluated": 1200,
        "left_out": ["shop 7"],
        "forecasters": forecasters,
        "mase": {"0": 0.1, "0.5": 0.7, "1": 2.0},
        "best": ends,
        "worst": dict(reversed(ends.items())),
    }


@pytest.mark.parametrize("found", [{}, {"run": "a run"}])
def test_undivided_panel_has_no_section(found: dict[str, Any]) -> None:
    assert report_all_series(found) == []
    assert summarize_all_series(found) == ""


def test_section_has_a_row_for_each_forecaster(found: dict[str, Any]) -> None:
    (section,) = report_all_series(found)
    forecasters, *_ = (part for part in section.parts if isinstance(part, Table))
    assert len(forecasters.rows) == len(found["forecasters"])


def test_section_has_quantiles_of_the_errors(found: dict[str, Any]) -> None:
    (section,) = report_all_series(found)
    _, quantiles, _ = (part for part in section.parts if isinstance(part, Table))
    assert list(quantiles.header[1:]) == ["smallest", "median", "largest"]


def test_best_series_stand_beside_the_worst(found: dict[str, Any]) -> None:
    (section,) = report_all_series(found)
    *_, ends = (part for part in section.parts if isinstance(part, Table))
    assert [row[:2] for row in ends.rows] == [
        ["shop 1", "shop 3"],
        ["shop 2", "shop 2"],
        ["shop 3", "shop 1"],
    ]


def test_section_without_errors_has_no_table(found: dict[str, Any]) -> None:
    (section,) = report_all_series(
        {**found, "forecasters": {}, "mase": {}, "best": {}, "worst": {}}
    )
    assert not any(isinstance(part, Table) for part in section.parts)


def test_summary_fits_the_terminal(found: dict[str, Any]) -> None:
    summary = summarize_all_series(found)
    assert max(map(len, summary.splitlines())) <= WIDTH


def test_summary_has_the_main_numbers(found: dict[str, Any]) -> None:
    summary = summarize_all_series(found)
    assert all(text in summary for text in ("1,234", "1,200", "shop 7", "81.2 %"))


def test_summary_ends_with_networks_before_their_ensemble(found: dict[str, Any]) -> None:
    summary = summarize_all_series(found)
    shown = summary.splitlines()[-NUM_IN_TERMINAL - len(NETWORKS) - 1 :]
    assert [line.split()[0].lower() for line in shown][-3:] == [*NETWORKS, "ensemble"]
