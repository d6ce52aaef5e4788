"""Which runs are removed; `tests/versions/test_folder.py` has the files of others that keep one."""

import json
from pathlib import Path
from typing import Any

import pytest

from rnn_pipelines.errors import ParameterError, RunError
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.runs.run_store import (
    RECORD,
    RunRecord,
    RunsSpec,
    RunStore,
    read_record,
    write_record,
)
from rnn_pipelines.runs.writing import publish_run, put_aside
from rnn_pipelines.versions.files import measure_files
from rnn_pipelines.versions.folder import Removal
from small_runs import METRICS, begin, do_run, fail, kill, list_tree, put


def test_only_the_newest_runs_stay(store: RunStore) -> None:
    names = [do_run(store, number) for number in range(4)]
    assert store.prune(2) == Removal(names[:2])
    assert store.list_runs() == names[2:]
    assert store.prune(0) == Removal(names[2:3])
    assert store.list_runs() == names[3:]


def test_note_keeps_only_the_run_that_it_was_put_into(store: RunStore) -> None:
    """A run that goes on from another does not make the note its own."""
    first = do_run(store, 1)
    put(store.folder / first / "08_reporting/notes.md", "file")
    run = begin(store, needed=[METRICS])
    publish_run(run, {"run": run.name})
    last = do_run(store, 3)
    assert store.prune(1).removed == [run.name]
    assert store.list_runs() == [first, last]


def test_a_dry_prune_of_runs_changes_nothing(store: RunStore) -> None:
    kept = do_run(store, 0)
    put(store.folder / kept / "mine", "file")
    fail(store, 1)
    for number in range(2, 5):
        do_run(store, number)
    before = list_tree(store.root)
    store.prune(2, is_dry=True)
    assert list_tree(store.root) == before


def test_a_dry_prune_of_runs_lists_what_would_be_removed(store: RunStore) -> None:
    kept = do_run(store, 0)
    put(store.folder / kept / "mine", "file")
    fail(store, 1)
    for number in range(2, 5):
        do_run(store, number)
    found = store.prune(2, is_dry=True)
    assert (len(found.removed), len(found.kept)) == (2, 1)
    assert store.prune(2) == found


def test_killed_runs_are_removed_when_one_has_ended_well(store: RunStore) -> None:
    killed = kill(store, 1)
    do_run(store, 2)
    assert not killed.exists()


def test_failed_runs_are_removed_when_one_has_ended_well(store: RunStore) -> None:
    failed = fail(store, 1)
    do_run(store, 2)
    assert store.prune(2) == Removal([failed.name])
    assert not failed.exists()


def test_a_failed_run_stays_as_long_as_none_has_ended_well(store: RunStore) -> None:
    """So that a run can go on from it, whoever prunes meanwhile."""
    do_run(store, 1)
    failed = fail(store, 2)
    assert store.prune(2) == Removal()
    assert failed.exists()


def test_newer_failed_run_takes_the_place_of_an_older_one(store: RunStore) -> None:
    older = fail(store, 1)
    newer = fail(store, 2)
    assert (older.exists(), newer.exists()) == (False, True)


@pytest.mark.parametrize("name", ["note.txt", "08_reporting/note.txt", METRICS])
def test_file_of_somebody_else_keeps_a_failed_run(store: RunStore, name: str) -> None:
    failed = fail(store, 1)
    put(failed / name, "file")
    before = list_tree(failed)
    fail(store, 2)
    do_run(store, 3)
    assert [(kept.name, kept.files) for kept in store.prune(2).kept] == [(failed.name, [name])]
    assert list_tree(failed) == before


def test_run_that_fails_before_it_writes_anything_leaves_nothing(store: RunStore) -> None:
    """So that a mistyped parameter does not cost the results of a long run that failed before."""
    do_run(store, 1)
    fail(store, 2)
    before = list_tree(store.root)
    put_aside(begin(store))
    assert list_tree(store.root) == before


def test_file_of_somebody_else_in_such_a_run_stays(store: RunStore) -> None:
    run = begin(store)
    put(run.folder / "08_reporting/notes.md", "file")
    put_aside(run)
    assert (run.folder / "08_reporting/notes.md").read_text() == "mine"


def test_a_truth_value_in_place_of_a_number_is_named() -> None:
    with pytest.raises(ParameterError, match=r"^runs\.keep: expected a number"):
        read_parameter_model("runs", RunsSpec, {"keep": True})


# A record of odd but well-formed JSON is damage that is told with its key, and no error of whoever reads it later.


WHOLE: RunRecord = {
    "run": "RUN",
    "pipeline": "forecast",
    "env": None,
    "began": "2026-01-01T00:00:00+00:00",
    "ended": "2026-01-01T00:01:00+00:00",
    "continues": None,
    "reads": {"sentiment": "2026"},
    "data": {"forecast_table": {"fingerprint": "a", "num_rows": 1000}},
    "parameters": {"forecast": {"window": None}},
    "code": "c",
    "commit": None,
    "versions": {"numpy": "2"},
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Of a run with one file."""
    folder = tmp_path / "RUN"
    folder.mkdir()
    (folder / "metrics.json").write_text("{}")
    write_record(folder, {**WHOLE, "files": measure_files(folder, ["metrics.json"])})
    return folder


def change(folder: Path, **fields: Any) -> None:
    path = folder / RECORD
    path.write_text(json.dumps(json.loads(path.read_text()) | fields))


def test_a_record_of_a_run_comes_back(folder: Path) -> None:
    found = read_record(folder)
    assert {**found, "files": None} == {"format": 1, **WHOLE, "files": None}


def test_a_record_of_a_run_has_the_files(folder: Path) -> None:
    found = read_record(folder)
    assert found["files"]["metrics.json"]["num_bytes"] == 2


def test_what_another_version_adds_to_a_record_comes_back(folder: Path) -> None:
    change(folder, host="a", data={"t": {"fingerprint": "a", "num_rows": 1, "num_series": 2}})
    assert read_record(folder)["data"]["t"] == {"fingerprint": "a", "num_rows": 1, "num_series": 2}


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        *(({"parameters": odd}, "parameters") for odd in ([], "x", None, 5)),
        *(({"versions": odd}, "versions") for odd in ([], "x", None, {"numpy": 2})),
        *(({"data": odd}, "data") for odd in ([], {"t": 5}, {"t": {}}, {"t": {"fingerprint": 1, "num_rows": 1}})),
        *(({"data": {"t": {"fingerprint": "a", "num_rows": odd}}}, "data") for odd in (True, "1", None)),
        *(({"files": odd}, "files") for odd in ([], None, {"a": 1}, {"a": {}})),
        *(({"files": {"a": {"sha256": "x", "num_bytes": odd}}}, "files") for odd in ("1", None)),
        *(({"writes": odd}, "writes") for odd in ("x", None, [1])),
        *(({"reads": odd}, "reads") for odd in (3, [], {"forecast": None})),
        *(({key: odd}, key) for key in ("began", "ended", "code") for odd in (5, None, {})),
        *(({key: odd}, key) for key in ("commit", "continues", "env") for odd in (5, {}, [])),
        ({"run": "another"}, "in whose folder it lies"),
    ],
    ids=str,
)  # fmt: skip
def test_odd_values_are_damage_that_is_told_with_its_key(
    folder: Path, fields: dict[str, Any], key: str
) -> None:
    change(folder, **fields)
    with pytest.raises(
        RunError, match=rf"^{folder}/run\.json: it is damaged \(.*{key}.*\)\. Copy it back"
    ):
        read_record(folder)
