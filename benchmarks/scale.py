"""Processor time, memory and disk of `kedro run --pipelines=forecast` on generated panels, stage by stage.

    .venv/bin/python benchmarks/scale.py [100 1000 ...] [--steps 1000] [--seed 0] [--params TEXT] [--nodes]

Each number of series is a panel of its own: days with a weekly season, a yearly season, a trend, the effect of a
price, and noise, in Parquet files of at most ten million rows. A run is a process of its own with `--env=benchmark`.
Its processor time (user and system) and peak memory are read from /proc, so that the script needs Linux. Prints a row
for each panel, and with `--nodes` those of its nodes.
"""

import argparse
import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
import yaml

FOLDER = Path("benchmarks/.data/scale")
RESULTS = Path("benchmarks/.data")
# Stages by the first node of each; a node that is not named belongs to the stage before it.
STAGES = {
    "draw_sample": "division",
    "read_source": "reading",
    "fit_linear_models": "linear",
    "train_networks": "networks",
    "fit_all_methods": "methods, intervals",
    "forecast_partitions": "partitions",
    "forecast_methods": "forecasts",
    "explain_ensemble": "explanation",
    "tabulate_forecasts": "tables",
    "evaluate_forecasts": "evaluation",
    "draw_figures": "report",
}
ORDER = ("start", *dict.fromkeys(STAGES.values()))
FILE_ROWS = 10_000_000
RUNNING = re.compile(r"Running node: (?:\w+\.)*(\w+):")
TICKS = os.sysconf("SC_CLK_TCK")


@dataclass
class Cost:
    """The cost of a run.

    Attributes:
        stages: processor seconds by stage.
        nodes: processor seconds of each node, and the peak at its end in MiB.
        peak: of memory, in MiB.
        disk: of the run's folder, in MB.
    """

    stages: dict[str, float] = field(default_factory=lambda: dict.fromkeys(ORDER, 0.0))
    nodes: list[tuple[str, float, float]] = field(default_factory=list)
    peak: float = 0.0
    disk: float = 0.0


def write_panel(folder: Path, num_series: int, num_steps: int, seed: int) -> None:
    """Write the files of a panel into a new folder."""
    draft = folder.with_suffix(".part")
    draft.mkdir(parents=True)
    size = max(1, FILE_ROWS // num_steps)
    for first in range(0, num_series, size):
        panel = generate_panel(first, min(size, num_series - first), num_steps, seed)
        panel.to_parquet(draft / f"{first:07d}.parquet", index=False)
    draft.rename(folder)


def generate_panel(first: int, num_series: int, num_steps: int, seed: int) -> pd.DataFrame:
    """Return `unique_id, ds, y, price` of some series, from the number `first`, with a row for each series and day."""
    generator = np.random.default_rng([seed, first])
    steps = np.arange(num_steps)
    level = generator.lognormal(4, 1, (num_series, 1))
    week = generator.normal(0, 0.15, (num_series, 7))[:, steps % 7]
    year = generator.uniform(0, 0.3, (num_series, 1)) * np.sin(
        2 * np.pi * (steps - generator.integers(365)) / 365.25
    )
    trend = generator.normal(0, 0.2, (num_series, 1)) * steps / num_steps
    price = np.where(generator.random((num_series, num_steps)) < 0.1, 0.8, 1.0)
    noise = generator.normal(0, 0.1, (num_series, num_steps))
    values = level * np.exp(week + year + trend - 1.5 * np.log(price) + noise)
    days = pd.date_range("2022-01-01", periods=num_steps)
    return pd.DataFrame(
        {
            "unique_id": np.repeat(
                [f"series_{number:07d}" for number in range(first, first + num_series)], num_steps
            ),
            "ds": np.tile(days, num_series),
            "y": values.ravel().round(2),
            "price": price.ravel(),
        }
    )


def write_logging() -> Path:
    """Write a configuration of the log with a line for the start of each node."""
    settings = yaml.safe_load(Path("conf/logging.yml").read_text())
    settings["loggers"]["kedro.pipeline.node"] = {"level": "INFO"}
    path = FOLDER / "logging.yml"
    path.write_text(yaml.safe_dump(settings))
    return path


def measure_run(parameters: str, log: Path) -> Cost:
    """Run the pipeline, and measure its process at the start of each node."""
    command = [
        sys.executable,
        "-m",
        "kedro",
        "run",
        "--pipelines=forecast",
        "--env=benchmark",
        "--params",
        parameters,
    ]
    print(" ".join(command[1:]), file=sys.stderr, flush=True)
    environment = os.environ | {"KEDRO_LOGGING_CONFIG": str(write_logging().absolute())}
    cost = Cost()
    stage = "start"
    node = "start"
    spent = 0.0
    peak = 0.0

    def end_node(seconds: float) -> None:
        cost.stages[stage] += seconds - spent
        cost.nodes.append((node, seconds - spent, peak))

    with log.open("w", buffering=1) as lines:
        run = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, env=environment
        )
        assert run.stdout is not None
        for line in run.stdout:
            lines.write(line)
            found = RUNNING.search(line)
            if found:
                seconds, peak = read_process(run.pid)
                end_node(seconds)
                node = found[1]
                spent = seconds
                stage = STAGES.get(node, stage)
        _, status, used = os.wait4(run.pid, 0)
    if status:
        sys.exit(f"The run failed, see {log}.")
    peak = used.ru_maxrss / 1024
    end_node(used.ru_utime + used.ru_stime)
    cost.peak, cost.disk = peak, measure_folder()
    return cost


def read_process(pid: int) -> tuple[float, float]:
    """Return the processor seconds of a process so far, with its ended children, and its peak memory in MiB."""
    values = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    peak = re.search(r"VmHWM:\s+(\d+)", Path(f"/proc/{pid}/status").read_text())
    assert peak is not None
    return sum(map(int, values[11:15])) / TICKS, int(peak[1]) / 1024


def measure_folder() -> float:
    """Return the size of the newest run's files, in MB."""
    folder = max((RESULTS / "runs/forecast").iterdir(), key=lambda path: path.stat().st_mtime)
    return sum(path.lstat().st_size for path in folder.rglob("*") if not path.is_symlink()) / 1e6


def read_error() -> float:
    """Return the MASE of the ensemble: of all series if the panel was divided."""
    folder = RESULTS / "08_reporting/forecast"
    everything = json.loads((folder / "all_series.json").read_text()).get("forecasters")
    found = everything or json.loads((folder / "metrics.json").read_text())
    return float(found["ensemble"]["mase"])


def main() -> None:
    """Measure each number of series."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("series", nargs="*", type=int, default=[100, 1000])
    parser.add_argument("--steps", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument(
        "--params", default="", help="more parameters, such as forecast.evaluation.origins=last"
    )
    parser.add_argument("--nodes", action="store_true", help="print each node too")
    arguments = parser.parse_args()
    FOLDER.mkdir(parents=True, exist_ok=True)
    columns = ["series", "rows", "processor s", *ORDER, "peak MiB", "disk MB", "MASE"]
    print(f"| {' | '.join(columns)} |\n|{'---:|' * len(columns)}", flush=True)
    for num_series in arguments.series:
        path = FOLDER / f"{num_series}_{arguments.steps}_{arguments.seed}"
        if not path.exists():
            write_panel(path, num_series, arguments.steps, arguments.seed)
        given = [f"forecast.source.path={path}", "forecast.source.id=unique_id", arguments.params]
        cost = measure_run(",".join(filter(None, given)), path.with_suffix(".log"))
        error = read_error()
        seconds = [sum(cost.stages.values()), *cost.stages.values()]
        cells = [
            f"{num_series:,}",
            f"{num_series * arguments.steps:,}",
            *(f"{one:.1f}" for one in seconds),
        ]
        cells += [f"{cost.peak:,.0f}", f"{cost.disk:,.1f}", f"{error:.4f}"]
        print(f"| {' | '.join(cells)} |", flush=True)
        for name, one, peak in cost.nodes if arguments.nodes else []:
            print(f"    {name:40} {one:8.1f} s  {peak:8,.0f} MiB")


if __name__ == "__main__":
    main()
