"""The report of a retraining says what is on record of it, also where little is."""

import re
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.champion.report import SHARED, render_retraining_report

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
    assert page == (Path(__file__).parent / "golden/retraining.html").read_text(encoding="utf-8")


def test_lowest_loss_is_marked(page: str) -> None:
    assert re.findall(r'<td class="number best">(.*?)</td>', page) == ["13.50"]


def test_losses_of_what_the_champion_forecasts_have_their_column() -> None:
    metrics = {"challenger": {"loss": 9.0, "shared_loss": 5.0}, "champion": {"shared_loss": 4.0}, "baselines": {}}
    page = render_retraining_report({**RECORD, "metrics": metrics})
    assert read_rows(page)[:3] == [
        ["", "loss", "shared loss"],
        ["challenger", "9.000", "5.000"],
        ["champion", "–", "4.000"],
    ]
    assert SHARED in page


def test_measures_of_a_classifier_are_columns() -> None:
    metrics = {"challenger": {"loss": 0.25, "accuracy": 0.9}, "champion": None, "baselines": {"majority": 0.693}}
    rows = read_rows(render_retraining_report({**RECORD, "metrics": metrics}))
    assert rows[:3] == [["", "loss", "accuracy"], ["challenger", "0.2500", "0.9000"], ["majority", "0.6930", "–"]]


def test_failure_tells_its_error_and_no_losses() -> None:
    failure: dict[str, Any] = {"task": "forecast", "at": RECORD["at"], "outcome": "failed", "reasons": ["it failed"]}
    page = render_retraining_report({**failure, "version": None, "error": "SeriesError: my.csv: no such file."})
    assert "Failed: SeriesError: my.csv: no such file." in page
    assert re.findall(r"<h2[^>]*>(.*?)</h2>", page) == ["Inputs"]


def test_page_is_small(page: str) -> None:
    """It has no figures, and so not the code that draws them."""
    assert len(page) < 20_000
