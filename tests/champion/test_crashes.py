"""A process that is killed, or that finds the disk full, at any write leaves a champion that is whole."""

import json
import shutil
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

import stub_trainer
from rnn_pipelines.champion.history import list_records, make_name
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError
from rnn_pipelines.storage.files import name_temporary
from trials import (
    NUM_RANDOM_KILLS,
    Case,
    End,
    fail_at_every_call,
    kill_at_random,
    make_fixture,
    run,
)

pytestmark = pytest.mark.slow

SCRIPT = Path(stub_trainer.__file__)


@dataclass
class Trial:
    """One process that ended early, and what it left.

    Attributes:
        end: how it ended.
        allowed: numbers that the champion may have.
        found: number of the champion after it; None where none was there, "damaged" where it is neither old nor new.
        on_record: number of the champion's retraining, as it is on record.
        alarms: of the champion.
        broken: versions that are not whole although they are listed, or the champion, or the one before it.
        num_unread: files of the history that can't be read.
        problem: of the next retraining; empty where it succeeded.
        num_left: unfinished versions and files after the next retraining.
    """

    end: End
    allowed: tuple[int | None, ...]
    found: int | str | None = None
    on_record: int | None = None
    alarms: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)
    num_unread: int = 0
    problem: str = ""
    num_left: int = 0


def identify(files: dict[str, bytes]) -> int | str:
    """The number of the retraining that made the files, every byte of them."""
    made = stub_trainer.drop_record(files)
    try:
        number = int(made["part0.bin"][:5])
    except (KeyError, ValueError):
        return "damaged"
    return number if made == stub_trainer.make_files(number, len(made)) else "damaged"


def inspect(end: End, allowed: tuple[int | None, ...]) -> Trial:
    """What is found on disk; then retrains."""
    folder = end.folder
    trial = Trial(end, allowed)
    store = ChampionStore(folder)
    try:
        champion = store.load()
        trial.found, trial.alarms = identify(dict(champion.files)), list(champion.alarms)
    except ChampionError as error:
        trial.found = None if "None was promoted yet" in str(error) else "damaged"
    trial.on_record = stub_trainer.find_number(store)
    pointer = store.find_pointer()
    named = [pointer.version, *pointer.previous[:1]] if pointer else []
    for version in {*store.list_versions(), *named}:
        try:
            store.read_version(version)
        except ChampionError as error:
            trial.broken.append(str(error))
    trial.num_unread = len(list((folder / "history").glob("*.json"))) - len(list_records(folder))
    try:
        stub_trainer.retrain(folder, 99_999, 2)
        if (
            identify(dict(store.load().files)) != 99_999
            or list_records(folder)[-1]["number"] != 99_999
        ):
            trial.problem = "the next retraining left no trace"
        # Now that it isn't the champion any more, its version alone would not do.
        if trial.found not in (None, *(record["number"] for record in list_records(folder))):
            trial.problem = "the champion before is not in the history"
    except Exception as error:
        trial.problem = repr(error)
    trial.num_left = len(list(folder.rglob(".*.part")))
    return trial


def try_every_call(
    tmp_path: Path, work: str, kind: str, prepare: Callable[[Path], int], num_files: int
) -> list[Trial]:
    """Does the same work from the same start, with a fault at each call."""
    start = tmp_path / "start"
    start.mkdir()
    number = prepare(start)
    allowed = ((number or None), number + 1) if work == "retrain" else (number,)
    ends = fail_at_every_call(
        SCRIPT, work, ("--number", number + 1, "--files", num_files), start, kind
    )
    return [inspect(end, allowed) for end in ends]


def prepare_nothing(_: Path) -> int:
    return 0


def prepare_champions(folder: Path) -> int:
    """Two champions, and what a killed process left."""
    for number in (1, 2):
        stub_trainer.retrain(folder, number, 3)
    versions = folder / "versions"
    left = versions / f".{make_name(folder)}.part"
    shutil.copytree(versions / ChampionStore(folder).list_versions()[0], left)
    (left / "part1.bin").unlink()
    (left / name_temporary("part1.bin")).write_bytes(b"0000")
    (folder / name_temporary("champion.json")).write_bytes(b"half of")
    return 2


def prepare_old_versions(folder: Path) -> int:
    """Four versions, of which the second is in use again."""
    versions = [stub_trainer.retrain(folder, number, 2) for number in (1, 2, 3, 4)]
    ChampionStore(folder).promote(versions[1], ["rolled back"], "2026-01-02T00:00:00+00:00")
    return 2


def try_random_moments(tmp_path: Path) -> list[Trial]:
    """Kills a process that retrains and prunes without end at any moment; the next one goes on from there."""
    trials: list[Trial] = []
    # Now and then from the start, to which a kill can come before the first champion.
    folders = [tmp_path / f"{number // 10}" for number in range(NUM_RANDOM_KILLS)]
    for number, end in enumerate(kill_at_random(SCRIPT, folders)):
        latest = trials[-1].found if number % 10 else None
        latest = end.done[-1] if end.done else latest
        trials.append(inspect(end, (latest, int(latest or 0) + 1)))
    return trials


CASES: dict[str, Case] = {
    f"{work} {kind}": lambda path, start=start, kind=kind, num_files=num_files: try_every_call(
        path, start[0], kind, start[1], num_files
    )
    for work, start, num_files in (
        ("first", ("retrain", prepare_nothing), 1),
        ("third", ("retrain", prepare_champions), 3),
        ("prune", ("prune", prepare_old_versions), 1),
    )
    for kind in ("kill", "once", "full")
    # To prune takes no room.
    if (work, kind) != ("prune", "full")
} | {"random kill": try_random_moments}


# With one file, a retraining takes some 40 calls; with three, some 60.
trials = make_fixture(CASES, {"first": 40, "third": 60, "prune": 10})


def test_champion_is_the_old_or_the_new_one_whole(trials: list[Trial]) -> None:
    assert [trial for trial in trials if trial.found not in trial.allowed] == []


def test_retraining_of_the_champion_is_on_record(trials: list[Trial]) -> None:
    assert [trial for trial in trials if trial.on_record != trial.found] == []


@pytest.mark.parametrize("fault", ["alarms", "broken", "num_unread", "problem", "num_left"])
def test_after_a_crash_the_next_retraining_finds_no_fault(trials: list[Trial], fault: str) -> None:
    """Also because no lock outlives its process."""
    assert [trial for trial in trials if getattr(trial, fault)] == []


@pytest.fixture(scope="module", params=["limit", "disk"])
def rooms(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> list[dict[str, Any]]:
    """Outcomes of retraining with little room: files that can't grow, or a small disk of its own."""
    folder = tmp_path_factory.mktemp("room")
    command: list[object] = [sys.executable, SCRIPT, request.param, folder]
    if request.param == "disk":
        own = ["unshare", "--map-root-user", "--mount"]
        may_mount = shutil.which("unshare") and not subprocess.call(
            [*own, "mount", "-t", "tmpfs", "none", folder], stderr=subprocess.DEVNULL
        )
        if may_mount:
            command = [*own, *command]
        else:
            warnings.warn(
                "No disk can be mounted here: the size of files is limited instead.", stacklevel=1
            )
            command[2] = "limit"
    finished = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert finished.returncode == 0, finished.stderr
    outcomes: list[dict[str, Any]] = json.loads(finished.stdout)
    print(f"{command[-2]}: {len(outcomes)} trials")
    return outcomes


@pytest.mark.parametrize("is_done", [True, False])
def test_room_is_too_little_before_it_is_enough(rooms: list[dict[str, Any]], is_done: bool) -> None:
    """So that no other test here passes for want of trials."""
    assert sum(outcome["is_done"] is is_done for outcome in rooms) >= 2


@pytest.mark.parametrize("fact", ["is_whole", "is_on_record", "is_next_done"])
def test_champion_on_a_full_disk_keeps_every_fact(rooms: list[dict[str, Any]], fact: str) -> None:
    assert [outcome for outcome in rooms if not outcome[fact] or outcome["alarms"]] == []


@pytest.fixture(scope="module")
def together(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """Twenty processes that retrained at once: `store` and the `codes` they ended with."""
    folder = tmp_path_factory.mktemp("together")
    finished = run(SCRIPT, "together", folder, "--number", 20)
    assert finished.returncode == 0, finished.stderr
    return SimpleNamespace(store=ChampionStore(folder), codes=json.loads(finished.stdout))


def test_twenty_at_once_all_succeed(together: SimpleNamespace) -> None:
    assert together.codes == [0] * 20


def test_twenty_at_once_leave_one_champion(together: SimpleNamespace) -> None:
    champion = together.store.load()
    assert identify(dict(champion.files)) in range(1, 21)
    assert champion.alarms == []


def test_twenty_at_once_list_every_champion_before_once(together: SimpleNamespace) -> None:
    pointer = together.store.read_pointer()
    assert sorted([pointer.version, *pointer.previous]) == together.store.list_versions()
    assert len(pointer.previous) == 19


def test_twenty_at_once_leave_twenty_records(together: SimpleNamespace) -> None:
    numbers = [record["number"] for record in list_records(together.store.folder)]
    assert sorted(numbers) == list(range(1, 21))
