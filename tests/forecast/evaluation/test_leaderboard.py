"""A column of the leaderboard is declared once, and appears on the page, in the terminal and in `metrics.json`."""

import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.leaderboard import (
    COLUMNS,
    LeaderboardColumn,
    choose_leaderboard_columns,
)
from rnn_pipelines.forecast.evaluation.metrics import METRICS, RATIOS
from rnn_pipelines.forecast.evaluation.summary import summarize_metrics
from rnn_pipelines.forecast.report.summary import rank, tabulate_metrics


def test_new_column_is_on_page_terminal_and_file(
    by_series: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    column = LeaderboardColumn(
        "new", better="down", measure=lambda means: means["rmse"] / means["mae"]
    )
    monkeypatch.setitem(COLUMNS, "new", column)
    summary = summarize_metrics(by_series, None, {}, pd.DataFrame(columns=list(RATIOS)), 0.0)
    table = tabulate_metrics(summary)
    assert "new" in table.header
    assert " new " in rank(summary).splitlines()[0]
    for block in summary.to_json()["lstm"], summary.to_json()["ridge"]:
        assert block["new"] == pytest.approx(block["rmse"] / block["mae"])


def test_ratio_with_an_error_of_0_is_missing_and_each_metric_has_a_column(
    by_series: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        COLUMNS, "new", LeaderboardColumn("new", measure=lambda means: means["rmse"] / 0)
    )
    summary = summarize_metrics(by_series, None, {}, pd.DataFrame(columns=list(RATIOS)), 0.0)
    assert {block["new"] for block in summary.forecasters.values()} == {None}
    assert {*METRICS, *RATIOS} <= COLUMNS.keys()
    assert (
        choose_leaderboard_columns(["mae", "coverage_80"])["coverage_80"].heading == "inside 80 %"
    )
