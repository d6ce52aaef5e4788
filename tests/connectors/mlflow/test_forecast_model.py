"""A champion in MLflow can be loaded and served, without the project and without pickle."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd
import pytest

from rnn_pipelines import Forecaster
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.forecast_model import save_mlflow_model
from rnn_pipelines.connectors.mlflow.publication import publish
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec
from rnn_pipelines.forecast.model.packing import pack
from rnn_pipelines.hooks.paths import find_saver

SMALL = {"lstm": {"units": 3}, "gru": {"units": 3}, "training": {"max_steps": 30}}
SINCE = "2026-01-31T02:00:00+00:00"


@pytest.fixture(scope="module")
def frame() -> pd.DataFrame:
    """Two series with a future covariate that is text, and three days ahead."""
    random = np.random.default_rng(0)
    parts = []
    for name, level in (("a", 20), ("b", 500)):
        y = level + np.sin(np.arange(93) * 2 * np.pi / 7) + random.normal(size=93)
        ds = pd.date_range("2024-01-01", periods=93)
        part = pd.DataFrame(
            {"unique_id": name, "ds": ds, "y": y, "promo": random.choice(["x", "y"], 93)}
        )
        part.loc[90:, "y"] = np.nan
        parts.append(part)
    return pd.concat(parts, ignore_index=True)


@pytest.fixture(scope="module")
def fitted(frame: pd.DataFrame) -> Forecaster:
    return Forecaster(h=3, lookback=14, futr_exog=["promo"], **SMALL).fit(frame)


@pytest.fixture(scope="module")
def files(fitted: Forecaster) -> dict[str, bytes]:
    return pack(fitted._make_artefact())


@pytest.fixture(scope="module")
def folder(files: dict[str, bytes], tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("mlflow") / "model"
    save_mlflow_model(files, folder)
    return folder


def test_a_loaded_model_has_the_numbers_of_the_project(
    folder: Path, frame: pd.DataFrame, fitted: Forecaster
) -> None:
    text = frame.assign(ds=frame["ds"].astype(str))
    model = mlflow.pyfunc.load_model(str(folder))
    for parameters, steps in (({}, None), ({"h": 2, "level": [80]}, 2)):
        found = model.predict(text, params=parameters)
        np.testing.assert_array_equal(found["ensemble"], fitted.predict(frame, steps)["ensemble"])
    assert list(found) == ["unique_id", "ds", "ensemble", "ensemble-lo-80", "ensemble-hi-80"]


def test_the_model_has_no_pickle(folder: Path) -> None:
    assert [path.name for path in folder.rglob("*.pkl")] == []


def test_the_model_has_few_requirements(folder: Path) -> None:
    names = [
        line.partition("==")[0] for line in (folder / "requirements.txt").read_text().splitlines()
    ]
    assert names == ["mlflow", "numpy", "pandas", "pydantic", "threadpoolctl"]


def test_the_model_has_the_columns_of_the_data(folder: Path) -> None:
    signature = mlflow.pyfunc.load_model(str(folder)).metadata.signature
    found = {column.name: (column.type.name, column.required) for column in signature.inputs}
    assert found == {
        "unique_id": ("string", True),
        "ds": ("string", True),
        "y": ("double", False),
        "promo": ("string", False),
    }


def test_the_model_has_the_parameters_of_a_prediction(folder: Path) -> None:
    signature = mlflow.pyfunc.load_model(str(folder)).metadata.signature
    assert {one.name: one.default for one in signature.params} == {"h": 3, "level": [80, 95]}


@pytest.fixture
def store(tmp_path: Path, files: dict[str, bytes]) -> ChampionStore:
    """With one champion, and a version that is no forecaster."""
    store = ChampionStore(tmp_path / "champion" / "forecast")
    for content in ({"settings.json": b"{}"}, files):
        version = store.add_version(content)
        store.promote(version, ["it is better"], SINCE)
        record = {
            "kind": "retrain",
            "task": "forecast",
            "at": SINCE,
            "outcome": "promoted",
            "version": version,
        }
        add_record(store.folder, {**record, "reasons": ["it is better"]})
    return store


@pytest.fixture
def spec(tmp_path: Path) -> TrackingSpec:
    return TrackingSpec(is_on=True, tracking_uri=f"sqlite:///{tmp_path}/mlflow.db")


def test_only_a_version_that_is_a_forecaster_is_served(
    store: ChampionStore, spec: TrackingSpec, caplog: pytest.LogCaptureFixture
) -> None:
    """The other one is logged as an error."""
    assert publish(store, "forecast", spec, save_model=find_saver("forecast")).num_runs == 2
    folder = Path(spec.tracking_uri.removeprefix("sqlite:///")).parent
    (model,) = (path.parent for path in folder.rglob("MLmodel"))
    assert (model / "model.npz").is_file()
    records = [record for record in caplog.records if record.name.startswith("rnn_pipelines")]
    assert [record.levelname for record in records] == ["ERROR"]


@pytest.fixture
def address(store: ChampionStore, spec: TrackingSpec) -> Iterator[str]:
    """Of a server of the champion, whose processes are ended after the test."""
    publish(store, "forecast", spec, save_model=find_saver("forecast"))
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])
    model = ["-m", "models:/rnn-pipelines-forecast@champion", "--env-manager", "local"]
    command = [
        sys.executable,
        "-m",
        "mlflow",
        "models",
        "serve",
        *model,
        "--host",
        "127.0.0.1",
        "--port",
        port,
    ]
    # The server starts other programs of the environment.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])
    own = {"PATH": path, "MLFLOW_TRACKING_URI": spec.tracking_uri, "PYTHONPATH": ""}
    with (store.folder / "log").open("w") as log:
        process = subprocess.Popen(
            command, stdout=log, stderr=log, start_new_session=True, env={**os.environ, **own}
        )
    try:
        wait_for(f"http://127.0.0.1:{port}/ping", process)
        yield f"http://127.0.0.1:{port}"
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 120
    while time.monotonic() < until and process.poll() is None:
        try:
            urllib.request.urlopen(address, timeout=5)
            return
        except OSError:
            time.sleep(0.5)
    pytest.fail(f"no answer from {address}")


def ask(address: str, body: dict[str, Any]) -> Any:
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{address}/invocations", json.dumps(body).encode(), headers)
    return json.load(urllib.request.urlopen(request, timeout=60))


@pytest.mark.slow
def test_the_champion_is_served(address: str, frame: pd.DataFrame, fitted: Forecaster) -> None:
    columns = json.loads(
        frame.assign(ds=frame["ds"].astype(str)).to_json(orient="split", index=False)
    )
    found = pd.DataFrame(
        ask(address, {"dataframe_split": columns, "params": {"h": 2, "level": [80]}})["predictions"]
    )
    expected = fitted.predict(frame, 2, [80])
    for column in ("ensemble", "ensemble-lo-80", "ensemble-hi-80"):
        np.testing.assert_allclose(found[column], expected[column], rtol=1e-6)
    assert (pd.to_datetime(found["ds"]) == expected["ds"]).all()
    with pytest.raises(urllib.error.HTTPError) as error:
        ask(address, {"dataframe_split": columns, "params": {"level": [100]}})
    assert error.value.code == 400
    assert "100" in error.value.read().decode()
