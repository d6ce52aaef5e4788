"""Whole runs over data whose names, labels and texts would take over a terminal, forge lines of a log, or be markup."""

import json
import os
import shutil
import subprocess
import sys
import unicodedata
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

pytestmark = pytest.mark.slow

# What each name holds: it would colour, open a link, go back to the beginning, forge a line and turn the direction.
MARK = "\x1b[31m\x1b]8;;http://b\x1b\\<script>alert(1)</script><b>c</b><a href='http://b'>d</a>\x07\r\x9b2K\u202e\u2066"
FORGED = "forecast: all is well"
NAME = f"{MARK}\n{FORGED}\n"
MARKUP = ("<script>alert", "<b>c", "<a href='http://b")
SIZES = {
    "window": {"lookback": 8, "horizon": 3},
    "split": {"validation": 30, "test": 30},
    "lstm": {"units": 4},
    "gru": {"units": 4},
    "training": {"max_steps": 50},
}


class Commands:
    """The commands, in an environment of their own, and all that they said."""

    def __init__(self, project: Path, folder: Path) -> None:
        self.project = project
        self.data = folder / "data"
        self.environment = folder / "hostile"
        shutil.copytree(project / "conf/test", self.environment)
        (self.environment / "globals.yml").write_text(f"data_root: {self.data}\n")

    def configure(self, pipeline: str, parameters: dict[str, Any]) -> None:
        (self.environment / f"parameters_{pipeline}.yml").write_text(
            json.dumps({pipeline: parameters})
        )

    def run(self, command: str, code: int = 0) -> str:
        """What a command says, which ends as expected; no line of it is the data's own, and none holds a control."""
        arguments = [sys.executable, "-m", "kedro", *command.split(), f"--env={self.environment}"]
        pipe: dict[str, Any] = {"stdout": subprocess.PIPE, "stderr": subprocess.STDOUT}
        finished = subprocess.run(arguments, cwd=self.project, env=os.environ, check=False, **pipe)
        said = finished.stdout.decode()
        assert finished.returncode == code, said
        assert find_controls(said) == []
        assert [line for line in said.split("\n") if line.strip().startswith(FORGED)] == []
        return said


def find_controls(text: str) -> list[str]:
    """Lines with control characters (C0, C1) or with those that turn the direction."""
    kinds = ("Cc", "Cf", "Zl", "Zp")
    return [
        line
        for line in text.split("\n")
        if any(unicodedata.category(sign) in kinds for sign in line)
    ]


def find_markup(path: Path) -> list[str]:
    """What a page, or a figure, holds of the markup in the data."""
    text = path.read_text()
    if path.suffix == ".json":
        text = "\n".join(walk(json.loads(text)))
    return [tag for tag in MARKUP if tag in text]


def walk(values: Any) -> Iterator[str]:
    if isinstance(values, dict | list):
        for value in values.values() if isinstance(values, dict) else values:
            yield from walk(value)
    elif isinstance(values, str):
        yield values


def make_series(num_days: int) -> pd.DataFrame:
    """Two series with a covariate of each kind, all of hostile names."""
    random = np.random.default_rng(0)
    ds = pd.date_range("2024-01-01", periods=num_days + 5)
    tables = []
    for shop in "ab":
        price = random.normal(size=len(ds))
        y = 10 + np.sin(np.arange(len(ds)) * 0.7) + price + random.normal(size=len(ds)) / 5
        table = pd.DataFrame(
            {f"id{NAME}": shop + NAME, f"ds{NAME}": ds, f"y{NAME}": y, f"price{NAME}": price}
        )
        table[f"seen{NAME}"] = random.normal(size=len(ds))
        table[f"city{NAME}"] = f"city {shop}{NAME}"
        table.loc[table.index >= num_days, [f"y{NAME}", f"seen{NAME}"]] = np.nan
        tables.append(table)
    return pd.concat(tables)


@pytest.fixture(scope="module")
def commands(project: Path, tmp_path_factory: pytest.TempPathFactory) -> Commands:
    commands = Commands(project, tmp_path_factory.mktemp("runs"))
    series = commands.data.parent / "series.csv"
    make_series(160).to_csv(series, index=False)
    source = {
        "path": str(series),
        **{key: name + NAME for key, name in (("id", "id"), ("time", "ds"), ("target", "y"))},
    }
    covariates = {"future": [f"price{NAME}"], "past": [f"seen{NAME}"], "static": [f"city{NAME}"]}
    commands.configure("forecast", {"source": source, "covariates": covariates, **SIZES})
    return commands


# In their order, each going on from what the one before has left.


def test_forecast_prints_and_draws_nothing_as_it_stands(commands: Commands) -> None:
    said = commands.run("run --pipelines=forecast")
    reporting = commands.data / "08_reporting/forecast"
    summary = (reporting / "summary.txt").read_text()
    assert "next values of a\\x1b[31m" in summary
    assert summary in said
    assert find_controls(summary) == []
    pages = [*reporting.glob("*.html"), *reporting.glob("*.json")]
    assert len(pages) > 5
    assert {path.name: find_markup(path) for path in pages} == {path.name: [] for path in pages}


def test_runs_are_compared(commands: Commands) -> None:
    commands.run("run --pipelines=forecast --params forecast.training.max_steps=40")
    for command in ("list", "show", "compare", "compare --all"):
        name, _, option = command.partition(" ")
        commands.run(f"runs {name} forecast {option}")
        said = commands.run(f"runs {name} forecast --json")
        assert json.loads(said)


def test_nights_are_told(commands: Commands) -> None:
    commands.run("champion retrain forecast")
    commands.run("run --pipelines=predict_forecast")
    make_series(175).to_csv(commands.data.parent / "series.csv", index=False)
    commands.run("run --pipelines=monitor_forecast")
    said = commands.run("champion check forecast", code=20)
    assert "a\\x1b[31m" in said
    commands.run("champion history forecast")
    assert "series.csv" in commands.run("champion show forecast")
    page = commands.data / "08_reporting/monitor_forecast/report.html"
    assert find_markup(page) == []


def test_error_is_one_line(commands: Commands) -> None:
    table = make_series(160).astype({f"y{NAME}": object})
    table.iloc[3, 2] = f"x{NAME}"
    table.to_csv(commands.data.parent / "series.csv", index=False)
    said = commands.run("run --pipelines=forecast", code=1)
    assert "\\x1b[31m" in said.strip().split("\n")[-1]
    commands.run("champion retrain forecast", code=1)
    assert "failed" in commands.run("champion history forecast")
    commands.run("champion check forecast", code=20)


def test_texts_are_told(commands: Commands) -> None:
    random = np.random.default_rng(0)
    words = (["awful", "dull", f"a{MARK}"], ["great", "fine", f"b{MARK}"])
    rows = [
        (" ".join(random.choice(words[n % 2], 6)) + NAME, n % 2, f"film {n // 4}{NAME}")
        for n in range(240)
    ]
    reviews = pd.DataFrame(rows, columns=[f"text{NAME}", f"label{NAME}", f"group{NAME}"])
    path = commands.data.parent / "reviews.csv"
    reviews.to_csv(path, index=False)
    source = {"path": str(path), **{key: key + NAME for key in ("text", "label", "group")}}
    small = {"bidirectional": False, "units": 2, "min_texts": 0}
    shrunk = {
        "source": source,
        "lstm": small,
        "gru": small,
        "training": {"epochs": 1},
        "pointwise": {"units": 2, "min_texts": 0},
    }
    commands.configure(
        "sentiment", shrunk | {"ngrams": {"folds": 2}, "word_vectors": {"dimensions": 4}}
    )
    commands.configure("predict_sentiment", {"path": str(path), "text": f"text{NAME}"})
    commands.run("run --pipelines=sentiment")
    commands.run("run --pipelines=predict_sentiment")
    reporting = commands.data / "08_reporting/sentiment"
    assert find_controls((reporting / "summary.txt").read_text()) == []
    assert {path.name: find_markup(path) for path in reporting.glob("*.html")} == {
        "report.html": []
    }
