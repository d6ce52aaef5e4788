"""The nights of RNN Pipelines in Dagster: a job and a schedule for each task, whose steps are commands of the project.

Dagster has its own environment and calls the project's `.venv/bin/kedro`. `RNN_PIPELINES_PROJECT` names the project's
folder, by default that of this file; `KEDRO_ENV` the environment of `conf/`.
"""

import os
import subprocess
from pathlib import Path

import dagster as dg

PROJECT = Path(os.environ.get("RNN_PIPELINES_PROJECT") or Path(__file__).resolve().parents[2])
# 10: a retraining is due, and the next night does it; 11: no monitor has run yet. 20 is an alarm.
TOLERATED = {"check": (0, 10, 11)}


def list_commands(task: str) -> dict[str, list[str]]:
    """Return the arguments of kedro for each step."""
    return {
        "retrain": ["champion", "retrain", task, "--wait=600"],
        "predict": ["run", f"--pipelines=predict_{task}"],
        "monitor": ["run", f"--pipelines=monitor_{task}"],
        "check": ["champion", "check", task],
    }


def make_step(task: str, step: str, arguments: list[str]) -> dg.OpDefinition:
    """Return the op of a step, which returns the failures so far: after a failed step the next one still runs."""

    @dg.op(name=f"{step}_{task}", ins={"failures": dg.In(list[str], default_value=[])})
    def run_step(context: dg.OpExecutionContext, failures: list[str]) -> list[str]:
        environment = {**os.environ, "DO_NOT_TRACK": "1"}
        command = [str(PROJECT / ".venv/bin/kedro"), *arguments]
        code = subprocess.run(command, check=False, cwd=PROJECT, env=environment).returncode
        context.add_output_metadata({"exit_code": code})
        return (
            failures
            if code in TOLERATED.get(step, (0,))
            else [*failures, f"{step} ended with {code}"]
        )

    return run_step


@dg.op
def end_night(failures: list[str]) -> None:
    """Fail if a step failed, and the run with it."""
    if failures:
        raise dg.Failure("; ".join(failures))


def build_night(task: str) -> dg.JobDefinition:
    """Return the job of a task."""

    # Each step is a process anyway.
    @dg.job(name=f"night_{task}", executor_def=dg.in_process_executor)
    def night() -> None:
        failures = None
        for step, arguments in list_commands(task).items():
            run_step = make_step(task, step, arguments)
            failures = run_step() if failures is None else run_step(failures)
        end_night(failures)

    return night


jobs = [build_night(task) for task in ("forecast", "sentiment")]
schedules = [
    dg.ScheduleDefinition(job=job, cron_schedule="30 2 * * *", execution_timezone="UTC")
    for job in jobs
]
definitions = dg.Definitions(jobs=jobs, schedules=schedules)
