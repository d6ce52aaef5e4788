"""A save that is killed, or that finds the disk full, leaves the old model or the new one, whole, and nothing else.

`RNN_FUZZ_KILLS` says how many kills come at random moments, and `RNN_FUZZ_READS` how often a model is read meanwhile.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

import stub_saver
from rnn_pipelines.champion.folders import save_folder
from rnn_pipelines.errors import RnnPipelinesError
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

SCRIPT = Path(stub_saver.__file__)
NUM_READS = int(os.environ.get("RNN_FUZZ_READS", "1000"))
# Of the model that the next save writes, with its list and lock.
NUM_FILES = len(stub_saver.make_files(99_999)) + 2


@dataclass
class Trial:
    """One save that ended early, and what it left.

    Attributes:
        end: how it ended.
        allowed: numbers that the model may have.
        found: number of the model after it; None where there is none, -1 where it is not whole.
        problem: of the next save; empty where it succeeded.
        names: what lies in the folder after the next save.
        others: what lies beside the folder.
    """

    end: End
    allowed: tuple[int | None, ...]
    found: int | None
    problem: str
    names: list[str]
    others: list[str]


def inspect(end: End, allowed: tuple[int | None, ...]) -> Trial:
    """What is found on disk; then saves."""
    folder = end.folder / stub_saver.MODEL
    found = stub_saver.read(end.folder)
    problem = ""
    try:
        save_folder(folder, stub_saver.make_files(99_999))
        if stub_saver.read(end.folder) != 99_999:
            problem = "the next save left no trace"
    except RnnPipelinesError as error:
        problem = repr(error)
    others = [path.name for path in end.folder.iterdir() if path != folder]
    return Trial(end, allowed, found, problem, os.listdir(folder), others)


def prepare_nothing(_: Path) -> int:
    return 0


def prepare_model(folder: Path) -> int:
    for number in (1, 2):
        save_folder(folder / stub_saver.MODEL, stub_saver.make_files(number))
    return 2


def prepare_leftovers(folder: Path) -> int:
    """A model, and what a save left that was killed before it wrote its list."""
    prepare_model(folder)
    killed = folder / "killed"
    save_folder(killed, stub_saver.make_files(7))
    for path in killed.glob("*.*.npz"):
        path.rename(folder / stub_saver.MODEL / path.name)
    shutil.rmtree(killed)
    (folder / stub_saver.MODEL / name_temporary("model.json")).write_bytes(b"half of")
    return 2


def try_every_call(tmp_path: Path, kind: str, prepare: Callable[[Path], int]) -> list[Trial]:
    start = tmp_path / "start"
    start.mkdir()
    number = prepare(start)
    ends = fail_at_every_call(SCRIPT, "save", ("--number", number + 1), start, kind)
    return [inspect(end, ((number or None), number + 1)) for end in ends]


def try_random_moments(tmp_path: Path) -> list[Trial]:
    """Kills a process that saves without end at any moment; the next one goes on from there."""
    trials: list[Trial] = []
    folders = [tmp_path / f"{number // 10}" for number in range(NUM_RANDOM_KILLS)]
    for number, end in enumerate(kill_at_random(SCRIPT, folders)):
        latest = end.done[-1] if end.done else trials[-1].found if number % 10 else None
        trials.append(inspect(end, (latest, int(latest or 0) + 1)))
    return trials


CASES: dict[str, Case] = {
    f"{name} {kind}": lambda path, prepare=prepare, kind=kind: try_every_call(path, kind, prepare)
    for name, prepare, kinds in (
        ("first", prepare_nothing, ("kill", "full")),
        ("over", prepare_model, ("kill", "once", "full")),
        ("leftovers", prepare_leftovers, ("kill",)),
    )
    for kind in kinds
} | {"random kill": try_random_moments}


trials = make_fixture(CASES, {"first": 30, "over": 30, "leftovers": 30})


def test_model_is_the_old_or_the_new_one_whole(trials: list[Trial]) -> None:
    assert [trial for trial in trials if trial.found not in trial.allowed] == []


@pytest.mark.parametrize("fault", ["problem", "others"])
def test_after_a_crash_the_next_save_finds_no_fault(trials: list[Trial], fault: str) -> None:
    """Also because no lock outlives its process."""
    assert [trial for trial in trials if getattr(trial, fault)] == []


def test_next_save_removes_what_is_left_over(trials: list[Trial]) -> None:
    assert [trial for trial in trials if len(trial.names) != NUM_FILES] == []


def test_readers_beside_a_saver_always_get_a_whole_model(tmp_path: Path) -> None:
    save_folder(tmp_path / stub_saver.MODEL, stub_saver.make_files(1))
    with subprocess.Popen(
        [sys.executable, SCRIPT, "forever", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as saver:
        assert saver.stdout is not None
        assert saver.stdout.readline() == "ready\n"
        reader = run(SCRIPT, "read", tmp_path, "--number", NUM_READS)
        saver.kill()
        num_saves = len(saver.stdout.read().split())
    assert reader.returncode == 0, reader.stderr
    num_reads, num_models = map(int, reader.stdout.split())
    print(f"{num_reads} reads beside {num_saves} saves, {num_models} models read")
    assert num_reads == NUM_READS
    assert num_models > 3
