"""The tutorial, from top to bottom in a fresh project with default settings: files, commands, code and their output."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from documents import TUTORIAL, ParameterModel, copy_project, list_parameter_models, read_text

pytestmark = pytest.mark.slow

# Numbers, times and the names of versions and runs depend on the machine and the day.
VARYING = re.compile(r"-?\b[0-9a-f]{6}\b\*?|[+−-]?\d[\d.,:T]*|[+−–-]")


def normalize(text: str) -> list[str]:
    """Return the lines of an output without what varies, and with single blanks."""
    return [" ".join(VARYING.sub("", line).split()) for line in text.splitlines()]


def run(project: Path, command: str) -> str:
    environment = {
        name: value for name, value in os.environ.items() if not name.startswith(("KEDRO_", "RNN_"))
    }
    environment["PATH"] = f"{project}/.venv/bin{os.pathsep}{environment['PATH']}"
    finished = subprocess.run(
        ["bash", "-c", command],
        check=False,
        cwd=project,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr
    return finished.stdout


def split_commands(block: ParameterModel) -> list[tuple[str, list[str]]]:
    """Return the commands after a `$`, each with the lines of output that follow it."""
    parts = re.split(r"^\$ ", block.text.replace("\\\n", ""), flags=re.MULTILINE)[1:]
    return [
        (command, normalize(output))
        for command, _, output in (part.partition("\n") for part in parts)
    ]


def check_output(shown: list[str], printed: str) -> None:
    """Every shown line is printed; one that ends with … is the beginning of a printed line."""
    lines = normalize(printed)
    complete = [line for line in shown if not line.endswith("…")]
    shortened = [line.removesuffix("…").strip() for line in shown if line.endswith("…")]
    assert [line for line in complete if line not in lines] == []
    assert [start for start in shortened if not any(line.startswith(start) for line in lines)] == []


def test_the_tutorial_prints_what_it_shows(tmp_path: Path) -> None:
    project = copy_project(tmp_path / "project")
    printed = ""
    compared = 0
    (project / ".venv/bin/python").write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    (project / ".venv/bin/python").chmod(0o755)
    for block in list_parameter_models(read_text(TUTORIAL)):
        commands = split_commands(block)
        if block.language == "yaml":
            (project / block.text.splitlines()[0].removeprefix("# ")).write_text(block.text)
        elif block.language == "python":
            (project / "code.py").write_text(block.text)
            printed = run(project, ".venv/bin/python code.py")
        elif commands:
            for command, shown in commands:
                check_output(shown, run(project, command))
                compared += len(shown)
        else:
            check_output(normalize(block.text), printed)
            compared += 1
    assert compared > 50
