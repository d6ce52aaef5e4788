"""Error of a panel that is fitted whole, and of the same panel fitted on a half and on a fifth of its partitions.

    RNN_DATA=../shared/data .venv/bin/python benchmarks/divided.py [tourism m4_hourly generated ...] [--seeds 1]

Each is a `kedro run --pipelines=forecast`, evaluated on the last horizon of every series. Prints MASE of the ensemble
and coverage of its intervals over all series, and the difference of MASE from that of the whole fit.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
from accuracy import CASES, PROJECT, prepare_data
from scale import generate_panel

REPORTS = PROJECT / "benchmarks/.data/08_reporting/forecast"
FRACTIONS = (1.0, 0.5, 0.2)
NUM_PARTITIONS = 10
GENERATED = "source.path={prepared}/generated.parquet,source.id=unique_id,evaluation.origins=last"


def list_settings(case: str) -> list[str]:
    """Return the parameters of a case, and write its data if they are generated."""
    prepared = prepare_data()
    path = prepared / "generated.parquet"
    if case == "generated" and not path.exists():
        generate_panel(0, 1000, 1000, 0).to_parquet(path, index=False)
    given = GENERATED if case == "generated" else CASES[case]
    data = os.environ.get("RNN_DATA", "../shared/data")
    return given.format(data=data, prepared=prepared).split(",")


def count_rows(settings: list[str]) -> int:
    """Return the rows of the table that the settings name."""
    path = next(
        Path(value) for name, value in (one.split("=") for one in settings) if name == "source.path"
    )
    return len(pd.read_parquet(path) if path.suffix == ".parquet" else pd.read_csv(path))


def run(settings: list[str], fraction: float, seed: int) -> dict[str, Any]:
    """Return the metrics of the ensemble over all series, if a fraction of the rows is fitted."""
    num_rows = count_rows(settings)
    training = num_rows + 1 if fraction == 1 else round(fraction * num_rows)
    # More than half a partition more, because the number of rows of a CSV file is estimated.
    sizes = [
        f"partitions.training_rows={training + num_rows // 20}",
        f"partitions.rows={num_rows // NUM_PARTITIONS}",
    ]
    given = [f"forecast.{setting}" for setting in [*settings, *sizes, f"training.seed={10 * seed}"]]
    command = [sys.executable, "-m", "kedro", "run", "--pipelines=forecast", "--env=benchmark"]
    command += ["--to-nodes=evaluation.evaluate_forecasts,evaluation.forecast_partitions"]
    command += ["--params", ",".join([*given, "parallel.workers=1"])]
    subprocess.run(command, check=True, cwd=PROJECT, capture_output=True, text=True)
    everything = json.loads((REPORTS / "all_series.json").read_text()).get("forecasters")
    found = everything or json.loads((REPORTS / "metrics.json").read_text())
    best = min(
        value["mase"]
        for name, value in found.items()
        if name not in ("ensemble", "lstm", "gru") and _is_method(value)
    )
    return {**found["ensemble"], "best": best}


def _is_method(value: Any) -> bool:
    return isinstance(value, dict) and "mase" in value


def main() -> None:
    """Run the cases that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("cases", nargs="*", default=["tourism", "m4_hourly", "generated"])
    parser.add_argument("--seeds", type=int, default=1, help="seeds 0, 10, ... of the training")
    arguments = parser.parse_args()
    columns = [
        "panel",
        "seed",
        "fitted on",
        "MASE",
        "against whole, %",
        "best simple method",
        "inside 80 %",
        "inside 95 %",
    ]
    print(f"| {' | '.join(columns)} |\n|{'---|' * len(columns)}", flush=True)
    for case in arguments.cases:
        settings = list_settings(case)
        for seed in range(arguments.seeds):
            runs = {fraction: run(settings, fraction, seed) for fraction in FRACTIONS}
            for fraction, found in runs.items():
                difference = 100 * (found["mase"] / runs[1.0]["mase"] - 1)
                numbers = [f"{found['mase']:.4f}", f"{difference:+.2f}", f"{found['best']:.4f}"]
                numbers += [f"{100 * found[f'coverage_{level}']:.1f}" for level in (80, 95)]
                print(
                    f"| {case} | {10 * seed} | {fraction:.0%} | {' | '.join(numbers)} |", flush=True
                )


if __name__ == "__main__":
    main()
