"""The workflow that installs from the locks and looks up known vulnerabilities, as far as it can be read here."""

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

Workflow = dict[Any, Any]


@pytest.fixture(scope="module")
def workflow(project: Path) -> Workflow:
    return yaml.safe_load((project / ".github/workflows/supply-chain.yml").read_text())


@pytest.fixture(scope="module")
def steps(workflow: Workflow) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


def test_runs_every_week(workflow: Workflow) -> None:
    """YAML reads the key `on` as true."""
    minute, hour, day, month, weekday = workflow[True]["schedule"][0]["cron"].split()
    assert (minute.isdigit(), hour.isdigit(), day, month, weekday.isdigit()) == (
        True,
        True,
        "*",
        "*",
        True,
    )


def test_python_is_that_of_the_image(project: Path, steps: list[dict[str, Any]]) -> None:
    versions = {
        step["with"]["python-version"] for step in steps if "python-version" in step.get("with", {})
    }
    assert versions == set(
        re.findall(r"^FROM python:([\d.]+)-", (project / "Dockerfile").read_text(), re.MULTILINE)
    )


def test_audits_read_every_lock(steps: list[dict[str, Any]]) -> None:
    audits = [step["run"] for step in steps if step.get("run", "").startswith("pip-audit")]
    assert [command.split()[-1] for command in audits] == [
        "requirements.lock",
        "deploy/airflow/requirements.lock",
    ]


def test_audits_require_hashes(steps: list[dict[str, Any]]) -> None:
    audits = [step["run"] for step in steps if step.get("run", "").startswith("pip-audit")]
    assert all({"--disable-pip", "--require-hashes"} <= set(command.split()) for command in audits)


def test_all_is_installed_from_locks_with_hashes(steps: list[dict[str, Any]]) -> None:
    """`make install` is, by `test_lock.py`."""
    installs = [step["run"] for step in steps if "install" in step.get("run", "")]
    assert installs == [
        "make install",
        "pip install --quiet --require-hashes --requirement .github/audit/requirements.lock",
    ]


def test_nothing_is_tracked(project: Path) -> None:
    assert yaml.safe_load((project / ".telemetry").read_text()) == {"consent": False}


def test_every_kind_of_package_is_renewed(project: Path) -> None:
    updates = yaml.safe_load((project / ".github/dependabot.yml").read_text())["updates"]
    assert {update["package-ecosystem"] for update in updates} == {
        "github-actions",
        "docker",
        "pip",
    }


def test_every_lock_is_renewed(project: Path) -> None:
    updates = yaml.safe_load((project / ".github/dependabot.yml").read_text())["updates"]
    folders = next(
        update["directories"] for update in updates if update["package-ecosystem"] == "pip"
    )
    # By the whole name: runs and champions have files called `.lock` and `retrain.lock` below the data root.
    name = "requirements*.lock"
    locks = [
        path
        for pattern in (name, f"[!.]*/**/{name}", f".github/**/{name}")
        for path in project.glob(pattern)
    ]
    assert {project / folder.strip("/") for folder in folders} == {path.parent for path in locks}
