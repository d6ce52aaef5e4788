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

import numpy as np
import pandas as pd

PROJECT = Path(__file__).parents[1]
METRICS = PROJECT / "benchmarks/.data/08_reporting/forecast/metrics.json"
PREDICTIONS = PROJECT / "benchmarks/.data/07_model_output/forecast/predictions.parquet"
RESULTS = PROJECT / "benchmarks/results"

COLUMNS = ("forecaster", "MSE", "MSE / floor", "MAE", "MASE", "relative MAE", "OWA", "training, s")
HEADER = f"| {' | '.join(COLUMNS)} |\n|{'---|' * len(COLUMNS)}"
# What naive 2 of the M4 competition has on its hourly series: sMAPE in percent, and MASE.
# Source: Makridakis, Spiliotis & Assimakopoulos (2020), doi:10.1016/j.ijforecast.2019.04.014.
NAIVE_2 = (18.383, 2.395)

# A fifth for the test part, as in the published figures; the default is at most 100 horizons.
FIFTH = "split.validation=0.1,split.test=0.2"
# What each case sets beside the defaults; {seed}, {data} and {prepared} are filled in.
CASES = {
    "seattle": "",
    "temperature": f"source.name=temperature,source.seed={{seed}},window.horizon=1,{FIFTH}",
    "noisy_sine_10": f"source.name=noisy_sine,source.seed={{seed}},window.lookback=10,window.horizon=1,{FIFTH}",
    "noisy_sine_30": f"source.name=noisy_sine,source.seed={{seed}},window.lookback=30,window.horizon=1,{FIFTH}",
    "sine": f"source.name=sine,window.lookback=10,window.horizon=1,{FIFTH}",
    "melbourne": (
        "source.path={data}/series/daily-min-temperatures.csv,source.time=Date,source.target=Temp,"
        "window.horizon=1,window.lookback=14,split.validation=365,split.test=365"
    ),
    "sunspots": (
        "source.path={data}/series/monthly-sunspots.csv,source.time=Month,source.target=Sunspots,"
        f"window.lookback=132,window.horizon=12,{FIFTH}"
    ),
    "jena": f"source.path={{prepared}}/jena.csv,window.lookback=72,window.horizon=24,{FIFTH}",
    "etth1_oil": (
        "source.path={data}/series/ETTh1.csv,source.time=date,source.target=OT,window.lookback=96,window.horizon=24,"
        f"{FIFTH}"
    ),
    "tourism": (
        "source.path={data}/series/tourism_monthly_long.csv,source.time=month,source.target=value,source.id=series,"
        "window.lookback=48,window.horizon=24,split.validation=24,split.test=24,evaluation.origins=last"
    ),
    "m4_hourly": (
        "source.path={prepared}/m4_hourly.parquet,source.id=unique_id,"
        "window.lookback=336,window.horizon=48,split.validation=48,split.test=48,evaluation.origins=last"
    ),
    "etth1_96": (
        "source.path={prepared}/etth1.parquet,source.id=unique_id,"
        "window.lookback=720,window.horizon=96,split.validation=2880,split.test=2880"
    ),
    "etth1_336": (
        "source.path={prepared}/etth1.parquet,source.id=unique_id,"
        "window.lookback=720,window.horizon=336,split.validation=2880,split.test=2880"
    ),
}

# The stack of the course in place of one layer.
STACK = "lstm.units=64+32,gru.units=64+32"
CASES |= {
    f"{case}_stack": f"{CASES[case]},{STACK}"
    for case in ("noisy_sine_30", "seattle", "m4_hourly", "tourism")
}


def prepare_data() -> Path:
    """Brings the wide and the untidy files into the form that a user's file has; once."""
    folder = PROJECT / "benchmarks/.data/prepared"
    series = Path(_find_data(), "series")
    folder.mkdir(parents=True, exist_ok=True)
    if (folder / "etth1.parquet").exists():
        return folder
    jena = pd.read_csv(series / "jena_climate_2009_2016_hourly.csv")
    hours = pd.to_datetime(jena["Date Time"], format="%d.%m.%Y %H:%M:%S").dt.floor("h")
    jena = pd.DataFrame({"ds": hours, "y": jena["T (degC)"]}).drop_duplicates("ds")
    jena[(jena["ds"] >= "2013-01-01") & (jena["ds"] < "2015-01-01")].to_csv(
        folder / "jena.csv", index=False
    )
    train, test = (
        pd.read_csv(series / f"M4-Hourly-{part}.csv").iloc[:, 1:].to_numpy()
        for part in ("train", "test")
    )
    rows = [
        np.concatenate([past[~np.isnan(past)], future])
        for past, future in zip(train, test, strict=True)
    ]
    tables = [
        pd.DataFrame(
            {
                "unique_id": f"H{number:03d}",
                "ds": pd.date_range("2015", periods=len(y), freq="h"),
                "y": y,
            }
        )
        for number, y in enumerate(rows, start=1)
    ]
    pd.concat(tables).to_parquet(folder / "m4_hourly.parquet", index=False)
    # The usual parts, 8,640, 2,880 and 2,880 hours, scaled by mean and deviation of the first.
    etth1 = pd.read_csv(series / "ETTh1.csv").iloc[:14400]
    values = etth1.drop(columns="date")
    values = (values - values[:8640].mean()) / values[:8640].std(ddof=0)
    long = values.assign(ds=pd.to_datetime(etth1["date"])).melt(
        "ds", var_name="unique_id", value_name="y"
    )
    long.to_parquet(folder / "etth1.parquet", index=False)
    return folder


def run_case(case: str, seed: int) -> dict[str, Any]:
    """Runs the pipeline once and returns its metrics."""
    # Ten apart, so that no two runs share a member of an averaged network.
    settings = [
        f"training.seed={10 * seed}",
        *filter(
            None,
            CASES[case].format(seed=seed, data=_find_data(), prepared=prepare_data()).split(","),
        ),
    ]
    parameters = ",".join(f"forecast.{setting}" for setting in settings)
    command = [
        sys.executable, "-m", "kedro", "run", "--pipelines=forecast", "--env=benchmark",
        "--to-nodes=evaluation.evaluate_forecasts", "--params", parameters,
    ]  # fmt: skip
    print("$ kedro", shlex.join(command[3:]), flush=True)
    finished = subprocess.run(
        command,
        check=False,
        cwd=PROJECT,
        capture_output=True,
        text=True,
        env=os.environ | {"DO_NOT_TRACK": "1"},
    )
    if finished.returncode:
        sys.exit(finished.stderr)
    metrics: dict[str, Any] = json.loads(METRICS.read_text())
    if case.startswith("m4_hourly"):
        _add_owa(metrics)
    return metrics


def _add_owa(metrics: dict[str, Any]) -> None:
    """The mean of sMAPE and MASE, each over that of naive 2."""
    table = pd.read_parquet(PREDICTIONS)
    for name in _list_forecasters(metrics):
        smape = (
            200 * ((table["y"] - table[name]).abs() / (table["y"].abs() + table[name].abs())).mean()
        )
        metrics[name]["owa"] = (smape / NAIVE_2[0] + metrics[name]["mase"] / NAIVE_2[1]) / 2


def _list_forecasters(metrics: dict[str, Any]) -> list[str]:
    """Return the blocks of forecasters; others, such as `missed_origins`, have no error."""
    return [
        name for name, values in metrics.items() if isinstance(values, dict) and "mse" in values
    ]


def _find_data() -> str:
    return os.environ.get("RNN_DATA", "../shared/data")


def summarize(runs: list[dict[str, Any]]) -> list[str]:
    """A Markdown row for each forecaster: mean ± deviation over seeds, and MSE over the noise floor."""
    floors = [run["noise_floor_mse"] for run in runs]
    rows = []
    for name in _list_forecasters(runs[0]):
        keys = ("mse", "mae", "training_seconds", "mase", "relative_mae", "owa")
        mse, mae, seconds, *others = ([run[name].get(key) for run in runs] for key in keys)
        ratio = (
            f"{mean(m / f for m, f in zip(mse, floors, strict=True)):.3f}" if all(floors) else ""
        )
        training = f"{mean(seconds):.1f}" if all(seconds) else ""
        more = " | ".join(_spread(values) if all(values) else "" for values in others)
        rows.append(f"| {name} | {_spread(mse)} | {ratio} | {_spread(mae)} | {more} | {training} |")
    return rows


def _spread(values: list[float]) -> str:
    return f"{mean(values):.4g} ± {stdev(values):.2g}" if len(values) > 1 else f"{values[0]:.4g}"


def main() -> None:
    """Runs the cases that the command line names."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "cases", nargs="*", default=list(CASES), metavar="case", help=", ".join(CASES)
    )
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
