"""Any table without an argument: whether `Forecaster().fit(frame).predict()` accepts it, and what the result is worth.

    .venv/bin/python benchmarks/any.py [--quick] [--only minutes_200000 intermittent] [--seeds 5]

The tables are in `any_tables.py`; only the names of their columns are given. Panels whose future is known, and drifting
series, are in `any_truth.py`. Each runs in a process of its own, because the peak of the memory is that of a process;
seconds are those of the processor, to draw, fit and predict. Each result is written to `--out` at once, and printed as
a row of a table in Markdown; those of several seeds follow at the end.
"""

import argparse
import json
import logging
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from any_tables import TABLES, Table
from any_truth import OURS, PANELS, measure_drift, measure_panel
from simple_forecasts import SIMPLE

from rnn_pipelines.errors import RnnPipelinesError
from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE

HERE = Path(__file__).parent
DRIFT = "drift"
BOUNDS = tuple(f"{ENSEMBLE}-{side}-{level}" for side in ("lo", "hi") for level in (80, 95))
# Most rows of a table, and series of a panel with a known future: usually, and with `--quick`.
MOST_ROWS, QUICK_ROWS = 200_000, 2_000
NUM_SERIES, QUICK_SERIES = 50, 10
CHECKED = ("steps ahead", "forecasts", "intervals", "not below 0")
HEADINGS = ("table", "rows", "series", "fit", *CHECKED, "processor, s", "peak, MiB")
Found = dict[str, Any]


def run(name: str, seed: int, is_quick: bool, limit: int) -> Found:
    """Measure in a new process; `refused` holds the error if there are no forecasts."""
    command = [sys.executable, __file__, "--measure", name, str(seed), "--limit", str(limit)]
    done = subprocess.run(
        [*command, *["--quick"] * is_quick], check=False, capture_output=True, text=True
    )
    if done.returncode == 0:
        found = json.loads(done.stdout.splitlines()[-1])
    elif done.returncode == -signal.SIGXCPU:
        found = {"refused": f"did not end in {limit} s"}
    else:
        last = (done.stderr.strip() or f"ended with {done.returncode}").splitlines()[-1]
        found = {"refused": f"CRASH {last}"}
    return {"name": name, "seed": seed, **found}


def measure(name: str, seed: int, is_quick: bool) -> Found:
    """Fit and forecast one table or draw in this process."""
    started = time.process_time()
    found: Found = {"refused": None}
    try:
        if name in TABLES:
            table = TABLES[name](np.random.default_rng(seed), QUICK_ROWS if is_quick else MOST_ROWS)
            found |= measure_table(table)
        elif name == DRIFT:
            found |= {"measured": measure_drift(seed)}
        else:
            found |= {
                "measured": measure_panel(name, seed, QUICK_SERIES if is_quick else NUM_SERIES)
            }
    except RnnPipelinesError as error:
        found["refused"] = f"{type(error).__name__}: {error}"
    usage = resource.getrusage(resource.RUSAGE_SELF)
    return {"seconds": time.process_time() - started, "peak_mib": usage.ru_maxrss / 2**10, **found}


def measure_table(table: Table) -> Found:
    """Return whether every series has forecasts and intervals, and whether they are below 0 against the data."""
    forecaster = Forecaster(**table.columns)
    forecasts = forecaster.fit(table.frame).predict()
    is_finite = np.isfinite(forecasts[ENSEMBLE]).groupby(forecasts["unique_id"]).all()
    has_bounds = set(BOUNDS) <= set(forecasts)
    bounds = (
        forecasts[list(BOUNDS)] if has_bounds else pd.DataFrame(np.nan, forecasts.index, BOUNDS)
    )
    is_bounded = np.isfinite(bounds).all(axis=1).groupby(forecasts["unique_id"]).all()
    lowest = np.nanmin(np.column_stack([forecasts[ENSEMBLE], bounds]))
    return {
        "num_rows": len(table.frame),
        "num_series": table.num_series,
        "num_steps": int(forecasts.groupby("unique_id").size().min()),
        "num_forecast": int(is_finite.sum()),
        "num_bounded": int(is_bounded.sum()),
        "lowest": float(lowest) if table.is_nonnegative else None,
    }


def describe(row: Found) -> str:
    """Return the Markdown row of a table."""
    seconds = (
        [f"{row['seconds']:.1f}", f"{row['peak_mib']:,.0f}"] if "seconds" in row else ["–", "–"]
    )
    if row["refused"] is not None:
        cells = [
            row["name"],
            "–",
            "–",
            row["refused"].replace("|", "/"),
            *"–" * len(CHECKED),
            *seconds,
        ]
        return f"| {' | '.join(cells)} |"
    count = row["num_series"]
    complete = [
        f"{row[key]} of {count}" if row[key] != count else "all"
        for key in ("num_forecast", "num_bounded")
    ]
    lowest = row["lowest"]
    sign = "–" if lowest is None else "yes" if lowest >= 0 else f"down to {lowest:.3g}"
    cells = [
        row["name"],
        f"{row['num_rows']:,}",
        str(count),
        "yes",
        str(row["num_steps"]),
        *complete,
        sign,
        *seconds,
    ]
    return f"| {' | '.join(cells)} |"


def tabulate_panels(rows: list[Found]) -> Iterator[str]:
    """Yield a Markdown row for each panel: means over seeds, with their standard error."""
    headings = ["panel", "seeds", "refused", *(f"bias of {name}, %" for name in (OURS, *SIMPLE))]
    headings += [f"squared error / {name}'s" for name in SIMPLE]
    if any(row["name"] in PANELS for row in rows):
        yield f"| {' | '.join([*headings, 'processor, s'])} |\n|---|{'---:|' * len(headings)}"
    for name in PANELS:
        some = [row for row in rows if row["name"] == name]
        accepted = [row for row in some if row["refused"] is None]
        if not accepted:
            continue
        found = [row["measured"] for row in accepted]
        cells = [str(len(some)), str(len(some) - len(found))]
        cells += [
            _spread([one[other]["bias"] for one in found], "+.1f") for other in (OURS, *SIMPLE)
        ]
        ratios = ([one[OURS]["error"] / one[other]["error"] for one in found] for other in SIMPLE)
        cells += [_spread(values, ".3f") for values in ratios]
        yield f"| {name} | {' | '.join(cells)} | {np.mean([row['seconds'] for row in accepted]):.0f} |"


def tabulate_drift(rows: list[Found]) -> Iterator[str]:
    """Yield a Markdown row for each level."""
    some = [row for row in rows if row["name"] == DRIFT]
    found = [row["measured"] for row in some if row["refused"] is None]
    if found:
        yield "| drifting series | refused | level | covered, % | width / true |\n|---:|---:|---:|---:|---:|"
    for level in found[0] if found else ():
        coverage, width = ([one[level][key] for one in found] for key in ("coverage", "width"))
        cells = [
            len(some),
            len(some) - len(found),
            level,
            _spread(coverage, ".1f"),
            _spread(width, ".2f"),
        ]
        yield f"| {' | '.join(map(str, cells))} |"


def _spread(values: list[float], form: str) -> str:
    """Return the mean and, of several values, its standard error."""
    mean = f"{np.mean(values):{form}}"
    return f"{mean} ± {pd.Series(values).sem():{form.lstrip('+')}}" if len(values) > 1 else mean


def main() -> None:
    """Measures each table, then each draw."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    everything = [*TABLES, *PANELS, DRIFT]
    parser.add_argument("--only", nargs="*", default=everything, choices=everything, metavar="NAME")
    parser.add_argument("--quick", action="store_true", help="smaller tables")
    parser.add_argument(
        "--seeds", type=int, default=5, help="draws of each panel; three times as many of drifts"
    )
    parser.add_argument(
        "--limit", type=int, default=900, help="most processor seconds of a table or draw"
    )
    parser.add_argument("--out", type=Path, default=HERE / "results/any.jsonl")
    parser.add_argument("--measure", nargs=2, metavar=("NAME", "SEED"), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    logging.disable(logging.WARNING)
    if arguments.measure:
        name, seed = arguments.measure
        # Of the processor, so that a busy machine does not end it earlier.
        resource.setrlimit(resource.RLIMIT_CPU, (arguments.limit, arguments.limit + 5))
        print(json.dumps(measure(name, int(seed), arguments.quick)))
        return
    num_seeds = dict.fromkeys(PANELS, arguments.seeds) | {DRIFT: 3 * arguments.seeds}
    draws = [(name, seed) for name in arguments.only for seed in range(num_seeds.get(name, 1))]
    if set(arguments.only) & set(TABLES):
        print(f"| {' | '.join(HEADINGS)} |\n|---|{'---:|' * (len(HEADINGS) - 1)}")
    rows = []
    with arguments.out.open("w") as file:
        for name, seed in draws:
            row = run(name, seed, arguments.quick, arguments.limit)
            rows.append(row)
            file.write(json.dumps(row) + "\n")
            file.flush()
            if name in TABLES:
                print(describe(row), flush=True)
            else:
                print(
                    f"{name}, seed {seed}: {row['refused'] or row['seconds']}",
                    file=sys.stderr,
                    flush=True,
                )
    tables = [row["refused"] for row in rows if row["name"] in TABLES]
    if tables:
        print(f"\nAccepted: {tables.count(None)} of {len(tables)} tables.")
    for tabulate in (tabulate_panels, tabulate_drift):
        print("\n".join(["", *tabulate(rows)]), flush=True)


if __name__ == "__main__":
    main()
