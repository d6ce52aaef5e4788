"""Two processes against one: how much sooner the same trainings end.

    .venv/bin/python benchmarks/fan_out.py [--trainings 4] [--repeats 3]

Each repeat trains the same networks (LSTM and GRU on the adding problem of 50 steps) in this process, with all cores,
then in two processes, with half of the cores each; all are warm. Prints the seconds of both, and the efficiency: the
time of one divided by twice the time of two.
"""

import argparse
import os
import time
from statistics import median

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")

from rnn_pipelines.lab.compare.comparison import compare_cells
from rnn_pipelines.lab.compare.specs import PlanSpec, TaskBook
from rnn_pipelines.networks.fan_out import ParallelSpec

TASK = {
    "data": {
        "kind": "adding",
        "num_steps": 50,
        "num_train": 3200,
        "num_validation": 100,
        "num_test": 100,
    },
    "contenders": {"lstm": {"cell": "lstm", "units": 50}, "gru": {"cell": "gru", "units": 57}},
    "training": {"epochs": 4, "patience": 4, "weight_average": 0.0, "schedule": "constant"},
}


def measure(workers: int, num_trainings: int) -> float:
    """Seconds of all trainings."""
    plan = PlanSpec(tasks="adding", seeds=max(2, num_trainings // 2))
    started = time.perf_counter()
    compare_cells(
        TaskBook.model_validate({"adding": TASK}), plan, {}, ParallelSpec(workers=workers)
    )
    return time.perf_counter() - started


def main() -> None:
    """Measures one process and two in turn."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--trainings", type=int, default=4)
    parser.add_argument("--repeats", type=int, default=3)
    arguments = parser.parse_args()
    for workers in (1, 2):
        measure(workers, 4)
    print("| one process, s | two processes, s | efficiency |\n|---:|---:|---:|")
    found = []
    for _ in range(arguments.repeats):
        one, two = (measure(workers, arguments.trainings) for workers in (1, 2))
        found.append(one / (2 * two))
        print(f"| {one:.1f} | {two:.1f} | {found[-1]:.2f} |", flush=True)
    print(f"\nmedian efficiency: {median(found):.2f} ({min(found):.2f} to {max(found):.2f})")


if __name__ == "__main__":
    main()
