"""Accuracy of the forecasts over several seeds, each a `kedro run --pipelines=forecast` up to the metrics.

    .venv/bin/python benchmarks/accuracy.py temperature            # one case, 5 seeds
    RNN_DATA=../shared/data .venv/bin/python benchmarks/accuracy.py --seeds 5 melbourne tourism

Prints the command of every run and a table row for every forecaster; writes `benchmarks/results/<case>.json`.
Seeds 0, 1, ... are those of synthetic data; the training's are ten times as large. No test part was used for tuning.
"""

import argparse
import json
import os
import shlex
import subprocess
import sys
from pathlib import Path
from statistics import mean, stdev
from typing import Any

PROJECT = Path(__file__).parents[1]
METRICS = PROJECT / "benchmarks/.data/08_reporting/forecast/metrics.json"
RESULTS = PROJECT / "benchmarks/results"

HEADER = "| forecaster | MSE | MSE / floor | MAE | training, s |\n|---|---|---|---|---|"

# What each case sets beside the defaults; {seed} and {data} are filled in.
CASES = {
    "seattle": "",
    "temperature": (
        "source.name=temperature,source.seed={seed},window.horizon=1,calendar.weekly=0,lstm.members=4,gru.members=4"
    ),
    "noisy_sine_10": (
        "source.name=noisy_sine,source.seed={seed},window.lookback=10,window.horizon=1,"
        "training.learning_rate=0.003,training.epochs=400"
    ),
    "noisy_sine_30": (
        "source.name=noisy_sine,source.seed={seed},window.lookback=30,window.horizon=1,training.learning_rate=0.003"
    ),
    "sine": (
        "source.name=sine,window.lookback=10,window.horizon=1,"
        "training.learning_rate=0.003,training.batch_size=16,training.epochs=1000,training.patience=100"
    ),
    "melbourne": (
        "source.path={data}/series/daily-min-temperatures.csv,source.time=Date,source.target=Temp,"
        "window.horizon=1,window.lookback=14,calendar.weekly=0,split.validation=365,split.test=365,"
        "lstm.members=4,gru.members=4"
    ),
    "tourism": (
        "source.path={data}/series/tourism_monthly_long.csv,source.time=month,source.target=value,source.id=series,"
        "window.lookback=18,window.horizon=24,split.validation=24,split.test=24,"
        "training.loss=mae,training.batch_size=256,training.epochs=40,training.patience=8,lstm.units=32,gru.units=32,"
        "lstm.centre=true,gru.centre=true"
    ),
}


def run_case(case: str, seed: int) -> dict[str, Any]:
    """Runs the pipeline once and returns its metrics."""
    # Ten apart, so that no two runs share a member of an averaged network.
    settings = [
        f"training.seed={10 * seed}",
        *filter(None, CASES[case].format(seed=seed, data=_find_data()).split(",")),
    ]
    parameters = ",".join(f"forecast.{setting}" for setting in settings)
    command = [
        sys.executable, "-m", "kedro", "run", "--pipelines=forecast", "--env=benchmark",
        "--to-nodes=evaluate_forecasts", "--params", parameters,
    ]  # fmt: skip
    print("$ kedro", shlex.join(command[3:]), flush=True)
    finished = subprocess.run(
        command, check=False, cwd=PROJECT, capture_output=True, text=True, env=os.environ | {"DO_NOT_TRACK": "1"}
    )
    if finished.returncode:
        sys.exit(finished.stderr)
    metrics: dict[str, Any] = json.loads(METRICS.read_text())
    return metrics


def _find_data() -> str:
    return os.environ.get("RNN_DATA", "../shared/data")


def summarize(runs: list[dict[str, Any]]) -> list[str]:
    """A Markdown row for each forecaster: MSE and MAE as mean ± deviation over seeds, and MSE over the noise floor."""
    floors = [run["noise_floor_mse"] for run in runs]
    rows = []
    for name in [name for name, values in runs[0].items() if isinstance(values, dict)]:
        mse, mae, seconds = ([run[name].get(key) for run in runs] for key in ("mse", "mae", "training_seconds"))
        ratio = f"{mean(m / f for m, f in zip(mse, floors, strict=True)):.3f}" if all(floors) else ""
        training = f"{mean(seconds):.1f}" if all(seconds) else ""
        rows.append(f"| {name} | {_spread(mse)} | {ratio} | {_spread(mae)} | {training} |")
    return rows


def _spread(values: list[float]) -> str:
    return f"{mean(values):.4g} ± {stdev(values):.2g}" if len(values) > 1 else f"{values[0]:.4g}"


def main() -> None:
    """Runs the cases that the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("cases", nargs="*", default=list(CASES), metavar="case", help=", ".join(CASES))
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0, 1, ...")
    arguments = parser.parse_args()
    for case in arguments.cases:
        runs = [run_case(case, seed) for seed in range(arguments.seeds)]
        RESULTS.mkdir(exist_ok=True)
        (RESULTS / f"{case}.json").write_text(json.dumps(runs, indent=1) + "\n")
        print(f"\n{case}, {len(runs)} seeds\n\n{HEADER}")
        print("\n".join(summarize(runs)), flush=True)


if __name__ == "__main__":
    main()
