"""The night that the README tells, command by command."""

import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rnn_pipelines.champion.pointer import read_pointer, write_pointer

PROJECT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def read_night() -> list[list[str]]:
    """The commands of the README's section, each in words, without the program."""
    section = (
        (PROJECT / "README.md").read_text().partition("## Every night")[2].partition("\n## ")[0]
    )
    commands = re.findall(r"^    \.venv/bin/kedro (.*)$", section, re.MULTILINE)
    return [shlex.split(command, comments=True) for command in commands]


@pytest.fixture(scope="module")
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project's configuration in a folder of its own, with results of its own."""
    folder = tmp_path_factory.mktemp("night")
    shutil.copy(PROJECT / "pyproject.toml", folder)
    shutil.copytree(PROJECT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
    (folder / "src").mkdir()
    return folder


def run_kedro(folder: Path, *words: str) -> int:
    command = [sys.executable, "-m", "kedro", *words, "--env=test"]
    return subprocess.run(
        command, cwd=folder, check=False, capture_output=True, text=True
    ).returncode


@pytest.fixture(scope="module")
def night(elsewhere: Path) -> list[tuple[list[str], int, int]]:
    """The first night: each command, its exit code, and that of the check, which somebody runs after each step."""
    commands = read_night()
    return [
        (words, run_kedro(elsewhere, *words), run_kedro(elsewhere, *commands[-1]))
        for words in commands
    ]


def test_every_command_of_the_first_night_ends_well(
    night: list[tuple[list[str], int, int]],
) -> None:
    named = [next(word for word in words if "forecast" in word) for words, *_ in night]
    assert named == [
        "forecast",
        "--pipelines=predict_forecast",
        "--pipelines=monitor_forecast",
        "forecast",
    ]
    assert [codes for _, *codes in night] == 4 * [[0, 0]]


def test_a_night_without_the_monitor_has_a_code_of_its_own_a_day_later(
    elsewhere: Path, night: list[tuple[list[str], int, int]]
) -> None:
    verdict = elsewhere / ".test_data/08_reporting/monitor_forecast/verdict.json"
    verdict.resolve().unlink()
    path = elsewhere / ".test_data/06_models/champion/forecast/champion.json"
    pointer = read_pointer(path)
    assert pointer is not None
    two_days_ago = datetime.now(UTC) - timedelta(days=2)
    write_pointer(path, replace(pointer, since=two_days_ago.isoformat(timespec="seconds")))
    assert run_kedro(elsewhere, *night[-1][0]) == 11
