"""kedro-viz shows graph, plots and metrics, and its page on the site needs no other server."""

import functools
import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from browser import CHROMIUM, SWITCHES
from documents import PROJECT
from rnn_pipelines.pipelines.forecast.pipeline import DIAGNOSTIC_FIGURES, FIGURES

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def graph(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The graph as a page of the site, after a run."""
    run = ["run", "--params", "forecast.totals=horizon"]
    for command in (run, ["viz", "build", "--include-previews"]):
        finished = subprocess.run(
            [sys.executable, "-m", "kedro", *command],
            check=False,
            cwd=PROJECT,
            env=os.environ | {"KEDRO_ENV": "test"},
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, finished.stderr
    site = tmp_path_factory.mktemp("site")
    runpy.run_path(str(PROJECT / "docs/finish_site.py"))["add_graph"](PROJECT / "build", site)
    shutil.rmtree(PROJECT / "build")
    return site / "graph"


def test_graph_has_a_preview_of_every_figure(graph: Path) -> None:
    pages = [json.loads(path.read_text()) for path in (graph / "api/nodes").iterdir()]
    # Figures of other pipelines are there where these have run before.
    figures = [
        page["preview"]
        for page in pages
        if page.get("preview_type") == "PlotlyPreview" and "/forecast/" in page["filepath"]
    ]
    assert len(figures) == len(FIGURES | DIAGNOSTIC_FIGURES)
    assert all(figure["data"] for figure in figures)


def test_graph_names_no_folder_of_the_machine(graph: Path) -> None:
    answers = [path.read_text() for path in graph.glob("api/**/*") if path.is_file()]
    assert answers
    assert [answer for answer in answers if str(PROJECT) in answer] == []


def test_graph_page_names_no_other_server(graph: Path) -> None:
    page = (graph / "index.html").read_text()
    assert re.findall(r"(?:https?:)?//[\w.-]+", page) == []
    assert "default-src 'self'" in page


@pytest.fixture
def address(graph: Path) -> Iterator[str]:
    """The address of the graph on a server of this machine."""
    handler = functools.partial(SimpleHTTPRequestHandler, directory=graph.parent)
    server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_port}/graph/"
    server.shutdown()


@pytest.mark.chromium
def test_graph_is_drawn_without_another_server(address: str, tmp_path: Path) -> None:
    """The policy of the page forbids requests to other servers, and the browser reports those that it refuses."""
    command = [str(CHROMIUM), *SWITCHES, f"--user-data-dir={tmp_path / 'profile'}"]
    command += ["--window-size=1400,900", "--virtual-time-budget=30000", "--dump-dom", address]
    finished = subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)
    nodes = re.findall(r'data-id="([0-9a-z_]+)"', finished.stdout)
    assert len(nodes) > 10, finished.stdout[-2000:]
    assert [line for line in finished.stderr.splitlines() if "Content Security" in line] == []
