"""Whole runs of pipelines under `--env=test`, and the files that they leave in `.test_data`."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from click.testing import CliRunner, Result
from kedro.framework.project import pipelines
from kedro.framework.session import KedroSession
from kedro.framework.startup import bootstrap_project

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.history import read_history
from rnn_pipelines.cli.run_command import run
from rnn_pipelines.datasets import ChampionDataset

PROJECT = Path(__file__).parents[2]
ROOT = PROJECT / ".test_data"
BASELINES = [
    "last_value",
    "drift",
    "seasonal_naive",
    "climatology",
    "ridge",
    "baseline_ensemble",
    "theta",
    "damped_trend",
    "holt_winters",
    "trees",
]
# The keys of a record of a retraining.
MANIFEST = {
    "record", "kind", "task", "at", "outcome", "is_promoted", "version", "reasons", "as_of", "fingerprints", "commit",
    "versions", "parameters", "seeds", "data", "metrics", "p_value", "seconds",
}  # fmt: skip


def make_command(pipeline: str, *settings: str) -> list[str]:
    """Return the command of a run, with settings such as `forecast.gru.units=4`."""
    parameters = ["--params", ",".join(settings)] if settings else []
    return [
        sys.executable,
        "-m",
        "kedro",
        "run",
        f"--pipelines={pipeline}",
        "--env=test",
        *parameters,
    ]


def run_command(
    pipeline: str,
    *settings: str,
    conf: Path | None = None,
    environment: dict[str, str] | None = None,
) -> subprocess.CompletedProcess[str]:
    """Run a pipeline in a process of its own, and return its exit code and output.

    Args:
        settings: see `make_command`.
        conf: the folder of configuration, if it is not that of the project.
        environment: all environment variables; by default those of this process.
    """
    source = [f"--conf-source={conf}"] if conf else []
    command = [*make_command(pipeline, *settings), *source]
    return subprocess.run(
        command, check=False, cwd=PROJECT, env=environment, capture_output=True, text=True
    )


def run_well(pipeline: str, *settings: str, **options: Any) -> subprocess.CompletedProcess[str]:
    """Run a pipeline as `run_command` does; its exit code is 0."""
    finished = run_command(pipeline, *settings, **options)
    assert finished.returncode == 0, finished.stderr
    return finished


def run_here(pipeline: str, parameters: dict[str, Any], conf: Path | None = None) -> None:
    """Run a pipeline in this process."""
    bootstrap_project(PROJECT)
    source = str(conf) if conf else None
    with KedroSession.create(
        project_path=PROJECT, env="test", conf_source=source, runtime_params=parameters
    ) as session:
        session.run(pipeline_names=[pipeline])


def call_command(
    pipeline: str, *settings: str, option: str = "--pipelines", arguments: Sequence[str] = ()
) -> Result:
    """Call the command of a run in this process, and return its exit code and output."""
    bootstrap_project(PROJECT)
    parameters = ["--params", ",".join(settings)] if settings else []
    try:
        return CliRunner().invoke(
            run, [f"{option}={pipeline}", "--env=test", *parameters, *arguments]
        )
    finally:
        # The command loads only the pipelines that it needs.
        pipelines.set_requested(None)


def copy_configuration(folder: Path) -> Path:
    """Copy the configuration to `conf` in a folder, with `data` beside it as the data root of `--env=test`."""
    conf = folder / "conf"
    shutil.copytree(PROJECT / "conf", conf, ignore=shutil.ignore_patterns("local"))
    (conf / "local").mkdir()
    (conf / "test/globals.yml").write_text(f"data_root: {folder / 'data'}\n")
    return conf


def read_json(path: str) -> Any:
    """Read a file below `.test_data`."""
    return json.loads((ROOT / path).read_text())


def take_checksums(folder: Path = ROOT, part: str = "") -> dict[str, tuple[int, bytes]]:
    """Return time and content of each file that is shown, and has this folder in its path.

    The folders of the newest run are links. Those of a failed run are hidden, and left out.
    """
    found = {}
    for parent, folders, names in os.walk(folder, followlinks=True):
        folders[:] = [name for name in folders if not name.startswith(".")]
        for path in (Path(parent, name) for name in names if not name.startswith(".")):
            if not part or part in path.relative_to(folder).parts:
                found[str(path)] = (path.stat().st_mtime_ns, path.read_bytes())
    assert found
    return found


def find_newest(task: str) -> dict[str, Any]:
    """Return the newest record of the history."""
    return dict(read_history(ROOT / f"06_models/champion/{task}")[-1])


def load_champion(task: str) -> LoadedChampion:
    """Load the model in use."""
    champion = ChampionDataset(path=str(ROOT / f"06_models/champion/{task}"), task=task).load()
    assert champion is not None
    return champion
