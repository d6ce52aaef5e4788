"""Files of sixteen kinds: each is read right, or refused with options that then work."""

import importlib.util
import logging
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from rnn_pipelines.console.forecast import forecast, read_spec
from rnn_pipelines.console.settings import name_options, read_settings
from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.recipe import prepare_panel, read_with_covariates

FOUND = importlib.util.spec_from_file_location(
    "own_files", Path(__file__).parents[2] / "benchmarks/own_files.py"
)
own_files: Any = importlib.util.module_from_spec(FOUND)
sys.modules["own_files"] = own_files
FOUND.loader.exec_module(own_files)

SEED = int(os.environ.get("RNN_OWN_FILES_SEED", "1"))
# Whole commands of these kinds, or of all.
RUN = (
    list(own_files.KINDS)
    if "RNN_OWN_FILES" in os.environ
    else ["excel_under_titles", "numeric_id", "local_hours"]
)
# Kinds that are read only with further options, which the error names.
REFUSED = (
    "excel_under_titles",
    "intermittent_sales",
    "local_hours",
    "months_as_columns",
    "months_in_rows",
    "numeric_id",
    "stock_in_us_dates",
    "wide_months",
)
SMALL = ["--set", "training.max_steps=5", "--set", "lstm.members=1", "--set", "gru.members=1"]


def draw(kind: str, folder: Path) -> Any:
    return own_files.KINDS[kind](
        folder, np.random.default_rng([SEED, sorted(own_files.KINDS).index(kind)])
    )


def read(file: Path, words: tuple[str, ...]) -> None:
    """Read a file as the command does, up to the windows."""
    options = forecast.make_context("forecast", [str(file), *words]).params
    spec = read_spec(options.pop("file"), options, read_settings(options.pop("settings")))
    table, covariates = read_with_covariates(spec.source, spec.covariates, spec.window)
    prepare_panel(table, spec, covariates)


def turn(advice: str, file: Path) -> Path:
    """Do what an error says about a table with a column for each time."""
    eval(re.search(r"table\.\S+\.to_csv\('turned\.csv'\)", advice)[0], {"table": pd.read_csv(file)})
    return Path("turned.csv")


@pytest.fixture
def own(kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """A file of its kind, with what its reader says."""
    (tmp_path / "own").mkdir()
    monkeypatch.chdir(tmp_path)
    return draw(kind, tmp_path / "own")


def refuse_own(own: Any) -> str:
    """Read a file by its first options, and return the error in terms of options."""
    with pytest.raises(SeriesError) as refused:
        read(own.path, own.words)
    return name_options(str(refused.value))


@pytest.mark.parametrize("kind", REFUSED)
def test_own_files_are_refused_with_advice_in_options(own: Any) -> None:
    message = refuse_own(own)
    assert own.advice in message
    assert "source." not in message


@pytest.mark.parametrize("kind", own_files.KINDS)
def test_own_files_are_read_by_the_options_of_the_advice(
    own: Any, caplog: pytest.LogCaptureFixture
) -> None:
    file = own.path
    if own.advice:
        message = refuse_own(own)
        file = turn(message, file) if "turned.csv" in message else file
    caplog.set_level(logging.INFO)
    read(file, (*own.words, *own.more))
    log = name_options(caplog.text)
    assert own.line in log
    assert all(part in log for part in own.warnings)


@pytest.mark.slow
@pytest.mark.parametrize("kind", RUN)
def test_commands_on_own_files_exit_as_documented(kind: str, tmp_path: Path) -> None:
    """0 with the line of the columns, or 2 and one line with the options that then work."""
    own = draw(kind, tmp_path)

    def call(file: Path, *words: str) -> subprocess.CompletedProcess[str]:
        command = [
            sys.executable,
            "-m",
            "rnn_pipelines.console.main",
            "forecast",
            str(file),
            *words,
            *SMALL,
        ]
        return subprocess.run(command, cwd=tmp_path, check=False, capture_output=True, text=True)

    words = list(own.words)
    file = own.path
    if own.advice:
        done = call(file, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert own.advice in done.stderr
        assert len(done.stderr.splitlines()) <= 2
        words += own.more
        if "turned.csv" in done.stderr:
            pd.read_csv(file).set_index("Product").T.rename_axis("ds").to_csv(
                tmp_path / "again.csv"
            )
            file = tmp_path / "again.csv"
    done = call(file, *words)
    assert done.returncode == 0, done.stderr
    assert own.line in done.stderr
    assert all(part in done.stderr for part in own.warnings)
    assert "next values" in done.stdout
