"""The names of all pipelines, and the tasks that can be retrained. This module is not a pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

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


def list_using(run_params: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Return the pipelines of a run that use the model of a task, each with the task."""
    names = run_params["pipeline_names"] or []
    return [(name, USING[name]) for name in names if name in USING]


def list_retrained(run_params: Mapping[str, Any]) -> list[str]:
    """Return the tasks that a run with these parameters, as Kedro passes them to hooks, retrains."""
    names = run_params["pipeline_names"] or []
    return sorted(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))
