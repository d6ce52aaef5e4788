"""A third cell, a local and a global method, each registered with one line, go through all that forecasting does."""

import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from kedro.framework.project import configure_project
from kedro.framework.startup import bootstrap_project

from neighbours import NeighbourMethod
from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.methods.networks.model import NetworkMethod
from rnn_pipelines.forecast.methods.registry import METHODS, NETWORKS, TRAINED_BEFORE
from rnn_pipelines.report.styles import Style
from week_mean import WEEK_MEAN
from whole_runs import PROJECT, ROOT, read_json, run_here

CHAMPION = ROOT / "06_models/champion/forecast"
OWN = ("mine", "week_mean", "neighbours")
ON_ONE_TABLE = (
    "predict_forecast",
    "monitor_forecast",
    "backtest_forecast",
    "cross_validate_forecast",
    "tune_forecast",
)
PIPELINES = ("forecast", "retrain_forecast", *ON_ONE_TABLE)

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


@pytest.fixture(scope="module")
def patched() -> Iterator[None]:
    """With one line more for each of them."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setitem(NETWORKS, "mine", NetworkMethod(Style("minGRU", "#123456"), "mingru"))
        patch.setitem(METHODS, "week_mean", WEEK_MEAN)
        patch.setitem(
            METHODS, "neighbours", NeighbourMethod(Style("nearest windows", "#123321", "dot"))
        )
        yield


@pytest.fixture(scope="module")
def registered(patched: None) -> Iterator[None]:
    """After a run of each pipeline; Kedro makes its graphs anew."""
    shutil.rmtree(CHAMPION, ignore_errors=True)
    bootstrap_project(PROJECT)
    configure_project("rnn_pipelines")
    for pipeline in PIPELINES:
        run(pipeline)
    yield
    configure_project("rnn_pipelines")


def run(pipeline: str) -> None:
    # The one line of parameters that a network needs.
    parameters: dict[str, Any] = {"forecast": {"mine": {"cell": "mine", "units": 4}}}
    if pipeline in ("predict_forecast", "monitor_forecast"):
        parameters = {}
    if pipeline in ("backtest_forecast", "cross_validate_forecast", "tune_forecast"):
        # One process has the registries.
        parameters["parallel"] = {"workers": 1}
    if pipeline == "tune_forecast":
        parameters["tune_forecast"] = {"num_samples": 1}
    run_here(pipeline, parameters)


@pytest.mark.usefixtures("registered")
def test_they_are_measured_beside_the_others() -> None:
    metrics = read_json("08_reporting/forecast/metrics.json")
    # The temperature of 1,000 days has no three years, so no long season, no zeros, and enough windows for validation.
    others = {"long_seasonal_naive", "level", "mean", "croston", "zero", "short_series_rule"}
    measured = {name for name, block in metrics.items() if isinstance(block, dict)} - {
        "missed_origins",
        "past",
    }
    assert measured == {*NETWORKS, *TRAINED_BEFORE, *METHODS, "ensemble"} - others


@pytest.mark.usefixtures("registered")
def test_their_parameters_are_counted() -> None:
    metrics = read_json("08_reporting/forecast/metrics.json")
    assert metrics["mine"]["num_parameters"] > 0


@pytest.mark.usefixtures("registered")
def test_skill_is_measured_against_them() -> None:
    metrics = read_json("08_reporting/forecast/metrics.json")
    assert "skill_vs_week_mean" in metrics["gru"]


@pytest.mark.usefixtures("registered")
def test_the_report_names_them() -> None:
    report = (ROOT / "08_reporting/forecast/report.html").read_text()
    assert "minGRU" in report
    assert "mean of the last week" in report


@pytest.mark.usefixtures("registered")
def test_they_are_retrained() -> None:
    training = read_json("06_models/retrain_forecast/training.json")
    assert set(training["networks"]) == set(NETWORKS)
    assert "week_mean" in pd.read_parquet(ROOT / "06_models/retrain_forecast/holdout.parquet")


@pytest.mark.usefixtures("registered")
def test_the_champion_forecasts_with_them() -> None:
    forecasts = pd.read_parquet(ROOT / "07_model_output/predict_forecast/forecasts.parquet")
    assert forecasts["y_hat"].notna().all()


@pytest.mark.usefixtures("registered")
def test_they_are_in_the_backtest() -> None:
    names = [
        entry["name"]
        for entry in read_json("08_reporting/backtest_forecast/results.json")["forecasters"]
    ]
    assert "week_mean" in names
    assert (
        "mean of the last week" in (ROOT / "08_reporting/backtest_forecast/report.html").read_text()
    )


@pytest.mark.usefixtures("registered")
def test_they_have_bounds() -> None:
    table = pd.read_parquet(ROOT / "07_model_output/forecast/predictions.parquet")
    bounds = {f"{name}-{end}-80" for name in OWN for end in ("lo", "hi")}
    assert bounds <= set(table)
    assert table[sorted(bounds)].notna().all().all()


@pytest.mark.usefixtures("registered")
def test_they_have_weights() -> None:
    assert set(OWN) <= set(read_json("06_models/forecast/ensemble.json")["weights"])


@pytest.mark.usefixtures("registered")
def test_they_are_cross_validated() -> None:
    assert set(OWN) <= set(
        pd.read_parquet(ROOT / "07_model_output/cross_validate_forecast/predictions.parquet")
    )


@pytest.fixture(scope="module")
def fitted(patched: None) -> Forecaster:
    """Of two series whose weeks differ."""
    days = np.arange(160)
    noise = np.random.default_rng(0).normal(size=(2, len(days)))
    frame = pd.concat(
        pd.DataFrame({"unique_id": name, "ds": pd.date_range("2024-01-01", periods=160), "y": own})
        for name, own in zip("ab", 50 + 5 * np.sin(2 * np.pi * days / 7) + noise, strict=True)
    )
    small = {"units": 4, "members": 2}
    blocks = {
        "lstm": small,
        "gru": small,
        "mine": {"cell": "mine", **small},
        "training": {"max_steps": 50},
    }
    return Forecaster(h=7, lookback=14, **blocks).fit(frame)


@pytest.mark.parametrize("name", OWN)
def test_python_forecasts_by_them(fitted: Forecaster, name: str) -> None:
    found = fitted.predict(methods="all")
    assert found[[name, f"{name}-lo-80", f"{name}-hi-80"]].notna().all().all()


@pytest.mark.parametrize("name", OWN)
def test_python_ranks_them(fitted: Forecaster, name: str) -> None:
    assert name in fitted.leaderboard()["forecaster"].tolist()


@pytest.mark.parametrize("name", OWN)
def test_python_explains_them(fitted: Forecaster, name: str) -> None:
    found = fitted.predict(methods="all")
    sums = fitted.explain(forecaster=name).groupby(["unique_id", "ds"])["contribution"].sum()
    np.testing.assert_allclose(
        sums, found.set_index(["unique_id", "ds"])[name].reindex(sums.index), rtol=1e-4
    )


def test_the_network_is_a_keras_model(fitted: Forecaster) -> None:
    layers = fitted.networks["mine"].to_keras().get_layer("member_1").layers
    assert "MinGRU" in [type(layer).__name__ for layer in layers]


def test_the_network_is_saved(fitted: Forecaster, tmp_path: Path) -> None:
    fitted.save(tmp_path / "model")
    ends = fitted._fitted.panel.series.drop(columns="observed")
    loaded = Forecaster.load(tmp_path / "model").predict(ends)
    np.testing.assert_allclose(loaded["ensemble"], fitted.predict()["ensemble"], rtol=1e-5)
