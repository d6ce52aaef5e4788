"""Nobody is told that the project is used, however it is started: a copy without dot files, with nothing exported."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from socketserver import StreamRequestHandler, ThreadingTCPServer
from typing import Any

import pytest

PROJECT = Path(__file__).parents[1]
# What turns telemetry off without us: in the tests' own environment, and that of whoever tests by a service.
OTHERS = (
    "DO_NOT_TRACK",
    "KEDRO_DISABLE_TELEMETRY",
    "MLFLOW_DISABLE_TELEMETRY",
    "CI",
    "GITHUB_ACTIONS",
    "GITLAB_CI",
)

SESSION = """
from pathlib import Path
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project
bootstrap_project(Path.cwd())
with KedroSession.create() as session:
    session.load_context().catalog
"""
KEDRO = [sys.executable, "-m", "kedro"]
STARTS = {
    "command": [*KEDRO, "registry", "list"],
    "unknown command": [*KEDRO, "nix"],
    "champion": [*KEDRO, "champion", "history", "forecast"],
    "session": [sys.executable, "-c", SESSION],
}


class Server:
    """Stands between a process and the world, and lets nothing through.

    Attributes:
        asked: the first line of whatever came.
        port: its own.
    """

    def __init__(self) -> None:
        self.asked: list[str] = []
        asked = self.asked

        class Handler(StreamRequestHandler):
            def handle(self) -> None:
                asked.append(self.rfile.readline().decode().strip())

        self._server = ThreadingTCPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self.port = self._server.server_address[1]
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def start(command: list[str], folder: Path, home: Path, server: Server, **more: str) -> None:
    """Runs a command that reaches the world by the server alone."""
    proxy = f"http://127.0.0.1:{server.port}"
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), proxy)
    own = {
        name: value
        for name, value in os.environ.items()
        if name not in (*OTHERS, "NO_PROXY", "no_proxy")
    }
    places = {"HOME": str(home), "XDG_CONFIG_HOME": str(home), "PYTHONPATH": str(folder / "src")}
    environment = own | proxies | places | more
    subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, check=False, timeout=120
    )


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as the image has it: without a dot file."""
    folder = tmp_path_factory.mktemp("copy")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    shutil.copytree(PROJECT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    shutil.copytree(
        PROJECT / "src", folder / "src", ignore=shutil.ignore_patterns("*.egg-info", "__pycache__")
    )
    (folder / "conf" / "local").mkdir()
    return folder


def test_kedro_elsewhere_would_tell(tmp_path: Path, server: Server) -> None:
    """So that no other test here passes because the server sees nothing."""
    start([*KEDRO, "info"], tmp_path, tmp_path, server)
    assert [line.split()[:2] for line in server.asked] == [["CONNECT", "heapanalytics.com:443"]]


@pytest.mark.parametrize("name", STARTS)
def test_nothing_is_told_by(name: str, copy: Path, tmp_path: Path, server: Server) -> None:
    before = (copy / "pyproject.toml").read_bytes()
    start(STARTS[name], copy, tmp_path, server)
    assert server.asked == []
    # Nor prepared: it would give project and user a number.
    assert (copy / "pyproject.toml").read_bytes() == before
    assert list(tmp_path.iterdir()) == []


def test_empty_variables_are_no_consent(copy: Path, tmp_path: Path, server: Server) -> None:
    start(STARTS["command"], copy, tmp_path, server, **dict.fromkeys(OTHERS, ""))
    assert server.asked == []


def test_mlflow_tells_nothing_either() -> None:
    code = """
import rnn_pipelines
from mlflow.telemetry.utils import is_telemetry_disabled
print(is_telemetry_disabled())
"""
    environment: dict[str, Any] = {
        name: value for name, value in os.environ.items() if name not in OTHERS
    }
    done = subprocess.run(
        [sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True
    )
    assert done.stdout == "True\n"
