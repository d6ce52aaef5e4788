"""Wall time of the commands that people wait for, each in a new process.

    .venv/bin/python benchmarks/speed.py

One run to warm the file cache, then several that count; prints a table in Markdown with median and range.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).parents[1]
RUNS = 3
COMMANDS = {
    "kedro run --pipelines=forecast": ["run", "--pipelines=forecast", "--env=benchmark"],
    "kedro registry list": ["registry", "list"],
    "kedro catalog describe-datasets": ["catalog", "describe-datasets"],
}


def time_command(arguments: list[str]) -> list[float]:
    """Seconds of each counted run."""
    seconds = []
    for _ in range(1 + RUNS):
        started = time.perf_counter()
        subprocess.run(
            [sys.executable, "-m", "kedro", *arguments],
            cwd=PROJECT,
            check=True,
            capture_output=True,
            env=os.environ | {"DO_NOT_TRACK": "1"},
        )
        seconds.append(time.perf_counter() - started)
    return seconds[1:]


def main() -> None:
    """Prints a row for each command."""
    print(f"{os.cpu_count()} cores, {RUNS} runs after one to warm up\n")
    print("| command | median, s | range, s |\n|---|---:|---|")
    for name, arguments in COMMANDS.items():
        seconds = time_command(arguments)
        print(f"| `{name}` | {median(seconds):.1f} | {min(seconds):.1f} to {max(seconds):.1f} |", flush=True)


if __name__ == "__main__":
    main()
