"""A column of the leaderboard is declared once, and appears on the page, in the terminal and in `metrics.json`."""

import pandas as pd
import pytest

from rnn_pipelines.forecast.evaluation.leaderboard import (
    COLUMNS,
    LeaderboardColumn,
    choose_leaderboard_columns,
)
from rnn_pipelines.forecast.evaluation.metrics import METRICS, RATIOS
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics, summarize_metrics
from rnn_pipelines.forecast.report.summary import rank, tabulate_metrics


@pytest.fixture
def with_new_column(by_series: pd.DataFrame, monkeypatch: pytest.MonkeyPatch) -> ForecastMetrics:
    """A summary while a column `new` is declared, the RMSE over the MAE."""
    column = LeaderboardColumn(
        "new", better="down", measure=lambda means: means["rmse"] / means["mae"]
    )
    monkeypatch.setitem(COLUMNS, "new", column)
    return summarize_metrics(by_series, None, {}, pd.DataFrame(columns=list(RATIOS)), 0.0)


def test_new_column_is_on_the_page(with_new_column: ForecastMetrics) -> None:
    assert "new" in tabulate_metrics(with_new_column).header


def test_new_column_is_in_the_terminal(with_new_column: ForecastMetrics) -> None:
    assert " new " in rank(with_new_column).splitlines()[0]


@pytest.mark.parametrize("forecaster", ["lstm", "ridge"])
def test_new_column_is_in_the_file(with_new_column: ForecastMetrics, forecaster: str) -> None:
    metrics = with_new_column.to_json()[forecaster]
    assert metrics["new"] == pytest.approx(metrics["rmse"] / metrics["mae"])


def test_ratio_with_an_error_of_0_is_missing(
    by_series: pd.DataFrame, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(
        COLUMNS, "new", LeaderboardColumn("new", measure=lambda means: means["rmse"] / 0)
    )
    summary = summarize_metrics(by_series, None, {}, pd.DataFrame(columns=list(RATIOS)), 0.0)
    assert {block["new"] for block in summary.forecasters.values()} == {None}


def test_each_metric_has_a_column() -> None:
    assert {*METRICS, *RATIOS} <= COLUMNS.keys()


def test_coverage_is_headed_by_its_level() -> None:
    assert (
        choose_leaderboard_columns(["mae", "coverage_80"])["coverage_80"].heading == "inside 80 %"
    )
