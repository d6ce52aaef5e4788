"""A whole run with totals: the files have the numbers of Python, and the page shows them."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.totals.adding import NUM_PATHS
from whole_runs import ROOT, run_well

pytestmark = pytest.mark.slow

TOTALS = ["all", "region", "region × week", "series × horizon"]
OUTPUT = ROOT / "07_model_output/forecast"


@pytest.fixture(scope="module")
def shops(tmp_path_factory: pytest.TempPathFactory) -> Path:
    days = pd.date_range("2024-01-01", periods=150)
    rng = np.random.default_rng(0)
    shocks = 30 + rng.normal(0, 2, len(days))
    tables = [
        pd.DataFrame({"day": days, "shop": shop, "sales": shocks + rng.normal(0, 2, len(days))})
        for shop in "abcd"
    ]
    table = pd.concat(tables).assign(region=lambda table: table["shop"].isin(["a", "b"]))
    table["region"] = table["region"].map({True: "North", False: "South"})
    path = tmp_path_factory.mktemp("shops") / "shops.csv"
    table.to_csv(path, index=False)
    return path


@pytest.fixture(scope="module")
def run(shops: Path) -> str:
    columns = {"path": shops, "time": "day", "target": "sales", "id": "shop"}
    source = [f"forecast.source.{name}={value}" for name, value in columns.items()]
    alone = "forecast.pretrained.is_alone=true"
    more = [alone, "forecast.paths=500", f"forecast.totals={'+'.join(TOTALS)}"]
    return run_well("forecast", *source, *more).stdout


def test_totals_of_a_run_are_those_of_python(run: str, shops: Path) -> None:
    table = pd.read_csv(shops, parse_dates=["day"])
    forecaster = Forecaster(time="day", target="sales", id="shop", networks="pretrained")
    expected = forecaster.fit(table).predict(totals=TOTALS)
    expected = expected.rename(columns=lambda name: name.replace("ensemble-", ""))
    expected = expected.rename(columns={"ensemble": "forecast"})
    found = pd.read_parquet(OUTPUT / "next_totals.parquet")
    pd.testing.assert_frame_equal(found, expected, rtol=1e-5, check_dtype=False)


def test_totals_are_sums_of_the_paths_of_the_same_run(run: str) -> None:
    paths = pd.read_parquet(OUTPUT / "next_paths.parquet")
    assert paths["path"].nunique() == NUM_PATHS
    sums = paths.groupby(["ds", "path"])["y"].sum().groupby("ds").quantile(0.9)
    totals = pd.read_parquet(OUTPUT / "next_totals.parquet")
    upper = totals[totals["total"] == "all"]["hi-80"].to_numpy()
    assert upper == pytest.approx(sums.to_numpy(), rel=1e-9)


def test_terminal_shows_the_first_totals(run: str) -> None:
    assert "region × week: North" in run


def test_page_has_a_section_on_totals(run: str) -> None:
    page = (ROOT / "08_reporting/forecast/report.html").read_text()
    assert ">Totals<" in page
