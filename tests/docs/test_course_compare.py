"""The figure of the comparison, in Chromium: its numbers are the recorded ones."""

import json
from pathlib import Path

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


def test_errors_and_differences_are_the_recorded_ones(tmp_path: Path) -> None:
    tasks = [task for task in RESULTS["tasks"] if task != "forget_bias"]
    found = use_figure(
        tmp_path, "compare", f"{READ} return {json.dumps(tasks)}.map((task) => read(task, 'test'));"
    )
    for task, shown in zip(tasks, found, strict=True):
        summary = {one["cell"]: one for one in RESULTS["summary"] if one["task"] == task}
        (pair,) = (pair for pair in summary["lstm"]["differences"] if pair["against"] == "gru")
        expected = {
            "LSTM": summary["lstm"]["test"],
            "GRU": summary["gru"]["test"],
            "Difference": pair,
        }
        for name, estimate in expected.items():
            wanted = [estimate[key] for key in ("mean", "low", "high")]
            np.testing.assert_allclose(
                shown["rows"][name], wanted, rtol=0.006, err_msg=f"{task}, {name}"
            )
        simple = [
            loss
            for name, loss in RESULTS["tasks"][task]["references"].items()
            if name != "noise floor"
        ]
        (best,) = (values for name, values in shown["rows"].items() if name not in expected)
        assert best == [pytest.approx(min(simple), rel=0.006)]
        verdict = {
            "lstm": "excludes 0: the LSTM",
            "gru": "excludes 0: the GRU",
            None: "contains 0",
        }[pair["better"]]
        assert f"The interval {verdict}" in shown["result"]
        assert f"benchmarks/compare.py {task} --seeds 5" in shown["result"]


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
