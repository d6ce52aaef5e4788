"""A whole run of `pretrain` under `--env=test`, and its network in each pipeline that forecasts, and in an export."""

import io
import json
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from whole_runs import ROOT, load_champion, run_here

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
FOLDERS = ("06_models", "07_model_output")
NUM_DAYS, HORIZON = 150, 7


@pytest.fixture(scope="module")
def networks() -> Path:
    """The folder of two networks that were trained for a few steps."""
    for folder in FOLDERS:
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    run_here("pretrain", {})
    return ROOT / "06_models/pretrain"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    days = np.arange(NUM_DAYS)
    rng = np.random.default_rng(0)
    values = 50 + 5 * np.sin(days * 2 * np.pi / 7) + rng.normal(0, 2, NUM_DAYS)
    return pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=NUM_DAYS), "y": values})


@pytest.fixture(scope="module")
def parameters(
    networks: Path, frame: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Any]:
    """The parameters of runs in which the network of the folder is in use."""
    file = tmp_path_factory.mktemp("days") / "days.csv"
    frame.to_csv(file, index=False)
    pretrained = {"path": str(networks), "network": "lstm", "is_alone": True}
    window = {"horizon": HORIZON}
    source = {"path": str(file)}
    return {
        "forecast": {
            "source": source,
            "window": window,
            "use": "pretrained",
            "pretrained": pretrained,
        }
    }


@pytest.fixture(scope="module")
def card(networks: Path) -> dict[str, Any]:
    return json.loads((networks / "card.json").read_text())


def test_card_describes_both_networks(card: dict[str, Any]) -> None:
    assert set(card["networks"]) == {"gru", "lstm"}


def test_card_has_the_steps_of_training(card: dict[str, Any]) -> None:
    assert card["training"]["num_steps"] == 3


def test_card_has_the_commit_of_the_code(card: dict[str, Any]) -> None:
    command = ["git", "rev-parse", "HEAD"]
    head = subprocess.run(command, cwd=ROOT.parent, check=True, capture_output=True, text=True)
    assert card["commit"] == head.stdout.strip()


def test_card_compares_with_simple_methods(card: dict[str, Any]) -> None:
    assert set(card["metrics"]["seattle"]) == {"gru", "lstm", "theta", "damped_trend"}


def test_histories_are_those_of_the_training(networks: Path) -> None:
    for cell in ("gru", "lstm"):
        history = pd.read_parquet(networks / f"{cell}_history.parquet")
        assert history["step"].tolist() == [3]


def test_every_pipeline_forecasts_by_it(
    parameters: dict[str, Any], frame: pd.DataFrame, tmp_path: Path
) -> None:
    """The network was hardly trained, so that its forecasts differ from those of the package's network."""
    block = parameters["forecast"]["pretrained"]
    forecaster = Forecaster(h=HORIZON, use="pretrained", pretrained=block).fit(frame)
    expected = forecaster.predict()["pretrained"].to_numpy()
    packaged = (
        Forecaster(h=HORIZON, use="pretrained", networks="pretrained")
        .fit(frame)
        .predict()["pretrained"]
    )
    assert not np.allclose(packaged, expected, rtol=1e-3)

    run_here("forecast", parameters)
    output = ROOT / "07_model_output/forecast"
    np.testing.assert_allclose(
        pd.read_csv(output / "next_values.csv")["forecast"], expected, rtol=1e-3
    )

    run_here("retrain_forecast", parameters)
    assert list(load_champion("forecast").artefact.model.model.models) == ["pretrained"]
    # The champion has its network, whatever the parameters name.
    source = {"forecast": {"source": parameters["forecast"]["source"]}}
    run_here("predict_forecast", source)
    log = pd.read_parquet(ROOT / "07_model_output/predict_forecast/forecasts.parquet")
    np.testing.assert_allclose(log["y_hat"], expected, rtol=1e-4)
    run_here("monitor_forecast", source)
    run_here("cross_validate_forecast", parameters)

    forecaster.export(tmp_path / "exported")
    frame.to_csv(tmp_path / "data.csv", index=False)
    command = [sys.executable, "exported/forecaster.py", "data.csv"]
    exported = subprocess.run(
        command, cwd=tmp_path, check=True, capture_output=True, env={"PATH": ""}
    )
    np.testing.assert_allclose(
        pd.read_csv(io.BytesIO(exported.stdout))["pretrained"], expected, rtol=1e-3
    )
