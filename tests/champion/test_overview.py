"""The overview has the state, the evaluation and the decisions of each task, also if little is on record."""

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
    Overview,
    render_overview,
    summarize_task,
    tabulate_decisions,
)
from rnn_pipelines.champion.tables import VersionFacts
from rnn_pipelines.champion.verdict import Verdict
from rnn_pipelines.report.page import Table, read_plotly

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
NOTHING = Overview("sentiment", "log loss", None, [], Verdict("retrain", ("there is no champion yet",)))


def render(*overviews: Overview) -> str:
    return render_overview(overviews, NOW).replace(read_plotly(), "")


def list_titles(page: str) -> list[str]:
    return re.findall(r"<h2[^>]*>(.*?)</h2>", page)


def test_page_is_the_golden_one() -> None:
    assert is_golden(render(OVERVIEW, NOTHING), Path(__file__).parent / "golden/overview.txt")


def test_task_without_champion_has_only_its_state() -> None:
    assert list_titles(render(NOTHING)) == ["Sentiment"]
    assert summarize_task(NOTHING) == "Sentiment: no champion yet."


def test_failed_first_retraining_is_among_the_decisions() -> None:
    failed: Any = {"kind": "retrain", "at": "2026-01-01T02:00:00+00:00", "outcome": "failed", "error": "SeriesError: x"}
    overview = replace(NOTHING, records=[failed])
    assert list_titles(render(overview)) == ["Sentiment", "Sentiment: decisions"]
    assert tabulate_decisions([failed], None).rows == [
        ["2026-01-01 02:00", "failed", "SeriesError: x", "–", "–", "–"],
    ]


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


def test_evaluation_compares_with_the_best_simple_method() -> None:
    page = render(OVERVIEW)
    assert "25.0\u00a0% below that of ridge" in page
    assert re.findall(r'<td class="number best">(.*?)</td>', page) == ["12.00"]


@pytest.mark.parametrize("baselines", [{}, {"ridge": None}])
def test_evaluation_without_simple_methods_has_the_version_alone(baselines: dict[str, None]) -> None:
    record = make_record(SECOND, 12.0, None)
    record["metrics"] = {**record["metrics"], "baselines": baselines}
    page = render(replace(OVERVIEW, champion=replace(CHAMPION, record=record)))
    assert "Forecast: evaluation" in list_titles(page)
    assert "best simple method" not in page


def test_version_without_a_record_has_no_evaluation() -> None:
    page = render(replace(OVERVIEW, champion=replace(CHAMPION, record=None)))
    assert "Forecast: evaluation" not in list_titles(page)


def test_damage_is_among_the_facts() -> None:
    assert "damaged: model.npz is missing" in render(
        replace(OVERVIEW, champion=replace(CHAMPION, problem="model.npz is missing"))
    )


def test_decisions_begin_with_the_newest_and_mark_the_champion() -> None:
    rows = tabulate_decisions(RECORDS[::-1], CHAMPION).rows
    assert [row[3:] for row in rows] == [["bbbbbb*", "12.00", "13.00"], ["aaaaaa", "14.00", "–"]]


def test_manual_changes_have_their_kind_as_the_decision() -> None:
    record: Any = {"kind": "rollback", "at": "2026-02-01T02:00:00+00:00", "version": FIRST, "reasons": ["by hand"]}
    assert tabulate_decisions([record], CHAMPION).rows[0][:4] == ["2026-02-01 02:00", "rollback", "by hand", "aaaaaa"]


def test_older_records_are_left_to_the_command() -> None:
    page = render(replace(OVERVIEW, records=RECORDS * MAX_RECORDS))
    assert f"{MAX_RECORDS} older records are listed by kedro champion history forecast" in page


def test_one_retraining_needs_no_figure() -> None:
    assert "plotly-graph-div" not in render(replace(OVERVIEW, records=RECORDS[:1])).partition("<body>")[2].replace(
        '(".plotly-graph-div")', ""
    )
