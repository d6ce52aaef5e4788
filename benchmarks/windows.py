"""Memory and time of windowing, against the usual Python loop that copies every window out.

    .venv/bin/python benchmarks/windows.py

Prints a table in Markdown. Extra memory is the peak beyond the series itself, as tracemalloc sees NumPy's allocations.
"""

import time
import tracemalloc
from collections.abc import Callable
from statistics import median
from typing import Any

import numpy as np

from rnn_pipelines.forecast.windows.panel import (
    WindowedPanel,
    WindowIndex,
    WindowSpec,
    gather_windows,
)
from rnn_pipelines.forecast.windows.windowing import find_window_runs

WINDOW = WindowSpec(lookback=512, horizon=24)
BATCH_SIZE = 256
RUNS = 5


def index_windows(values: np.ndarray) -> WindowedPanel:
    """Finds the training windows of one series without gaps, and gathers one batch of them."""
    num_steps = len(values)
    observed = np.broadcast_to(True, num_steps)
    is_open = np.broadcast_to(False, num_steps)
    runs = find_window_runs(observed, is_open, (0, num_steps, num_steps, num_steps), WINDOW)
    arrays: dict[str, Any] = {
        "series_starts": np.zeros(1, int),
        "zeros": np.zeros(1, np.float32),
        **runs,
    }
    panel = WindowedPanel(values=values[:, None], **arrays, **WINDOW.model_dump())
    index = panel.index("train")
    gather_windows(
        panel, index.origins(np.random.default_rng(0).integers(0, len(index), BATCH_SIZE))
    )
    return panel


def copy_windows(values: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The usual loop: every window is copied into a list, then all of them into one array."""
    histories = []
    targets = []
    for origin in range(WINDOW.lookback, len(values) - WINDOW.horizon + 1):
        histories.append(values[origin - WINDOW.lookback : origin])
        targets.append(values[origin : origin + WINDOW.horizon])
    return np.array(histories), np.array(targets)


def measure(make: Callable[[np.ndarray], object], num_steps: int) -> tuple[float, float]:
    """Median seconds over several runs, and peak extra MiB of one more."""
    values = np.random.default_rng(0).normal(size=num_steps).astype(np.float32)
    seconds = []
    for _ in range(RUNS):
        started = time.perf_counter()
        make(values)
        seconds.append(time.perf_counter() - started)
    tracemalloc.start()
    make(values)
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    return median(seconds), peak / 2**20


def count_windows(num_steps: int) -> int:
    """Windows that a series of so many steps holds."""
    return len(WindowIndex(np.array([[WINDOW.lookback, num_steps - WINDOW.horizon + 1]])))


def main() -> None:
    """Prints a row for each method and size."""
    print(f"lookback {WINDOW.lookback}, horizon {WINDOW.horizon}; median of {RUNS} runs\n")
    print("| method | steps | windows | extra memory, MiB | seconds |\n|---|---:|---:|---:|---:|")
    cases: list[tuple[str, Callable[[np.ndarray], object], int]]
    cases = [("runs of origins", index_windows, size) for size in (10**5, 10**6, 10**7)]
    cases += [("Python loop", copy_windows, size) for size in (10**4, 10**5, 10**6)]
    for name, make, size in cases:
        seconds, peak = measure(make, size)
        print(f"| {name} | {size:,} | {count_windows(size):,} | {peak:,.1f} | {seconds:.4f} |")


if __name__ == "__main__":
    main()
