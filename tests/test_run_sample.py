"""A whole run with made-up rows in the form of a user's table."""

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

PROJECT = Path(__file__).parents[1]
FORECAST = {
    "source": {"path": "sales.csv", "time": "Tag", "target": "Umsatz", "id": "Filiale"},
    "covariates": {"future": ["Preis", "Aktion"], "static": ["Region"]},
    "window": {"horizon": 7},
}
NAMES = ["Köln-Süd-QXZ", "Zürich-ZQX"]
pytestmark = pytest.mark.slow


def write_sales(path: Path) -> None:
    """A German table of two shops, with a gap, and prices ahead."""
    rng = np.random.default_rng(0)
    days = pd.date_range("2024-01-01", periods=107).strftime("%d.%m.%Y")
    tables = []
    for name in NAMES:
        sales = pd.Series(50_000 + rng.normal(0, 900, len(days))).round(2)
        sales[[7, *range(100, 107)]] = np.nan
        columns = {"Filiale": name, "Tag": days, "Umsatz": sales, "Preis": 7000.5}
        offers = rng.choice(["Rabatt-QZX", "keine-QZX"], len(days))
        tables.append(pd.DataFrame(columns).assign(Aktion=offers, Region=f"Land {name}"))
    pd.concat(tables).to_csv(path, sep=";", decimal=",", index=False, encoding="cp1252")


def run_kedro(folder: Path, *words: str, code: int = 0) -> str:
    finished = subprocess.run(
        [sys.executable, "-m", "kedro", *words],
        cwd=folder,
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == code, finished.stdout + finished.stderr
    return finished.stderr


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a sample of its table, which was forecast without the table."""
    folder = tmp_path_factory.mktemp("sample")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    shutil.copytree(PROJECT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "src").mkdir()
    (folder / "conf/local").mkdir()
    (folder / "conf/local/parameters_forecast.yml").write_text(json.dumps({"forecast": FORECAST}))
    write_sales(folder / "sales.csv")
    run_kedro(folder, "sample")
    (folder / "sales.csv").unlink()
    fast = "forecast.pretrained.is_alone=true"
    run_kedro(folder, "run", "--pipelines=forecast", "--env=sample", "--params", fast)
    return folder


def test_forecasts_are_of_the_made_up_series(sampled: Path) -> None:
    path = sampled / ".sample_data/07_model_output/forecast/next_values.csv"
    sizes = pd.read_csv(path).groupby("unique_id").size()
    assert sizes.to_dict() == {"series 1": 7, "series 2": 7}


def test_no_file_has_a_name_or_a_text_of_the_table(sampled: Path) -> None:
    paths = [*(sampled / "conf/sample").iterdir(), *(sampled / ".sample_data").rglob("*.*")]
    content = b"".join(path.read_bytes() for path in paths if path.is_file())
    marks = [*NAMES, "Rabatt-QZX", "keine-QZX"]
    assert [mark for mark in marks if mark.encode() in content] == []


def test_results_are_apart_from_the_real_ones(sampled: Path) -> None:
    assert not (sampled / "data").exists()


def test_second_sample_overwrites_nothing(sampled: Path) -> None:
    before = (sampled / "conf/sample/rows.csv").read_bytes()
    assert "nothing is overwritten" in run_kedro(sampled, "sample", code=1)
    assert (sampled / "conf/sample/rows.csv").read_bytes() == before
