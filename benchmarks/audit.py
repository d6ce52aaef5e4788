"""Cost of the chain in the log of forecasts: one night with and without it, and the verification of many nights.

    .venv/bin/python benchmarks/audit.py [--series 100000] [--horizon 7] [--rows 1000000] [--nights 365]

Writes a log to a temporary folder. "Without" is the same save with a chain that hashes nothing. The verification runs
in a process of its own, whose peak memory is printed. Processor time in seconds. Prints tables in Markdown.
"""

import argparse
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from unittest import mock

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.datasets import ForecastLogDataset
from rnn_pipelines.forecast.methods.predictions import ForecastLogTable
from rnn_pipelines.storage import chain

BOUNDS = ["lo_80", "hi_80", "lo_95", "hi_95", "lo_99", "hi_99"]


def make_night(night: int, num_series: int, horizon: int) -> pd.DataFrame:
    """Return the forecasts of all series, drawn at random."""
    rng = np.random.default_rng(night)
    cutoff = pd.Timestamp("2024-01-01") + pd.Timedelta(days=night)
    rows = pd.DataFrame(
        {
            "unique_id": np.repeat(
                [f"series {number:06}" for number in range(num_series)], horizon
            ),
            "cutoff": cutoff,
            "ds": np.tile(
                pd.date_range(cutoff + pd.Timedelta(days=1), periods=horizon), num_series
            ),
            "horizon_step": np.tile(np.arange(1, horizon + 1), num_series),
            "y_hat": rng.normal(size=num_series * horizon),
            "model_version": "2024-01-01T00.00.00.000Z",
            "recorded_at": cutoff.tz_localize("UTC") + pd.Timedelta(hours=26),
        }
    )
    return rows.assign(**{name: rng.normal(size=len(rows)) for name in BOUNDS})


@contextmanager
def measure(seconds: list[float]) -> Iterator[None]:
    """Append the processor time of the block."""
    began = time.process_time()
    yield
    seconds.append(time.process_time() - began)


def measure_night(folder: Path, num_series: int, horizon: int) -> list[float]:
    """Return the seconds of the second night of a log, without and with the chain."""
    seconds: list[float] = []
    for is_chained in (False, True):
        dataset = ForecastLogDataset(filepath=str(folder / f"night {is_chained}.parquet"))
        with mock.patch.object(
            chain, "_compute_checks", chain._compute_checks if is_chained else _skip
        ):
            dataset.save(make_night(0, num_series, horizon))
            with measure(seconds):
                dataset.save(make_night(1, num_series, horizon))
    return seconds


def _skip(rows: pd.DataFrame, *_: object) -> Iterator[str]:
    return iter([""] * len(rows))


def write_log(path: Path, num_rows: int, num_nights: int, horizon: int = 10) -> None:
    """Write a log of many nights at once."""
    nights = []
    last = chain.FIRST
    for night in range(num_nights):
        rows = make_night(night, num_rows // num_nights // horizon, horizon).sort_values(
            list(ForecastLogTable.key)
        )
        nights.append(chain.link_night(rows, last))
        last = chain.find_link(nights[-1])
    log = pd.concat(nights, ignore_index=True)
    log.attrs = {"format": 1}
    log.to_parquet(path)


def verify(path: Path) -> None:
    """Verify a log and print the number of rows, the processor time and the peak memory."""
    began = time.process_time()
    key = ForecastLogTable.key
    nights = ForecastLogDataset(filepath=str(path)).iterate_nights()
    num_rows = sum(link.num_rows for link in chain.verify_chain(nights, key))
    # Not `ru_maxrss`, which a process has from the one that started it.
    peak = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(f"{num_rows:,} | {time.process_time() - began:.1f} | {peak:.0f}")


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in (
        ("series", 100_000),
        ("horizon", 7),
        ("rows", 1_000_000),
        ("nights", 365),
    ):
        parser.add_argument(f"--{name}", type=int, default=default)
    parser.add_argument("--verify", type=Path, help=argparse.SUPPRESS)
    args = parser.parse_args()
    if args.verify:
        verify(args.verify)
        return
    with tempfile.TemporaryDirectory() as folder:
        before, after = measure_night(Path(folder), args.series, args.horizon)
        print(
            "| series | rows of a night | without, s | with the chain, s | more, s |\n|---:|---:|---:|---:|---:|"
        )
        num_rows = args.series * args.horizon
        print(
            f"| {args.series:,} | {num_rows:,} | {before:.1f} | {after:.1f} | {after - before:.1f} |\n"
        )
        print(
            "| nights | rows verified | processor time, s | peak memory, MiB |\n|---:|---:|---:|---:|"
        )
        for num_nights in (1, args.nights):
            path = Path(folder, f"{num_nights}.parquet")
            write_log(path, args.rows, num_nights)
            command = [sys.executable, __file__, "--verify", str(path)]
            found = subprocess.run(
                command, check=True, stdout=subprocess.PIPE, text=True
            ).stdout.strip()
            print(f"| {num_nights} | {found} |", flush=True)


if __name__ == "__main__":
    main()
