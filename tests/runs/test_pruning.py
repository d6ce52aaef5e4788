"""Only files that are known to be a run's own are ever removed."""

import os
import shutil
from pathlib import Path

import pytest

from rnn_pipelines.runs import pruning
from rnn_pipelines.runs.files import RECORD
from rnn_pipelines.runs.pruning import Removal, prune, remove_unfinished, warn_of_kept
from rnn_pipelines.runs.records import RunRecord, list_foreign
from rnn_pipelines.runs.run_store import RunStore
from rnn_pipelines.runs.writing import publish, put_aside
from rnn_pipelines.storage.files import name_temporary
from small_runs import KINDS, METRICS, SOURCE, begin, do_run, fail, kill, list_tree, put, read_shown

FILES_OF_OTHERS = [".notes.md", "08_reporting/.notes.md", ".mine/notes.md", "03_primary/run.json", "03/a", "note.part"]
KILLED = ".2026-01-01T00.00.00.000000Z-abcdef.part"


def list_kept(removal: Removal) -> list[tuple[str, list[str]]]:
    return [(kept.name, kept.files) for kept in removal.kept]


def test_only_the_newest_runs_and_the_one_that_is_shown_stay(store: RunStore) -> None:
    names = [do_run(store, number) for number in range(4)]
    assert prune(store, 2) == Removal(names[:2])
    assert store.list_runs() == names[2:]
    assert prune(store, 0) == Removal(names[2:3])
    assert store.list_runs() == names[3:]


@pytest.mark.parametrize("name", FILES_OF_OTHERS)
@pytest.mark.parametrize("kind", ["file", "link", "link to nothing"])
def test_whatever_a_run_did_not_write_keeps_it(store: RunStore, kind: str, name: str) -> None:
    names = [do_run(store, number) for number in range(3)]
    mine = store.folder / names[0] / name
    put(mine, kind)
    before = list_tree(store.folder / names[0])
    removal = prune(store, 1)
    assert (removal.removed, list_kept(removal)) == ([names[1]], [(names[0], [name])])
    assert list_tree(store.folder / names[0]) == before


def test_note_keeps_every_run_that_it_was_put_into_and_no_other(store: RunStore) -> None:
    """A run that goes on from another does not make the note its own."""
    first = do_run(store, 1)
    put(store.folder / first / "08_reporting/notes.md", "file")
    run = begin(store, needed=[METRICS])
    publish(run, {"run": run.name})
    last = do_run(store, 3)
    assert prune(store, 1).removed == [run.name]
    assert store.list_runs() == [first, last]


@pytest.mark.parametrize("change", [lambda path: path.write_text("mine"), lambda path: path.write_bytes(b"")])
def test_file_that_was_changed_keeps_its_run(store: RunStore, change: object, caplog: pytest.LogCaptureFixture) -> None:
    names = [do_run(store, number) for number in range(3)]
    change(store.folder / names[0] / METRICS)  # type: ignore[operator]
    removal = prune(store, 1)
    warn_of_kept(removal)
    assert list_kept(removal) == [(names[0], [METRICS])]
    assert METRICS in caplog.text


def test_file_that_comes_after_the_check_is_not_removed(store: RunStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next prune finds it in the hidden folder, and names it."""
    names = [do_run(store, number) for number in range(2)]

    def check_and_put(folder: Path, record: RunRecord) -> list[str]:
        found = list_foreign(folder, record)
        put(folder / "08_reporting/notes.md", "file")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(pruning, "list_foreign", check_and_put)
        with pytest.raises(OSError, match="not empty"):
            prune(store, 1)
    hidden = f".{names[0]}.part"
    assert (store.folder / hidden / "08_reporting/notes.md").read_text() == "mine"
    assert list_kept(remove_unfinished(store)) == [(hidden, ["08_reporting/notes.md"])]


def test_file_that_was_removed_keeps_nothing(store: RunStore) -> None:
    names = [do_run(store, number) for number in range(2)]
    (store.folder / names[0] / METRICS).unlink()
    assert prune(store, 1) == Removal(names[:1])


@pytest.mark.parametrize("what", [METRICS, "08_reporting", RECORD])
def test_what_was_moved_to_another_disk_and_linked_keeps_its_run(store: RunStore, tmp_path: Path, what: str) -> None:
    names = [do_run(store, number) for number in range(2)]
    path = store.folder / names[0] / what
    path.symlink_to(path.rename(tmp_path / "moved"))
    moved = list_tree(tmp_path)
    assert list_kept(prune(store, 1)) == [(names[0], [what])]
    assert list_tree(tmp_path) == moved


def test_dry_run_says_the_same_and_changes_nothing(store: RunStore) -> None:
    kept = do_run(store, 0)
    put(store.folder / kept / "mine", "file")
    fail(store, 1)
    for number in range(2, 5):
        do_run(store, number)
    before = list_tree(store.root)
    found = prune(store, 2, is_dry=True)
    assert list_tree(store.root) == before
    assert (len(found.removed), len(found.kept)) == (2, 1)
    assert prune(store, 2) == found


def test_something_in_the_way_of_a_removal_is_a_reason_to_keep_the_run(store: RunStore) -> None:
    names = [do_run(store, number) for number in range(2)]
    mine = store.folder / f".{names[0]}.part"
    mine.write_text("mine")
    assert [kept.name for kept in prune(store, 1).kept] == [names[0]]
    assert mine.read_text() == "mine"


# Folders that are no run's, or of which nothing is known


def test_folder_with_the_name_of_a_run_is_not_removed(store: RunStore) -> None:
    do_run(store, 1)
    mine = store.folder / "2020-01-01T00.00.00.000000Z-abcdef"
    mine.mkdir()
    do_run(store, 2)
    assert mine.name not in prune(store, 1).removed
    assert mine.exists()


@pytest.mark.parametrize("name", ["2020-01-01 my notes", "mine", "2020-01-01T00.00.00.000Z", "RUN-copy"])
def test_folder_of_another_name_is_neither_listed_nor_removed(store: RunStore, name: str) -> None:
    names = [do_run(store, number) for number in range(3)]
    folder = store.folder / name.replace("RUN", names[0])
    shutil.copytree(store.folder / names[0], folder)
    assert prune(store, 2).removed == names[:1]
    assert folder.exists()
    assert store.list_runs() == names[1:]


@pytest.mark.parametrize("content", [None, "{", '{"format": 1, "files": {"a": 1}}', '{"format": 99}'])
def test_run_whose_record_is_missing_or_damaged_is_not_removed(store: RunStore, content: str | None) -> None:
    names = [do_run(store, number) for number in range(3)]
    record = store.folder / names[0] / RECORD
    record.unlink()
    if content is not None:
        record.write_text(content)
    removal = prune(store, 1)
    assert (removal.removed, list_kept(removal)) == ([names[1]], [(names[0], [])])


# Runs that were killed, or failed


def test_run_that_was_killed_is_removed_by_the_next_one(store: RunStore) -> None:
    killed = kill(store, 1)
    do_run(store, 2)
    assert not killed.exists()


def test_its_files_may_be_in_any_state(store: RunStore) -> None:
    killed = kill(store, 1)
    (killed / METRICS).write_text("half of it")
    (killed / SOURCE).unlink()
    for name in (RECORD, "01_raw/source.parquet"):
        (killed / name).with_name(name_temporary(Path(name).name)).write_text("half of it")
    assert remove_unfinished(store) == Removal([killed.name])
    assert not killed.exists()


@pytest.mark.parametrize("left", [[], [name_temporary(RECORD)]], ids=["nothing", "a part"])
def test_run_that_was_killed_before_it_had_a_record_is_removed(store: RunStore, left: list[str]) -> None:
    folder = store.folder / KILLED
    folder.mkdir(parents=True)
    for name in left:
        (folder / name).touch()
    assert remove_unfinished(store) == Removal([KILLED])


@pytest.mark.parametrize("name", [*FILES_OF_OTHERS, ".notes.md.01234567.part", f".{RECORD}.abcd1234.part"])
def test_file_of_somebody_else_keeps_what_a_killed_run_left(store: RunStore, name: str) -> None:
    killed = kill(store, 1)
    put(killed / name, "file")
    before = list_tree(killed)
    do_run(store, 2)
    assert list_tree(killed) == before
    assert list_kept(remove_unfinished(store)) == [(killed.name, [name])]


@pytest.mark.parametrize("ending", ["part", "failed"])
@pytest.mark.parametrize("name", ["note.txt", METRICS])
def test_folder_of_somebody_else_with_such_a_name_stays(store: RunStore, ending: str, name: str) -> None:
    mine = store.folder / KILLED.replace("part", ending) / name
    put(mine, "file")
    fail(store, 1)
    do_run(store, 2)
    prune(store, 2)
    assert mine.read_text() == "mine"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [".x.part", ".x.failed"])
def test_hidden_things_of_other_names_stay_and_end_no_run(store: RunStore, name: str, kind: str) -> None:
    path = store.folder / name
    put(path, kind)
    do_run(store, 1)
    fail(store, 2)
    do_run(store, 3)
    prune(store, 2)
    assert (os.path.lexists(path), read_shown(store)) == (True, 3)


def test_a_failed_run_is_removed_when_one_has_ended_well(store: RunStore) -> None:
    failed = fail(store, 1)
    do_run(store, 2)
    assert prune(store, 2) == Removal([failed.name])
    assert not failed.exists()


def test_a_failed_run_stays_as_long_as_none_has_ended_well(store: RunStore) -> None:
    """So that a run can go on from it, whoever prunes meanwhile."""
    do_run(store, 1)
    failed = fail(store, 2)
    assert prune(store, 2) == Removal()
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
    assert list_kept(prune(store, 2)) == [(failed.name, [name])]
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
