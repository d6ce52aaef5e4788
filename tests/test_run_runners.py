"""Whole runs by each runner of Kedro write the same files, apart from names of runs, times and measured seconds."""

import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from run_files import read_files
from whole_runs import PROJECT, copy_configuration

pytestmark = pytest.mark.slow

# Each with the pipelines that run after one another in a data root; the others are in tests/contracts/test_runners.py.
NIGHT = ("retrain_forecast", "predict_forecast", "monitor_forecast")
CHAINS = {"forecast": ("forecast",), "night": NIGHT}
RUNNERS = ["ThreadRunner", "ParallelRunner"]
# How processes start: as copies of the main one, or anew, as on macOS.
STARTS = {"forecast": "spawn"}


def run(folder: Path, pipeline: str, runner: str, *more: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "kedro", "run", f"--pipelines={pipeline}", "--env=test"]
    options = [f"--conf-source={folder / 'conf'}", f"--runner={runner}"]
    return subprocess.run(
        [*command, *options, *more],
        check=False,
        cwd=PROJECT,
        env=os.environ | {"KEDRO_MP_CONTEXT": STARTS.get(pipeline, "fork")},
        capture_output=True,
        text=True,
    )


@pytest.fixture(scope="module")
def read(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, str], dict[str, Any]]:
    """Runs a chain of pipelines once by a runner, and returns the content of its files."""
    finished: dict[tuple[str, str], dict[str, Any]] = {}

    def read_chain(chain: str, runner: str) -> dict[str, Any]:
        if (chain, runner) not in finished:
            folder = tmp_path_factory.mktemp(chain)
            copy_configuration(folder)
            for pipeline in CHAINS[chain]:
                ended = run(folder, pipeline, runner)
                assert ended.returncode == 0, ended.stderr
            finished[chain, runner] = read_files(folder / "data")
        return finished[chain, runner]

    return read_chain


@pytest.mark.parametrize("chain", CHAINS)
@pytest.mark.parametrize("runner", RUNNERS)
def test_runner_writes_the_files_of_the_sequential_one(
    read: Callable[[str, str], dict[str, Any]], chain: str, runner: str
) -> None:
    expected = read(chain, "SequentialRunner")
    contents = read(chain, runner)
    assert contents.keys() == expected.keys()
    assert [name for name in expected if contents[name] != expected[name]] == []


def test_fault_of_the_data_has_the_words_of_the_sequential_runner(tmp_path: Path) -> None:
    copy_configuration(tmp_path)
    (tmp_path / "odd.csv").write_text("ds,y\n2024-01-01,1\n2024-01-02,x1\n")
    source = f"forecast.source.path={tmp_path / 'odd.csv'},forecast.source.target=y"
    ends = [
        run(tmp_path, "forecast", runner, "--params", source)
        for runner in ("SequentialRunner", *RUNNERS)
    ]
    errors = [re.findall("^Error: .*x1.*", ended.stderr, re.MULTILINE) for ended in ends]
    assert [ended.returncode for ended in ends] == [1, 1, 1]
    assert len(errors[0]) == 1
    assert errors == errors[:1] * 3
