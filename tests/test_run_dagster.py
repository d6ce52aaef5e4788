"""The jobs of Dagster run the project's commands in order, and map their exit codes."""

import os
import subprocess
from pathlib import Path

import pytest

from whole_runs import PROJECT

pytestmark = [pytest.mark.slow, pytest.mark.dagster]
STEPS = [
    "champion retrain forecast --wait=600",
    "run --pipelines=predict_forecast",
    "run --pipelines=monitor_forecast",
    "champion check forecast",
]


def run_night(folder: Path, codes: str) -> tuple[int, list[str], str]:
    """Runs the job with a kedro that ends with these codes; returns its code, the commands and its log."""
    kedro = folder / ".venv/bin/kedro"
    kedro.parent.mkdir(parents=True, exist_ok=True)
    kedro.write_text(
        f'#!/bin/sh\necho "$@" >> calls\nset -- {codes}\nshift $(($(wc -l < calls) - 1))\nexit $1\n'
    )
    kedro.chmod(0o755)
    (folder / "calls").unlink(missing_ok=True)
    command = [str(PROJECT / ".dagster/bin/dagster"), "job", "execute", "-j", "night_forecast"]
    command += ["-f", str(PROJECT / "deploy/dagster/rnn_pipelines_nights.py")]
    environment = {
        **os.environ,
        "RNN_PIPELINES_PROJECT": str(folder),
        "DAGSTER_HOME": "",
        "DAGSTER_DISABLE_TELEMETRY": "1",
    }
    environment.pop("PYTHONPATH", None)
    finished = subprocess.run(
        command, env=environment, cwd=folder, capture_output=True, text=True, check=False
    )
    return (
        finished.returncode,
        (folder / "calls").read_text().splitlines(),
        finished.stdout + finished.stderr,
    )


@pytest.mark.parametrize(
    ("codes", "code", "failure"),
    [("0 0 0 10", 0, None), ("75 0 0 20", 1, "retrain ended with 75; check ended with 20")],
    ids=["retraining due", "failed retraining and alarm"],
)
def test_night_fails_by_the_codes_of_its_steps(
    tmp_path: Path, codes: str, code: int, failure: str | None
) -> None:
    found, calls, log = run_night(tmp_path, codes)
    assert (found != 0) == (code != 0), log
    assert calls == STEPS
    assert failure is None or failure in log
