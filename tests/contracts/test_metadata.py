"""What the project says of itself agrees, and the package has all of its files."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

import rnn_pipelines
from rnn_pipelines.version import __version__


@pytest.fixture(scope="module")
def configuration(project: Path) -> dict[str, Any]:
    return tomllib.loads((project / "pyproject.toml").read_text())


@pytest.fixture(scope="module")
def citation(project: Path) -> dict[str, Any]:
    return yaml.safe_load((project / "CITATION.cff").read_text())


def test_every_file_is_installed_for_the_supported_versions(configuration: dict[str, Any]) -> None:
    package = Path(rnn_pipelines.__file__).parent
    patterns = configuration["tool"]["setuptools"]["package-data"]["rnn_pipelines"]
    installed = {path for pattern in patterns for path in package.glob(pattern)}
    others = {
        path for path in package.rglob("*") if path.is_file() and path.suffix not in (".py", ".pyc")
    }
    assert others == installed
    assert package / "py.typed" in installed
    metadata = configuration["project"]
    first, stop = map(
        int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", metadata["requires-python"]).groups()
    )
    named = [name.split(" :: ")[-1] for name in metadata["classifiers"] if "Python :: 3." in name]
    assert named == [f"3.{minor}" for minor in range(first, stop)]


def test_citation_has_this_version(citation: dict[str, Any]) -> None:
    assert citation["version"] == __version__


def test_citation_has_the_licence(configuration: dict[str, Any], citation: dict[str, Any]) -> None:
    assert citation["license"] == configuration["project"]["license"]


def test_citation_has_the_title(configuration: dict[str, Any], citation: dict[str, Any]) -> None:
    assert citation["title"] == configuration["tool"]["kedro"]["project_name"]


def test_citation_has_what_its_format_requires(citation: dict[str, Any]) -> None:
    assert {"cff-version", "message", "title", "authors"} <= citation.keys()
    assert [author.keys() for author in citation["authors"]] == [{"name"}]
