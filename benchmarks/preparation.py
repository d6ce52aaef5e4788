"""Time and memory of the preparation, for very many short series and for very long ones.

    .venv/bin/python benchmarks/preparation.py

Prints a table in Markdown. Each case has a process of its own, because the peak of the memory is that of a process;
seconds are those of the processor.
"""

import json
import resource
import subprocess
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.forecast import recipe
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowSpec

STEPS = ("prepare_series", "fit_scaler", "fit_coding", "add_features", "make_windows")


def make_panel(num_series: int, num_steps: int, freq: str | int, gaps: float = 0.0) -> Source:
    """Random walks, of which a part of the rows is missing."""
    names = pd.Series([f"series {number:06d}" for number in range(num_series)]).repeat(num_steps)
    steps = (
        np.arange(num_steps)
        if isinstance(freq, int)
        else pd.date_range("2021-01-01", periods=num_steps, freq=freq)
    )
    random = np.random.default_rng(0)
    values = random.normal(size=(num_series, num_steps)).cumsum(axis=1).ravel()
    table = pd.DataFrame({"unique_id": names.array, "ds": np.tile(steps, num_series), "y": values})
    if gaps:
        table = table[random.random(len(table)) >= gaps]
    return table.set_index(pd.RangeIndex(1, len(table) + 1, name="row"))


CASES: dict[str, Callable[[], Source]] = {
    "100,000 series of 100 days": lambda: make_panel(100_000, 100, "D"),
    "the same, 5 % of the rows missing": lambda: make_panel(100_000, 100, "D", gaps=0.05),
    "100,000 series of 100 months": lambda: make_panel(100_000, 100, "MS"),
    "one series of 10,000,000 minutes": lambda: make_panel(1, 10_000_000, "min"),
    "one series of 10,000,000 steps": lambda: make_panel(1, 10_000_000, 1),
}


def measure(case: str) -> dict[str, float]:
    """Processor seconds of each step, and the peak of the memory in GiB."""
    table = CASES[case]()
    source = SourceSpec(name="catalog")
    window = WindowSpec(lookback=30, horizon=7)
    seconds = {"input": _read_peak()}
    for step in STEPS:
        setattr(recipe, step, _measure_step(step, seconds))
    recipe.prepare_panel(table, recipe.Recipe(source=source, window=window))
    return {**seconds, "peak": _read_peak()}


def _measure_step(step: str, seconds: dict[str, float]) -> Callable[..., Any]:
    """Return a step of the preparation that adds its processor time."""
    run = getattr(recipe, step)

    def run_measured(*arguments: Any) -> Any:
        started = time.process_time()
        result = run(*arguments)
        seconds[step] = time.process_time() - started
        return result

    return run_measured


def _read_peak() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20


def main() -> None:
    """Prints a row for each case."""
    print(
        f"| case | {' | '.join(STEPS)} | all, s | peak, GiB | of which before |\n|---|{'---:|' * (len(STEPS) + 3)}"
    )
    for case in CASES:
        done = subprocess.run(
            [sys.executable, __file__, case], check=True, capture_output=True, text=True
        )
        found = json.loads(done.stdout)
        seconds = [found[step] for step in STEPS]
        cells = [
            f"{number:.1f}" for number in (*seconds, sum(seconds), found["peak"], found["input"])
        ]
        print(f"| {case} | {' | '.join(cells)} |", flush=True)


if __name__ == "__main__":
    if sys.argv[1:]:
        print(json.dumps(measure(sys.argv[1])))
    else:
        main()
