"""The time left that a command shows, beside the time that it then takes, on made-up files of several sizes.

    .venv/bin/python benchmarks/time_left.py [--parts 0.1,0.3,0.5,0.7,0.9]

Each command runs in a process of its own. Prints a table in Markdown: shown and true seconds at parts of the time.
"""

import argparse
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import numpy as np
import pandas as pd

# Days, and series.
SIZES = ((120, 1), (500, 1), (3000, 1), (300, 12), (120, 300))
SECONDS_BETWEEN = 0.05


def write_series(path: Path, days: int, num_series: int) -> None:
    """Write a table of series with a weekly cycle and a level that drifts."""
    dates = pd.date_range("2015-01-01", periods=days).strftime("%Y-%m-%d")
    tables = []
    for number in range(num_series):
        noise = np.random.default_rng(number)
        cycle = 10 * np.sin(2 * np.pi * np.arange(days) / 7)
        level = 100 + noise.normal(0, 1, days).cumsum()
        values = (level + cycle + noise.normal(0, 5, days)).round(2)
        tables.append(pd.DataFrame({"shop": f"s{number}", "date": dates, "sales": values}))
    pd.concat(tables).to_csv(path, index=False)


def sample(parts: list[float], words: list[str]) -> None:
    """Run a command, and print shown and true seconds left at each part of its time."""
    from rnn_pipelines.console.main import main
    from rnn_pipelines.networks import stages

    samples: list[tuple[float, float]] = []
    draw_first = stages._Line.draw

    def watch(line: stages._Line) -> None:
        while True:
            samples.append((time.monotonic(), line.estimate_left()))
            time.sleep(SECONDS_BETWEEN)

    def draw(line: stages._Line) -> None:
        if not samples:
            threading.Thread(target=watch, args=(line,), daemon=True).start()
        draw_first(line)

    stages._Line.draw = draw  # type: ignore[method-assign, assignment]
    sys.stderr.isatty = lambda: True  # type: ignore[method-assign]
    sys.argv = ["rnn-pipelines", *words]
    main()
    began, ended = samples[0][0], time.monotonic()
    cells = [f"{ended - began:.0f}"]
    for part in parts:
        at, left = next(one for one in samples if one[0] >= began + part * (ended - began))
        cells.append(f"{left:.1f} / {ended - at:.1f}")
    print("| " + " | ".join(cells) + " |")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--parts", default="0.1,0.3,0.5,0.7,0.9")
    parser.add_argument("--sample", nargs=argparse.REMAINDER, help=argparse.SUPPRESS)
    given = parser.parse_args()
    parts = [float(part) for part in given.parts.split(",")]
    if given.sample:
        sample(parts, given.sample)
        return
    print(
        "| days × series | options | seconds | "
        + " | ".join(f"{part:.0%}" for part in parts)
        + " |"
    )
    print("|---|---" + "|---" * (len(parts) + 1) + "|")
    with tempfile.TemporaryDirectory() as folder:
        for days, num_series in SIZES:
            file = Path(folder) / f"{days}x{num_series}.csv"
            write_series(file, days, num_series)
            for options in (["--fast"], []):
                command = [sys.executable, __file__, "--parts", given.parts, "--sample"]
                words = ["forecast", str(file), "-t", "date", "-y", "sales", "-i", "shop", *options]
                done = subprocess.run([*command, *words], cwd=folder, check=True,
                                      stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)  # fmt: skip
                row = done.stdout.strip().splitlines()[-1]
                print(f"| {days} × {num_series} | {' '.join(options)} {row}", flush=True)


if __name__ == "__main__":
    main()
