"""A fingerprint changes with what it is of, and with nothing else."""

import datetime
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import h5py
import numpy as np
import pandas as pd
import pydantic
import pytest

import rnn_pipelines
from rnn_pipelines.champion import manifest
from rnn_pipelines.champion.manifest import (
    find_commit,
    fingerprint_code,
    fingerprint_table,
    fingerprint_values,
    list_versions,
)


@pytest.fixture
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "unique_id": ["a", "a", "b"],
            "ds": pd.to_datetime(["2026-01-01", "2026-01-02", "2026-01-01"]),
            "y": [1.0, np.nan, 3.0],
            "more": [1.0, 2.0, 3.0],
        }
    )


TABLE_CHANGES: dict[str, Callable[[pd.DataFrame], pd.DataFrame]] = {
    "a value": lambda table: table.assign(y=[1.0, np.nan, 3.0000001]),
    "a missing value": lambda table: table.assign(y=[1.0, 0.0, 3.0]),
    "a timestamp": lambda table: table.assign(ds=table["ds"] + pd.Timedelta("1ns")),
    "a text": lambda table: table.assign(unique_id=["a", "a", "c"]),
    "one row less": lambda table: table.iloc[:-1],
    "one row more": lambda table: pd.concat([table, table.iloc[-1:]]),
    "another order of rows": lambda table: table.iloc[::-1],
    "another order of columns": lambda table: table[["ds", "unique_id", "y", "more"]],
    "swapped values": lambda table: table.assign(y=table["more"], more=table["y"]),
    "another name": lambda table: table.rename(columns={"more": "other"}),
    "another type": lambda table: table.assign(more=[1, 2, 3]),
    "one column less": lambda table: table.drop(columns="more"),
}


@pytest.mark.parametrize("change", TABLE_CHANGES)
def test_fingerprint_of_a_table_changes_with(table: pd.DataFrame, change: str) -> None:
    assert fingerprint_table(TABLE_CHANGES[change](table)) != fingerprint_table(table)


def test_fingerprints_of_tables_depend_on_the_size_of_numbers() -> None:
    """Whose values have the same hashes."""
    table = pd.DataFrame({"y": [1, 2, 3]})
    assert fingerprint_table(table.astype("int32")) != fingerprint_table(table.astype("int64"))


def test_fingerprints_of_values_do_not_depend_on_their_order() -> None:
    turned = {
        "deep": {"none": None, "is_on": True, "rate": 0.1},
        "names": ["a", "b"],
        "lookback": 30,
    }
    assert fingerprint_values(turned) == fingerprint_values(VALUES)


def test_fingerprints_of_code_are_of_the_own_package() -> None:
    assert Path(rnn_pipelines.__file__).parent == manifest.PACKAGE


def test_versions_have_python() -> None:
    versions = list_versions()
    assert versions["python"] == sys.version.split()[0]


def test_versions_have_the_package() -> None:
    versions = list_versions()
    assert versions["rnn-pipelines"] == rnn_pipelines.__version__


def test_fingerprint_of_a_table_leaves_its_row_labels_out(table: pd.DataFrame) -> None:
    assert fingerprint_table(table.set_index(pd.Index([7, 8, 9]))) == fingerprint_table(table)


def test_fingerprinting_does_not_change_a_table(table: pd.DataFrame) -> None:
    copy = table.copy()
    fingerprint_table(table)
    pd.testing.assert_frame_equal(table, copy)


def test_an_empty_table_has_a_fingerprint(table: pd.DataFrame) -> None:
    assert len(fingerprint_table(table.iloc[:0])) == 64


VALUES = {"lookback": 30, "names": ["a", "b"], "deep": {"rate": 0.1, "is_on": True, "none": None}}


@pytest.mark.parametrize(
    "change",
    [{"lookback": 31}, {"lookback": "30"}, {"names": ["b", "a"]}, {"deep": {}}, {"more": None}],
    ids=str,
)
def test_fingerprint_of_values_changes_with(change: dict[str, Any]) -> None:
    assert fingerprint_values({**VALUES, **change}) != fingerprint_values(VALUES)


@pytest.mark.parametrize(
    "value", [datetime.date(2026, 1, 31), datetime.datetime(2026, 1, 31, 2), Path("data/my.csv")]
)
def test_values_that_are_no_json_have_the_fingerprint_of_their_text(value: object) -> None:
    assert fingerprint_values({"as_of": value}) == fingerprint_values({"as_of": str(value)})


@pytest.mark.parametrize("value", [{"a", "b"}, object(), b"bytes"])
def test_value_whose_text_is_not_always_the_same_is_refused(value: object) -> None:
    """A set has another order in another process: the same data would look new each night."""
    with pytest.raises(
        TypeError, match=f"a {type(value).__name__} has no fingerprint; expected plain values"
    ):
        fingerprint_values({"names": value})


def test_fingerprints_are_the_same_in_another_process(table: pd.DataFrame, tmp_path: Path) -> None:
    """Also where texts have other hashes."""
    table.to_parquet(tmp_path / "my.parquet")
    code = f"""
import pandas as pd
from rnn_pipelines.champion.manifest import *
print(fingerprint_table(pd.read_parquet("my.parquet")), fingerprint_values({VALUES!r}), fingerprint_code())
"""
    finished = subprocess.run(
        [sys.executable, "-c", code],
        cwd=tmp_path,
        env={**os.environ, "PYTHONHASHSEED": "7"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert finished.stdout.split() == [
        fingerprint_table(table),
        fingerprint_values(VALUES),
        fingerprint_code(),
    ]


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A package of two modules in place of the project's own."""
    folder = tmp_path / "package"
    (folder / "deep").mkdir(parents=True)
    (folder / "a.py").write_text("a = 1\n")
    (folder / "deep" / "b.py").write_text("b = 1\n")
    monkeypatch.setattr(manifest, "PACKAGE", folder)
    return folder


CODE_CHANGES: dict[str, Callable[[Path], object]] = {
    "a line": lambda package: (package / "deep" / "b.py").write_text("b = 2\n"),
    "a new module": lambda package: (package / "c.py").touch(),
    "a module less": lambda package: (package / "a.py").unlink(),
    "another name": lambda package: (package / "a.py").rename(package / "c.py"),
}


@pytest.mark.parametrize("change", CODE_CHANGES)
def test_fingerprint_of_the_code_changes_with(package: Path, change: str) -> None:
    before = fingerprint_code()
    CODE_CHANGES[change](package)
    assert fingerprint_code() != before


def test_fingerprint_of_the_code_does_not_change_with_other_files(package: Path) -> None:
    before = fingerprint_code()
    (package / "a.cpython-311.pyc").touch()
    assert fingerprint_code() == before


def run_git(folder: Path, *arguments: str) -> str:
    own = ["-c", "user.name=a", "-c", "user.email=a@example.org", "-c", "commit.gpgsign=false"]
    finished = subprocess.run(
        ["git", *own, *arguments], cwd=folder, capture_output=True, text=True, check=True
    )
    return finished.stdout.strip()


def test_there_is_no_commit_outside_a_checkout(
    package: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_CEILING_DIRECTORIES", str(package.parent))
    assert find_commit() is None
    run_git(package, "init")
    assert find_commit() is None
    run_git(package, "commit", "--allow-empty", "-m", "first")
    assert find_commit() == run_git(package, "rev-parse", "HEAD")


@pytest.mark.parametrize("error", [FileNotFoundError(), subprocess.TimeoutExpired("git", 10)])
def test_there_is_no_commit_without_git(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: object, **__: object) -> None:
        raise error

    monkeypatch.setattr(subprocess, "run", fail)
    assert find_commit() is None


@pytest.mark.parametrize("module", [np, pd, h5py, pydantic])
def test_version_of_a_library_is_its_own(module: Any) -> None:
    assert list_versions()[module.__name__] == module.__version__
