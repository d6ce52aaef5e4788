"""kedro-viz shows graph, plots and metrics, without a network."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from rnn_pipelines.pipelines.forecast.pipeline import DIAGNOSTIC_FIGURES, FIGURES

PROJECT = Path(__file__).parents[1]


@pytest.mark.slow
def test_viz_builds_with_a_preview_of_every_figure() -> None:
    for command in (["run"], ["viz", "build", "--include-previews"]):
        finished = subprocess.run(
            [sys.executable, "-m", "kedro", *command],
            check=False,
            cwd=PROJECT,
            env=os.environ | {"KEDRO_ENV": "test"},
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0, finished.stderr
    pages = [json.loads(path.read_text()) for path in (PROJECT / "build/api/nodes").iterdir()]
    shutil.rmtree(PROJECT / "build")
    # Figures of other pipelines are there where these have run before.
    figures = [
        page["preview"]
        for page in pages
        if page.get("preview_type") == "PlotlyPreview" and "/forecast/" in page["filepath"]
    ]
    assert len(figures) == len(FIGURES | DIAGNOSTIC_FIGURES)
    assert all(figure["data"] for figure in figures)
