"""The names of all pipelines, and the tasks that can be retrained. This module is not a pipeline."""

from pathlib import Path
from typing import Any, TypedDict

# Each folder here is a pipeline.
PIPELINES = tuple(sorted(path.parent.name for path in Path(__file__).parent.glob("*/pipeline.py")))
PREFIX = "retrain_"
# The tasks of `kedro champion` and of the Airflow DAGs.
TASKS = tuple(name.removeprefix(PREFIX) for name in PIPELINES if name.startswith(PREFIX))

# The pipelines that use the model of a task.
USING = {
    f"{use}_{task}": task
    for task in TASKS
    for use in ("predict", "monitor")
    if f"{use}_{task}" in PIPELINES
}

# The pipelines that a runner would give other results, or none, and the reason.
REFUSED_RUNNERS = {
    "ThreadRunner": (
        ("pretrain", "retrain_sentiment", "sentiment"),
        "trains several networks of Keras, which share the random numbers of a process",
    ),
    "ParallelRunner": (
        ("internals", "retrain_sentiment"),
        "passes networks of Keras on in memory, which processes cannot share",
    ),
}


class RunParams(TypedDict):
    """The parameters of a run that Kedro passes to hooks, as far as they are read here."""

    pipeline_names: list[str] | None
    env: str | None
    runtime_params: dict[str, Any] | None
    only_missing_outputs: bool
    runner: str


def list_using(run_params: RunParams) -> list[tuple[str, str]]:
    """Return the pipelines of a run that use the model of a task, each with the task."""
    names = run_params["pipeline_names"] or []
    return [(name, USING[name]) for name in names if name in USING]


def list_retrained(run_params: RunParams) -> list[str]:
    """Return the tasks that a run with these parameters retrains."""
    names = run_params["pipeline_names"] or []
    return sorted(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))
