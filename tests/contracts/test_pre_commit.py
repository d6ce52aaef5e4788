"""The hooks of pre-commit run the programs of the lock, on the files that `make lint` checks."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml


@pytest.fixture(scope="module")
def hooks(project: Path) -> dict[str, dict[str, Any]]:
    """The hooks by their ids."""
    repositories = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())["repos"]
    return {hook["id"]: hook for repository in repositories for hook in repository["hooks"]}


def find_lines(hook: dict[str, Any], text: str) -> list[str]:
    """Return the lines that a hook of the language `pygrep` objects to."""
    return [line for line in text.splitlines() if re.search(hook["entry"], line)]


def test_programs_are_local(project: Path, hooks: dict[str, dict[str, Any]]) -> None:
    repositories = yaml.safe_load((project / ".pre-commit-config.yaml").read_text())["repos"]
    assert [repository["repo"] for repository in repositories] == ["local"]
    assert {hook["language"] for hook in hooks.values()} == {"system", "pygrep"}


def test_programs_need_no_further_package(hooks: dict[str, dict[str, Any]]) -> None:
    assert [name for name, hook in hooks.items() if "additional_dependencies" in hook] == []


def test_programs_are_those_of_make_lint(project: Path, hooks: dict[str, dict[str, Any]]) -> None:
    makefile = (project / "Makefile").read_text()
    linted = set(re.findall(r"^\t\$\(BIN\)/(ruff \w+|lint-imports)", makefile, re.MULTILINE))
    entries = [hook["entry"] for hook in hooks.values() if hook["language"] == "system"]
    assert {
        re.match(r"\.venv/bin/(ruff \w+|lint-imports)", entry)[1] for entry in entries
    } == linted


def test_folders_are_those_of_make_lint(project: Path, hooks: dict[str, dict[str, Any]]) -> None:
    folders = set(
        re.search(r"ruff check (src [\w ]+)", (project / "Makefile").read_text())[1].split()
    )
    for name in ("ruff-format", "ruff-check"):
        assert set(re.fullmatch(r"\^\(([\w|]+)\)/", hooks[name]["files"])[1].split("|")) == folders


@pytest.mark.parametrize(
    "line", ["<" * 7 + " HEAD", "|" * 7 + " 1a2b3c4", "=" * 7, ">" * 7 + " branch"]
)
def test_mark_of_a_merge_conflict_is_found(hooks: dict[str, dict[str, Any]], line: str) -> None:
    assert find_lines(hooks["merge-conflict"], f"before\n{line}\nafter\n") == [line]


@pytest.mark.parametrize("folder", ["src", "tests", "docs", "conf", "deploy", ".github"])
def test_files_hold_no_mark_of_a_merge_conflict(
    project: Path, hooks: dict[str, dict[str, Any]], folder: str
) -> None:
    files = [
        path
        for path in (project / folder).rglob("*.*")
        if path.suffix in (".py", ".md", ".yml", ".toml", ".txt")
    ]
    marked = [
        path
        for path in files
        if find_lines(hooks["merge-conflict"], path.read_text(errors="replace"))
    ]
    assert files
    assert marked == []
