"""A wing that is taken off leaves a project that works: its modules load, Kedro lists the rest, and it forecasts."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.slow

# The packages of each wing, its pipelines, and its folders of tests.
WINGS = {"lab": ["compare", "internals", "pretrain"]}
IMPORT_ALL = (
    "import importlib, pkgutil, rnn_pipelines; "
    "names = [module.name for module in pkgutil.walk_packages(rnn_pipelines.__path__, 'rnn_pipelines.')]; "
    "[importlib.import_module(name) for name in names if not name.endswith(('_served', '.program'))]; "
    "print(len(names))"
)


@pytest.fixture(scope="module", params=WINGS)
def without_wing(
    request: pytest.FixtureRequest, project: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, list[str]]:
    """A copy of the project without a wing, and the pipelines that went with it."""
    wing: str = request.param
    copy = tmp_path_factory.mktemp(f"without_{wing}")
    for name in ("src", "conf", "pyproject.toml", "README.md"):
        source = project / name
        if source.is_dir():
            shutil.copytree(source, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(source, copy / name)
    shutil.rmtree(copy / "src/rnn_pipelines" / wing)
    for pipeline in WINGS[wing]:
        shutil.rmtree(copy / "src/rnn_pipelines/pipelines" / pipeline)
        for file in copy.glob(f"conf/*/*_{pipeline}.yml"):
            file.unlink()
    return copy, WINGS[wing]


def run(folder: Path, *arguments: str) -> str:
    """Run Python in a folder, with the project that lies there, and return what it prints."""
    environment = {**os.environ, "PYTHONPATH": str(folder / "src")}
    finished = subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        check=False,
        capture_output=True,
        text=True,
    )
    assert finished.returncode == 0, finished.stderr[-2000:]
    return finished.stdout


def test_every_module_that_is_left_loads(without_wing: tuple[Path, list[str]]) -> None:
    folder, _ = without_wing
    assert int(run(folder, "-c", IMPORT_ALL)) > 300


def test_kedro_lists_the_pipelines_that_are_left(without_wing: tuple[Path, list[str]]) -> None:
    folder, pipelines = without_wing
    listed = run(folder, "-m", "kedro", "registry", "list")
    expected = {
        path.parent.name for path in folder.glob("src/rnn_pipelines/pipelines/*/pipeline.py")
    }
    assert {line.removeprefix("- ") for line in listed.splitlines() if line} == expected | {
        "__default__"
    }
    assert not expected & set(pipelines)


def test_the_main_job_runs(without_wing: tuple[Path, list[str]]) -> None:
    folder, _ = without_wing
    run(folder, "-m", "kedro", "run", "--pipelines=forecast", "--env=test")
    assert list(folder.glob("**/next_values.csv"))
