"""The overview has the shares of the newest labels, and the measures of the monitor."""

from typing import Any

import pandas as pd

from rnn_pipelines.report.page import Table
from rnn_pipelines.sentiment.operations.monitoring import CANNOT_KNOW
from rnn_pipelines.sentiment.report.monitoring import report_monitor, report_scores

SCORES = pd.DataFrame(
    {
        "label": ["positive", "negative", "negative", "negative", "unknown"],
        "confidence": [0.75, 0.5, 1.0, 0.75, None],
        "model_version": "v1",
    }
)


def test_labels_are_given_with_share_and_confidence() -> None:
    text, table = report_scores(SCORES, "2026-01-31T02:00:00+00:00")
    assert [part in str(text) for part in ("5 texts", "2026-01-31 02:00 UTC", "version v1")] == [True] * 3
    assert isinstance(table, Table)
    assert sorted(table.rows) == [
        ["negative", "3", "60.0 %", "75.0 %"],
        ["positive", "1", "20.0 %", "75.0 %"],
        ["unknown", "1", "20.0 %", "–"],
    ]
    assert table.rows[0][0] == "negative"


def test_unknown_time_is_left_out() -> None:
    assert " at " not in str(report_scores(SCORES, None)[0])


def test_without_scores_there_is_nothing() -> None:
    assert report_scores(SCORES.iloc[:0], None) == []


def test_monitor_has_time_verdict_and_limits() -> None:
    verdict: Any = {
        "verdict": "ok",
        "reasons": ["no text was scored yet"],
        "at": "2026-01-31T02:00:00+00:00",
        "num_texts": 0,
        "num_reference": 0,
        "measures": [],
        "cannot_know": CANNOT_KNOW,
    }
    first, table, limits = report_monitor(verdict)
    assert "2026-01-31 02:00 UTC" in str(first)
    assert isinstance(table, Table)
    assert limits == CANNOT_KNOW
