"""Imports point one way, and a command that trains nothing loads nothing that trains."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

HEAVY = re.compile(r"\| +(tensorflow|keras|sklearn|mlflow)$", re.MULTILINE)


def test_import_contracts_hold(project: Path) -> None:
    command = [str(Path(sys.executable).with_name("lint-imports")), "--no-cache", "--no-logo"]
    finished = subprocess.run(command, cwd=project, check=False, capture_output=True, text=True)
    assert finished.returncode == 0, finished.stdout


@pytest.mark.parametrize(
    "command",
    [["registry", "list"], ["catalog", "describe-datasets", "--env=test"]],
    ids=["registry list", "catalog describe-datasets"],
)
def test_command_loads_neither_tensorflow_nor_scikit_learn_nor_mlflow(project: Path, command: list[str]) -> None:
    finished = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "kedro", *command],
        cwd=project,
        check=True,
        capture_output=True,
        text=True,
    )
    assert "| rnn_pipelines" in re.sub(" +", " ", finished.stderr)  # the project itself was loaded
    assert HEAVY.findall(finished.stderr) == []
