"""The nights of RNN Pipelines in Airflow 3: a DAG for each task, whose steps are commands of the project.

Airflow has its own environment and calls the project's `.venv/bin/kedro`, so that they share no package. Link to this
file from the folder of DAGs. Environment variables of Airflow's processes configure it:

| Variable | Meaning | Default |
|---|---|---|
| `RNN_PIPELINES_PROJECT` | the project's folder | the folder of this file, or of the target of the link to it |
| `RNN_PIPELINES_TASKS` | tasks, separated by commas | all that the project retrains |
| `RNN_PIPELINES_SCHEDULE` | start of a night: a cron expression, in UTC | `30 2 * * *` |
| `RNN_PIPELINES_LAG_HOURS` | hours by which the data end before the logical date | `0` |
| `KEDRO_ENV` | environment of `conf/`; `env` of a run overrides it | `local` |
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
    """Return the project's folder.

    Raises:
        FileNotFoundError: the project is missing, or its environment is not installed.
    """
    named = os.environ.get("RNN_PIPELINES_PROJECT") or Path(__file__).resolve().parent / "../.."
    project = Path(named).resolve()
    if not (project / "src/rnn_pipelines").is_dir():
        raise FileNotFoundError(
            f"{project}: expected the folder of RNN Pipelines, which has src/rnn_pipelines. Link to the file of the "
            "DAGs instead of copying it, or name the folder in RNN_PIPELINES_PROJECT, for all of Airflow's processes."
        )
    if not os.access(project / ".venv/bin/kedro", os.X_OK):
        raise FileNotFoundError(
            f"{project}/.venv/bin/kedro: no such command. Run `make install` in {project}."
        )
    return project


def find_tasks() -> list[str]:
    """Return the tasks with nights: those that the project retrains, or those named in `RNN_PIPELINES_TASKS`.

    Raises:
        ValueError: one of them is unknown.
    """
    folders = (find_project() / "src/rnn_pipelines/pipelines").glob("retrain_*/pipeline.py")
    known = sorted(path.parent.name.removeprefix("retrain_") for path in folders)
    tasks = (os.environ.get("RNN_PIPELINES_TASKS") or ",".join(known)).replace(" ", "").split(",")
    unknown = [task for task in tasks if task not in known]
    if unknown:
        raise ValueError(
            f"RNN_PIPELINES_TASKS: expected some of {', '.join(known)}, received {unknown[0]!r}."
        )
    return tasks


def find_lag() -> int:
    """Return the hours by which the data end before the logical date.

    Raises:
        ValueError: it is no such number; a negative one would allow data after the logical date.
    """
    lag = os.environ.get("RNN_PIPELINES_LAG_HOURS") or "0"
    if not lag.isdecimal():
        raise ValueError(
            f"RNN_PIPELINES_LAG_HOURS: expected a whole number of hours, 0 or more, received {lag!r}."
        )
    return int(lag)


def limit_data(option: str) -> str:
    """Return a template: the option with the end of the data, or nothing for a run without a logical date."""
    last = f"(dag_run.logical_date - macros.timedelta(hours={find_lag()})) | ts"
    return f"{{% if dag_run.logical_date %}} {option}={{{{ {last} }}}}{{% endif %}}"


def list_commands(task: str) -> dict[str, str]:
    """Return the command of each step: retrain, predict with the current champion, monitor, check."""
    kedro = ".venv/bin/kedro"
    commands = {"retrain": f"{kedro} champion retrain {task} --wait=600{limit_data('--as-of')}"}
    for step in ("predict", "monitor"):
        # The scored texts have no times.
        limit = limit_data(f"--params={step}_{task}.as_of") if task == "forecast" else ""
        commands[step] = f"{kedro} run --pipelines={step}_{task}{limit}"
    # 20: the forecasts are complete, and the check reports the alarm; a retry would find the same.
    commands["predict"] += " || [ $? -eq 20 ]" if task == "forecast" else ""
    # 10: a retraining is due, and the next night does it; 11: no monitor has run yet; 20 is an alarm.
    commands["check"] = f"{kedro} champion check {task} || [ $? -eq 10 -o $? -eq 11 ]"
    return commands


def build_night(task: str) -> DAG:
    """Return the DAG of a task.

    After a failed step the next one still runs: without a new champion, the old one predicts. The last task, `night`,
    does nothing. It needs all steps, so that the run fails if one of them fails.
    """
    with DAG(
        dag_id=f"rnn_pipelines_{task}",
        description=f"Retrain, predict, monitor and check: {task}",
        doc_md=__doc__,
        tags=["rnn-pipelines"],
        # The logical date of a run is the time at which its night begins.
        schedule=CronTriggerTimetable(
            os.environ.get("RNN_PIPELINES_SCHEDULE") or "30 2 * * *", timezone="UTC"
        ),
        catchup=False,
        max_active_runs=1,
        is_paused_upon_creation=True,
        params={
            "env": Param(
                os.environ.get("KEDRO_ENV", ""), type="string", description="environment of conf/"
            )
        },
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
                # An alarm is reported at once. Other failures are retried, including a lock held by another retraining.
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
