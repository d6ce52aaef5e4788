"""The report of a retraining says what is on record of it, also where little is."""

import re
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from golden import is_golden
from rnn_pipelines.champion.records import Record
from rnn_pipelines.champion.report import (
    MAX_RECORDS,
    SHARED,
    Overview,
    render_overview,
    render_retraining_report,
    summarize_task,
    tabulate_decisions,
)
from rnn_pipelines.champion.tables import VersionFacts
from rnn_pipelines.champion.verdict import Verdict
from rnn_pipelines.report.page import Table, read_plotly

RECORD = {
    "task": "forecast",
    "at": "2026-01-31T02:00:00+00:00",
    "version": "2026-01-31T02.01.00.000000Z-abc123",
    "outcome": "kept",
    "reasons": ["its loss is 14.25", "its loss 14.25 is not below ridge 13.5"],
    "notes": ["the champion can't forecast 3 of 90 rows"],
    "metrics": {
        "challenger": {"loss": 14.25, "validation_loss": 11.5, "by_step": [14.0, None]},
        "champion": {"loss": 15.0, "validation_loss": None, "by_step": [15.5, 16.5]},
        "baselines": {"last_value": 22.25, "ridge": 13.5, "seasonal_naive": None},
    },
    "parameters": {"forecast": {"window": {"lookback": 30}}, "retrain_forecast": {"as_of": None}},
    "data": {"source": "seattle", "num_series": 1, "num_steps": 1369},
    "fingerprints": {"data": "0123456789abcdef"},
}


def read_rows(page: str) -> list[list[str]]:
    """The cells of all rows of all tables."""
    rows = re.findall(r"<tr>(.*?)</tr>", page, re.DOTALL)
    return [re.findall(r"<t[hd][^>]*>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]


@pytest.fixture
def page() -> str:
    return render_retraining_report(RECORD)


def test_page_is_the_golden_one(page: str) -> None:
    assert is_golden(page, Path(__file__).parent / "golden/retraining.txt")


def test_page_marks_the_lowest_loss(page: str) -> None:
    assert re.findall(r'<td class="number best">(.*?)</td>', page) == ["13.50"]


def test_a_page_without_figures_has_no_code_for_them(page: str) -> None:
    # It has no figures, and so not the code that draws them.
    assert len(page) < 20_000


def test_the_loss_on_the_shared_rows_is_a_column() -> None:
    metrics = {
        "challenger": {"loss": 9.0, "shared_loss": 5.0},
        "champion": {"shared_loss": 4.0},
        "baselines": {},
    }
    page = render_retraining_report({**RECORD, "metrics": metrics})
    assert read_rows(page)[:3] == [
        ["", "loss", "shared loss"],
        ["challenger", "9.000", "5.000"],
        ["champion", "–", "4.000"],
    ]
    assert SHARED in page


def test_the_accuracy_of_a_classifier_is_a_column() -> None:
    metrics = {
        "challenger": {"loss": 0.25, "accuracy": 0.9},
        "champion": None,
        "baselines": {"majority": 0.693},
    }
    rows = read_rows(render_retraining_report({**RECORD, "metrics": metrics}))
    assert rows[:3] == [
        ["", "loss", "accuracy"],
        ["challenger", "0.2500", "0.9000"],
        ["majority", "0.6930", "–"],
    ]


def test_a_failed_retraining_has_a_page_with_its_error() -> None:
    failure: dict[str, Any] = {
        "task": "forecast",
        "at": RECORD["at"],
        "outcome": "failed",
        "reasons": ["it failed"],
    }
    page = render_retraining_report(
        {**failure, "version": None, "error": "SeriesError: my.csv: no such file."}
    )
    assert "Failed: SeriesError: my.csv: no such file." in page
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == ["Origin"]


def test_a_task_without_champion_has_one_heading() -> None:
    assert list_titles(render(NOTHING)) == ["Sentiment"]


def test_a_task_without_champion_is_summarised_so() -> None:
    assert summarize_task(NOTHING) == "Sentiment: no champion yet."


def test_a_failure_is_a_decision_of_the_overview() -> None:
    failed: Any = {
        "kind": "retrain",
        "at": "2026-01-01T02:00:00+00:00",
        "outcome": "failed",
        "error": "SeriesError: x",
    }
    overview = replace(NOTHING, records=[failed])
    assert list_titles(render(overview)) == ["Sentiment", "Sentiment: decisions"]
    assert tabulate_decisions([failed], None).rows == [
        ["2026-01-01 02:00", "failed", "SeriesError: x", "–", "–", "–"]
    ]


def test_a_champion_without_record_has_no_evaluation() -> None:
    page = render(replace(OVERVIEW, champion=replace(CHAMPION, record=None)))
    assert "Forecast: evaluation" not in list_titles(page)


def test_a_damaged_champion_is_shown_as_damaged() -> None:
    assert "damaged: model.npz is missing" in render(
        replace(OVERVIEW, champion=replace(CHAMPION, problem="model.npz is missing"))
    )


def test_decisions_compare_the_losses() -> None:
    rows = tabulate_decisions(RECORDS[::-1], CHAMPION).rows
    assert [row[3:] for row in rows] == [["bbbbbb*", "12.00", "13.00"], ["aaaaaa", "14.00", "–"]]


def test_a_rollback_is_a_decision() -> None:
    record: Any = {
        "kind": "rollback",
        "at": "2026-02-01T02:00:00+00:00",
        "version": FIRST,
        "reasons": ["by hand"],
    }
    assert tabulate_decisions([record], CHAMPION).rows[0][:4] == [
        "2026-02-01 02:00",
        "rollback",
        "by hand",
        "aaaaaa",
    ]


def test_the_overview_limits_its_decisions() -> None:
    page = render(replace(OVERVIEW, records=RECORDS * MAX_RECORDS))
    assert f"{MAX_RECORDS} older records are listed by kedro champion history forecast" in page


def test_a_single_retraining_has_no_figure() -> None:
    assert "plotly-graph-div" not in render(replace(OVERVIEW, records=RECORDS[:1])).partition(
        "<body>"
    )[2].replace('(".plotly-graph-div")', "")


# The overview has the state, the evaluation and the decisions of each task, also if little is on record.


NOW = datetime(2026, 2, 3, 4, 5, tzinfo=UTC)
FIRST, SECOND = "2026-01-01T02.00.00.000000Z-aaaaaa", "2026-01-31T02.00.00.000000Z-bbbbbb"


def make_record(version: str, loss: float, champion: float | None, **changes: Any) -> Record:
    record: Any = {
        "kind": "retrain",
        "at": f"{version[:10]}T02:00:00+00:00",
        "version": version,
        "outcome": "promoted",
        "is_promoted": True,
        "reasons": ["its loss is lower", "a second reason"],
        "metrics": {
            "challenger": {"loss": loss, "validation_loss": 0.5, "by_step": [loss]},
            "champion": None if champion is None else {"loss": champion},
            "baselines": {"ridge": 16.0, "last_value": 20.0, "theta": None},
        },
        "data": {"source": "seattle", "num_series": 1, "first": "2012-01-01", "last": "2025-12-31"},
    }
    return {**record, **changes}


RECORDS = [make_record(FIRST, 14.0, None), make_record(SECOND, 12.0, 13.0)]
CHAMPION = VersionFacts(
    version=SECOND,
    is_champion=True,
    is_previous=False,
    since="2026-01-31T02:01:00+00:00",
    reasons=["its loss is lower"],
    problem=None,
    files={"model.npz": 9, "settings.json": 7},
    record=RECORDS[1],
)
OVERVIEW = Overview(
    task="forecast",
    loss="MSE",
    champion=CHAMPION,
    records=RECORDS,
    verdict=Verdict("alarm", ("no forecast from 3 steps", "the values have drifted")),
    predictions=["7 forecasts."],
    monitor=["The monitor ran.", Table(["", "live"], [["MSE", "3.000"]])],
)
NOTHING = Overview(
    "sentiment", "log loss", None, [], Verdict("retrain", ("there is no champion yet",))
)


def render(*overviews: Overview) -> str:
    return render_overview(overviews, NOW).replace(read_plotly(), "")


def list_titles(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>(.*?)</h2>", page)


def test_overview_is_the_golden_one() -> None:
    assert is_golden(render(OVERVIEW, NOTHING), Path(__file__).parent / "golden/overview.txt")


def test_overview_compares_with_the_best_simple_method() -> None:
    page = render(OVERVIEW)
    assert "25.0\u00a0% below that of ridge" in page


def test_overview_marks_the_lowest_loss() -> None:
    page = render(OVERVIEW)
    assert re.findall(r'<td class="number best">(.*?)</td>', page) == ["12.00"]


@pytest.mark.parametrize(
    ("verdict", "command"),
    [
        ("retrain", "kedro champion retrain forecast"),
        ("unmonitored", "kedro run --pipelines=monitor_forecast"),
        ("alarm", "kedro champion rollback forecast"),
    ],
)
def test_each_verdict_has_a_command_as_the_next_step(verdict: Any, command: str) -> None:
    assert command in render(replace(OVERVIEW, verdict=Verdict(verdict, ("it is so",))))


@pytest.mark.parametrize("baselines", [{}, {"ridge": None}])
def test_evaluation_without_simple_methods_has_the_version_alone(
    baselines: dict[str, None],
) -> None:
    record = make_record(SECOND, 12.0, None)
    record["metrics"] = {**record["metrics"], "baselines": baselines}
    page = render(replace(OVERVIEW, champion=replace(CHAMPION, record=record)))
    assert "Forecast: evaluation" in list_titles(page)
    assert "best simple method" not in page
