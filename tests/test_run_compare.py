"""Whole runs of `compare` under `--env=test`: what the files hold, and what is kept when a run is killed."""

import contextlib
import json
import math
import os
import shutil
import signal
import subprocess
import time
from typing import Any

import pytest

from rnn_pipelines.report.notes import NOTE_TITLE
from whole_runs import PROJECT, ROOT, make_command, read_json, run_command, take_checksums

pytestmark = pytest.mark.slow

FINISHED = ROOT / "06_models/compare/finished"
CELLS = ("rnn", "lstm", "gru")
# Two seeds of each.
NUM_TRAININGS = 6


# Without a folder of music.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "RNN_DATA"}


def run_compare(*settings: str) -> subprocess.CompletedProcess[str]:
    return run_command(
        "compare", *(f"compare.{setting}" for setting in settings), environment=ENVIRONMENT
    )


def read_results(path: str) -> Any:
    """Without the name of its run, which differs from one to the next."""
    return {key: value for key, value in read_json(path).items() if key != "run"}


def list_trained(finished: subprocess.CompletedProcess[str]) -> list[str]:
    """The lines of the log that say what was trained."""
    return [line for line in finished.stderr.splitlines() if ": test " in line]


@pytest.fixture(scope="module")
def killed() -> dict[str, tuple[int, bytes]]:
    """What is finished after a run that is killed as soon as one training is; nothing was before."""
    for path in ROOT.glob("*/compare"):
        path.unlink() if path.is_symlink() else shutil.rmtree(path)
    log = subprocess.DEVNULL
    command = make_command("compare", "compare.plan.tasks=adding_100")
    process = subprocess.Popen(
        command, cwd=PROJECT, env=ENVIRONMENT, stdout=log, stderr=log, start_new_session=True
    )
    while process.poll() is None and not any(FINISHED.glob("*.json")):
        time.sleep(0.02)
    process.kill()
    process.wait()
    # Its workers, which would wait for more to do.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGTERM)
    return take_checksums(FINISHED)


@pytest.fixture(scope="module")
def run(killed: dict) -> subprocess.CompletedProcess[str]:
    """The next run, of one task more, for which there is no file."""
    finished = run_compare("plan.tasks=adding_100 jsb_chorales")
    assert finished.returncode == 0, finished.stderr
    return finished


@pytest.fixture(scope="module")
def results(run: subprocess.CompletedProcess[str]) -> dict:
    return read_results("08_reporting/compare/results.json")


def test_killed_run_keeps_what_was_finished_whole(killed: dict) -> None:
    assert 0 < len(killed) < NUM_TRAININGS
    assert all(json.loads(content)["task"] == "adding_100" for _, content in killed.values())


def test_next_run_trains_the_rest_alone(
    killed: dict, run: subprocess.CompletedProcess[str]
) -> None:
    after = take_checksums(FINISHED)
    assert {name: after[name] for name in killed} == killed
    assert len(list_trained(run)) == NUM_TRAININGS - len(killed)


def test_there_is_a_run_for_each_network_with_each_seed(results: dict) -> None:
    found = [(run["task"], run["cell"], run["seed"]) for run in results["runs"]]
    assert found == [("adding_100", cell, seed) for cell in CELLS for seed in (0, 1)]


def test_networks_have_nearly_equal_budgets(results: dict) -> None:
    # As the equations give them: 17 units without gates, 8 with four, 9 with three and a bias more.
    budgets = {run["cell"]: run["num_recurrent_parameters"] for run in results["runs"]}
    assert budgets == {
        "rnn": 17 * (2 + 17 + 1),
        "lstm": 4 * 8 * (2 + 8 + 1),
        "gru": 3 * 9 * (2 + 9 + 2),
    }
    assert min(budgets.values()) >= 0.94 * max(budgets.values())


def test_every_training_differs(results: dict) -> None:
    assert len({run["test"] for run in results["runs"]}) == NUM_TRAININGS


def test_summaries_are_means_over_seeds(results: dict) -> None:
    for summary in results["summary"]:
        values = [run["test"] for run in results["runs"] if run["cell"] == summary["cell"]]
        assert summary["test"]["mean"] == pytest.approx(sum(values) / 2)
    assert [summary["cell"] for summary in results["summary"]] == list(CELLS)


def test_summaries_have_their_interval(results: dict) -> None:
    assert all(
        summary["test"]["low"] < summary["test"]["mean"] < summary["test"]["high"]
        for summary in results["summary"]
    )


@pytest.mark.parametrize(
    "field",
    [
        "num_recurrent_parameters",
        "num_parameters",
        "validation",
        "test",
        "seconds_per_epoch",
        "seconds_to_best",
        "epochs",
    ],
)
def test_every_run_states_the_promised_numbers(results: dict, field: str) -> None:
    assert all(math.isfinite(run[field]) and run[field] >= 0 for run in results["runs"])


@pytest.mark.usefixtures("run")
def test_the_description_has_the_references() -> None:
    description = read_json("07_model_output/compare/description.json")
    assert description["tasks"]["adding_100"]["references"] == {
        "guessing 1": pytest.approx(1 / 6, rel=0.3)
    }


@pytest.mark.usefixtures("run")
def test_every_training_has_its_curve() -> None:
    assert [
        len(training["curve"]) for training in read_json("07_model_output/compare/runs.json")
    ] == [2] * NUM_TRAININGS


def test_a_task_without_its_file_is_left_out(run: subprocess.CompletedProcess[str]) -> None:
    assert read_json("07_model_output/compare/description.json")["left_out"] == ["jsb_chorales"]
    assert "music files are missing: jsb_chorales" in run.stderr


def test_the_report_of_a_comparison_is_whole(run: subprocess.CompletedProcess[str]) -> None:
    page = (ROOT / "08_reporting/compare/report.html").read_text()
    assert NOTE_TITLE not in page
    assert "Report: " in run.stderr + run.stdout
    assert 'src="http' not in page
    assert "jsb_chorales" in page


@pytest.fixture(scope="module")
def second(results: dict) -> subprocess.CompletedProcess[str]:
    """One task alone, which is finished."""
    finished = run_compare("plan.tasks=adding_100")
    assert finished.returncode == 0, finished.stderr
    return finished


def test_a_second_comparison_trains_nothing(second: subprocess.CompletedProcess[str]) -> None:
    assert list_trained(second) == []


@pytest.mark.usefixtures("second")
def test_one_task_is_compared_alone() -> None:
    description = read_json("07_model_output/compare/description.json")
    assert (list(description["tasks"]), description["left_out"]) == (["adding_100"], [])


def test_second_run_has_the_same_results(
    results: dict, second: subprocess.CompletedProcess[str]
) -> None:
    assert read_results("08_reporting/compare/results.json") == results


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ("plan.tasks=adding_10", "received ['adding_10']"),
        (
            "tasks.adding_100.contenders.lstm.units=20",
            "expected numbers of recurrent weights within 6 %",
        ),
        ("tasks.adding_100.training.epoch=3", "adding_100.training.epoch"),
    ],
)
def test_faulty_run_leaves_results_alone(
    second: subprocess.CompletedProcess[str], change: str, message: str
) -> None:
    before = take_checksums(part="compare")
    finished = run_compare(change)
    assert finished.returncode != 0
    assert message in finished.stderr + finished.stdout
    assert take_checksums(part="compare") == before
