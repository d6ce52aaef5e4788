"""The report has the differences from the held-out reviews, and the limits of monitoring."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from plotly.graph_objects import Figure

from golden import fits_screen, has_in_order, is_golden
from rnn_pipelines.report.page import Table, read_plotly
from rnn_pipelines.report.report import Report
from rnn_pipelines.sentiment.evaluation.drift import compare_scores
from rnn_pipelines.sentiment.methods.tables import TextReferenceTable
from rnn_pipelines.sentiment.operations.monitoring import (
    CANNOT_KNOW,
    MonitorSentimentSpec,
    monitor_scores,
)
from rnn_pipelines.sentiment.report.monitoring import (
    draw_distributions,
    report_scores,
    report_sentiment_monitoring,
    report_text_monitor,
    tabulate_measures,
)

SPEC = MonitorSentimentSpec()
NOTHING = TextReferenceTable.make_empty()


def make_scores(num: int = 200, words: int = 50) -> pd.DataFrame:
    random = np.random.default_rng(num)
    probability = random.random(num)
    num_words = random.integers(1, words, num)
    label = np.where(probability > 0.5, "positive", "negative")
    return pd.DataFrame(
        {
            "label": label,
            "confidence": np.maximum(probability, 1 - probability),
            "num_words": num_words,
            "num_known_words": num_words,
        }
    )


def monitor(scores: pd.DataFrame, alarms: tuple[str, ...] = ()) -> dict[str, Any]:
    return monitor_scores(compare_scores(scores, make_scores(300)), {"alarms": alarms}, SPEC)


def make_report(verdict: Any) -> Report:
    return report_sentiment_monitoring(verdict, SPEC, Figure())


def write_report(scores: pd.DataFrame, **options: Any) -> str:
    return make_report(monitor(scores, **options)).render().replace(read_plotly(), "")


def test_the_verdict_has_its_first_reason() -> None:
    changed = {"verdict": "retrain", "reasons": ["the texts have changed", "more"]}
    verdict = make_report(monitor(NOTHING) | changed).verdict
    assert has_in_order(verdict, "Label and retrain", "changed", "1 more")


def test_a_page_without_texts_says_so() -> None:
    report = write_report(NOTHING)
    assert "There are no scored texts" in report
    assert 'class="plotly-graph-div"' not in report


def test_measures_without_texts_have_no_numbers() -> None:
    assert "–" in tabulate_measures(monitor(NOTHING)).rows[0]


def test_reasons_on_the_page_are_escaped() -> None:
    assert "<img" not in write_report(
        make_scores(), alarms=("<img src='https://evil.example/x.png'>",)
    )


def test_the_page_of_the_monitor_is_the_golden_one() -> None:
    assert is_golden(write_report(make_scores()), Path(__file__).parent / "golden/monitor.txt")


def test_the_summary_of_the_monitor_fits_a_screen() -> None:
    whole = make_report(monitor(make_scores()))
    assert fits_screen(whole.summarize(), whole.verdict)


def test_every_distribution_is_drawn_twice() -> None:
    scores = make_scores()
    figure = draw_distributions(scores, make_scores(300))
    assert len(figure.data) == 6


def test_distributions_are_those_of_the_texts() -> None:
    """At each share, the value that so many texts are at or below."""
    scores = make_scores()
    figure = draw_distributions(scores, make_scores(300))
    trace = figure.data[4]
    for value, share in list(zip(trace.x, trace.y, strict=True))[1::50]:
        assert 100 * (scores["num_words"] <= value).mean() >= share - 1e-9
        assert 100 * (scores["num_words"] < value).mean() <= share + 1e-9


def test_lengths_of_texts_are_logarithmic() -> None:
    figure = draw_distributions(make_scores(), make_scores(300))
    kinds = [button.args[1]["xaxis.type"] for button in figure.layout.updatemenus[0].buttons]
    assert kinds == ["linear", "linear", "log"]


@pytest.mark.parametrize("scores", [NOTHING, make_scores(200)])
def test_figure_is_drawn_where_one_side_is_missing(scores: pd.DataFrame) -> None:
    assert len(draw_distributions(scores, make_scores(0)).data) == 6


# The overview has the shares of the newest labels, and the measures of the monitor.


SCORES = pd.DataFrame(
    {
        "label": ["positive", "negative", "negative", "negative", "unknown"],
        "confidence": [0.75, 0.5, 1.0, 0.75, None],
        "model_version": "v1",
    }
)


def test_the_text_has_texts_with_time() -> None:
    text, _table = report_scores(SCORES, "2026-01-31T02:00:00+00:00")
    assert [part in str(text) for part in ("5 texts", "2026-01-31 02:00 UTC", "version v1")] == [
        True
    ] * 3


def test_labels_have_their_share() -> None:
    _text, table = report_scores(SCORES, "2026-01-31T02:00:00+00:00")
    assert isinstance(table, Table)
    assert sorted(table.rows) == [
        ["negative", "3", "60.0 %", "75.0 %"],
        ["positive", "1", "20.0 %", "75.0 %"],
        ["unknown", "1", "20.0 %", "–"],
    ]


def test_the_most_frequent_label_comes_first() -> None:
    _text, table = report_scores(SCORES, "2026-01-31T02:00:00+00:00")
    assert isinstance(table, Table)
    assert table.rows[0][0] == "negative"


def test_scores_without_time_have_none() -> None:
    assert " at " not in str(report_scores(SCORES, None)[0])


def test_no_scores_have_no_part() -> None:
    assert report_scores(SCORES.iloc[:0], None) == []


def test_the_monitor_has_its_time() -> None:
    verdict: Any = {
        "verdict": "ok",
        "reasons": ["no text was scored yet"],
        "at": "2026-01-31T02:00:00+00:00",
        "num_texts": 0,
        "num_reference": 0,
        "measures": [],
        "cannot_know": CANNOT_KNOW,
    }
    first, _table, _limits = report_text_monitor(verdict)
    assert "2026-01-31 02:00 UTC" in str(first)


def test_the_monitor_has_its_limits() -> None:
    verdict: Any = {
        "verdict": "ok",
        "reasons": ["no text was scored yet"],
        "at": "2026-01-31T02:00:00+00:00",
        "num_texts": 0,
        "num_reference": 0,
        "measures": [],
        "cannot_know": CANNOT_KNOW,
    }
    _first, table, limits = report_text_monitor(verdict)
    assert isinstance(table, Table)
    assert limits == CANNOT_KNOW
