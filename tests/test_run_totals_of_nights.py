"""Nights of a panel with totals: their log, the monitor's errors of totals, and the audit of the log."""

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from authority import Authority, serve
from whole_runs import PROJECT, copy_configuration, run_here

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]

# The number of days of each. The last one of the first night is a Thursday.
NIGHTS = (200, 204, 209)
REGIONS = {"a": "North", "b": "North", "c": "South", "d": ""}
TOTALS = ["all", "region × week", "horizon"]
FORECAST: dict[str, Any] = {
    "window": {"lookback": 14, "horizon": 7},
    "split": {"validation": 40, "test": 40},
    "lstm": {"units": 2, "members": 1},
    "gru": {"units": 2, "members": 1},
    "training": {"max_steps": 1},
    "totals": TOTALS,
}
LOG = "data/07_model_output/predict_forecast/totals.parquet"


def make_table(num_days: int) -> pd.DataFrame:
    """Days of four shops; a longer table begins like a shorter one."""
    tables = []
    for number, (shop, region) in enumerate(REGIONS.items()):
        noise = np.random.default_rng(number).normal(size=max(NIGHTS))[:num_days]
        week = np.resize([0, 1, 2, 3, 4, 9, 9], num_days)
        days = pd.date_range("2024-01-01", periods=num_days)
        columns = {"day": days, "sales": 40 + 10 * number + week + 2 * noise, "region": region}
        tables.append(pd.DataFrame({"shop": shop, **columns}))
    return pd.concat(tables, ignore_index=True)


def run_nights(folder: Path, **settings: Any) -> None:
    conf = copy_configuration(folder)
    shutil.copy(PROJECT / "pyproject.toml", folder)
    (folder / "src").mkdir()
    path = str(folder / "sales.csv")
    source = {"path": path, "time": "day", "target": "sales", "id": "shop"}
    parameters = {"forecast": FORECAST | {"source": source} | settings}
    (conf / "test/parameters_forecast.yml").write_text(json.dumps(parameters))
    for num_days in NIGHTS:
        make_table(num_days).to_csv(path, index=False)
        retraining = ["retrain_forecast"] if num_days == NIGHTS[0] else []
        for pipeline in [*retraining, "predict_forecast", "monitor_forecast"]:
            run_here(pipeline, {}, conf)


@pytest.fixture(scope="module")
def nights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("totals")
    run_nights(folder)
    return folder


@pytest.fixture(scope="module")
def log(nights: Path) -> pd.DataFrame:
    return pd.read_parquet(nights / LOG)


def test_each_night_has_its_totals_in_the_log(log: pd.DataFrame) -> None:
    # Seven days of all, the horizon, and two weeks of three regions.
    assert log.groupby("recorded_at").size().tolist() == [7 + 1 + 2 * 3] * len(NIGHTS)


def test_a_total_is_the_sum_of_the_forecasts_of_its_steps(nights: Path, log: pd.DataFrame) -> None:
    forecasts = pd.read_parquet(nights / LOG.replace("totals", "forecasts"))
    north = forecasts[forecasts["unique_id"].isin(["a", "b"])]
    for row in log[log["unique_id"] == "region × week: North"].itertuples():
        is_added = (north["cutoff"] == row.cutoff) & north["ds"].between(row.ds, row.until)
        assert row.y_hat == pytest.approx(north.loc[is_added, "y_hat"].sum())
        assert is_added.sum() == row.num_series * row.num_steps


def test_the_monitor_measures_the_totals_with_all_of_their_values(
    nights: Path, log: pd.DataFrame
) -> None:
    verdict = json.loads((nights / "data/08_reporting/monitor_forecast/verdict.json").read_text())
    measured = {row["total"]: row for row in verdict["totals"]}
    # Of the second night, five days have values, and no week.
    assert {total: row["num_totals"] for total, row in measured.items()} == {
        "all": 12,
        "region × week": 6,
        "horizon": 1,
    }
    sales = make_table(max(NIGHTS)).groupby("day")["sales"].sum()
    of_all = log[(log["unique_id"] == "all") & log["ds"].isin(sales.index)]
    errors = (of_all["y_hat"] - of_all["ds"].map(sales)).abs()
    assert measured["all"]["mae"] == pytest.approx(errors.mean())
    assert set(measured["all"]["coverage"]) == {"80", "95"}


def test_pages_and_summaries_have_the_totals(nights: Path) -> None:
    reporting = nights / "data/08_reporting"
    assert "region × week: North" in (reporting / "predict_forecast/summary.txt").read_text()
    assert "inside 80 %" in (reporting / "monitor_forecast/summary.txt").read_text()
    page = (reporting / "predict_forecast/report.html").read_text()
    assert "sums of the bounds of single series would be too wide" in " ".join(page.split())


def audit(folder: Path, *options: str, code: int = 0) -> str:
    command = [sys.executable, "-m", "kedro", "champion", "audit", "forecast", "--env=test"]
    finished = subprocess.run(
        [*command, *options], cwd=folder, check=False, capture_output=True, text=True
    )
    assert finished.returncode == code, finished.stdout + finished.stderr
    return finished.stdout


def test_the_audit_verifies_the_totals(nights: Path) -> None:
    result = json.loads(audit(nights, "--json"))["totals"]
    assert (result["verdict"], result["num_nights"]) == ("ok", len(NIGHTS))
    # The nights are replays, after the time of their targets by the clock.
    of_all = result["by_total"]["all"]
    assert (of_all["num_proven"], of_all["after_target"]["num_forecasts"]) == (0, 12)


def test_a_time_stamp_covers_the_totals(nights: Path, tmp_path: Path) -> None:
    """Without the newest night in the log of totals alone, the hash of the stamp is missing."""
    authority = Authority(tmp_path / "clock", "clock")
    with serve(authority.reply) as url:
        audit(nights, "--tsa", url, "--authority", str(authority.certificate))
    path = nights / LOG
    before = path.read_bytes()
    table = pd.read_parquet(path)
    table[table["recorded_at"] < table["recorded_at"].max()].to_parquet(path)
    text = audit(nights, code=30)
    path.write_bytes(before)
    assert "broken: log of totals: no night has the hash of the time stamp" in text


def test_the_audit_prints_error_and_coverage_of_each_total(nights: Path) -> None:
    text = audit(nights)
    assert "totals, chain: 3 nights, 42 rows" in text
    assert "all: 12 more after their time by the clock: MAE" in text


@pytest.fixture
def changed(nights: Path) -> Iterator[Path]:
    """The nights with another forecast in the log of totals, which is as before after the test."""
    path = nights / LOG
    before = path.read_bytes()
    table = pd.read_parquet(path)
    table.loc[16, "y_hat"] += 1
    table.attrs = {"format": 1}
    table.to_parquet(path)
    yield nights
    path.write_bytes(before)


def test_a_changed_total_breaks_the_chain(changed: Path) -> None:
    text = audit(changed, code=30)
    assert "broken: log of totals: unique_id all" in text
    assert "1 night before it, with 14 rows, are unchanged" in text


def test_without_totals_there_is_no_log_of_them(tmp_path: Path) -> None:
    run_nights(tmp_path, totals=[])
    assert not (tmp_path / LOG).exists()
    verdict = json.loads((tmp_path / "data/08_reporting/monitor_forecast/verdict.json").read_text())
    assert "totals" not in verdict
    assert "totals" not in json.loads(audit(tmp_path, "--json"))
