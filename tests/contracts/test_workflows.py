"""The workflows of GitHub, as far as they can be read here."""

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

PROJECT = Path(__file__).parents[2]
WORKFLOWS = sorted((PROJECT / ".github/workflows").iterdir())
Workflow = dict[Any, Any]


def read_workflow(path: Path) -> Workflow:
    return yaml.safe_load(path.read_text())


def list_steps(workflow: Workflow) -> list[dict[str, Any]]:
    return [step for job in workflow["jobs"].values() for step in job["steps"]]


@pytest.fixture(params=WORKFLOWS, ids=lambda path: path.name)
def workflow(request: pytest.FixtureRequest) -> Workflow:
    return read_workflow(request.param)


def test_workflows_may_only_read(workflow: Workflow) -> None:
    assert workflow["permissions"] == {"contents": "read"}
    assert [job for job in workflow["jobs"].values() if "permissions" in job] == []


def test_workflows_keep_no_credentials(workflow: Workflow) -> None:
    checkouts = [step for step in list_steps(workflow) if "checkout" in step.get("uses", "")]
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * len(
        workflow["jobs"]
    )


def test_workflows_send_no_telemetry(workflow: Workflow) -> None:
    assert workflow["env"] == {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


def test_jobs_end_within_an_hour(workflow: Workflow) -> None:
    assert [
        name
        for name, job in workflow["jobs"].items()
        if not 0 < job.get("timeout-minutes", 0) <= 60
    ] == []


def test_workflows_run_with_each_change(workflow: Workflow) -> None:
    # YAML reads the key `on` as true.
    assert {"push", "pull_request", "workflow_dispatch"} <= workflow[True].keys()
    assert workflow[True]["push"] == {"branches": ["main"]}


def test_an_action_is_named_by_one_commit() -> None:
    steps = [step for path in WORKFLOWS for step in list_steps(read_workflow(path))]
    used = {step["uses"] for step in steps if "uses" in step}
    assert [name for name in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name)] == []
    assert sorted(name.split("@")[0] for name in used) == [
        "actions/checkout",
        "actions/setup-python",
    ]


def test_tests_run_with_every_python() -> None:
    tests = read_workflow(PROJECT / ".github/workflows/test.yml")
    metadata = tomllib.loads((PROJECT / "pyproject.toml").read_text())["project"]
    first, stop = map(
        int, re.fullmatch(r">=3\.(\d+),<3\.(\d+)", metadata["requires-python"]).groups()
    )
    (job,) = tests["jobs"].values()
    assert job["strategy"]["matrix"]["python-version"] == [
        f"3.{minor}" for minor in range(first, stop)
    ]


def test_tests_install_the_python_of_their_job() -> None:
    tests = read_workflow(PROJECT / ".github/workflows/test.yml")
    (job,) = tests["jobs"].values()
    (chosen,) = [
        step["with"]["python-version"]
        for step in job["steps"]
        if "setup-python" in step.get("uses", "")
    ]
    assert chosen == "${{ matrix.python-version }}"


def test_one_python_does_not_end_the_others() -> None:
    tests = read_workflow(PROJECT / ".github/workflows/test.yml")
    assert [job["strategy"]["fail-fast"] for job in tests["jobs"].values()] == [False]


def test_tests_are_those_of_make() -> None:
    tests = read_workflow(PROJECT / ".github/workflows/test.yml")
    assert [step["run"] for step in list_steps(tests) if "run" in step] == [
        "make test",
        "make coverage",
    ]
