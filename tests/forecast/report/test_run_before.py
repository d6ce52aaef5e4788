"""The main metric of each method stands beside that of the run before, if it can be compared."""

import json
from dataclasses import replace
from typing import Any

import pytest

from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.report.run_before import (
    MAX_DIFFERENCES,
    NOTES,
    describe_run_before,
    report_run_before,
)
from rnn_pipelines.report.page import Table
from rnn_pipelines.runs.comparison import EarlierRun

METRICS = ForecastMetrics(
    {"ridge": {"mse": 3.0}, "ensemble": {"mse": 2.0}, "lstm": {"mse": 4.0}},
    None,
    test_fingerprint="f",
)
BEFORE = EarlierRun(
    pipeline="forecast",
    run="2026-11-26T12.15.36.123456Z-a1b2c3",
    ended="2026-11-26T12:16:00+00:00",
    results={"ensemble.mse": 2.5, "ridge.mse": 3.0, "test_fingerprint": "f"},
    differences={"parameters": {"forecast.lstm.units": (16, 32)}, "code": {"commit": ("a", "b")}},
)


def write(before: EarlierRun, metrics: ForecastMetrics = METRICS) -> tuple[list[str], list[Table]]:
    (section,) = report_run_before(metrics, before)
    texts = [part for part in section.parts if isinstance(part, str)]
    return texts, [part for part in section.parts if isinstance(part, Table)]


def test_first_run_has_no_section() -> None:
    assert (report_run_before(METRICS, None), describe_run_before(METRICS, None)) == ([], "")


def test_run_without_forecasters_has_no_section() -> None:
    metrics = replace(METRICS, forecasters={})
    assert (report_run_before(metrics, BEFORE), describe_run_before(metrics, BEFORE)) == ([], "")


def test_line_has_the_change_of_the_error() -> None:
    line = describe_run_before(METRICS, BEFORE)
    assert all(fact in line for fact in ("a1b2c3", "MSE", "2.500", "2.000", "parameters, code"))
    assert NOTES["other"] not in line


def test_fingerprint_of_the_test_part_is_read_back() -> None:
    assert ForecastMetrics.parse(json.loads(json.dumps(METRICS.to_json()))).test_fingerprint == "f"


@pytest.mark.parametrize(
    "results", [{**BEFORE.results, "test_fingerprint": "g"}, {"ensemble.mse": 2.5}]
)
def test_other_test_parts_are_not_compared(results: dict[str, Any]) -> None:
    before = replace(BEFORE, results=results)
    texts, (table, _) = write(before)
    assert table.header == ["forecaster", "MSE before", "MSE now"]
    assert NOTES["other"] in texts
    assert NOTES["other"] in describe_run_before(METRICS, before)


def test_errors_stand_beside_those_before() -> None:
    _, (table, _) = write(BEFORE)
    assert table.header == ["forecaster", "MSE before", "MSE now", "change, %"]
    assert table.rows == [
        ["ensemble", "2.500", "2.000", "−20.0"],
        ["ridge", "3.000", "3.000", "+0.0"],
        ["LSTM", "–", "4.000", "–"],
    ]


def test_texts_name_both_runs() -> None:
    texts, _ = write(BEFORE)
    assert [BEFORE.run in text for text in texts] == [True, False, False]
    assert "forecast a1b2c3" in texts[-1]


def test_differences_have_both_values() -> None:
    _, (_, table) = write(BEFORE)
    assert table.rows == [
        ["parameters", "forecast.lstm.units", "16", "32"],
        ["code", "commit", "a", "b"],
    ]


def test_further_differences_are_counted() -> None:
    many: dict[str, tuple[Any, ...]] = {
        f"p{number}": (0, 1) for number in range(MAX_DIFFERENCES + 3)
    }
    _, (_, table) = write(replace(BEFORE, differences={"parameters": many}))
    assert len(table.rows) == MAX_DIFFERENCES + 1
    assert "3" in table.rows[-1][1]


def test_run_without_differences_is_called_the_same() -> None:
    texts, tables = write(replace(BEFORE, differences={}))
    assert len(tables) == 1
    assert any("same" in text for text in texts[2:])
