"""Whole runs under `--env=test` with a named method in use: it is what each pipeline leaves behind."""

import shutil
from typing import Any

import numpy as np
import pandas as pd
import pytest

from whole_runs import ROOT, find_newest, load_champion, run_here

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]
FOLDERS = ("06_models/champion/forecast", "06_models/retrain_forecast", "07_model_output")


@pytest.fixture(scope="module")
def parameters(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """The parameters of runs on 150 days, with the method in use."""
    for folder in FOLDERS:
        shutil.rmtree(ROOT / folder, ignore_errors=True)
    days = np.arange(150)
    rng = np.random.default_rng(0)
    values = 50 + 5 * np.sin(days * 2 * np.pi / 7) + rng.normal(0, 2, 150)
    file = tmp_path_factory.mktemp("days") / "days.csv"
    pd.DataFrame({"ds": pd.date_range("2024-01-01", periods=150), "y": values}).to_csv(
        file, index=False
    )
    return {"forecast": {"source": {"path": str(file)}, "window": {"horizon": 7}, "use": "theta"}}


def test_pipelines_leave_the_method_in_use(parameters: dict[str, Any]) -> None:
    run_here("forecast", parameters)
    output = ROOT / "07_model_output/forecast"
    values, methods = (
        pd.read_csv(output / name) for name in ("next_values.csv", "all_methods.csv")
    )
    np.testing.assert_allclose(values["forecast"], methods["theta"], rtol=1e-3)
    report = (ROOT / "08_reporting/forecast/report.html").read_text()
    assert "bias of the forecast in use, theta," in " ".join(report.split())

    run_here("retrain_forecast", parameters)
    record = find_newest("forecast")
    assert record["outcome"] == "promoted"
    champion = load_champion("forecast").artefact
    assert champion.settings.use == "theta"
    assert list(champion.model.model.models) == ["theta"]

    source = {"forecast": {"source": parameters["forecast"]["source"]}}
    run_here("predict_forecast", source)
    log = pd.read_parquet(ROOT / "07_model_output/predict_forecast/forecasts.parquet")
    np.testing.assert_allclose(log["y_hat"], methods["theta"], rtol=1e-4)
    run_here("monitor_forecast", source)
    run_here("cross_validate_forecast", parameters)
