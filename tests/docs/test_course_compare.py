"""The figure of the comparison, in Chromium: its numbers are the recorded ones."""

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from course import use_figure
from documents import PROJECT

pytestmark = pytest.mark.chromium

RESULTS = json.loads((PROJECT / "benchmarks/results/compare.json").read_text())
READ = """
const choose = (field, value) => { field.querySelector("select").value = value; draw(); };
const read = (task, quantity) => {
  choose(fields[0], task);
  choose(fields[1], quantity);
  const names = [...means.querySelectorAll("text[style]"), ...difference.querySelectorAll("text[style]")];
  const rows = names.map((name) => [name.textContent, name.nextSibling.textContent]);
  return { rows: Object.fromEntries(rows.map(([name, range]) => {
    const [, key, mean] = /^(.*) (\\S+)$/.exec(name);
    const values = [mean, ...range.split(" to ")].filter(Boolean);
    return [key, values.map((v) => Number(v.replace("−", "-").replace(",", "")))];
  })), result: result.textContent };
};
"""


TASKS = [task for task in RESULTS["tasks"] if task != "forget_bias"]


@pytest.fixture(scope="module")
def shown(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the figure shows of each task."""
    code = f"{READ} return {json.dumps(TASKS)}.map((task) => read(task, 'test'));"
    seen = use_figure(tmp_path_factory.mktemp("compare"), "compare", code)
    return dict(zip(TASKS, seen, strict=True))


def find_pair(task: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """The recorded networks of a task by cell, and the difference of LSTM and GRU."""
    summary = {row["cell"]: row for row in RESULTS["summary"] if row["task"] == task}
    (pair,) = (pair for pair in summary["lstm"]["differences"] if pair["against"] == "gru")
    return summary, pair


@pytest.mark.parametrize("task", TASKS)
def test_errors_with_their_difference_are_the_recorded_ones(
    shown: dict[str, Any], task: str
) -> None:
    summary, pair = find_pair(task)
    expected = {"LSTM": summary["lstm"]["test"], "GRU": summary["gru"]["test"], "Difference": pair}
    for name, estimate in expected.items():
        recorded = [estimate[key] for key in ("mean", "low", "high")]
        np.testing.assert_allclose(shown[task]["rows"][name], recorded, rtol=0.006, err_msg=name)


@pytest.mark.parametrize("task", TASKS)
def test_the_best_simple_method_is_the_recorded_one(shown: dict[str, Any], task: str) -> None:
    references = RESULTS["tasks"][task]["references"]
    lowest = min(loss for name, loss in references.items() if name != "noise floor")
    (best,) = (
        values
        for name, values in shown[task]["rows"].items()
        if name not in {"LSTM", "GRU", "Difference"}
    )
    assert best == [pytest.approx(lowest, rel=0.006)]


@pytest.mark.parametrize("task", TASKS)
def test_the_verdict_is_that_of_the_interval(shown: dict[str, Any], task: str) -> None:
    _, pair = find_pair(task)
    verdict = {
        "lstm": "excludes 0: the LSTM",
        "gru": "excludes 0: the GRU",
        None: "contains 0",
    }[pair["better"]]
    assert f"The interval {verdict}" in shown[task]["result"]


@pytest.mark.parametrize("task", TASKS)
def test_the_command_of_a_task_is_shown(shown: dict[str, Any], task: str) -> None:
    assert f"benchmarks/compare.py {task} --seeds 5" in shown[task]["result"]


def test_seconds_that_cannot_be_compared_are_not_shown(tmp_path: Path) -> None:
    script = (
        f"{READ} return ['copy_100', 'temperature'].map((task) => read(task, 'seconds_per_epoch'));"
    )
    measured, missing = use_figure(tmp_path, "compare", script)
    seconds = {
        one["cell"]: one["seconds_per_epoch"]["mean"]
        for one in RESULTS["summary"]
        if one["task"] == "copy_100"
    }
    assert measured["rows"]["LSTM"][0] == pytest.approx(seconds["lstm"], rel=0.006)
    assert measured["rows"]["GRU"][0] == pytest.approx(seconds["gru"], rel=0.006)
    assert (missing["rows"], "Other programs ran" in missing["result"]) == ({}, True)


def test_first_data_set_is_that_of_the_address(tmp_path: Path) -> None:
    chosen = "return fields[0].querySelector('select').value;"
    assert use_figure(tmp_path, "compare", chosen, "#nottingham") == "nottingham"
    assert use_figure(tmp_path, "compare", chosen) == "jsb_chorales"
