"""A panel that is divided, forecast part by part in processes of its own: their cost, and what kills at random leave.

    .venv/bin/python benchmarks/parts.py 100000 [--steps 100] [--rows 2000000] [--kills 100] [--seed 0]

`kedro run --pipelines=forecast` with `forecast.partitions.stop=fit` makes the fit of a generated panel, see `scale.py`.
Then `rnn-pipelines part` forecasts each part, and `rnn-pipelines join` joins them. With `--kills`, both are repeated in
random order, and processes are killed (SIGKILL) at random moments, until so many were; the sha256 of the joined files
are compared after every tenth kill. Prints processor seconds and peaks, and ends with 1 for other bytes.
"""

import argparse
import json
import os
import subprocess
import sys
import time
from pathlib import Path

PROJECT = Path(__file__).parents[1]
sys.path[:0] = [str(PROJECT / "benchmarks"), str(PROJECT / "tests/support")]

from scale import FOLDER, write_panel  # noqa: E402

from killed_parts import kill_at_random, list_sums  # noqa: E402

PROGRAM = [sys.executable, "-m", "rnn_pipelines.console.main"]


def measure(command: list[str]) -> tuple[float, float]:
    """Run a command, and return its processor seconds and peak in MiB."""
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"It failed: {' '.join(command)}")
    return used.ru_utime + used.ru_stime, used.ru_maxrss / 1024


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("num_series", type=int)
    parser.add_argument("--steps", type=int, default=100)
    parser.add_argument("--rows", type=int, default=2_000_000)
    parser.add_argument("--kills", type=int, default=0)
    parser.add_argument("--seed", type=int, default=0)
    given = parser.parse_args()
    panel = FOLDER / f"{given.num_series}x{given.steps}-{given.seed}"
    if not panel.exists():
        write_panel(panel, given.num_series, given.steps, given.seed)
    sizes = f"forecast.partitions.training_rows={given.rows},forecast.partitions.rows={given.rows}"
    alone = "forecast.pretrained.is_alone=true,forecast.partitions.stop=fit"
    source = f"forecast.source.path={panel},forecast.source.id=unique_id"
    kedro = [sys.executable, "-m", "kedro", "run", "--pipelines=forecast", "--env=benchmark"]
    seconds, peak = measure([*kedro, f"--params={source},{sizes},{alone}"])
    print(f"fit: {seconds:.0f} processor s, {peak:,.0f} MiB", flush=True)
    partitions = Path("benchmarks/.data/01_raw/forecast_partitions")
    results = partitions / json.loads((partitions / "parts.json").read_text())["results"]
    num_parts = len([*results.parent.glob("rows/*/*.parquet")])
    costs = [
        measure([*PROGRAM, "part", str(partitions), f"--index={number}"])
        for number in range(num_parts)
    ]
    total = sum(seconds for seconds, _ in costs)
    highest = max(peak for _, peak in costs)
    print(f"{num_parts} parts: {total:.0f} processor s, at most {highest:,.0f} MiB", flush=True)
    seconds, peak = measure([*PROGRAM, "join", str(partitions)])
    print(f"join: {seconds:.0f} processor s, {peak:,.0f} MiB", flush=True)
    sums = list_sums(results)
    began = time.monotonic()
    left = given.kills
    num_wrong = 0
    while left > 0:
        kill_at_random(partitions, results, num_parts, min(10, left), seed=left)
        num_wrong += list_sums(results) != sums
        left -= 10
        print(f"{given.kills - max(left, 0)} kills, {num_wrong} comparisons differ", flush=True)
    if given.kills:
        minutes = (time.monotonic() - began) / 60
        print(f"{given.kills} kills in {minutes:.0f} minutes, {num_wrong} comparisons differ")
    sys.exit(1 if num_wrong else 0)


if __name__ == "__main__":
    main()
