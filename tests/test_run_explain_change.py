"""Two nights of a user's file, one value of which is corrected, and the three places that explain the change."""

import json
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import yaml

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.model.change import DAY_AHEAD, PARTS
from whole_runs import PROJECT, copy_configuration

pytestmark = pytest.mark.slow

FORECAST = {
    "source": {"id": "shop", "time": "day", "target": "sales"},
    "window": {"lookback": 14, "horizon": 7},
    "pretrained": {"is_alone": True},
}


def write_sales(path: Path, num_days: int) -> pd.DataFrame:
    tables = []
    for number, shop in enumerate("abc"):
        noise = np.random.default_rng(number).normal(size=300)[:num_days]
        sales = 50 + 10 * number + np.resize([0, 1, 2, 3, 4, 9, 9], num_days) + 2 * noise
        days = pd.date_range("2025-01-01", periods=num_days)
        tables.append(pd.DataFrame({"shop": shop, "day": days, "sales": sales.round(2)}))
    table = pd.concat(tables, ignore_index=True)
    if num_days > 200:
        table.loc[(table["shop"] == "b") & (table["day"] == "2025-07-17"), "sales"] += 15
    table.to_csv(path, index=False)
    return table


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("nights")
    conf = copy_configuration(folder)
    source = {**FORECAST["source"], "path": str(folder / "sales.csv")}
    (conf / "test/parameters_forecast.yml").write_text(
        yaml.safe_dump({"forecast": {**FORECAST, "source": source}})
    )
    return folder


def run(folder: Path, command: str) -> str:
    words = [sys.executable, "-m", "kedro", *shlex.split(command), "--env=test"]
    finished = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


@pytest.fixture(scope="module")
def nights(folder: Path) -> list[tuple[pd.DataFrame, str]]:
    """The table and the output of each night; the second night has another version."""
    (folder / "pyproject.toml").write_text((PROJECT / "pyproject.toml").read_text())
    (folder / "src").mkdir()
    found = []
    for num_days in (200, 202):
        table = write_sales(folder / "sales.csv", num_days)
        run(folder, "champion retrain forecast --force")
        versions = sorted(
            path.name for path in (folder / "data/06_models/champion/forecast/versions").iterdir()
        )
        run(folder, f"champion promote forecast {versions[-1]}")
        found.append((table, run(folder, "run --pipelines=predict_forecast")))
    return found


@pytest.fixture(scope="module")
def explained(folder: Path, nights: Any) -> dict[str, Any]:
    return dict(json.loads(run(folder, "champion explain-change forecast --json")))


def test_the_run_says_why_the_forecasts_changed(nights: list[tuple[pd.DataFrame, str]]) -> None:
    first, second = (" ".join(output.split()) for _, output in nights)
    assert "from 1 revised value" not in first
    assert "from 1 revised value" in second
    assert "The revised value of b at 2025-07-17," in second


@pytest.mark.usefixtures("nights")
def test_the_report_of_the_run_has_the_changes(folder: Path) -> None:
    page = (folder / "data/08_reporting/predict_forecast/report.html").read_text()
    assert "Largest changes" in page


@pytest.mark.usefixtures("nights")
def test_the_explanation_of_the_run_is_stored(folder: Path) -> None:
    assert "explanation.json" in [
        path.name for path in (folder / "data/08_reporting/predict_forecast").iterdir()
    ]


def test_the_command_gives_parts_that_sum_to_the_change(explained: dict[str, Any]) -> None:
    rows = pd.DataFrame(explained["changes"])
    assert len(rows) == 3 * 5
    assert (rows[[*PARTS, DAY_AHEAD]].sum(axis=1) - rows["change"]).abs().max() < 1e-9


def test_the_command_explains_all_values(explained: dict[str, Any]) -> None:
    assert explained["notes"] == []
    assert explained["values"][0]["kind"] == "new"  # of the first series, a


def test_the_command_names_the_versions(explained: dict[str, Any], folder: Path) -> None:
    log = pd.read_parquet(folder / "data/07_model_output/predict_forecast/forecasts.parquet")
    assert set(explained["versions"]) == set(log["model_version"])


@pytest.mark.usefixtures("explained")
def test_the_command_explains_one_forecast(folder: Path) -> None:
    text = run(folder, "champion explain-change forecast --series b --time 2025-07-23")
    assert " ".join(text.split()).startswith("The forecast of b for 2025-07-23 ")
    assert text.count("2025-07-23 ") >= 2
    assert "The revised value at 2025-07-17" in " ".join(text.split())


def test_python_is_the_same(
    folder: Path, nights: list[tuple[pd.DataFrame, str]], explained: dict[str, Any]
) -> None:
    versions = folder / "data/06_models/champion/forecast/versions"
    earlier, later = (
        Forecaster.load(versions / name, source=FORECAST["source"])
        for name in explained["versions"]
    )
    change = later.explain_change(nights[0][0], nights[1][0], earlier).table
    expected = pd.DataFrame(explained["changes"]).sort_values(
        ["unique_id", "ds"], ignore_index=True
    )
    np.testing.assert_allclose(
        change[[*PARTS, DAY_AHEAD]], expected[[*PARTS, DAY_AHEAD]].astype(float), atol=1e-4
    )


def test_an_unknown_series_has_an_error_with_its_name(folder: Path, nights: Any) -> None:
    words = [
        sys.executable,
        "-m",
        "kedro",
        "champion",
        "explain-change",
        "forecast",
        "--series=z",
        "--env=test",
    ]
    finished = subprocess.run(words, cwd=folder, check=False, capture_output=True, text=True)
    assert finished.returncode == 1
    assert "series 'z' is not in both of the last two forecasts" in finished.stderr
