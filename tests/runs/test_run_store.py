"""Which runs are removed; `tests/versions/test_folder.py` has the files of others that keep one."""

import pytest

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.runs.run_store import RunsSpec, RunStore
from rnn_pipelines.runs.writing import publish, put_aside
from rnn_pipelines.versions.folder import Removal
from small_runs import METRICS, begin, do_run, fail, kill, list_tree, put


def test_only_the_newest_runs_and_the_one_that_is_shown_stay(store: RunStore) -> None:
    names = [do_run(store, number) for number in range(4)]
    assert store.prune(2) == Removal(names[:2])
    assert store.list_runs() == names[2:]
    assert store.prune(0) == Removal(names[2:3])
    assert store.list_runs() == names[3:]


def test_note_keeps_every_run_that_it_was_put_into_and_no_other(store: RunStore) -> None:
    """A run that goes on from another does not make the note its own."""
    first = do_run(store, 1)
    put(store.folder / first / "08_reporting/notes.md", "file")
    run = begin(store, needed=[METRICS])
    publish(run, {"run": run.name})
    last = do_run(store, 3)
    assert store.prune(1).removed == [run.name]
    assert store.list_runs() == [first, last]


def test_dry_run_says_the_same_and_changes_nothing(store: RunStore) -> None:
    kept = do_run(store, 0)
    put(store.folder / kept / "mine", "file")
    fail(store, 1)
    for number in range(2, 5):
        do_run(store, number)
    before = list_tree(store.root)
    found = store.prune(2, is_dry=True)
    assert list_tree(store.root) == before
    assert (len(found.removed), len(found.kept)) == (2, 1)
    assert store.prune(2) == found


def test_run_that_was_killed_is_removed_by_the_next_one(store: RunStore) -> None:
    killed = kill(store, 1)
    do_run(store, 2)
    assert not killed.exists()


def test_a_failed_run_is_removed_when_one_has_ended_well(store: RunStore) -> None:
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
