"""Which tasks are retrained. A plain module, and not a pipeline."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

PREFIX = "retrain_"
# Each task is said once, by the folder of its retraining: `kedro champion` and Airflow's nights know it by that.
FOLDERS = Path(__file__).parent.glob(f"{PREFIX}*/pipeline.py")
TASKS = tuple(sorted(path.parent.name.removeprefix(PREFIX) for path in FOLDERS))


def list_retrained(run_params: Mapping[str, Any]) -> list[str]:
    """The tasks that a run retrains.

    Args:
        run_params: as Kedro's hooks are given them.
    """
    names = run_params["pipeline_names"] or []
    return sorted(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))
