"""A network and a baseline that are registered with one line each go through all that forecasting does."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import configure_project
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from rnn_pipelines.forecast.base import Base
from rnn_pipelines.forecast.baselines import BASELINES, Baseline, Forecast
from rnn_pipelines.forecast.registry import NETWORKS, Network
from rnn_pipelines.forecast.series.windows import WindowedPanel, gather_windows
from rnn_pipelines.looks import Look

PROJECT = Path(__file__).parents[1]
ROOT = PROJECT / ".test_data"
CHAMPION = ROOT / "06_models/champion/forecast"

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def fit_window_mean(panel: WindowedPanel, base: Base) -> Forecast:
    return lambda origins: np.repeat(
        gather_windows(panel, origins)[0][:, :, 0].mean(axis=1, keepdims=True), panel.horizon, axis=1
    )


@pytest.fixture(scope="module")
def registered() -> Iterator[None]:
    """With a network and a baseline more; Kedro makes its graphs anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "mine", Network(Look("another GRU", "#123456"), "gru"))
        patch.setitem(BASELINES, "window_mean", Baseline(Look("mean of the window", "#654321"), fit_window_mean))
        shutil.rmtree(CHAMPION, ignore_errors=True)
        bootstrap_project(PROJECT)
        configure_project("rnn_pipelines")
        for pipeline in ("forecast", "retrain_forecast", "predict_forecast", "backtest_forecast"):
            run(pipeline)
        yield
    configure_project("rnn_pipelines")


def run(pipeline: str) -> None:
    # The one line of parameters that a network needs.
    parameters: dict[str, Any] = {"forecast": {"mine": {"cell": "mine", "units": 4}}}
    if pipeline == "predict_forecast":
        parameters = {}
    if pipeline == "backtest_forecast":
        # One process has the registries.
        parameters["parallel"] = {"workers": 1}
    with KedroSession.create(project_path=PROJECT, env="test", runtime_params=parameters) as session:
        session.run(pipeline_names=[pipeline])


def read(path: str) -> Any:
    return json.loads((ROOT / path).read_text())


@pytest.mark.usefixtures("registered")
def test_they_are_measured_beside_the_others() -> None:
    metrics = read("08_reporting/forecast/metrics.json")
    # The temperature of 1,000 days has no three years, and so no long season.
    assert set(metrics) == {*NETWORKS, *BASELINES, "best", "noise_floor_mse", "run"} - {"long_seasonal_naive"}
    assert metrics["mine"]["num_parameters"] > 0
    assert "skill_vs_window_mean" in metrics["gru"]


@pytest.mark.usefixtures("registered")
def test_the_report_shows_them() -> None:
    report = (ROOT / "08_reporting/forecast/report.html").read_text()
    assert "another GRU" in report
    assert "mean of the window" in report


@pytest.mark.usefixtures("registered")
def test_the_network_is_trained_and_the_baseline_judged_in_a_retraining() -> None:
    training = read("06_models/retrain_forecast/training.json")
    assert set(training["networks"]) == set(NETWORKS)
    assert "window_mean" in pd.read_parquet(ROOT / "06_models/retrain_forecast/holdout.parquet")


@pytest.mark.usefixtures("registered")
def test_the_champion_predicts() -> None:
    forecasts = pd.read_parquet(ROOT / "07_model_output/predict_forecast/forecasts.parquet")
    assert forecasts["y_hat"].notna().all()


@pytest.mark.usefixtures("registered")
def test_the_backtest_replays_the_network_and_judges_the_baseline() -> None:
    names = [entry["name"] for entry in read("08_reporting/backtest_forecast/results.json")["forecasters"]]
    assert "window_mean" in names
    assert "mean of the window" in (ROOT / "08_reporting/backtest_forecast/report.html").read_text()
