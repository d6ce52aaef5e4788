"""A run that is killed, or finds the disk full, at any write leaves the results before it, or its own, whole."""

import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

import stub_run
from rnn_pipelines.runs.run_store import FAILED, RunStore
from rnn_pipelines.runs.writing import open_run, put_aside
from trials import NUM_RANDOM_KILLS, Case, End, fail_at_every_call, kill_at_random, make_fixture

pytestmark = pytest.mark.slow

SCRIPT = Path(stub_run.__file__)
ALL = set(stub_run.make_files(0))
LAST = 99_999
NOTE, MINE = "note.md", b"mine"


@dataclass
class Trial:
    """One process that ended early, and what it left.

    Attributes:
        end: how it ended.
        allowed: numbers that may be shown.
        shown: numbers of all files that are shown.
        num_missing: files that are not shown.
        damaged: files of complete runs that are not as they were written.
        num_notes: notes of a user that are there, and those after the next run.
        problem: of the next run; empty where it showed all that it wrote.
        left: unfinished folders after the next run.
    """

    end: End
    allowed: set[int]
    shown: set[int]
    num_missing: int
    damaged: list[str]
    num_notes: tuple[int, int] = (0, 0)
    problem: str = ""
    left: list[str] = field(default_factory=list)


def inspect(end: End, allowed: set[int]) -> Trial:
    """What is found on disk; then runs once more."""
    root = end.folder
    shown = stub_run.read_shown(end.folder)
    damaged = list(stub_run.find_damaged(root))
    trial = Trial(end, allowed, set(shown.values()), len(ALL - shown.keys()), damaged)
    num_notes = count_notes(root)
    try:
        stub_run.run(root, LAST)
    except Exception as error:
        trial.problem = repr(error)
    if stub_run.read_shown(root) != dict.fromkeys(ALL, LAST):
        trial.problem = trial.problem or "the next run is not shown"
    trial.num_notes = (num_notes, count_notes(root))
    trial.left = [str(path) for path in root.rglob(".*.part")]
    return trial


def count_notes(root: Path) -> int:
    return sum(path.read_bytes() == MINE for path in root.rglob(NOTE) if path.is_file())


def try_every_call(tmp_path: Path, kind: str, prepare: Callable[[Path], int]) -> list[Trial]:
    """Runs from the same start, with a fault at each call."""
    start = tmp_path / "start"
    start.mkdir()
    number = prepare(start)
    ends = fail_at_every_call(SCRIPT, "run", ("--number", number + 1), start, kind)
    return [inspect(end, {number, number + 1}) for end in ends]


def prepare_nothing(_: Path) -> int:
    return 0


def prepare_runs(root: Path) -> int:
    """Runs, of which the next one removes the oldest, and what a killed and a failed process left."""
    for number in (1, 2):
        stub_run.run(root, number)
    for number in (3, 4):
        opened = open_run(RunStore(root, "forecast"), stub_run.make_files(number), needed=None)
        path = opened.folder / min(ALL)
        path.parent.mkdir(parents=True)
        path.write_text("half of it")
        if number == 3:
            put_aside(opened)
    return 2


def prepare_notes(root: Path) -> int:
    """The same among notes of a user, which keep the oldest run and two hidden folders."""
    prepare_runs(root)
    runs = RunStore(root, "forecast")
    for path in (
        runs.folder / runs.list_runs()[0],
        *runs.versions.list_hidden(FAILED),
        root / "08_reporting",
    ):
        (path / NOTE).write_bytes(MINE)
    hidden = runs.folder / ".2026-01-01T00.00.00.000000Z-abcdef.failed"
    hidden.mkdir()
    (hidden / NOTE).write_bytes(MINE)
    return 2


def prepare_copy(root: Path) -> int:
    """The same, copied through its links."""
    original = root.with_name("original")
    number = prepare_notes(original)
    root.rmdir()
    shutil.copytree(original, root)
    shutil.rmtree(original)
    return number


def try_random_moments(tmp_path: Path) -> list[Trial]:
    """Kills a process that runs without end at any moment; the next one goes on from there."""
    root = tmp_path / "root"
    trials = []
    latest = 0
    for end in kill_at_random(SCRIPT, [root] * NUM_RANDOM_KILLS):
        latest = end.done[-1] if end.done else latest
        trials.append(inspect(end, {latest, latest + 1}))
        latest = max(stub_run.read_shown(root).values(), default=0)
    return trials


PREPARED = {
    "first": prepare_nothing,
    "third": prepare_runs,
    "notes": prepare_notes,
    "copy": prepare_copy,
}
CASES: dict[str, Case] = {
    f"{name} {kind}": lambda path, kind=kind, prepare=prepare: try_every_call(path, kind, prepare)
    for name, prepare in PREPARED.items()
    for kind in ("kill", "full")
} | {"random kill": try_random_moments}


trials = make_fixture(CASES, dict.fromkeys(PREPARED, 40))


def test_what_is_shown_is_of_one_run(trials: list[Trial]) -> None:
    assert [trial for trial in trials if len(trial.shown) > 1] == []


def test_what_is_shown_is_of_the_run_before_or_of_the_new_one(trials: list[Trial]) -> None:
    assert [trial for trial in trials if not trial.shown <= trial.allowed] == []


def test_everything_is_shown_once_there_was_a_run(
    trials: list[Trial], request: pytest.FixtureRequest
) -> None:
    """Except for the moment in which a link takes the place of a copied folder."""
    missing = [trial for trial in trials if trial.num_missing and trial.allowed != {0, 1}]
    assert len(missing) <= (
        len(stub_run.LAYERS) if "copy" in request.node.callspec.params["trials"] else 0
    )


def test_no_note_of_a_user_is_lost(trials: list[Trial], request: pytest.FixtureRequest) -> None:
    """After the process that ended early, and after the next run."""
    has_notes = {"notes", "copy"}.intersection(request.node.callspec.params["trials"].split())
    assert {trial.num_notes for trial in trials} == ({(4, 4)} if has_notes else {(0, 0)})


@pytest.mark.parametrize("fault", ["damaged", "problem", "left"])
def test_after_a_crash_the_next_run_finds_no_fault(trials: list[Trial], fault: str) -> None:
    """Also because no lock outlives its process."""
    assert [trial for trial in trials if getattr(trial, fault)] == []


def run_at_once(folder: Path, *numbers: int) -> list[int]:
    """The codes of processes that begin together."""
    commands = [
        [sys.executable, str(SCRIPT), "run", str(folder), "--number", str(number)]
        for number in numbers
    ]
    processes = [subprocess.Popen(command, stdout=subprocess.DEVNULL) for command in commands]
    return [process.wait(timeout=60) for process in processes]


def test_the_last_of_two_runs_at_once_is_shown(tmp_path: Path) -> None:
    for pair in range(1, 51):
        assert run_at_once(tmp_path, 2 * pair, 2 * pair + 1) == [0, 0]
        shown = stub_run.read_shown(tmp_path)
        assert shown.keys() == ALL
        assert set(shown.values()) in ({2 * pair}, {2 * pair + 1})


def test_runs_at_once_are_whole(tmp_path: Path) -> None:
    for pair in range(5):
        run_at_once(tmp_path, 2 * pair, 2 * pair + 1)
    assert stub_run.find_damaged(tmp_path) == {}
    assert len(RunStore(tmp_path, "forecast").list_runs()) == stub_run.NUM_KEPT
