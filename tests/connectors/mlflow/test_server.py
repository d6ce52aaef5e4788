"""Whole retrainings with an MLflow server that is down at first: each is decided, and the command adds what failed."""

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import pytest
from mlflow import MlflowClient, artifacts

from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.connectors.mlflow.publication import connect
from rnn_pipelines.connectors.mlflow.specs import TrackingSpec

NAME = "rnn-pipelines-forecast"

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def address() -> str:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{found.getsockname()[1]}"


@pytest.fixture(scope="module")
def elsewhere(project: Path, tmp_path_factory: pytest.TempPathFactory, address: str) -> Path:
    """The project's configuration in a folder of its own, with MLflow on."""
    folder = tmp_path_factory.mktemp("project")
    shutil.copy(project / "pyproject.toml", folder)
    shutil.copytree(project / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "conf/test/mlflow.yml").write_text(f"is_on: true\ntracking_uri: {address}\n")
    (folder / "src").mkdir()
    return folder


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kedro", "champion", *arguments, "--env=test"]
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True)


def find_store(folder: Path) -> ChampionStore:
    return ChampionStore(folder / ".test_data/06_models/champion/forecast")


@pytest.fixture(scope="module")
def unheard(elsewhere: Path) -> subprocess.CompletedProcess[str]:
    """A retraining while the server is down."""
    return run(elsewhere, "retrain", "forecast", "--as-of", "2023-01-31")


@pytest.fixture(scope="module")
def server(address: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A real one, with a database and files of its own; the group of its processes is ended after the tests."""
    folder = tmp_path_factory.mktemp("server")
    options = [
        "--backend-store-uri",
        f"sqlite:///{folder}/mlflow.db",
        "--artifacts-destination",
        str(folder / "files"),
    ]
    place = ["--host", "127.0.0.1", "--port", address.rpartition(":")[2], "--workers", "1"]
    with (folder / "log").open("w") as log:
        command = [sys.executable, "-m", "mlflow", "server", *options, *place]
        process = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=log, start_new_session=True
        )
    try:
        wait_for(f"{address}/health", process)
        yield address
    finally:
        # Not SIGTERM, because the server then waits for the connections that the client keeps open.
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def wait_for(address: str, process: "subprocess.Popen[bytes]") -> None:
    until = time.monotonic() + 120
    while True:
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except OSError:
            assert process.poll() is None, "the server ended"
            assert time.monotonic() < until, "the server did not answer in time"
            time.sleep(0.5)


@pytest.fixture(scope="module")
def caught_up(elsewhere: Path, unheard: object, server: str) -> subprocess.CompletedProcess[str]:
    """A second retraining, with the server up."""
    return run(elsewhere, "retrain", "forecast", "--as-of", "2023-06-30")


@pytest.fixture(scope="module")
def client(caught_up: object, server: str) -> MlflowClient:
    return connect(TrackingSpec(is_on=True, tracking_uri=server))


def test_server_that_is_down_breaks_no_night(unheard: subprocess.CompletedProcess[str]) -> None:
    assert unheard.returncode == 0, unheard.stderr
    assert unheard.stdout.startswith("forecast: promoted ")


def test_server_that_is_down_is_logged_in_one_line(
    unheard: subprocess.CompletedProcess[str], address: str
) -> None:
    assert re.search(rf"ERROR .*{re.escape(address)}: ", unheard.stderr)
    assert "Traceback" not in unheard.stderr


def test_the_next_retraining_is_published_alone(
    caught_up: subprocess.CompletedProcess[str], client: MlflowClient
) -> None:
    assert caught_up.returncode == 0, caught_up.stderr
    experiment = client.get_experiment_by_name(NAME)
    assert len(client.search_runs([experiment.experiment_id])) == 1


def test_mlflow_prints_nothing(caught_up: subprocess.CompletedProcess[str]) -> None:
    # The decision, and its reasons below it.
    first, *reasons = [line.partition(" ")[0] for line in caught_up.stdout.splitlines()]
    assert (first, set(reasons)) == ("forecast:", {""})


def test_publish_adds_the_retraining_that_failed_to_be_published(
    client: MlflowClient, elsewhere: Path
) -> None:
    numbers = [
        json.loads(run(elsewhere, "publish", "forecast", "--json").stdout)["num_runs"]
        for _ in range(2)
    ]
    assert numbers == [1, 0]
    assert len(client.search_model_versions(f"name = '{NAME}'")) == 2


def test_server_hands_out_the_files_of_the_champion(
    client: MlflowClient,
    elsewhere: Path,
    server: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MLFLOW_TRACKING_URI", server)
    monkeypatch.setenv("MLFLOW_REGISTRY_URI", server)
    folder = Path(artifacts.download_artifacts(f"models:/{NAME}@champion", dst_path=str(tmp_path)))
    store = find_store(elsewhere)
    original = store.find_folder(store.read_pointer().version)
    # The rest is the model that MLflow serves.
    assert {"MLmodel", *(path.name for path in original.iterdir())} <= {
        path.name for path in folder.iterdir()
    }
    assert all(
        (folder / path.name).read_bytes() == path.read_bytes() for path in original.iterdir()
    )


def test_alias_follows_what_people_decide(client: MlflowClient, elsewhere: Path) -> None:
    store = find_store(elsewhere)
    before = store.read_pointer().version
    (other,) = [version for version in store.list_versions() if version != before]
    for arguments, expected in (
        (("promote", "forecast", other), other),
        (("rollback", "forecast"), before),
    ):
        assert run(elsewhere, *arguments).returncode == 0
        assert client.get_model_version_by_alias(NAME, "champion").tags["version"] == expected


def test_server_alone_has_what_it_was_told(client: MlflowClient, elsewhere: Path) -> None:
    assert [path.name for path in elsewhere.iterdir() if path.name.startswith("ml")] == []
