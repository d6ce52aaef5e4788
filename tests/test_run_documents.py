"""Every command line that README.md and the pages of docs show in a block runs, from top to bottom, in a fresh project.

A new command is picked up by itself. One that can't run here gets a line in `NOT_RUN`, with the reason.
"""

import contextlib
import os
import re
import subprocess
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from documents import (
    PAGES,
    TUTORIAL,
    copy_project,
    list_file_code,
    list_headers,
    list_settings,
    list_shown,
)

pytestmark = pytest.mark.slow

# Commands that are not run, as patterns, and why.
NOT_RUN = {
    r"^make compare PARAMS=": "its trainings take minutes; a test compares their expected time",
    r"^make (install )?test\b": "it would run this test",
    r"^make install airflow$": "it installs Airflow",
    r"^\.airflow/bin/airflow ": "it needs an installation of Airflow",
    r"^airflow ": "it needs an installation of Airflow",
    r"--env=backfill$": "it needs the nights that Airflow ran",
    r"^\.venv/bin/(pip|uv) ": "it installs packages",
    r"^sudo ": "it needs root",
    r"^rnn-pipelines serve ": "it serves until it is stopped",
    r"^docker ": "it needs Docker",
    r"^\.venv/bin/dask ": "it serves until it is stopped",
    r"parallel\.backend=dask": "it needs a scheduler of Dask",
    r"--env=postgres$": "it needs a server of PostgreSQL",
    r"audit forecast --(tsa|reply) ": "it needs an authority; tests/test_run_audit.py has one",
    r"partitions\.stop=fit": "it needs a large panel; tests/test_run_partitions.py has one",
    r"^kedro champion publish ": "it needs conf/local/mlflow.yml, which the environment of the walk does not read",
    r"daily-min-temperatures\.csv": "it reads real data, and replays a year of retrainings",
    r"tune_forecast\.num_samples=50": "it takes up to ten minutes; make tune is run",
}
# Exit codes other than 0 that are an answer.
ANSWERS = {
    r"kedro champion check ": {0, 10, 20},
    r"deploy/nightly\.sh ": {0, 10, 20},
    "rnn-pipelines homework ": {1},
}
# Versions in the documents are those of another machine.
VERSIONS = "ls .test_data/06_models/champion/forecast/versions"
OLDEST = f"$({VERSIONS} | head -n 1)"
NEWEST = f"$({VERSIONS} | tail -n 1)"
# Options that shorten trainings of the console, which has no settings of tests.
SHORTER = {
    r"rnn-pipelines (-v )?forecast ": " --set training.max_steps=25",
    r"rnn-pipelines sentiment ": " --set training.epochs=1",
}
NAME = re.compile(r"(?<= )[0-9a-f]{6}(?= |$)")
# What has to be done before a command: there must be two versions, and the newest one in use, to go back from it.
BEFORE = {
    r"champion retrain forecast$": "kedro run --pipelines=retrain_forecast --params forecast.training.seed=1",
    r"pretrained\.path=data/": "mkdir -p data/06_models && cp -rL .test_data/06_models/pretrain data/06_models/",
    r"runs repeat forecast$": "kedro run --pipelines=forecast",
    r"champion rollback ": f"kedro champion promote forecast {OLDEST}; kedro champion promote forecast {NEWEST}",
}


def list_lines() -> list[str]:
    """Return every shown command once, at its first place, without its comment."""
    lines = [
        " ".join(re.sub(r"\s#\s.*", "", line).split())
        for page in PAGES
        if page != TUTORIAL
        for line in list_shown(page)
    ]
    first: dict[str, str] = {}
    for line in lines:
        first.setdefault(line.removeprefix(".venv/bin/"), line)
    return list(first.values())


SHOWN = list_lines()
REASONS = {
    line: [reason for pattern, reason in NOT_RUN.items() if re.search(pattern, line)]
    for line in SHOWN
}
HEADERS = [
    (command, columns)
    for page in PAGES
    if page != TUTORIAL
    for command, columns in list_headers(page)
]
RUN = [line for line, reasons in REASONS.items() if not reasons]


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it is cloned, with programs in place, small settings, and the reader's own files."""
    folder = copy_project(tmp_path_factory.mktemp("documents") / "project")
    for installed in ("uv", "project", "keras", "all", "tune"):  # so that make installs nothing
        (folder / f".venv/{installed}.installed").touch()
    write_files(folder)
    for page in PAGES:
        if page != TUTORIAL:
            write_files_of(page, folder)
    return folder


def write_files_of(page: Path, folder: Path) -> None:
    """Write the tables that a page makes by Python, and its files of conf.

    Those in conf/local are not read by the commands here, because these have an environment.
    """
    for path, text in list_settings(page):
        if not path.startswith("conf/local"):
            (folder / path).parent.mkdir(exist_ok=True)
            (folder / path).write_text(text)
    with contextlib.chdir(folder):
        for code in list_file_code(page):
            exec(compile(code, str(page), "exec"), {})


def write_files(folder: Path) -> None:
    """Write my.csv, with all columns that the documents name, the texts to score, and settings that name reviews."""
    rng = np.random.default_rng(0)
    size = 400
    labels = np.arange(size) % 2
    telling = (["bad", "awful", "dull"], ["good", "great", "fine"])
    texts = [
        " ".join([*rng.choice(telling[label], 3), "film", f"no{row}"])
        for row, label in enumerate(labels)
    ]
    days = pd.date_range("2022-01-01", periods=size)
    values = 10 + np.sin(np.arange(size) / 9) + rng.normal(0, 0.2, size)
    names = np.where(labels, "positive", "negative")
    columns = {
        "Date": days,
        "Temp": values,
        "Review": texts,
        "Sentiment": names,
        "body": texts,
        "verdict": names,
    }
    mine = pd.DataFrame(columns)
    mine.to_csv(folder / "my.csv", index=False)
    mine[["body", "verdict"]].to_csv(folder / "reviews.csv", index=False)
    # The actual values of the days after those of my.csv.
    later = mine[-20:].assign(Date=days[-20:] + pd.Timedelta(20, "D"))
    pd.concat([mine, later]).to_csv(folder / "newer.csv", index=False)
    (folder / "sales").mkdir()
    articles = [
        pd.DataFrame({"article": number, "ds": days, "y": number + values}) for number in range(4)
    ]
    for number, rows in pd.concat(articles).groupby(days.month.to_numpy().tolist() * 4):
        rows.to_parquet(folder / f"sales/{number}.parquet", index=False)
    scored = pd.DataFrame({"text": texts[:20], "body": texts[:20]})
    for name in ("new.csv", "my_reviews.csv"):
        scored.to_csv(folder / name, index=False)
    source = "source: {path: my.csv, text: Review, label: Sentiment}"
    add_settings(folder / "conf/test/parameters_sentiment.yml", "sentiment:\n", f"  {source}\n")
    reviews = source.replace("source", "reviews", 1)
    add_settings(folder / "conf/test/parameters_internals.yml", "internals:\n", f"  {reviews}\n")
    (folder / "conf/test/parameters_predict_sentiment.yml").write_text(
        "predict_sentiment: {path: new.csv}\n"
    )
    (folder / "homework.py").write_text("def count_gru(m, n): return 3 * (m * n + n * n + n)\n")


def add_settings(path: Path, block: str, settings: str) -> None:
    text = path.read_text()
    assert text.count(block) == 1
    path.write_text(text.replace(block, block + settings))


def run(clone: Path, line: str) -> subprocess.CompletedProcess[str]:
    programs = f"{clone}/.venv/bin{os.pathsep}{os.environ['PATH']}"
    environment = {"PATH": programs, "KEDRO_ENV": "test", "PYTHONPATH": f"{clone}/src"}
    return subprocess.run(
        ["bash", "-c", line],
        check=False,
        cwd=clone,
        env=os.environ | environment,
        capture_output=True,
        text=True,
    )


@pytest.mark.parametrize("line", RUN)
def test_command_runs(clone: Path, line: str) -> None:
    for pattern, command in BEFORE.items():
        if re.search(pattern, line):
            before = run(clone, command)
            assert before.returncode == 0, before.stderr
    options = [option for pattern, option in SHORTER.items() if re.search(pattern, line)]
    finished = run(clone, NAME.sub(NEWEST, line) + "".join(options))
    expected = next((codes for pattern, codes in ANSWERS.items() if re.search(pattern, line)), {0})
    assert finished.returncode in expected, finished.stderr
    printed = {
        column for row in finished.stdout.splitlines() for column in re.split(" {2,}", row.strip())
    }
    shown = [columns for command, columns in HEADERS if command == line.removeprefix(".venv/bin/")]
    assert [columns for columns in shown if not set(columns) <= printed] == []


def test_every_reason_is_needed() -> None:
    given = [reason for reasons in REASONS.values() for reason in reasons]
    assert set(NOT_RUN.values()) == set(given)
    assert [
        pattern for pattern in NOT_RUN if not any(re.search(pattern, line) for line in SHOWN)
    ] == []


def test_columns_of_commands_are_compared() -> None:
    # Or the comparison of their columns would prove nothing.
    assert {"kedro champion history forecast", "kedro runs list forecast"} <= {
        command for command, _ in HEADERS
    }


def test_most_commands_are_run() -> None:
    # Or the walk would prove nothing.
    assert len(RUN) > len(SHOWN) / 2
