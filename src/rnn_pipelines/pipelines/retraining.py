"""What all retrainings share: how one begins, and how it ends. A plain module, and no pipeline."""

from collections.abc import Mapping
from pathlib import Path
from types import ModuleType
from typing import Any

from kedro.pipeline import Node, Pipeline

PREFIX = "retrain_"
# Each task is said once, by the folder of its retraining: `kedro champion` and Airflow's nights know it by that.
FOLDERS = Path(__file__).parent.glob(f"{PREFIX}*/pipeline.py")
TASKS = tuple(sorted(path.parent.name.removeprefix(PREFIX) for path in FOLDERS))


def create_newest_pipeline(task: str, nodes: ModuleType, prepare: Pipeline, *sources: str) -> Pipeline:
    """Reads up to the day of the retraining, and prepares as the task itself does, from the same parameters.

    Args:
        task: `forecast` or `sentiment`.
        nodes: has `read_newest`, with the task's own types.
        prepare: the nodes of the task that follow its table.
        sources: what the task reads its table from.
    """
    read = Node(
        nodes.read_newest,
        [*sources, f"params:retrain_{task}"],
        [f"retrain_{task}_table", f"retrain_{task}_started"],
        name="read_newest",
    )
    again = Pipeline(
        prepare,
        namespace=f"retrain_{task}",
        inputs={f"{task}_table": f"retrain_{task}_table"},
        outputs={name: f"retrain_{name}" for name in prepare.all_outputs()},
        parameters={name for name in prepare.inputs() if name.startswith("params:")},
    )
    return Pipeline([read]) + again


def create_record_pipeline(task: str, nodes: ModuleType) -> Pipeline:
    """Describes the run, and decides on the challenger that was evaluated on the holdout.

    Args:
        task: `forecast` or `sentiment`.
        nodes: has `describe_run` and `decide_promotion`, with the task's own types.
    """
    return Pipeline(
        [
            Node(
                nodes.describe_run,
                [
                    f"retrain_{task}_table",
                    f"retrain_{task}_profile",
                    f"params:{task}",
                    f"params:retrain_{task}",
                    f"retrain_{task}_started",
                ],
                f"retrain_{task}_run",
                name="describe_run",
            ),
            Node(
                nodes.decide_promotion,
                [
                    f"retrain_{task}_challenger",
                    f"champion_{task}",
                    f"retrain_{task}_holdout",
                    f"retrain_{task}_training",
                    f"retrain_{task}_run",
                    f"params:retrain_{task}",
                ],
                f"retrain_{task}_outcome",
                name="decide_promotion",
            ),
        ]
    )


def list_retrained(run_params: Mapping[str, Any]) -> list[str]:
    """The tasks that a run retrains.

    Args:
        run_params: as Kedro's hooks are given them.
    """
    names = run_params["pipeline_names"] or []
    return sorted(name.removeprefix(PREFIX) for name in names if name.startswith(PREFIX))
