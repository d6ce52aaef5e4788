"""Whole runs of every pipeline that forecasts, and the same from Python, with each kind of covariate."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.history import list_records
from rnn_pipelines.forecast.report.explanation import name_inputs
from rnn_pipelines.forecast.times.holidays import HOLIDAYS
from rnn_pipelines.report.notes import NOTE_TITLE
from whole_runs import copy_configuration, run_here

HORIZON = 3
KINDS: dict[str, dict[str, Any]] = {
    "future": {"future": ["promo", "weather"]},
    "past": {"past": ["visitors"]},
    "static": {"static": ["size"]},
    "holidays": {"holidays": "DE-BY"},
}
KINDS["all"] = {role: columns for kind in list(KINDS.values()) for role, columns in kind.items()}
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

pytestmark = [pytest.mark.slow, pytest.mark.filterwarnings("ignore::DeprecationWarning")]


def make_frame() -> pd.DataFrame:
    """Two shops; after the last day of sales, the covariates that are known ahead go on for a horizon."""
    tables = []
    for number, name in enumerate(("north", "south")):
        random = np.random.default_rng(number)
        ds = pd.date_range("2023-01-01", "2024-06-05")
        promo = random.integers(0, 2, len(ds))
        weather = random.choice(["rain", "snow", "sun"], len(ds))
        y = 20 + 5 * number + 5 * promo + 2 * (weather == "sun") + random.normal(0, 0.5, len(ds))
        y[-HORIZON:] = np.nan
        visitors = 10 * y + random.normal(size=len(ds))
        columns = {"ds": ds, "y": y, "promo": promo, "weather": weather, "visitors": visitors}
        tables.append(pd.DataFrame({"unique_id": name, **columns, "size": f"size {number}"}))
    return pd.concat(tables, ignore_index=True)


def list_inputs(covariates: dict[str, Any]) -> set[str]:
    """The covariates that an explanation has a part for."""
    levels = {"weather": ["=rain", "=snow", "=sun"], "size": ["=size 0", "=size 1"]}
    named = {
        f"{role}:{column}{level}"
        for role in ("future", "past", "static")
        for column in covariates.get(role, [])
        for level in levels.get(column, [""])
    }
    return named | set(HOLIDAYS if "holidays" in covariates else [])


class Runs:
    """Whole runs with one kind of covariate, and where they left their results."""

    def __init__(self, folder: Path, covariates: dict[str, Any]) -> None:
        self.covariates = covariates
        self._folder = folder
        self.root = folder / "data"
        self._conf = copy_configuration(folder)
        make_frame().to_parquet(folder / "sales.parquet")

    def run(self, pipeline: str) -> None:
        source = {
            "path": str(self._folder / "sales.parquet"),
            "time": "ds",
            "target": "y",
            "id": "unique_id",
        }
        blocks = {**SMALL, "source": source, "covariates": self.covariates}
        if pipeline in ("predict_forecast", "monitor_forecast"):
            blocks = {name: blocks[name] for name in ("source", "covariates")}
        parameters: dict[str, Any] = {"forecast": blocks}
        if pipeline in ("backtest_forecast", "cross_validate_forecast"):
            parameters["parallel"] = {"workers": 1}
        run_here(pipeline, parameters, self._conf)

    def json(self, path: str) -> dict[str, Any]:
        return json.loads((self.root / path).read_text())


@pytest.fixture(scope="module", params=KINDS)
def runs(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Runs]:
    """All pipelines have run, one after the other, with their results in a data root of their own."""
    made = Runs(tmp_path_factory.mktemp(request.param), KINDS[request.param])
    for pipeline in PIPELINES:
        made.run(pipeline)
    yield made
    shutil.rmtree(made.root)


def test_the_report_has_bars_of_the_covariates(runs: Runs) -> None:
    """Of all that moved a forecast, and of nothing that was not read."""
    figure = runs.json("08_reporting/forecast/explanation.json")
    bars = set(figure["data"][0]["y"]) - {
        "past values",
        "calendar",
        "theta",
        "damped trend",
        "Holt-Winters",
        "pretrained network",
        "boosted trees",
    }
    # Only networks and trees read static covariates. Trees have one bar, and small networks may add nothing.
    assert bars or set(runs.covariates) == {"static"}
    assert bars <= set(name_inputs(list_inputs(runs.covariates)))
    assert NOTE_TITLE not in (runs.root / "08_reporting/forecast/report.html").read_text()


def test_the_champion_reads_them(runs: Runs) -> None:
    (record,) = list_records(runs.root / "06_models/champion/forecast")
    assert record["is_promoted"]
    forecasts = pd.read_parquet(runs.root / "07_model_output/predict_forecast/forecasts.parquet")
    assert len(forecasts) == 2 * HORIZON
    assert np.isfinite(forecasts["y_hat"]).all()


def test_the_monitor_measures_their_drift(runs: Runs) -> None:
    verdict = runs.json("08_reporting/monitor_forecast/verdict.json")
    assert verdict["verdict"] in ("ok", "retrain")


@pytest.mark.parametrize("pipeline", ["backtest_forecast", "cross_validate_forecast"])
def test_forecasts_of_the_past_are_finite(runs: Runs, pipeline: str) -> None:
    found = pd.read_parquet(runs.root / f"07_model_output/{pipeline}/predictions.parquet")
    assert np.isfinite(found.select_dtypes("number")).all(axis=None)


def test_python_does_the_same(runs: Runs, tmp_path: Path) -> None:
    frame = make_frame()
    blocks = {**SMALL, "covariates": runs.covariates}
    blocks.pop("window")
    forecaster = Forecaster(h=HORIZON, lookback=7, **blocks).fit(frame)
    following = pd.read_parquet(runs.root / "07_model_output/forecast/next_values.parquet")
    predicted = forecaster.predict(methods="all")
    pd.testing.assert_frame_equal(
        predicted, following[list(predicted)], rtol=1e-6, check_dtype=False
    )
    parts = forecaster.explain()
    assert list_inputs(runs.covariates) <= set(parts["input"])
    found = parts.groupby(["unique_id", "ds"], sort=False)["contribution"].sum()
    np.testing.assert_allclose(found, predicted["ensemble"], rtol=1e-4)
    assert len(forecaster.cross_validation(frame, n_windows=2)) == 2 * 2 * HORIZON
    forecaster.save(tmp_path / "model")
    loaded = Forecaster.load(tmp_path / "model")
    pd.testing.assert_frame_equal(loaded.explain(frame), parts)
    pd.testing.assert_series_equal(loaded.predict(frame)["ensemble"], predicted["ensemble"])
