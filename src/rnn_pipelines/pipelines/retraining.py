"""The tasks that can be retrained. This module is not a pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PREFIX = "retrain_"
# The folders of the retrainings define the tasks of `kedro champion` and of the Airflow DAGs.
FOLDERS = Path(__file__).parent.glob(f"{PREFIX}*/pipeline.py")
TASKS = tuple(sorted(path.parent.name.removeprefix(PREFIX) for path in FOLDERS))


def list_retrained(run_params: Mapping[str, Any]) -> list[str]:
    """Return the tasks that a run retrains."""
    names = run_params["pipeline_names"] or []
    return sorted(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))
