"""Whole runs of every pipeline that forecasts, on sales with days without stock, whole and divided."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from whole_runs import copy_configuration, run_here

HORIZON = 3
NUM_SHOPS = 6
# In the order in which each finds what it reads.
PIPELINES = (
    "forecast",
    "retrain_forecast",
    "predict_forecast",
    "monitor_forecast",
    "backtest_forecast",
    "cross_validate_forecast",
)
SMALL: dict[str, Any] = {
    "window": {"lookback": 7, "horizon": HORIZON},
    "split": {"validation": 40, "test": 60},
    "training": {"max_steps": 50},
    "lstm": {"units": 3},
    "gru": {"units": 3},
}
DIVIDED = {"training_rows": 1_000, "rows": 600}

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def make_frame() -> pd.DataFrame:
    """Shops that sell nothing on some days without stock, the last two of all days among them."""
    tables = []
    for number in range(NUM_SHOPS):
        random = np.random.default_rng(number)
        ds = pd.date_range("2023-01-01", "2024-06-05")
        has_stock = random.random(len(ds)) > 0.03
        has_stock[-2:] = False
        y = 30 + 5 * np.sin(2 * np.pi * np.arange(len(ds)) / 7) + random.normal(0, 1, len(ds))
        columns = {"ds": ds, "y": np.where(has_stock, y, 0), "stock": has_stock.astype(int)}
        tables.append(pd.DataFrame({"unique_id": f"shop {number}", **columns}))
    return pd.concat(tables, ignore_index=True)


class Runs:
    """Whole runs of one panel, and where they left their results."""

    def __init__(self, folder: Path, partitions: dict[str, int]) -> None:
        self._folder = folder
        self._partitions = partitions
        self.root = folder / "data"
        self._conf = copy_configuration(folder)
        make_frame().to_parquet(folder / "sales.parquet")

    def run(self, pipeline: str) -> None:
        path = str(self._folder / "sales.parquet")
        blocks: dict[str, Any] = {
            "source": {"path": path, "id": "unique_id", "unavailable": "stock"}
        }
        if self._partitions:
            blocks["partitions"] = self._partitions
        if pipeline not in ("predict_forecast", "monitor_forecast"):
            blocks |= SMALL
        parameters: dict[str, Any] = {"forecast": blocks}
        if pipeline not in ("retrain_forecast", "monitor_forecast"):
            parameters["parallel"] = {"workers": 1}
        run_here(pipeline, parameters, self._conf)

    def read(self, path: str) -> pd.DataFrame:
        return pd.read_parquet(self.root / path)


def make_runs(folder: Path, partitions: dict[str, int], pipelines: tuple[str, ...]) -> Runs:
    runs = Runs(folder, partitions)
    for pipeline in pipelines:
        runs.run(pipeline)
    return runs


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    runs = make_runs(tmp_path_factory.mktemp("whole"), {}, PIPELINES)
    yield runs
    shutil.rmtree(runs.root)


@pytest.fixture(scope="module")
def divided(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    folder = tmp_path_factory.mktemp("divided")
    runs = make_runs(folder, DIVIDED, ("forecast", "retrain_forecast", "predict_forecast"))
    yield runs
    shutil.rmtree(runs.root)


def check_next_values(next_values: pd.DataFrame, forecast: str) -> None:
    """Check that all shops are forecast from the day after the last row, near their demand."""
    assert next_values["unique_id"].nunique() == NUM_SHOPS
    assert next_values["ds"].min() == make_frame()["ds"].max() + pd.Timedelta(days=1)
    assert next_values[forecast].between(23, 37).all()


def test_next_values_are_those_of_the_demand(whole: Runs) -> None:
    check_next_values(whole.read("07_model_output/forecast/next_values.parquet"), "ensemble")


def test_python_forecasts_the_same(whole: Runs) -> None:
    blocks = {name: block for name, block in SMALL.items() if name != "window"}
    forecaster = Forecaster(h=HORIZON, lookback=7, unavailable="stock", **blocks).fit(make_frame())
    next_values = whole.read("07_model_output/forecast/next_values.parquet")
    found = forecaster.predict(methods="all")
    pd.testing.assert_frame_equal(found, next_values[list(found)], rtol=1e-6, check_dtype=False)


def test_the_report_names_their_number(whole: Runs) -> None:
    num_unknown = (make_frame()["stock"] == 0).sum()
    report = (whole.root / "08_reporting/forecast/report.html").read_text()
    assert f"{num_unknown} of " in report
    assert "values are unknown, because" in report


def test_the_champion_forecasts_the_demand(whole: Runs) -> None:
    check_next_values(whole.read("07_model_output/predict_forecast/forecasts.parquet"), "y_hat")


def test_the_monitor_gives_no_alarm(whole: Runs) -> None:
    verdict = json.loads((whole.root / "08_reporting/monitor_forecast/verdict.json").read_text())
    assert verdict["verdict"] in ("ok", "retrain")


@pytest.mark.parametrize("pipeline", ["backtest_forecast", "cross_validate_forecast"])
def test_forecasts_of_the_past_have_no_actual_of_them(whole: Runs, pipeline: str) -> None:
    found = whole.read(f"07_model_output/{pipeline}/predictions.parquet")
    joined = found.merge(make_frame()[["unique_id", "ds", "stock"]], on=["unique_id", "ds"])
    assert len(joined) > 0
    assert joined["y"].isna().equals(joined["stock"] == 0)


def test_divided_panel_is_forecast_alike(divided: Runs) -> None:
    check_next_values(divided.read("07_model_output/forecast/all_next_values.parquet"), "forecast")


def test_champion_of_a_divided_panel_forecasts_alike(divided: Runs) -> None:
    path = "07_model_output/predict_forecast/all_next_values.parquet"
    check_next_values(divided.read(path), "forecast")
