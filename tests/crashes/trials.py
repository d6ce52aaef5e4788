"""Run a program again and again, and end it at each call that changes a disk, or at random moments.

The programs are beside this file: `stub_trainer.py` and `stub_saver.py` for the tests of `champion`, `stub_run.py` for
those of `runs`.
"""

import os
import random
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from faults import DISK_FULL

KILLED = -9
NUM_RANDOM_KILLS = int(os.environ.get("RNN_FUZZ_KILLS", "60"))
# A process that is killed reports no coverage, and thousands are started.
UNMEASURED = {name: value for name, value in os.environ.items() if not name.startswith("COVERAGE_")}


Case = Callable[[Path], list[Any]]


@dataclass(frozen=True)
class End:
    """How one process ended.

    Attributes:
        where: the fault, and at which call or moment.
        is_reached: whether the process ended by it.
        num_ignored: errors that it ignored, without those that are harmless (see `Faults`).
        folder: what it left; gone when the next one is asked for.
        done: numbers of what it said that it had done.
    """

    where: str
    is_reached: bool
    num_ignored: int
    folder: Path
    done: list[int] = field(default_factory=list)


def run(script: Path, *arguments: object) -> subprocess.CompletedProcess[str]:
    """Runs a program to its end."""
    command = [sys.executable, str(script), *map(str, arguments)]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, env=UNMEASURED
    )


def fail_at_every_call(
    script: Path, work: str, options: Iterable[object], start: Path, kind: str
) -> Iterator[End]:
    """Does the same work from the same start, with a fault at its first call, its second, and so on.

    Args:
        script: the program.
        work, options: what it is to do.
        start: folder of which each process has a copy, beside it.
        kind: of the fault, see `Faults`.
    """
    counted = start.with_name("counted")
    shutil.copytree(start, counted, symlinks=True)
    finished = run(script, work, counted, *options)
    assert finished.returncode == 0, finished.stderr
    for at in range(1, int(finished.stdout.split()[0]) + 1):
        folder = start.with_name(f"{at}")
        shutil.copytree(start, folder, symlinks=True)
        ended = run(script, work, folder, *options, "--fault", kind, "--at", at)
        assert ended.returncode in (0, KILLED, DISK_FULL), ended.stderr
        is_reached = ended.returncode == (KILLED if kind == "kill" else DISK_FULL)
        num_ignored = 0 if is_reached else int(ended.stdout.split()[1])
        yield End(f"{work}, {kind} at call {at}", is_reached, num_ignored, folder)
        shutil.rmtree(folder)


def kill_at_random(script: Path, folders: Iterable[Path]) -> Iterator[End]:
    """Kills a process that works without end at any moment.

    Args:
        script: the program.
        folders: in which each process works; one that is named again goes on from what the process before left.
    """
    moments = random.Random(0)
    for folder in folders:
        folder.mkdir(exist_ok=True)
        command = [sys.executable, str(script), "forever", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=UNMEASURED) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            seconds = moments.uniform(0, 0.15)
            time.sleep(seconds)
            child.kill()
            done = [int(number) for number in child.stdout.read().split()]
        # A copy, because whoever inspects it does more work there.
        copy = folder.with_name("copy")
        shutil.copytree(folder, copy, symlinks=True)
        yield End(f"killed after {seconds:.4f} s", child.returncode == KILLED, 0, copy, done)
        shutil.rmtree(copy)


def make_fixture(cases: Mapping[str, Case], num_trials: Mapping[str, int]) -> Any:
    """Return a fixture of the trials of each case; it fails if there are too few, or if an error is ignored.

    Args:
        cases: by name, which is a word and the kind of the fault: each does its trials in a folder. A trial has its
            `End` as `end`.
        num_trials: the least number of trials, by the first word; "random" has one for each kill.
    """

    @pytest.fixture(scope="module", params=cases)
    def trials(
        request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
    ) -> list[Any]:
        folder = tmp_path_factory.mktemp("crashes")
        done = cases[request.param](folder)
        shutil.rmtree(folder)
        print(f"{request.param}: {len(done)} trials")
        assert len(done) >= {"random": NUM_RANDOM_KILLS, **num_trials}[request.param.split()[0]]
        ignored = [trial.end.where for trial in done if trial.end.num_ignored]
        assert ignored == []
        # Harmless errors end no process: at most 15 of the 70 of a retraining, which makes 8 folders that exist and
        # removes 7 things that a killed process left. So most faults are not harmless.
        missed = [trial.end.where for trial in done if not trial.end.is_reached]
        assert len(missed) <= (0 if "kill" in request.param else len(done) / 4), missed
        return done

    return trials
