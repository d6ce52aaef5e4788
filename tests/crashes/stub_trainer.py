"""Retrains with bytes for a model, and is killed or finds the disk full at a given call; run by the tests of crashes.

Only the standard library and what it tests: each of some hundred processes has to start fast.
"""

import argparse
import errno
import itertools
import json
import os
import resource
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from faults import Faults, run_with_faults
from rnn_pipelines.champion.history import find_origin
from rnn_pipelines.champion.outcome import save_outcome
from rnn_pipelines.champion.pointer import Pointer
from rnn_pipelines.champion.store import RECORD, ChampionStore
from rnn_pipelines.errors import ChampionError

FILE_SIZE = 100_000


def make_files(number: int, num_files: int) -> dict[str, bytes]:
    """The model of a retraining: every byte of every file tells its number."""
    return {
        f"part{index}.bin": f"{number:05}".encode() * (FILE_SIZE // 5) for index in range(num_files)
    }


def drop_record(files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a version is made of, without the record of its retraining."""
    return {name: content for name, content in files.items() if name != RECORD}


def find_number(store: ChampionStore) -> int | None:
    """The number that is on record of the champion's retraining; None where nothing is."""
    pointer = store.find_pointer()
    record: Any = None if pointer is None else find_origin(store.list_records(), pointer.version)
    return None if record is None else record["number"]


class WaitingStore(ChampionStore):
    """Waits before it promotes."""

    def __init__(self, folder: Path, wait: Callable[[], object]) -> None:
        super().__init__(folder)
        self.wait = wait

    def promote(self, version: str, reasons: Sequence[str], since: str) -> Pointer:
        self.wait()
        return super().promote(version, reasons, since)


def retrain(
    folder: Path, number: int, num_files: int, wait: Callable[[], object] = lambda: None
) -> str:
    """All that a retraining leaves on disk; it may wait before it promotes."""
    record: Any = {
        "kind": "retrain",
        "is_promoted": True,
        "reasons": [f"number {number}"],
        "number": number,
    }
    files = make_files(number, num_files)
    return save_outcome(WaitingStore(folder, wait), files, record, "2026-01-01T00:00:00+00:00")


def retrain_forever(folder: Path) -> None:
    """Retrains and prunes until it is killed; says which number was promoted once it was."""
    try:
        start = int(ChampionStore(folder).load().files["part0.bin"][:5]) + 1
    except ChampionError:
        start = 1
    print("ready", flush=True)
    for number in itertools.count(start):
        retrain(folder, number, 1 + number % 3)
        print(number, flush=True)
        ChampionStore(folder).prune(1)


def retrain_together(folder: Path, num_processes: int) -> None:
    """Retrains in many processes, which start at once and promote at once, and prints how each ended."""
    begin = os.pipe()
    promote = os.pipe()
    ready = os.pipe()
    children = []
    for number in range(1, num_processes + 1):
        child = os.fork()
        if child == 0:
            for end in (begin[1], promote[1]):
                os.close(end)

            def wait() -> None:
                os.write(ready[1], b".")
                os.read(promote[0], 1)

            code = 1
            try:
                # Both reads end when the parent closes its side.
                os.read(begin[0], 1)
                retrain(folder, number, 1, wait)
                code = 0
            finally:
                os._exit(code)
        children.append(child)
    os.close(begin[1])
    os.close(ready[1])
    num_ready = 0
    while num_ready < num_processes and (said := os.read(ready[0], num_processes)):
        num_ready += len(said)
    os.close(promote[1])
    print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in children]))


@contextmanager
def leave_bytes(folder: Path, num_bytes: int) -> Iterator[None]:
    """Fills a disk of its own but for some bytes."""
    disk = os.statvfs(folder)
    filler = folder / "filler"
    filler.write_bytes(bytes(max(0, disk.f_bavail * disk.f_frsize - num_bytes)))
    try:
        yield
    finally:
        filler.unlink()


@contextmanager
def leave_inodes(folder: Path, num_inodes: int) -> Iterator[None]:
    """Fills a disk of its own with empty files but for some."""
    fillers = [
        folder / f"filler{number}" for number in range(os.statvfs(folder).f_ffree - num_inodes)
    ]
    for path in fillers:
        path.touch()
    try:
        yield
    finally:
        for path in fillers:
            path.unlink()


@contextmanager
def limit_files(_: Path, num_bytes: int) -> Iterator[None]:
    """Lets no file grow larger."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (num_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


def retrain_without_space(folder: Path, is_disk: bool) -> list[dict[str, Any]]:
    """Retrains with every room from none to enough, and after each time with enough; one outcome for each."""
    task = folder / "task"
    retrain(task, 1, 2)
    retrain(task, 2, 2)
    rooms: list[tuple[Any, int]] = [
        (limit_files, size) for size in (*range(0, 1_000, 50), *range(1_000, 110_000, 9_000))
    ]
    if is_disk:
        rooms = [(leave_bytes, size) for size in range(0, 280_000, 4_096)]
        rooms += [(leave_inodes, number) for number in range(12)]
    number = 3
    outcomes = []
    for leave, room in rooms:
        store = ChampionStore(task)
        before = drop_record(store.load().files)
        outcome: dict[str, Any] = {"leave": leave.__name__, "room": room, "is_done": True}
        with leave(folder, room):
            try:
                retrain(task, number, 2)
            except OSError as error:
                outcome |= {"is_done": False, "error": errno.errorcode[error.errno or 0]}
            champion = store.load()
        outcome["alarms"] = list(champion.alarms)
        found = drop_record(champion.files)
        outcome["is_whole"] = found in (before, make_files(number, 2))
        outcome["is_on_record"] = find_number(store) == int(found["part0.bin"][:5])
        for version in store.list_versions():
            store.read_version(version)
        retrain(task, number + 1, 2)
        outcome["is_next_done"] = drop_record(store.load().files) == make_files(number + 1, 2)
        store.prune(0)
        number += 2
        outcomes.append(outcome)
    return outcomes


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument(
        "work", choices=["retrain", "prune", "forever", "together", "disk", "limit"]
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--files", type=int, default=1)
    parser.add_argument("--fault", choices=["none", "kill", "once", "full"], default="none")
    parser.add_argument("--at", type=int, default=0)
    arguments = parser.parse_args()
    folder = arguments.folder
    faults = Faults(arguments.fault, arguments.at)
    match arguments.work:
        case "retrain":
            run_with_faults(lambda: retrain(folder, arguments.number, arguments.files), faults)
        case "prune":
            run_with_faults(lambda: ChampionStore(folder).prune(0), faults)
        case "forever":
            retrain_forever(folder)
        case "together":
            retrain_together(folder, arguments.number)
        case "disk":
            subprocess.run(
                ["mount", "-t", "tmpfs", "-o", "size=4m,nr_inodes=400", "none", folder], check=True
            )
            print(json.dumps(retrain_without_space(folder, is_disk=True)))
        case "limit":
            print(json.dumps(retrain_without_space(folder, is_disk=False)))


if __name__ == "__main__":
    main()
