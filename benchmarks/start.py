"""Processor time until Keras is loaded and until `kedro champion` has told what is on record, each in a new process.

    .venv/bin/python benchmarks/start.py

One run to warm the file cache, then five that count; prints a table in Markdown with median, range and memory.
"""

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from tempfile import TemporaryDirectory

from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore

PROJECT = Path(__file__).parents[1]
RUNS = 5
# Of `kedro champion check` without a monitor, as here.
UNMONITORED = 11
SINCE = "2026-01-31T02:00:00+00:00"
COMMANDS = {
    "`import keras`, by itself": ["-c", "import keras"],
    "`import keras` after `rnn_pipelines`": ["-c", "import rnn_pipelines, keras"],
    **{
        f"`kedro champion {name} forecast`": ["-m", "kedro", "champion", name, "forecast"]
        for name in ("show", "history", "check")
    },
}


@contextmanager
def make_project() -> Iterator[Path]:
    """The project's configuration, with a small champion."""
    with TemporaryDirectory() as name:
        folder = Path(name)
        shutil.copy(PROJECT / "pyproject.toml", folder)
        shutil.copytree(PROJECT / "conf", folder / "conf", ignore=shutil.ignore_patterns("local"))
        (folder / "conf/local").mkdir()
        (folder / "src").mkdir()
        store = ChampionStore(folder / "data/06_models/champion/forecast")
        version = store.add_version({"model": b""})
        store.promote(version, ["it is better"], SINCE)
        add_record(
            store.folder,
            {"kind": "retrain", "at": SINCE, "outcome": "promoted", "version": version},
        )
        yield folder


def measure(arguments: list[str], folder: Path) -> tuple[float, float]:
    """Seconds of the processor, and the most MiB in use."""
    process = subprocess.Popen(
        [sys.executable, *arguments],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env=os.environ | {"DO_NOT_TRACK": "1"},
    )
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, UNMONITORED):
        raise subprocess.CalledProcessError(process.returncode, process.args)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def main() -> None:
    """Prints a row for each command."""
    print(f"{RUNS} runs after one to warm up\n")
    print("| command | processor, s | range, s | memory, MiB |\n|---|---:|---|---:|")
    with make_project() as folder:
        for name, arguments in COMMANDS.items():
            seconds, memory = zip(
                *[measure(arguments, folder) for _ in range(1 + RUNS)][1:], strict=True
            )
            told = f"{median(seconds):.1f} | {min(seconds):.1f} to {max(seconds):.1f} | {median(memory):.0f}"
            print(f"| {name} | {told} |", flush=True)


if __name__ == "__main__":
    main()
