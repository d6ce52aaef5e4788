"""Time that people wait for and that is paid for: training, commands, forecasting; beside a commit from before.

    .venv/bin/python benchmarks/speed.py [--runs 3] [--before 6868f6c] [part ...]

Everything runs in new processes, the code of now and that of then in turn, the latter from a worktree in a temporary
folder, with the same libraries. Processor time, user and system, of all threads holds on a busy machine too; wall time
doesn't. Prints tables in Markdown with median and range. Parts: `training`, `commands`, `forecasting`.
"""

import argparse
import json
import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

PROJECT = Path(__file__).parents[1]
# It trained forecasters with Keras.
BEFORE = "6868f6c"
# Each trains the default network on the default series twice, and prints the processor time of the process after the
# first training, and of the second alone. The second finds everything imported that can be.
TRAIN_NOW = """
import json, sys, time
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.recipe import Recipe, prepare_panel
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.reading import read_source
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.methods.training.training import train_network

recipe = Recipe(source=SourceSpec(name="seattle"))
panel = prepare_panel(read_source(recipe.source), recipe).windows

def train():
    training = ForecastTrainingSpec(seed=int(sys.argv[1]))
    return train_network(prepare_fitting(panel), NetworkSpec(cell="gru"), training)

train()
cold = time.process_time()
train()
print(json.dumps([cold, time.process_time() - cold]))
"""
TRAIN_THEN = """
import json, sys, time
from rnn_pipelines.models.specs import NetworkSpec
from rnn_pipelines.series import calendar, preparation, scaling, source, windows
from rnn_pipelines.series.schema import GapPolicy
from rnn_pipelines.series.splits import SplitSpec
from rnn_pipelines.training.forecasting import train_forecaster
from rnn_pipelines.training.specs import ForecastTrainingSpec

spec, window = source.SourceSpec(name="seattle"), windows.WindowSpec(lookback=30, horizon=7)
table = source.read_source(spec)
series, profile, cutoffs = preparation.prepare_series(table, spec, GapPolicy("interpolate"), SplitSpec(), window)
scaler = scaling.fit_scaler(series, cutoffs)
features = calendar.add_known_features(series, profile, calendar.CalendarSpec(), window.horizon)
panel = windows.make_windows(features, cutoffs, scaler, window, windows.EvaluationSpec())

def train():
    return train_forecaster(panel, NetworkSpec(cell="gru"), ForecastTrainingSpec(seed=int(sys.argv[1])))

train()
cold = time.process_time()
train()
print(json.dumps([cold, time.process_time() - cold]))
"""
COMMANDS = {
    "kedro run --pipelines=forecast": ["run", "--pipelines=forecast", "--env=benchmark"],
    "kedro registry list": ["registry", "list"],
    "kedro catalog describe-datasets": ["catalog", "describe-datasets"],
}


@contextmanager
def check_out(commit: str) -> Iterator[Path]:
    """The project as it was, in a temporary folder."""
    with tempfile.TemporaryDirectory() as parent:
        folder = Path(parent, "before")
        subprocess.run(
            ["git", "worktree", "add", "--quiet", "--detach", folder, commit],
            cwd=PROJECT,
            check=True,
        )
        try:
            yield folder
        finally:
            subprocess.run(
                ["git", "worktree", "remove", "--force", folder], cwd=PROJECT, check=True
            )


def run(project: Path, arguments: list[str]) -> tuple[float, float, str]:
    """Wall and processor seconds of a Python process in a project, and what it printed."""
    earlier = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    done = subprocess.run(
        [sys.executable, *arguments],
        cwd=project,
        check=False,
        capture_output=True,
        text=True,
        env=os.environ
        | {"DO_NOT_TRACK": "1", "PYTHONPATH": str(project / "src"), "TF_CPP_MIN_LOG_LEVEL": "3"},
    )
    if done.returncode:
        sys.exit(f"{arguments[-1]}: {done.stderr[-2000:]}")
    wall = time.perf_counter() - started
    now = resource.getrusage(resource.RUSAGE_CHILDREN)
    return wall, now.ru_utime + now.ru_stime - earlier.ru_utime - earlier.ru_stime, done.stdout


def tell(values: list[float]) -> str:
    """Median and range."""
    return f"{median(values):.1f} ({min(values):.1f} to {max(values):.1f})"


def compare_training(before: Path, num_runs: int) -> None:
    """A row for the whole process, and one for a training in a process that has trained before."""
    projects = {PROJECT: TRAIN_NOW, before: TRAIN_THEN}
    found: dict[Path, list[list[float]]] = {project: [] for project in projects}
    for seed in range(num_runs):
        for project, script in projects.items():
            found[project].append(
                json.loads(run(project, ["-c", script, str(seed)])[2].splitlines()[-1])
            )
    print(
        "\n| one training, processor time | now, s | before, s | before / now |\n|---|---:|---:|---:|"
    )
    for number, name in enumerate(["whole process", "training alone, after another one"]):
        now, then = ([times[number] for times in found[project]] for project in projects)
        ratios = [old / new for old, new in zip(then, now, strict=True)]
        print(f"| {name} | {tell(now)} | {tell(then)} | {tell(ratios)} |", flush=True)


def compare_commands(before: Path, num_runs: int) -> None:
    """A row for each command, after a run of it that warms the file cache."""
    print("\n| command | now, wall s | before, wall s | now, processor s | before, processor s |")
    print("|---|---:|---:|---:|---:|")
    for name, arguments in COMMANDS.items():
        times: dict[Path, list[tuple[float, float]]] = {
            project: [] for project in (PROJECT, before)
        }
        for _ in range(1 + num_runs):
            for project, found in times.items():
                found.append(run(project, ["-m", "kedro", *arguments])[:2])
        cells = [
            tell([found[kind] for found in times[project][1:]])
            for kind in (0, 1)
            for project in times
        ]
        print(f"| `{name}` | " + " | ".join(cells) + " |", flush=True)


def measure_forecasting(num_runs: int) -> None:
    """From the start of the process to forecasts of a champion that one retraining has left."""
    with tempfile.TemporaryDirectory() as folder:
        environment = Path(folder, "conf")
        environment.mkdir()
        (environment / "globals.yml").write_text(f"data_root: {folder}/data\n")
        kedro = ["-m", "kedro"]
        retraining = run(
            PROJECT, [*kedro, "champion", "retrain", "forecast", "--force", f"--env={environment}"]
        )
        command = [*kedro, "run", "--pipelines=predict_forecast", f"--env={environment}"]
        times = [run(PROJECT, command)[:2] for _ in range(1 + num_runs)][1:]
    print("\n| command | wall, s | processor, s |\n|---|---:|---:|")
    print(
        f"| `kedro champion retrain forecast`, once | {retraining[0]:.1f} | {retraining[1]:.1f} |"
    )
    wall, processor = (tell([found[kind] for found in times]) for kind in (0, 1))
    print(f"| `kedro run --pipelines=predict_forecast` | {wall} | {processor} |", flush=True)


def main() -> None:
    """Prints the tables of the parts."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("parts", nargs="*", default=["training", "commands", "forecasting"])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--before", default=BEFORE, help="a commit")
    arguments = parser.parse_args()
    with check_out(arguments.before) as before:
        print(
            f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}, {arguments.runs} runs; before: {arguments.before}"
        )
        if "training" in arguments.parts:
            compare_training(before, arguments.runs)
        if "commands" in arguments.parts:
            compare_commands(before, arguments.runs)
        if "forecasting" in arguments.parts:
            measure_forecasting(arguments.runs)


if __name__ == "__main__":
    main()
