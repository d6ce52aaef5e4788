"""A run is repeated with the same metrics, by the command at the end of its report, unless its data have changed."""

import re
import shlex
import subprocess
import sys
from html import unescape
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.runs.comparison import compare
from rnn_pipelines.runs.run_store import RunStore
from whole_runs import PROJECT, ROOT, run_well

pytestmark = pytest.mark.slow
STORE = RunStore(ROOT, "forecast")


def call(command: str) -> subprocess.CompletedProcess[str]:
    words = shlex.split(command)
    assert words[0] == "kedro"
    return subprocess.run(
        [sys.executable, "-m", *words], check=False, cwd=PROJECT, capture_output=True, text=True
    )


def read_footer() -> list[str]:
    """The facts at the end of the newest report."""
    page = (ROOT / "08_reporting/forecast/report.html").read_text()
    return unescape(re.search('<footer class="run">(.*?)</footer>', page)[1]).split(" · ")


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """A run with parameters of the command line, and what it says."""
    path = tmp_path_factory.mktemp("sales") / "sales.csv"
    days = pd.date_range("2024-01-01", periods=300)
    sales = (
        50 + 10 * np.sin(np.arange(300) / 7 * 2 * np.pi) + np.random.default_rng(0).normal(size=300)
    )
    pd.DataFrame({"ds": days, "y": sales.round(2)}).to_csv(path, index=False)
    said = run_well(
        "forecast",
        f"forecast.source.path={path}",
        "forecast.window.horizon=3",
        "forecast.training.seed=4",
    )
    return SimpleNamespace(path=path, run=STORE.find_current(), said=said, footer=read_footer())


def test_report_ends_with_the_command_that_repeats_it(made: SimpleNamespace) -> None:
    record = STORE.read_record(made.run)
    command = f"kedro runs repeat forecast {made.run[-6:]} --env=test"
    assert made.footer[-2:] == [
        f"forecast_table {record['data']['forecast_table']['fingerprint'][:12]}",
        f"again: {command}",
    ]
    assert made.footer[0] == f"Run {made.run}"
    assert f"Run of forecast: {made.run} (again: {command})" in made.said.stderr


# The command of the report comes first, because the file is changed after it.


@pytest.fixture(scope="module")
def again(made: SimpleNamespace) -> SimpleNamespace:
    """The run that the command of the first one makes: its name as `run`, and what it `said`."""
    finished = call(made.footer[-1].removeprefix("again: "))
    assert finished.returncode == 0, finished.stderr
    return SimpleNamespace(run=STORE.find_current(), said=finished.stdout, footer=read_footer())


def test_command_says_that_all_metrics_are_equal(
    made: SimpleNamespace, again: SimpleNamespace
) -> None:
    assert again.run != made.run
    assert f"forecast: all metrics of {again.run} equal those of {made.run}" in again.said


def test_command_makes_the_same_metrics_again(
    made: SimpleNamespace, again: SimpleNamespace
) -> None:
    metrics = compare(STORE, [made.run, again.run])["metrics"]
    different = [
        key for key, (before, after) in metrics.items() if before != after and "seconds" not in key
    ]
    assert len(metrics) > 100
    assert different == []


def test_settings_of_the_command_line_are_repeated(
    made: SimpleNamespace, again: SimpleNamespace
) -> None:
    expected = STORE.read_record(made.run)["parameters"]
    assert STORE.read_record(again.run)["parameters"] == expected


def test_report_of_a_repeated_run_has_its_short_command(
    made: SimpleNamespace, again: SimpleNamespace
) -> None:
    assert f"kedro runs repeat forecast {made.run[-6:]}" in again.footer


def test_changed_table_is_refused_by_its_hash_before_anything_runs(made: SimpleNamespace) -> None:
    with made.path.open("a") as file:
        file.write("2024-10-27,55.5\n")
    before = STORE.list_runs()
    finished = call(f"kedro runs repeat forecast {made.run} --env=test")
    assert (finished.returncode, finished.stdout) == (1, "")
    (line,) = finished.stderr.splitlines()
    recorded = STORE.read_record(made.run)["data"]["forecast_table"]["fingerprint"][:12]
    found = re.search(r"forecast_table was 300 rows, (\w+), and is 301 rows, (\w+)", line)
    assert found[1] == recorded
    assert found[2] not in (recorded, "")
    assert "--anyway" in line
    assert STORE.list_runs() == before
