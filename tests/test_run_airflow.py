"""Whole nights in Airflow itself, on sqlite: three of the project, and with a stand-in for kedro what fails and not."""

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

PROJECT = Path(__file__).parents[1]
BIN = PROJECT / ".airflow/bin"
DAYS = [
    "2023-03-31",
    "2023-06-30",
    "2023-09-15",
]  # the series of --env=test goes from 2021-01-01 to 2023-09-27

# Ends the first try of a step with the code that `codes` has for it, or hangs; all else with 0.
FAKE = """#!/bin/sh
case "$*" in
    "champion retrain"*) step=retrain;; *predict*) step=predict;; *monitor*) step=monitor;; *) step=check;;
esac
echo "$KEDRO_ENV $*" >> calls
grep -q "^$step" codes || exit 0
code=$(sed -n "s/^$step //p" codes)
sed -i "/^$step /d" codes
if [ "$code" = hang ]; then echo $$ > hanging; sleep 600; fi
exit "$code"
"""
TELL = """
import json
from airflow.dag_processing.dagbag import DagBag
print(json.dumps({dag.dag_id: {
    "max_active_runs": dag.max_active_runs,
    "catchup": dag.catchup,
    "timetable": [type(dag.timetable).__name__, dag.timetable.expression],
    "is_paused_upon_creation": dag.is_paused_upon_creation,
    "retries": {task.task_id: task.retries for task in dag.tasks},
    "minutes": {t.task_id: t.execution_timeout and t.execution_timeout.total_seconds() / 60 for t in dag.tasks},
} for dag in DagBag().dags.values()}))
"""
# Nights without the minutes between tries. Each scenario: codes of steps, and how often they may be tried again.
RUN = """
import json, sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from airflow.dag_processing.dagbag import DagBag
dag = DagBag().dags["rnn_pipelines_forecast"]
own_retries = {task.task_id: task.retries for task in dag.tasks}
ends = {}
for number, (name, (codes, retries)) in enumerate(json.loads(sys.argv[1]).items()):
    Path("codes").write_text("".join(f"{step} {code}\\n" for step, code in codes.items()))
    for task in dag.tasks:
        if name == "slow":
            task.execution_timeout = timedelta(seconds=5)
        task.retries, task.retry_delay = min(own_retries[task.task_id], retries), timedelta(0)
    date = None if name == "undated" else datetime(2024, 1, 1 + number, tzinfo=UTC)
    run = dag.test(logical_date=date, run_conf={"env": name})
    ends[name] = {"run": str(run.state)} | {ti.task_id: str(ti.state) for ti in run.get_task_instances()}
print(json.dumps(ends))
"""
SCENARIOS = {
    "good": ({}, 0),
    "undated": ({}, 0),
    "locked": ({"retrain": 75}, 1),
    "source": ({"retrain": 1}, 0),
    "monitor": ({"monitor": 1}, 0),
    "due": ({"check": 10}, 0),
    "alarm": ({"check": 20}, 2),
    "slow": ({"retrain": "hang"}, 0),
}
STEPS = ["retrain", "predict", "monitor", "check"]

Airflow = Callable[..., subprocess.CompletedProcess[str]]

pytestmark = [pytest.mark.slow, pytest.mark.airflow]


def copy_project(folder: Path) -> Path:
    """The project without what runs made, and a folder of DAGs that links to its file."""
    for name, left_out in (("conf", "local"), ("src", "__pycache__"), ("deploy", "__pycache__")):
        shutil.copytree(PROJECT / name, folder / name, ignore=shutil.ignore_patterns(left_out))
    shutil.copy(PROJECT / "pyproject.toml", folder)
    (folder / "dags").mkdir()
    (folder / "dags/nights.py").symlink_to("../deploy/airflow/rnn_pipelines_nights.py")
    return folder


def prepare_airflow(project: Path) -> Airflow:
    """A home and a database of its own; returns what runs its commands."""
    settings = {
        "AIRFLOW_HOME": str(project / "airflow"),
        "AIRFLOW__CORE__DAGS_FOLDER": str(project / "dags"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
        "KEDRO_ENV": "test",
    }

    def run(
        *command: str, is_checked: bool = True, **more: str
    ) -> subprocess.CompletedProcess[str]:
        finished = subprocess.run(
            [str(BIN / command[0]), *command[1:]],
            cwd=project,
            env=os.environ | settings | more,
            check=False,
            capture_output=True,
            text=True,
        )
        assert finished.returncode == 0 or not is_checked, (
            finished.stdout[-4000:] + finished.stderr[-4000:]
        )
        return finished

    run("airflow", "db", "migrate")
    return run


def read_last_line(finished: subprocess.CompletedProcess[str]) -> Any:
    return json.loads(finished.stdout.splitlines()[-1])


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("project"))
    (folder / ".venv").symlink_to(sys.prefix)
    return folder


@pytest.fixture(scope="module")
def airflow(project: Path) -> Airflow:
    return prepare_airflow(project)


@pytest.fixture(scope="module")
def nights(airflow: Airflow) -> None:
    """Fails where one of them does."""
    for day in DAYS:
        airflow("airflow", "dags", "test", "rnn_pipelines_forecast", day)


def test_each_night_retrains_as_of_its_date(nights: None, project: Path) -> None:
    command = [".venv/bin/kedro", "champion", "history", "forecast", "--json", "--env=test"]
    records = json.loads(
        subprocess.run(command, cwd=project, check=True, capture_output=True, text=True).stdout
    )
    assert [record["as_of"] for record in records] == [f"{day}T00:00:00+00:00" for day in DAYS]
    assert {record["outcome"] for record in records} <= {"promoted", "kept"}
    assert [record["data"]["last"] for record in records] == DAYS


def test_each_night_forecasts(project: Path) -> None:
    forecasts = pd.read_parquet(
        project / ".test_data/07_model_output/predict_forecast/forecasts.parquet"
    )
    assert sorted(forecasts["cutoff"].dt.strftime("%Y-%m-%d").unique()) == DAYS


def test_each_night_ends_at_its_date(project: Path) -> None:
    # No step after it counts as missed, and only the forecasts before it are judged.
    verdict = json.loads(
        (project / ".test_data/08_reporting/monitor_forecast/verdict.json").read_text()
    )
    assert verdict["coverage"]["missed_steps"] == {"temperature": 0}
    assert verdict["error"]["last_cutoff"].startswith(DAYS[-2])


def test_airflow_finds_no_error_but_a_wrong_setting(airflow: Airflow) -> None:
    assert "No data found" in airflow("airflow", "dags", "list-import-errors", "--local").stdout
    found = airflow(
        "airflow",
        "dags",
        "list-import-errors",
        "--local",
        is_checked=False,
        RNN_PIPELINES_TASKS="weather",
    )
    assert found.returncode == 1
    assert "expected some of forecast, sentiment" in found.stdout


@pytest.fixture(scope="module")
def dags(airflow: Airflow) -> dict[str, Any]:
    return read_last_line(airflow("python", "-c", TELL))


def test_each_task_has_one_dag(dags: dict[str, Any]) -> None:
    assert sorted(dags) == ["rnn_pipelines_forecast", "rnn_pipelines_sentiment"]


def test_nights_of_a_dag_run_one_after_the_other(dags: dict[str, Any]) -> None:
    assert {(dag["max_active_runs"], dag["catchup"]) for dag in dags.values()} == {(1, False)}


def test_a_dag_runs_at_its_hour(dags: dict[str, Any]) -> None:
    # With the other timetable of a cron expression, it would be the night before.
    assert [dag["timetable"] for dag in dags.values()] == [
        ["CronTriggerTimetable", "30 2 * * *"]
    ] * 2


def test_a_dag_begins_paused(dags: dict[str, Any]) -> None:
    assert {dag["is_paused_upon_creation"] for dag in dags.values()} == {True}


def test_steps_are_tried_again(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        assert [dag["retries"][step] for step in STEPS] == [2, 2, 2, 0]


def test_steps_have_their_limit_of_time(dags: dict[str, Any]) -> None:
    for dag in dags.values():
        assert [dag["minutes"][step] for step in STEPS] == [240, 60, 60, 60]


@pytest.fixture(scope="module")
def fake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = copy_project(tmp_path_factory.mktemp("fake"))
    kedro = folder / ".venv/bin/kedro"
    kedro.parent.mkdir(parents=True)
    kedro.write_text(FAKE)
    kedro.chmod(0o755)
    return folder


@pytest.fixture(scope="module")
def ends(fake: Path) -> dict[str, dict[str, str]]:
    """How the run and its tasks ended, by scenario."""
    return read_last_line(prepare_airflow(fake)("python", "-c", RUN, json.dumps(SCENARIOS)))


def test_a_night_without_day_has_none(ends: dict[str, dict[str, str]], fake: Path) -> None:
    calls = [
        call for call in (fake / "calls").read_text().splitlines() if call.startswith("undated ")
    ]
    assert (len(calls), [call for call in calls if re.search("as.of", call)]) == (4, [])
    assert ends["undated"]["run"] == "success"


def test_a_locked_retraining_is_tried_again(ends: dict[str, dict[str, str]], fake: Path) -> None:
    calls = (fake / "calls").read_text().splitlines()
    assert len([call for call in calls if call.startswith("locked champion retrain")]) == 2
    assert ends["locked"]["run"] == "success"


def test_an_alarm_fails_the_night(ends: dict[str, dict[str, str]]) -> None:
    assert (ends["alarm"]["check"], ends["alarm"]["run"]) == ("failed", "failed")


@pytest.mark.usefixtures("ends")
def test_a_check_is_not_tried_again(fake: Path) -> None:
    calls = (fake / "calls").read_text().splitlines()
    assert len([call for call in calls if call.startswith("alarm champion check")]) == 1


def test_a_hanging_step_is_killed(ends: dict[str, dict[str, str]], fake: Path) -> None:
    # And nothing of it is left to hold a lock.
    assert (ends["slow"]["retrain"], ends["slow"]["predict"]) == ("failed", "success")
    with pytest.raises(ProcessLookupError):
        os.kill(int((fake / "hanging").read_text()), 0)


@pytest.mark.usefixtures("ends")
def test_every_scenario_ran(fake: Path) -> None:
    named = {call.split()[0] for call in (fake / "calls").read_text().splitlines()}
    assert named == set(SCENARIOS)


def test_a_due_retraining_is_no_failure(ends: dict[str, dict[str, str]]) -> None:
    assert (ends["due"]["check"], ends["due"]["run"]) == ("success", "success")


def test_a_good_night_succeeds(ends: dict[str, dict[str, str]]) -> None:
    assert ends["good"] == dict.fromkeys(["run", *STEPS, "night"], "success")


@pytest.mark.parametrize(("scenario", "step"), [("source", "retrain"), ("monitor", "monitor")])
def test_failed_step_keeps_nothing_from_its_work(
    ends: dict[str, dict[str, str]], scenario: str, step: str
) -> None:
    """And the run fails."""
    assert {name: ends[scenario][name] for name in STEPS} == dict.fromkeys(STEPS, "success") | {
        step: "failed"
    }
    assert (ends[scenario]["night"], ends[scenario]["run"]) == ("upstream_failed", "failed")
