"""The locks, the project's and Airflow's, install the same packages from any index."""

import re
import tomllib
from itertools import chain
from pathlib import Path

import pytest


@pytest.fixture(scope="module", params=["requirements.lock", "deploy/airflow/requirements.lock"])
def lock(project: Path, request: pytest.FixtureRequest) -> str:
    return (project / request.param).read_text()


@pytest.fixture(scope="module")
def requirements(lock: str) -> list[str]:
    """One requirement each, with its hashes."""
    return lock.replace("\\\n", " ").strip().splitlines()


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name.strip())[0]).lower()


def test_lock_names_no_address(lock: str) -> None:
    assert re.findall(r"\S+://\S+|--(?:extra-)?index-url\S*|--find-links|-i ", lock) == []


def test_lock_names_no_path(lock: str) -> None:
    assert re.findall(r"^(?:-e |/|\.|file:).*", lock, re.MULTILINE) == []


def test_every_package_has_one_version(requirements: list[str]) -> None:
    assert [line for line in requirements if not re.match(r"[\w.-]+==[\w.+!]+( ; .+)? +--hash", line)] == []


def test_every_package_has_a_hash(requirements: list[str]) -> None:
    assert [line for line in requirements if not re.search(r"--hash=sha256:[0-9a-f]{64}", line)] == []


def find_names(path: Path) -> set[str]:
    return {normalize(line) for line in path.read_text().splitlines() if re.match(r"\w", line)}


def test_every_dependency_is_locked(project: Path) -> None:
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    wanted = chain(metadata["dependencies"], *metadata["optional-dependencies"].values())
    assert {normalize(name) for name in wanted} - find_names(project / "requirements.lock") == set()


def test_everything_that_airflow_needs_is_locked(project: Path) -> None:
    folder = project / "deploy/airflow"
    assert find_names(folder / "requirements.txt") - find_names(folder / "requirements.lock") == set()
