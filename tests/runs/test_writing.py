"""The results of a pipeline appear together, and are those of one run."""

import json
import os
import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest

from rnn_pipelines.errors import FormatError, RunError
from rnn_pipelines.runs import writing
from rnn_pipelines.runs.run_store import FAILED, RECORD, RunStore, find_damage, read_record
from rnn_pipelines.runs.writing import publish_run, put_aside
from rnn_pipelines.versions.files import list_all_files
from small_runs import FILES, KINDS, METRICS, SOURCE, begin, do_run, fail, put, read_shown, write


def test_results_are_seen_once_the_run_has_ended(store: RunStore) -> None:
    do_run(store, 1)
    assert json.loads((store.root / "08_reporting/forecast/metrics.json").read_text()) == {
        "number": 1
    }
    write(begin(store), 2)
    assert read_shown(store) == 1
    assert len(store.list_runs()) == 1


def test_newest_run_is_shown_also_if_the_data_folder_is_moved(
    store: RunStore, tmp_path: Path
) -> None:
    names = [do_run(store, number) for number in (1, 2)]
    assert read_shown(store) == 2
    assert (store.list_runs(), store.find_current()) == (names, names[1])
    do_run(store, 1)
    store.root.rename(tmp_path / "moved")
    assert read_shown(RunStore(tmp_path / "moved", "forecast")) == 1


def test_layer_that_lies_elsewhere_has_links_that_lead_to_the_results(
    store: RunStore, tmp_path: Path
) -> None:
    """On another disk, say: a link is followed from where it really lies."""
    layer = store.root / "08_reporting"
    store.root.mkdir()
    (tmp_path / "deep/disk").mkdir(parents=True)
    layer.symlink_to(tmp_path / "deep/disk")
    do_run(store, 1)
    assert read_shown(store) == 1


def test_names_never_go_back_when_the_clock_does(store: RunStore) -> None:
    ahead = do_run(store, 1)
    (store.folder / ahead).rename(store.folder / f"2099{ahead[4:]}")
    later = do_run(store, 2)
    assert store.list_runs() == [f"2099{ahead[4:]}", later]


def test_run_that_leaves_nodes_out_goes_on_from_what_is_shown(store: RunStore) -> None:
    before = do_run(store, 1)
    run = begin(store, needed=[METRICS])
    assert run.continues == before
    assert json.loads((run.folder / METRICS).read_text()) == {"number": 1}
    assert read_record(run.folder)["files"] == {}


@pytest.mark.parametrize("is_failed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_it_copies_no_file_of_somebody_else(store: RunStore, kind: str, is_failed: bool) -> None:
    before = fail(store, 1) if is_failed else store.folder / do_run(store, 1)
    put(before / "08_reporting/notes", kind)
    run = begin(store, needed=[METRICS])
    publish_run(run, {"run": run.name})
    assert list_all_files(store.folder / run.name) == [*FILES, RECORD]


@pytest.mark.parametrize("is_failed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_it_records_no_file_of_somebody_else(store: RunStore, kind: str, is_failed: bool) -> None:
    before = fail(store, 1) if is_failed else store.folder / do_run(store, 1)
    put(before / "08_reporting/notes", kind)
    run = begin(store, needed=[METRICS])
    publish_run(run, {"run": run.name})
    assert sorted(store.read_record(run.name)["files"]) == [*FILES]


def test_it_does_not_copy_through_a_link(store: RunStore, tmp_path: Path) -> None:
    """Somebody has moved a layer of the run to another disk."""
    layer = store.folder / do_run(store, 1) / "01_raw"
    layer.symlink_to(layer.rename(tmp_path / "moved"))
    assert list_all_files(begin(store, needed=[METRICS]).folder) == [METRICS, RECORD]


def test_file_that_was_changed_is_not_copied(
    store: RunStore, caplog: pytest.LogCaptureFixture
) -> None:
    before = do_run(store, 1)
    (store.folder / before / SOURCE).write_text("mine")
    run = begin(store, needed=[METRICS])
    assert list_all_files(run.folder) == [METRICS, RECORD]
    assert SOURCE in caplog.text


@pytest.mark.parametrize("is_recorded", [True, False])
def test_a_needed_file_that_was_changed_ends_the_run(store: RunStore, is_recorded: bool) -> None:
    """Before its first node; also a file of somebody else at that path."""
    before = do_run(store, 1)
    needed = METRICS if is_recorded else "08_reporting/other.json"
    (store.folder / before / needed).write_text("mine")
    with pytest.raises(RunError, match=rf"{before}: \['{needed}'\] changed"):
        begin(store, needed=[needed])
    assert store.versions.list_hidden(".part") == []


def test_file_at_a_path_that_no_data_set_has_is_not_recorded(store: RunStore) -> None:
    """Somebody put it into the folder while the run went on; it stays there, whatever it is."""
    run = begin(store)
    write(run, 1)
    for n, kind in enumerate(KINDS):
        put(run.folder / f"08_reporting/{n}", kind)
    os.mkfifo(run.folder / "08_reporting/fifo")
    publish_run(run, {"run": run.name})
    assert sorted(store.read_record(run.name)["files"]) == [*FILES]
    assert (store.folder / run.name / "08_reporting/0").read_text() == "mine"
    assert not (store.root / "08_reporting/0").exists()


def test_folder_that_somebody_put_into_a_run_is_no_layer(store: RunStore) -> None:
    put(store.folder / do_run(store, 1) / "notes/mine", "file")
    do_run(store, 2)
    assert not (store.root / "notes").exists()


def test_what_it_changes_leaves_the_run_before_as_it_was(store: RunStore) -> None:
    before = do_run(store, 1)
    run = begin(store, needed=[METRICS])
    write(run, 2)
    publish_run(run, {"run": run.name})
    assert find_damage(store.folder / before, store.read_record(before)["files"]) == []


def test_it_goes_on_from_a_run_that_failed_if_that_came_far_enough(store: RunStore) -> None:
    do_run(store, 1)
    failed = fail(store, 2)
    run = begin(store, needed=[METRICS])
    assert run.continues == failed.name[1:]
    assert json.loads((run.folder / METRICS).read_text()) == {"number": 2}


def test_it_does_not_go_on_from_one_that_failed_too_early(store: RunStore) -> None:
    before = do_run(store, 1)
    run = begin(store)
    (run.folder / SOURCE).parent.mkdir()
    (run.folder / SOURCE).write_text("2")
    put_aside(run)
    assert len(store.versions.list_hidden(FAILED)) == 1
    assert begin(store, needed=[METRICS]).continues == before


def test_it_goes_on_from_one_that_failed_on_a_full_disk(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There was no room for the record, but the record that was begun names its files."""
    run = begin(store)
    write(run, 1)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_record", Mock(side_effect=OSError("no room")))
        put_aside(run)
    assert begin(store, needed=[METRICS]).continues == f"{run.name}.failed"


def test_it_does_not_go_on_from_one_that_failed_before_what_is_shown(store: RunStore) -> None:
    """It is still there where a process was killed between the two."""
    fail(store, 1)
    shown = do_run(store, 2)
    assert begin(store, needed=[METRICS]).continues == shown


def test_it_goes_on_from_nothing_where_what_was_shown_is_gone(store: RunStore) -> None:
    shutil.rmtree(store.folder / do_run(store, 1))
    assert store.find_current() is None
    assert begin(store, needed=[METRICS]).continues is None
    assert do_run(store, 2) == store.find_current()


def test_link_to_a_run_counts_in_any_form(store: RunStore) -> None:
    names = [do_run(store, number) for number in (1, 2)]
    current = store.folder / "current"
    for target in (store.folder / names[0], Path("./x/..", names[0])):
        (store.folder / "x").mkdir(exist_ok=True)
        current.unlink()
        current.symlink_to(target)
        assert store.find_current() == names[0]


def test_a_record_has_checksums_of_all_files(store: RunStore) -> None:
    name = do_run(store, 1)
    assert sorted(store.read_record(name)["files"]) == ["01_raw/source.parquet", METRICS]


def test_the_format_of_a_record_is_checked(store: RunStore) -> None:
    name = do_run(store, 1)
    (store.folder / name / RECORD).write_text('{"format": 99}')
    with pytest.raises(FormatError, match="Update the project"):
        store.read_record(name)


@pytest.mark.parametrize("change", [lambda path: path.write_text("{}"), lambda path: path.unlink()])
def test_damage_is_found(store: RunStore, change: object) -> None:
    name = do_run(store, 1)
    change(store.folder / name / METRICS)  # type: ignore[operator]
    assert find_damage(store.folder / name, store.read_record(name)["files"]) == [METRICS]


@pytest.mark.parametrize(
    "content",
    ["", "[]", "{}", '{"format": 1, "run": "another", "files": {}}', '{"format": 1, "files": 1}'],
)
def test_damaged_record_is_refused_by_name(store: RunStore, content: str) -> None:
    name = do_run(store, 1)
    (store.folder / name / RECORD).write_text(content)
    with pytest.raises(RunError, match=f"{name}.*damaged"):
        store.read_record(name)
