"""A run that is killed, or finds the disk full, at any write leaves the results before it, or its own, whole."""

import random
import runpy
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace

import pytest

from rnn_pipelines.runs.room import Room

pytestmark = pytest.mark.slow

SCRIPT = Path(__file__).with_name("stub_run.py")
STUB = SimpleNamespace(**runpy.run_path(str(SCRIPT)))
KILLED = -9
NUM_RANDOM_KILLS = 150
ALL = set(STUB.make_files(0))
LAST = 99_999


@dataclass
class Trial:
    """One process that ended early, and what it left.

    Attributes:
        where: the fault, and at which call or moment.
        is_reached: whether the process ended by it.
        allowed: numbers that may be shown.
        shown: numbers of all files that are shown.
        num_missing: files that are not shown.
        damaged: files of complete runs that are not as they were written.
        problem: of the next run; empty where it showed all that it wrote.
        left: unfinished folders after the next run.
    """

    where: str
    is_reached: bool
    allowed: set[int]
    shown: set[int] = field(default_factory=set)
    num_missing: int = 0
    damaged: list[str] = field(default_factory=list)
    problem: str = ""
    left: list[str] = field(default_factory=list)


def run(*arguments: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, SCRIPT, *map(str, arguments)], capture_output=True, text=True, check=False, timeout=120
    )


def inspect(root: Path, trial: Trial) -> Trial:
    """Adds to the trial what is found on disk, then runs once more."""
    shown = STUB.read_shown(root)
    trial.shown, trial.num_missing = set(shown.values()), len(ALL - shown.keys())
    trial.damaged = list(STUB.find_damaged(root))
    try:
        STUB.run(root, LAST)
    except Exception as error:
        trial.problem = repr(error)
    if STUB.read_shown(root) != dict.fromkeys(ALL, LAST):
        trial.problem = trial.problem or "the next run is not shown"
    trial.left = [str(path) for path in root.rglob(".*.part")]
    return trial


def try_every_call(tmp_path: Path, kind: str, prepare: Callable[[Path], int]) -> list[Trial]:
    """Runs again and again from the same start, with a fault at its first call, its second, and so on."""
    start = tmp_path / "start"
    start.mkdir()
    number = prepare(start)
    shutil.copytree(start, tmp_path / "counted", symlinks=True)
    counted = run("run", tmp_path / "counted", "--number", number + 1)
    assert counted.returncode == 0, counted.stderr
    trials = []
    for at in range(1, int(counted.stdout) + 1):
        root = tmp_path / f"{at}"
        shutil.copytree(start, root, symlinks=True)
        finished = run("run", root, "--number", number + 1, "--fault", kind, "--at", at)
        assert finished.returncode in (0, KILLED, STUB.CHAMPION.DISK_FULL), finished.stderr
        is_reached = finished.returncode == (KILLED if kind == "kill" else STUB.CHAMPION.DISK_FULL)
        trials.append(inspect(root, Trial(f"{kind} at call {at}", is_reached, {number, number + 1})))
        shutil.rmtree(root)
    return trials


def prepare_nothing(_: Path) -> int:
    return 0


def prepare_runs(root: Path) -> int:
    """Runs, of which the next one removes the oldest, and what a killed process left."""
    for number in (1, 2):
        STUB.run(root, number)
    (root / "runs/forecast/.killed.part/08_reporting").mkdir(parents=True)
    return 2


def prepare_plain_files(root: Path) -> int:
    """Results of a version of the project that had no runs."""
    STUB.write_plainly(root, 1)
    return 1


def kill_at_random(tmp_path: Path) -> list[Trial]:
    """Kills a process that runs without end at any moment; the next one goes on from there."""
    moments, trials, latest = random.Random(0), [], 0
    root = tmp_path / "root"
    root.mkdir()
    for _ in range(NUM_RANDOM_KILLS):
        with subprocess.Popen([sys.executable, SCRIPT, "forever", root], stdout=subprocess.PIPE, text=True) as child:
            assert child.stdout is not None
            assert child.stdout.readline() == "ready\n"
            seconds = moments.uniform(0, 0.15)
            time.sleep(seconds)
            child.kill()
            shown = child.stdout.read().split()
        latest = int(shown[-1]) if shown else latest
        trial = Trial(f"killed after {seconds:.4f} s", child.returncode == KILLED, {latest, latest + 1})
        # On a copy, because it runs once more.
        shutil.copytree(root, tmp_path / "copy", symlinks=True)
        trials.append(inspect(tmp_path / "copy", trial))
        shutil.rmtree(tmp_path / "copy")
        latest = max(STUB.read_shown(root).values(), default=0)
    return trials


CASES: dict[str, Callable[[Path], list[Trial]]] = {
    f"{name} {kind}": lambda path, kind=kind, prepare=prepare: try_every_call(path, kind, prepare)
    for name, prepare in (("first", prepare_nothing), ("third", prepare_runs), ("plain", prepare_plain_files))
    for kind in ("kill", "full")
} | {"random kill": kill_at_random}


@pytest.fixture(scope="module", params=CASES)
def trials(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> list[Trial]:
    folder = tmp_path_factory.mktemp("crashes")
    trials = CASES[request.param](folder)
    shutil.rmtree(folder)
    print(f"{request.param}: {len(trials)} trials")
    return trials


def test_there_is_a_trial_for_each_call(trials: list[Trial], request: pytest.FixtureRequest) -> None:
    """So that no other test here passes for want of trials."""
    is_random = "random" in request.node.callspec.params["trials"]
    assert len(trials) >= (NUM_RANDOM_KILLS if is_random else 40)


def test_processes_ended_by_their_fault(trials: list[Trial], request: pytest.FixtureRequest) -> None:
    """Each that was killed; an error may be passed over where a folder is there already, or leftovers are removed."""
    missed = [trial.where for trial in trials if not trial.is_reached]
    assert len(missed) <= (0 if "kill" in request.node.callspec.params["trials"] else len(trials) / 5), missed


def test_what_is_shown_is_of_one_run(trials: list[Trial]) -> None:
    assert [trial for trial in trials if len(trial.shown) > 1] == []


def test_what_is_shown_is_of_the_run_before_or_of_the_new_one(trials: list[Trial]) -> None:
    assert [trial for trial in trials if not trial.shown <= trial.allowed] == []


def test_everything_is_shown_once_there_was_a_run(trials: list[Trial], request: pytest.FixtureRequest) -> None:
    """But that older results are out of sight for a moment when the first run makes them a run of their own."""
    missing = [trial for trial in trials if trial.num_missing and trial.allowed != {0, 1}]
    assert missing == [] or "plain" in request.node.callspec.params["trials"]


def test_no_complete_run_is_damaged(trials: list[Trial]) -> None:
    assert [trial for trial in trials if trial.damaged] == []


def test_next_run_succeeds_and_is_shown(trials: list[Trial]) -> None:
    """Also because no lock outlives its process."""
    assert [trial for trial in trials if trial.problem] == []


def test_next_run_removes_what_is_unfinished(trials: list[Trial]) -> None:
    assert [trial for trial in trials if trial.left] == []


def test_runs_at_once_are_all_kept_apart(tmp_path: Path) -> None:
    """Pairs of processes that begin together: each run is whole, and the last to end is shown."""
    for pair in range(1, 51):
        commands = [[sys.executable, str(SCRIPT), "run", str(tmp_path), "--number", str(2 * pair + n)] for n in (0, 1)]
        processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
        assert [process.wait(timeout=60) for process in processes] == [0, 0]
        shown = STUB.read_shown(tmp_path)
        assert shown.keys() == ALL
        assert set(shown.values()) <= {2 * pair, 2 * pair + 1}
        assert len(set(shown.values())) == 1
    assert STUB.find_damaged(tmp_path) == {}
    assert len(Room(tmp_path, "forecast").list_runs()) == STUB.NUM_KEPT
