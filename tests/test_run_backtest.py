"""A whole backtest under `--env=test`: its first day is a retraining of that day."""

import shutil

import pandas as pd
import pytest

from rnn_pipelines.champion.history import list_records
from rnn_pipelines.report.notes import NOTE_TITLE
from whole_runs import BASELINES, ROOT, read_json, run_well

CHAMPION = ROOT / "06_models/champion/forecast"
SCHEDULES = ["never", "monthly", "weekly"]

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def results() -> dict:
    run_well("backtest_forecast")
    return read_json("08_reporting/backtest_forecast/results.json")


def test_every_schedule_stands_beside_the_simple_methods(results: dict) -> None:
    names = [entry["name"] for entry in results["forecasters"]]
    assert names == [*SCHEDULES, *BASELINES]


def test_errors_of_a_backtest_are_those_of_its_predictions(results: dict) -> None:
    predictions = pd.read_parquet(ROOT / "07_model_output/backtest_forecast/predictions.parquet")
    for entry in results["forecasters"]:
        assert entry["mse"] == pytest.approx(
            ((predictions["y"] - predictions[entry["name"]]) ** 2).mean()
        )


def test_the_report_of_a_backtest_is_whole() -> None:
    page = (ROOT / "08_reporting/backtest_forecast/report.html").read_text()
    assert NOTE_TITLE not in page
    assert "Backtest of retraining" in page
    assert 'src="http' not in page


def test_first_day_is_a_retraining_of_that_day(results: dict) -> None:
    retrainings = pd.read_parquet(ROOT / "07_model_output/backtest_forecast/retrainings.parquet")
    counts = retrainings["schedule"].value_counts()
    assert [counts[name] for name in SCHEDULES] == [1, 1, 5]
    # The same data, networks, holdout and decision as those of `retrain_forecast`, to the last digit of the loss.
    first = retrainings.iloc[0]
    shutil.rmtree(CHAMPION, ignore_errors=True)
    run_well("retrain_forecast", f"retrain_forecast.as_of={first['as_of'].date()}")
    (record,) = list_records(CHAMPION)
    assert first["loss"] == pytest.approx(record["metrics"]["challenger"]["loss"], rel=1e-6)
    assert (first["is_promoted"], first["reason"]) == (
        record["is_promoted"],
        "; ".join(record["reasons"]),
    )
