"""The night that the README tells, command by command."""

import json
import re
import shlex
import shutil
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

PROJECT = Path(__file__).parents[1]

pytestmark = pytest.mark.slow


def read_night() -> list[list[str]]:
    """The commands of the README's section, each in words, without the program."""
    section = (PROJECT / "README.md").read_text().partition("## Every night")[2].partition("\n## ")[0]
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
    return subprocess.run(command, cwd=folder, check=False, capture_output=True, text=True).returncode


# In their order: the first night, then what is left of it.


def test_every_command_of_the_first_night_ends_well(elsewhere: Path) -> None:
    night = read_night()
    named = [next(word for word in words if "forecast" in word) for words in night]
    assert named == ["forecast", "--pipelines=predict_forecast", "--pipelines=monitor_forecast", "forecast"]
    for words in night:
        # The check is asked after each step, as somebody who looks on the first day does.
        assert (words, run_kedro(elsewhere, *words)) == (words, 0)
        assert (words, run_kedro(elsewhere, *night[-1])) == (words, 0)


def test_a_night_without_the_monitor_has_a_code_of_its_own_a_day_later(elsewhere: Path) -> None:
    verdict = elsewhere / ".test_data/08_reporting/monitor_forecast/verdict.json"
    verdict.resolve().unlink()
    champion = elsewhere / ".test_data/06_models/champion/forecast/champion.json"
    pointer = json.loads(champion.read_text())
    pointer["since"] = (datetime.now(UTC) - timedelta(days=2)).isoformat(timespec="seconds")
    champion.write_text(json.dumps(pointer))
    assert run_kedro(elsewhere, *read_night()[-1]) == 11
