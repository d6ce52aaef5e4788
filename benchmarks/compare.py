"""LSTM against GRU: adds tasks to `benchmarks/results/compare.json`, and prints what it holds as the README has it.

    RNN_DATA=<folder of the real data> .venv/bin/python benchmarks/compare.py [task ...] [--seeds 5]

Each task is a part of one `kedro run --pipelines=compare`, whose finished trainings stay in `benchmarks/.data`; with no
task, nothing is run. Sentences and tables are those of the report.
"""

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path
from textwrap import fill

from rnn_pipelines.lab.compare.intervals import summarize_runs
from rnn_pipelines.lab.compare.report.report import report_task
from rnn_pipelines.lab.compare.report.results import list_tasks
from rnn_pipelines.report.page import Part, Table

PROJECT = Path(__file__).parents[1]
DATA = PROJECT / "benchmarks/.data"
RESULTS = PROJECT / "benchmarks/results/compare.json"


def add_tasks(tasks: list[str], seeds: int) -> None:
    """Runs the tasks, and puts their runs in the place of those that were kept of them."""
    parameters = f"compare.plan.tasks={' '.join(tasks)},compare.plan.seeds={seeds}"
    command = [
        sys.executable,
        "-m",
        "kedro",
        "run",
        "--pipelines=compare",
        "--env=benchmark",
        "--params",
        parameters,
    ]
    subprocess.run(command, check=True, cwd=PROJECT, env=os.environ | {"DO_NOT_TRACK": "1"})
    results = json.loads((DATA / "08_reporting/compare/results.json").read_text())
    described = json.loads((DATA / "07_model_output/compare/description.json").read_text())["tasks"]
    kept = json.loads(RESULTS.read_text())
    tasks_kept = kept["tasks"] | described
    runs = [run for run in kept["runs"] if run["task"] not in described] + results["runs"]
    runs.sort(key=lambda run: list(tasks_kept).index(run["task"]))
    RESULTS.write_text(json.dumps({**summarize_runs(runs), "tasks": tasks_kept}, indent=2) + "\n")


def format_part(part: Part) -> str:
    """A sentence or a table in Markdown."""
    if not isinstance(part, Table):
        return fill(str(part), 120)
    rule = [
        "---" if column < part.num_text_columns else "---:" for column in range(len(part.header))
    ]
    return "\n".join(f"| {' | '.join(row)} |" for row in (part.header, rule, *part.rows))


def main() -> None:
    """Runs the tasks that the command line names, and prints all that are kept."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "tasks", nargs="*", metavar="task", help="see conf/base/parameters_compare.yml"
    )
    parser.add_argument("--seeds", type=int, default=5, help="seeds 0, 1, ...")
    arguments = parser.parse_args()
    if arguments.tasks:
        add_tasks(arguments.tasks, arguments.seeds)
    kept = json.loads(RESULTS.read_text())
    for task in list_tasks(kept["runs"], kept["summary"], kept):
        print(
            f"### `{task.name}`\n\n" + "\n\n".join(map(format_part, report_task(task).parts)) + "\n"
        )


if __name__ == "__main__":
    main()
