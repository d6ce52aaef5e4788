"""The locks install the same packages from any index, and commands what they need."""

import os
import re
import shutil
import subprocess
import tomllib
from itertools import chain
from pathlib import Path

import pytest

# What is locked beside the project, each from its own requirements.txt.
BESIDE = ("deploy/airflow", ".github/audit")


@pytest.fixture(
    scope="module",
    params=["requirements.lock", *(f"{folder}/requirements.lock" for folder in BESIDE)],
)
def lock(project: Path, request: pytest.FixtureRequest) -> str:
    return (project / request.param).read_text()


def normalize(name: str) -> str:
    return re.sub(r"[-_.]+", "-", re.match(r"[\w.-]+", name.strip())[0]).lower()


def test_lock_has_no_address(lock: str) -> None:
    assert re.findall(r"\S+://\S+|--(?:extra-)?index-url\S*|--find-links|-i ", lock) == []


def test_lock_has_no_local_package(lock: str) -> None:
    assert re.findall(r"^(?:-e |/|\.|file:).*", lock, re.MULTILINE) == []


def test_lock_has_one_version_in_each_requirement(lock: str) -> None:
    # One requirement each, with its hashes.
    requirements = lock.replace("\\\n", " ").strip().splitlines()
    assert [
        line for line in requirements if not re.match(r"[\w.-]+==[\w.+!]+( ; .+)? +--hash", line)
    ] == []


def test_lock_has_a_hash_for_each_requirement(lock: str) -> None:
    # One requirement each, with its hashes.
    requirements = lock.replace("\\\n", " ").strip().splitlines()
    assert [
        line for line in requirements if not re.search(r"--hash=sha256:[0-9a-f]{64}", line)
    ] == []


def find_names(path: Path) -> set[str]:
    return {normalize(line) for line in path.read_text().splitlines() if re.match(r"\w", line)}


def test_every_dependency_is_locked(project: Path) -> None:
    metadata = tomllib.loads((project / "pyproject.toml").read_text())["project"]
    wanted = chain(metadata["dependencies"], *metadata["optional-dependencies"].values())
    assert {normalize(name) for name in wanted} - find_names(project / "requirements.lock") == set()


@pytest.mark.parametrize("name", BESIDE)
def test_everything_that_is_needed_beside_is_locked(project: Path, name: str) -> None:
    folder = project / name
    assert (
        find_names(folder / "requirements.txt") - find_names(folder / "requirements.lock") == set()
    )


@pytest.fixture
def fresh(project: Path, tmp_path: Path) -> Path:
    """A checkout, as far as make looks at it, in which nothing is installed."""
    for name in (
        "Makefile",
        "pyproject.toml",
        "requirements.lock",
        "deploy/airflow/requirements.lock",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(project / name, tmp_path / name)
    return tmp_path


def run_make(folder: Path, *arguments: str, **variables: str) -> str:
    """What make prints when a shell starts it: one that another make starts prints more, and takes its options."""
    hidden = ("MAKE", "MFLAGS", "PIP_", "UV_", "SSL_")
    kept = {name: value for name, value in os.environ.items() if not name.startswith(hidden)}
    command = ["make", *arguments]
    finished = subprocess.run(
        command, cwd=folder, check=True, capture_output=True, text=True, env=kept | variables
    )
    return finished.stdout + finished.stderr


def list_steps(folder: Path, *arguments: str) -> str:
    """What make would do."""
    return run_make(folder, "--dry-run", *arguments)


@pytest.mark.parametrize(
    ("arguments", "extras"),
    [
        (["forecast"], set()),
        (["forecast", "ENV=postgres"], {"--extra postgres"}),
        (["sentiment"], {"--extra keras"}),
        (["compare"], {"--extra keras"}),
        (["internals"], {"--extra keras"}),
        (["tune"], {"--extra tune"}),
        (["viz"], {"--extra viz"}),
        (["notebook"], {"--extra keras", "--extra notebook"}),
        (["mlflow"], {"--extra mlflow"}),
        (["install"], {"--all-extras"}),
        (["test"], {"--all-extras"}),
    ],
    ids=lambda values: " ".join(sorted(values)),
)
def test_command_installs_the_extras_that_it_needs(
    fresh: Path, arguments: list[str], extras: set[str]
) -> None:
    assert set(re.findall(r"--all-extras|--extra \w+", list_steps(fresh, *arguments))) == extras


def test_installs_require_hashes(fresh: Path) -> None:
    installs = re.findall(r"install --.*", list_steps(fresh, "install", "airflow"))
    assert len(installs) == 5
    assert ["--require-hashes" in line or "--no-deps" in line for line in installs] == [True] * 5


def test_an_environment_of_an_older_version_is_made_anew(fresh: Path) -> None:
    (fresh / ".venv").mkdir()
    (fresh / ".venv/installed").touch()
    assert "-m venv --clear .venv" in list_steps(fresh, "forecast")


def test_an_environment_is_made_once(fresh: Path) -> None:
    (fresh / ".venv").mkdir()
    for name in ("uv", "project"):
        (fresh / f".venv/{name}.installed").touch()
    assert list_steps(fresh, "forecast") == ".venv/bin/kedro run --pipelines=forecast  \n"


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({}, "https://of.pip,/of/pip.pem"),
        ({"PIP_INDEX_URL": "https://of.the.shell"}, "https://of.the.shell,/of/pip.pem"),
        (
            {"PIP_INDEX_URL": "https://of.the.shell", "UV_DEFAULT_INDEX": "https://of.uv"},
            "https://of.uv,/of/pip.pem",
        ),
        ({"SSL_CERT_FILE": "/of/the/shell.pem"}, "https://of.pip,/of/the/shell.pem"),
    ],
)
def test_uv_has_the_settings_of_pip(fresh: Path, variables: dict[str, str], told: str) -> None:
    """Unless uv has its own; and nobody else is, for an address can hold a password."""
    programs = fresh / ".venv/bin"
    programs.mkdir(parents=True)
    (programs / "pip").write_text(
        "#!/bin/sh\necho \"global.cert='/of/pip.pem'\nglobal.index-url='https://of.pip'\"\n"
    )
    (programs / "uv").write_text('#!/bin/sh\necho "$UV_DEFAULT_INDEX,$SSL_CERT_FILE" > told\n')
    for path in programs.iterdir():
        path.chmod(0o755)
    for name in ("uv", "project"):
        (fresh / f".venv/{name}.installed").touch()
    printed = run_make(fresh, ".venv/viz.installed", **variables)
    assert (fresh / "told").read_text() == f"{told}\n"
    assert "of." not in printed


@pytest.mark.parametrize("name", ["Makefile", "Dockerfile"])
def test_how_it_is_installed_names_no_address(project: Path, name: str) -> None:
    assert (
        re.findall(r"\S+://\S+", (project / name).read_text().replace("sqlite:///mlflow.db", ""))
        == []
    )
