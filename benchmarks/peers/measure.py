"""Processor time from the start of a process until the validation error is near its end: the project, and peers.

    python3.11 -m venv benchmarks/.peers
    benchmarks/.peers/bin/pip install -r benchmarks/peers/requirements.txt
    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/peers/measure.py [task ...] [--runs 3]

Each contender runs in a process of its own with one thread, each time with another seed, on the same series; all are
judged by the same validation windows in the same unit. The runs are kept in `benchmarks/results/peers_<task>.json`, in
place of earlier ones of the same contenders; prints a table in Markdown of all that is there. A contender that fails
has a row that says so.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from statistics import median
from typing import Any

import pandas as pd
from task import Task

from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.source.specs import SourceSpec

HERE = Path(__file__).parent
PEERS = HERE.parent / ".peers/bin/python"
RESULTS = HERE.parent / "results"
SOURCE = HERE.parents[1] / "src"
SERIES = Path(os.environ.get("RNN_DATA", "../shared/data")) / "series"
CONTENDERS: dict[str, tuple[Path, list[str]]] = {
    "ours, GRU": (Path(sys.executable), ["ours.py"]),
    "PyTorch loop, GRU": (PEERS, ["torch_loop.py"]),
    "neuralforecast, GRU": (PEERS, ["neural_forecast.py", "gru"]),
    "neuralforecast, LSTM": (PEERS, ["neural_forecast.py", "lstm"]),
}
TASKS = {
    "temperature": Task("temperature", "D", 30, 1, 100, 200, False, "MSE, °C²"),
    "tourism": Task("tourism", "MS", 48, 24, 24, 24, True, "MAE, visitors"),
}
# How near to its end an error must be to count as there.
NEAR = 1.05
MAX_SECONDS = 1500
COLUMNS = (
    "import, s",
    "to 1.05 × its own error, s",
    "to 1.05 × the error of ours, s",
    "whole run, s",
    "steps",
    "runs",
)


def read_series(name: str) -> pd.DataFrame:
    """The series of a task, `unique_id, ds, y`."""
    if name == "temperature":
        return read_source(SourceSpec(name="temperature"))
    table = pd.read_csv(SERIES / "tourism_monthly_long.csv")
    table["ds"] = pd.to_datetime(table["month"])
    return table.rename(columns={"series": "unique_id", "value": "y"})


def run(contender: str, path: Path, seed: int) -> dict[str, Any]:
    """One training: what the contender gave back, or the last line of its complaint."""
    python, (script, *more) = CONTENDERS[contender]
    threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), "1")
    try:
        done = subprocess.run(
            [str(python), str(HERE / script), str(path), str(seed), *more],
            capture_output=True,
            check=True,
            text=True,
            timeout=MAX_SECONDS,
            cwd=path.parent,
            # The code beside this script, whichever project is installed.
            env=os.environ
            | threads
            | {"PYTHONPATH": str(SOURCE), "CUDA_VISIBLE_DEVICES": "", "DO_NOT_TRACK": "1"},
        )
    except FileNotFoundError:
        return {"failed": "is not installed"}
    except subprocess.TimeoutExpired:
        return {"failed": f"did not end in {MAX_SECONDS} s"}
    except subprocess.CalledProcessError as error:
        return {"failed": error.stderr.strip().splitlines()[-1]}
    return json.loads(done.stdout.splitlines()[-1])


def find_seconds(curve: list[tuple[float, float]], error: float) -> float:
    """When a curve is at an error for the first time; infinite if never."""
    return next((seconds for seconds, found in curve if found <= error), float("inf"))


def print_table(task: Task, found: dict[str, list[dict[str, Any]]]) -> None:
    """A row for each contender: medians, and for the time that counts and the error also the range."""
    num_windows = max(
        result.get("num_windows", 0) for results in found.values() for result in results
    )
    print(
        f"\n`{task.name}`: lookback {task.lookback}, horizon {task.horizon}; {num_windows} validation windows\n"
    )
    print(f"| contender | validation {task.unit} | " + " | ".join(COLUMNS) + " |")
    print("|---|" + "---:|" * (1 + len(COLUMNS)))
    ours = [result["curve"][-1][1] for result in found["ours, GRU"]]
    for contender, results in found.items():
        failed = [result["failed"] for result in results if "failed" in result]
        if failed:
            print(f"| {contender} | failed: {failed[0]} |" + " – |" * len(COLUMNS))
            continue
        errors = [result["curve"][-1][1] for result in results]
        own = [
            find_seconds(result["curve"], NEAR * error)
            for result, error in zip(results, errors, strict=True)
        ]
        as_ours = median(find_seconds(result["curve"], NEAR * median(ours)) for result in results)
        imported, whole, steps = (
            median(result[name] for result in results)
            for name in ("import_seconds", "whole_seconds", "num_steps")
        )
        print(
            f"| {contender} | {median(errors):.4g} ({min(errors):.4g} to {max(errors):.4g}) | {imported:.1f} "
            f"| {median(own):.1f} ({min(own):.1f} to {max(own):.1f}) "
            f"| {'never' if as_ours == float('inf') else f'{as_ours:.1f}'} | {whole:.1f} | {steps:,.0f} "
            f"| {len(results)} |"
        )
    starts = [(result["base_seconds"], result["curve"][0][1]) for result in found["ours, GRU"]]
    print(
        f"\nOurs has fitted what is linear after {median(seconds for seconds, _ in starts):.1f} s; that alone, before "
        f"the first step of the network, has an error of {median(error for _, error in starts):.4g}."
    )


def keep(name: str, found: dict[str, list[dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """Writes runs of a task beside those of other contenders, and gives all of them back."""
    path = RESULTS / f"peers_{name}.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    kept |= found
    kept = {contender: kept[contender] for contender in CONTENDERS if contender in kept}
    path.write_text(json.dumps(kept, indent=1) + "\n")
    return kept


def main() -> None:
    """Runs everything, the contenders in turn, so that a busy while of the machine meets all of them."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("tasks", nargs="*", default=list(TASKS))
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--only", nargs="*", default=list(CONTENDERS), help="contenders")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        for name in arguments.tasks:
            task = TASKS[name]
            task.save(Path(folder), read_series(name))
            found: dict[str, list[dict[str, Any]]] = {contender: [] for contender in arguments.only}
            for seed in range(arguments.runs):
                for contender, results in found.items():
                    results.append(run(contender, Path(folder, f"{name}.json"), seed))
                    said = {key: value for key, value in results[-1].items() if key != "curve"}
                    print(f"{name}, {contender}, seed {seed}: {said}", file=sys.stderr, flush=True)
            kept = keep(name, found)
            if "ours, GRU" in kept:
                print_table(task, kept)


if __name__ == "__main__":
    main()
