"""Runs with numbers for results, and is killed or finds the disk full at a given call; run by the tests of crashes.

Only the standard library and what it tests: each of some hundred processes has to start fast.
"""

import argparse
import itertools
from collections.abc import Mapping
from pathlib import Path

from faults import Faults, run_with_faults
from rnn_pipelines.runs.run_store import RunStore, find_damage
from rnn_pipelines.runs.writing import open_run, publish_run
from rnn_pipelines.storage.lock import hold_lock

LAYERS = ("07_model_output", "08_reporting")
NUM_KEPT = 2


def make_files(number: int) -> dict[str, bytes]:
    """The results of a run: every byte of every file tells its number."""
    content = f"{number:05}".encode() * 20_000
    return {f"{layer}/deep/{name}": content for layer in LAYERS for name in ("one.bin", "two.bin")}


def run(root: Path, number: int) -> None:
    """All that a run does on disk."""
    store = RunStore(root, "forecast")
    with hold_lock(store.lock, 60):
        opened = open_run(store, make_files(number), needed=None)
        for name, content in make_files(number).items():
            path = opened.folder / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
        publish_run(
            opened,
            {"run": opened.name, "pipeline": "forecast", "ended": "2026-01-01T00:00:00+00:00"},
        )
        store.prune(NUM_KEPT)


def read_shown(root: Path) -> dict[str, int]:
    """The number of each file that people see, by its path; -1 where its bytes are not those of one run."""
    found = {}
    for name in make_files(0):
        layer, _, rest = name.partition("/")
        path = root / layer / "forecast" / rest
        if path.exists():
            content = path.read_bytes()
            number = int(content[:5] or -1)
            found[name] = number if content == f"{number:05}".encode() * 20_000 else -1
    return found


def find_damaged(root: Path) -> Mapping[str, list[str]]:
    """Files that are not as they were written, by run."""
    store = RunStore(root, "forecast")
    found = {
        name: find_damage(store.folder / name, store.read_record(name)["files"])
        for name in store.list_runs()
    }
    return {name: files for name, files in found.items() if files}


def run_forever(root: Path) -> None:
    """Runs until it is killed; says which number was shown once it was."""
    print("ready", flush=True)
    for number in itertools.count(max(read_shown(root).values(), default=0) + 1):
        run(root, number)
        print(number, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("work", choices=["run", "forever"])
    parser.add_argument("root", type=Path)
    parser.add_argument("--number", type=int, default=1)
    parser.add_argument("--fault", choices=["none", "kill", "once", "full"], default="none")
    parser.add_argument("--at", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.work == "run":
        faults = Faults(arguments.fault, arguments.at)
        run_with_faults(lambda: run(arguments.root, arguments.number), faults)
    else:
        run_forever(arguments.root)


if __name__ == "__main__":
    main()
