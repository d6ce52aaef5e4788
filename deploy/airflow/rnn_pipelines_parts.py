"""A panel that is larger than memory in Airflow 3: the fit, a mapped task for each part, and the join.

Link to this file from the folder of DAGs, beside `rnn_pipelines_nights.py`. `RNN_PIPELINES_PROJECT` names the project's
folder, and `RNN_PIPELINES_PARTS` a number that is at least that of the parts; further tasks end at once.
"""

import os
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.sdk import DAG, chain

PROJECT = os.environ.get("RNN_PIPELINES_PROJECT") or str(Path(__file__).resolve().parents[2])
NUM_PARTS = int(os.environ.get("RNN_PIPELINES_PARTS") or 100)
FOLDER = "data/01_raw/forecast_partitions"
COMMANDS = {
    "fit": ".venv/bin/kedro run --pipelines=predict_forecast --params=forecast.partitions.stop=fit",
    "join": f".venv/bin/rnn-pipelines join {FOLDER}",
    # Takes the finished parts, and writes the log and the report of the night.
    "publish": ".venv/bin/kedro run --pipelines=predict_forecast",
}
PARTS = [f".venv/bin/rnn-pipelines part {FOLDER} --index {index}" for index in range(NUM_PARTS)]


def make_options(name: str) -> dict[str, object]:
    """Return the options of a task."""
    environment = {"DO_NOT_TRACK": "1", "OMP_NUM_THREADS": "1"}
    return {"task_id": name, "cwd": PROJECT, "env": environment, "append_env": True, "retries": 2}


with DAG(
    dag_id="rnn_pipelines_parts", doc_md=__doc__, schedule=None, catchup=False, max_active_runs=1
):
    fit, join, publish = (
        BashOperator(bash_command=command, **make_options(name))
        for name, command in COMMANDS.items()
    )
    parts = BashOperator.partial(**make_options("part")).expand(bash_command=PARTS)
    chain(fit, parts, join, publish)
