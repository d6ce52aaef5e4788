"""The changelog is short, and the files, pipelines and targets that it names exist."""

import re
from datetime import date, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from rnn_pipelines.pipelines.names import PIPELINES
from rnn_pipelines.version import __version__

PROJECT = Path(__file__).parents[2]
TEXT = (PROJECT / "CHANGELOG.md").read_text()
SECTIONS = re.findall(
    r"^## (\S+) \((\S+)\)\n(.*?)(?=^## |\Z)", TEXT, flags=re.MULTILINE | re.DOTALL
)
FOLDERS = sorted(path.name for path in PROJECT.iterdir() if path.is_dir())


def list_lines(body: str) -> list[str]:
    """Return the items of a version, each on one line."""
    return [" ".join(item.split()) for item in re.split(r"^- ", body, flags=re.MULTILINE)[1:]]


LINES = [line for _, _, body in SECTIONS for line in list_lines(body)]


def test_the_newest_version_is_that_of_the_package() -> None:
    assert SECTIONS[0][0] == __version__


def test_a_version_is_a_day() -> None:
    days = [date.fromisoformat(day) for _, day, _ in SECTIONS]
    assert [before - after for before, after in pairwise(days)] == [timedelta(1)] * (len(days) - 1)


@pytest.mark.parametrize(("version", "day", "body"), SECTIONS, ids=lambda part: part[:10])
def test_a_version_has_at_most_ten_lines(version: str, day: str, body: str) -> None:
    assert 3 <= len(list_lines(body)) <= 10, (version, day)


def test_named_files_exist_or_are_said_to_be_removed() -> None:
    package = PROJECT / "src/rnn_pipelines"
    pattern = rf"`((?:{'|'.join(map(re.escape, FOLDERS))}|lab|connectors)/[\w./-]*)`"
    named = [
        (line, path)
        for line in LINES
        if not line.startswith("Removed")
        for path in re.findall(pattern, line)
    ]
    assert len(named) >= 5
    missing = [
        path for _, path in named if not (PROJECT / path).exists() and not (package / path).exists()
    ]
    assert missing == []


def test_named_pipelines_exist() -> None:
    named = set(re.findall(r"--pipelines=(\w+)", TEXT))
    assert named
    assert named <= {*PIPELINES}


def test_named_targets_exist() -> None:
    targets = re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE)
    assert set(re.findall(r"`make ([a-z-]+)", TEXT)) <= {*targets}
