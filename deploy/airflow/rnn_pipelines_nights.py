"""The nights of RNN Pipelines in Airflow 3: a DAG for each task, whose steps are commands of the project.

Airflow has an environment of its own and calls the project's `.venv/bin/kedro`: neither sees the other's packages.
Link to this file from the folder of DAGs. Environment variables of Airflow's processes change it:

| Variable | Holds | Else |
|---|---|---|
| `RNN_PIPELINES_PROJECT` | the project's folder | the one that this file, or what links to it, lies in |
| `RNN_PIPELINES_TASKS` | tasks, with commas between | all that the project retrains |
| `RNN_PIPELINES_SCHEDULE` | when a night begins: a cron expression, in UTC | `30 2 * * *` |
| `RNN_PIPELINES_LAG_HOURS` | hours from the last time whose data counts to the logical date | `0` |
| `KEDRO_ENV` | environment of `conf/`; a run can be given another, as `env` | `local` |
"""

import os
from datetime import timedelta
from pathlib import Path

from airflow.providers.standard.operators.bash import BashOperator
from airflow.providers.standard.operators.empty import EmptyOperator
from airflow.sdk import DAG, CronTriggerTimetable, Param, chain

LIMIT_HOURS = {"retrain": 4, "predict": 1, "monitor": 1, "check": 1}
ENVIRONMENT = {"KEDRO_ENV": "{{ params.env }}", "DO_NOT_TRACK": "1"}


def find_project() -> Path:
    """The project's folder.

    Raises:
        FileNotFoundError: the project is not there, or its environment is not installed.
    """
    named = os.environ.get("RNN_PIPELINES_PROJECT") or Path(__file__).resolve().parent / "../.."
    project = Path(named).resolve()
    if not (project / "src/rnn_pipelines").is_dir():
        raise FileNotFoundError(
            f"{project}: expected the folder of RNN Pipelines, which has src/rnn_pipelines. Link to the file of the "
            "DAGs instead of copying it, or name the folder in RNN_PIPELINES_PROJECT, for all of Airflow's processes."
        )
    if not os.access(project / ".venv/bin/kedro", os.X_OK):
        raise FileNotFoundError(f"{project}/.venv/bin/kedro: no such command. Run `make install` in {project}.")
    return project


def find_tasks() -> list[str]:
    """The tasks that have nights: of those that the project has a retraining for, the ones that are named.

    Raises:
        ValueError: one of them is unknown.
    """
    folders = (find_project() / "src/rnn_pipelines/pipelines").glob("retrain_*/pipeline.py")
    known = sorted(path.parent.name.removeprefix("retrain_") for path in folders)
    tasks = (os.environ.get("RNN_PIPELINES_TASKS") or ",".join(known)).replace(" ", "").split(",")
    unknown = [task for task in tasks if task not in known]
    if unknown:
        raise ValueError(f"RNN_PIPELINES_TASKS: expected some of {', '.join(known)}, received {unknown[0]!r}.")
    return tasks


def find_lag() -> int:
    """Hours from the last time whose data counts to the logical date.

    Raises:
        ValueError: it isn't such a number; nothing later than the logical date is ever seen.
    """
    lag = os.environ.get("RNN_PIPELINES_LAG_HOURS") or "0"
    if not lag.isdecimal():
        raise ValueError(f"RNN_PIPELINES_LAG_HOURS: expected a whole number of hours, 0 or more, received {lag!r}.")
    return int(lag)


def limit_data(option: str) -> str:
    """A template: the option with the last time whose data counts; nothing where a run has no logical date."""
    last = f"(dag_run.logical_date - macros.timedelta(hours={find_lag()})) | ts"
    return f"{{% if dag_run.logical_date %}} {option}={{{{ {last} }}}}{{% endif %}}"


def list_commands(task: str) -> dict[str, str]:
    """Each step with its command: retrain, predict with whichever model is the champion then, monitor, check."""
    kedro = ".venv/bin/kedro"
    commands = {"retrain": f"{kedro} champion retrain {task} --wait=600{limit_data('--as-of')}"}
    for step in ("predict", "monitor"):
        # The texts that are scored have no times.
        limit = limit_data(f"--params={step}_{task}.as_of") if task == "forecast" else ""
        commands[step] = f"{kedro} run --pipelines={step}_{task}{limit}"
    # 10 asks for a retraining, which comes with the next night; 11: no monitor has run yet; 20 is an alarm.
    commands["check"] = f"{kedro} champion check {task} || [ $? -eq 10 -o $? -eq 11 ]"
    return commands


def build_night(task: str) -> DAG:
    """The DAG of a task.

    A step that fails doesn't keep the next from its work: without a new champion, the old one predicts. The last task,
    `night`, does nothing; it needs all steps, so that the run fails where one of them has.
    """
    with DAG(
        dag_id=f"rnn_pipelines_{task}",
        description=f"Retrain, predict, monitor and check: {task}",
        doc_md=__doc__,
        tags=["rnn-pipelines"],
        # The logical date of a run is the time at which its night begins.
        schedule=CronTriggerTimetable(os.environ.get("RNN_PIPELINES_SCHEDULE") or "30 2 * * *", timezone="UTC"),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=True,
        params={"env": Param(os.environ.get("KEDRO_ENV", ""), type="string", description="environment of conf/")},
    ) as dag:
        steps = [
            BashOperator(
                task_id=name,
                bash_command=command,
                cwd=str(find_project()),
                env=ENVIRONMENT,
                append_env=True,
                trigger_rule="all_done",
                execution_timeout=timedelta(hours=LIMIT_HOURS[name]),
                # An alarm is told at once. What else fails, another retraining that holds the lock too, is tried again.
                retries=0 if name == "check" else 2,
                retry_delay=timedelta(minutes=15),
            )
            for name, command in list_commands(task).items()
        ]
        chain(*steps, night := EmptyOperator(task_id="night"))
        steps >> night
    return dag


for name in find_tasks():
    globals()[f"rnn_pipelines_{name}"] = build_night(name)
