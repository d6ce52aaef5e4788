"""Processes of parts and of their join that are killed at random moments; for a test and a benchmark."""

import hashlib
import multiprocessing
import shutil
import time
from contextlib import suppress
from multiprocessing.process import BaseProcess
from pathlib import Path

import numpy as np

from rnn_pipelines.errors import RunError
from rnn_pipelines.forecast.partitions.parts import forecast_part, join_parts

# The libraries are loaded already.
FORK = multiprocessing.get_context("fork")


def kill_at_random(address: Path, results: Path, num_parts: int, num_kills: int, seed: int) -> None:
    """Forecast all parts again, and join them, while so many processes are killed; the folder of results has a fit.

    Two processes run at once, of any two steps or of the same one.
    """
    random = np.random.default_rng(seed)
    for folder in [*results.glob("0*"), *results.glob(".*"), *results.glob("joined")]:
        shutil.rmtree(folder)
    began = time.monotonic()
    _start(address, 0).join()
    longest = time.monotonic() - began
    num_killed = 0
    while num_killed < num_kills:
        # The last step is the join, which is refused until all parts are complete.
        processes = [
            _start(address, step) for step in random.integers(0, num_parts + 1, 2).tolist()
        ]
        for process in processes:
            time.sleep(random.uniform(0, longest / 2))
            num_killed += process.is_alive()
            process.kill()
            process.join()
    for step in range(num_parts + 1):
        process = _start(address, step)
        process.join()
        assert process.exitcode == 0


def list_sums(results: Path) -> dict[str, str]:
    """Return the sha256 of each joined file."""
    files = [file for file in (results / "joined").iterdir() if file.name != "facts.json"]
    return {file.name: hashlib.sha256(file.read_bytes()).hexdigest() for file in files}


def _start(address: Path, step: int) -> BaseProcess:
    process = FORK.Process(target=_run, args=(str(address), step))
    process.start()
    return process


def _run(address: str, step: int) -> None:
    forecast_part(address, step)
    # It is refused while parts are missing.
    with suppress(RunError):
        join_parts(address)
