"""The workflows of GitHub, as far as they can be read here."""

import os
import re
import subprocess
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml

from rnn_pipelines.version import __version__

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


def test_two_jobs_have_further_permissions() -> None:
    """One publishes the site, and one attaches files to a release."""
    permissions = {
        (path.name, name): job["permissions"]
        for path in WORKFLOWS
        for name, job in read_workflow(path)["jobs"].items()
        if "permissions" in job
    }
    assert permissions == {
        ("pages.yml", "publish"): {"id-token": "write", "pages": "write"},
        ("release.yml", "release"): {"contents": "write"},
    }


def test_job_that_publishes_runs_no_code_of_the_repository() -> None:
    job = read_workflow(PROJECT / ".github/workflows/pages.yml")["jobs"]["publish"]
    assert [step["uses"].split("@")[0] for step in job["steps"]] == ["actions/deploy-pages"]


def test_workflows_keep_no_credentials(workflow: Workflow) -> None:
    checkouts = [step for step in list_steps(workflow) if "checkout" in step.get("uses", "")]
    assert checkouts
    assert [step["with"]["persist-credentials"] for step in checkouts] == [False] * len(checkouts)


def test_workflows_send_no_telemetry(workflow: Workflow) -> None:
    assert workflow["env"] == {"DO_NOT_TRACK": "1", "MLFLOW_DISABLE_TELEMETRY": "true"}


def test_jobs_end_within_an_hour(workflow: Workflow) -> None:
    assert [
        name
        for name, job in workflow["jobs"].items()
        if not 0 < job.get("timeout-minutes", 0) <= 60
    ] == []


@pytest.mark.parametrize("name", ["test", "supply-chain"])
def test_workflows_run_with_each_change(name: str) -> None:
    workflow = read_workflow(PROJECT / f".github/workflows/{name}.yml")
    # YAML reads the key `on` as true.
    assert {"push", "pull_request", "workflow_dispatch"} <= workflow[True].keys()
    assert workflow[True]["push"] == {"branches": ["main"]}


def test_site_is_published_with_each_push_to_main() -> None:
    pages = read_workflow(PROJECT / ".github/workflows/pages.yml")
    assert pages[True] == {"push": {"branches": ["main"]}, "workflow_dispatch": None}


def test_site_is_built_by_make() -> None:
    job = read_workflow(PROJECT / ".github/workflows/pages.yml")["jobs"]["build"]
    assert [step["run"] for step in job["steps"] if "run" in step] == ["make forecast docs graph"]
    assert [step["with"]["path"] for step in job["steps"] if "pages" in step.get("uses", "")] == [
        "site"
    ]


def test_a_tag_is_released_with_wheel_sdist_and_image() -> None:
    release = read_workflow(PROJECT / ".github/workflows/release.yml")
    assert release[True] == {"push": {"tags": ["v*"]}}
    commands = "\n".join(step["run"] for step in list_steps(release) if "run" in step)
    for part in ("make dist", "docker build", "docker save", "gh release create", "dist/*"):
        assert part in commands


def run_step(name: str, folder: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run the command of a step of the release in a folder."""
    release = read_workflow(PROJECT / ".github/workflows/release.yml")
    (command,) = [step["run"] for step in list_steps(release) if step.get("name") == name]
    return subprocess.run(
        ["bash", "-ec", command],
        check=False,
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize(("tag", "code"), [(f"v{__version__}", 0), ("v99.0.0", 1)])
def test_the_tag_is_the_version_of_the_package(tag: str, code: int) -> None:
    name = "The tag is the version of the package"
    assert run_step(name, PROJECT, GITHUB_REF_NAME=tag).returncode == code


def test_a_release_has_the_section_of_its_version_as_notes(tmp_path: Path) -> None:
    (tmp_path / "CHANGELOG.md").write_text(
        "# Changelog\n\n## 0.2.0 (day)\n\n- new\n\n## 0.1.0 (day)\n\n- old\n"
    )
    program = tmp_path / "gh"
    program.write_text('#!/bin/sh\necho "$@"\n')
    program.chmod(0o755)
    done = run_step(
        "Attach them to the release",
        tmp_path,
        GITHUB_REF_NAME="v0.2.0",
        PATH=f"{tmp_path}:{os.environ['PATH']}",
    )
    assert done.stdout.startswith("release create v0.2.0")
    assert (tmp_path / "notes.md").read_text().strip() == "- new"


def test_an_action_is_named_by_one_commit() -> None:
    steps = [step for path in WORKFLOWS for step in list_steps(read_workflow(path))]
    used = {step["uses"] for step in steps if "uses" in step}
    assert [name for name in used if not re.fullmatch(r"actions/[\w-]+@[0-9a-f]{40}", name)] == []
    assert sorted(name.split("@")[0] for name in used) == [
        "actions/checkout",
        "actions/deploy-pages",
        "actions/setup-python",
        "actions/upload-pages-artifact",
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
