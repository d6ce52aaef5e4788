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

from rnn_pipelines.forecast.baselines import BASELINES, Baseline
from rnn_pipelines.forecast.registry import NETWORKS, Network
from rnn_pipelines.forecast.series.windows import WindowedPanel, gather_windows
from rnn_pipelines.forecast.specs import NetworkSpec
from rnn_pipelines.looks import Look

PROJECT = Path(__file__).parents[1]
ROOT = PROJECT / ".test_data"
CHAMPION = ROOT / "06_models/champion/forecast"

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def build_dense(network: NetworkSpec, lookback: int, horizon: int, num_known: int) -> Any:
    """A network without recurrence."""
    import keras

    inputs = {"history": keras.Input((lookback, 1 + num_known), name="history")}
    if num_known:
        inputs["known"] = keras.Input((horizon, num_known), name="known")
    state = keras.layers.Dense(network.units[0], "tanh")(keras.layers.Flatten()(inputs["history"]))
    return keras.Model(inputs, keras.layers.Dense(horizon)(state), name="dense")


def fit_window_mean(panel: WindowedPanel, season_length: int) -> Any:
    return lambda origins: np.repeat(
        gather_windows(panel, origins)[0][:, :, 0].mean(axis=1, keepdims=True), panel.horizon, axis=1
    )


@pytest.fixture(scope="module")
def registered() -> Iterator[None]:
    """With a network and a baseline more; Kedro makes its graphs anew."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "dense", Network(Look("no recurrence at all", "#123456"), build_dense))
        patch.setitem(BASELINES, "window_mean", Baseline(Look("mean of the window", "#654321"), fit_window_mean))
        shutil.rmtree(CHAMPION, ignore_errors=True)
        bootstrap_project(PROJECT)
        configure_project("rnn_pipelines")
        for pipeline in ("forecast", "retrain_forecast", "predict_forecast", "backtest_forecast"):
            run(pipeline)
        yield
    configure_project("rnn_pipelines")


def run(pipeline: str) -> None:
    # The one line of parameters that a network needs. One process has the registries.
    parameters: dict[str, Any] = {
        "forecast": {"dense": {"cell": "dense", "units": 4}, "training": {"jit_compile": False}},
        "parallel": {"workers": 1},
    }
    if pipeline == "predict_forecast":
        parameters = {}
    with KedroSession.create(project_path=PROJECT, env="test", runtime_params=parameters) as session:
        session.run(pipeline_names=[pipeline])


def read(path: str) -> Any:
    return json.loads((ROOT / path).read_text())


@pytest.mark.usefixtures("registered")
def test_they_are_measured_beside_the_others() -> None:
    metrics = read("08_reporting/forecast/metrics.json")
    assert set(metrics) == {*NETWORKS, *BASELINES, "noise_floor_mse"}
    assert metrics["dense"]["num_parameters"] > 0
    assert "skill_vs_window_mean" in metrics["gru"]


@pytest.mark.usefixtures("registered")
def test_the_report_shows_them() -> None:
    report = (ROOT / "08_reporting/forecast/report.html").read_text()
    assert "no recurrence at all" in report
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
    assert names[-len(BASELINES) :] == list(BASELINES)
    assert "mean of the window" in (ROOT / "08_reporting/backtest_forecast/report.html").read_text()
