"""The results of a pipeline appear together, and are those of one run."""

import json
import os
import shutil
from pathlib import Path
from unittest.mock import Mock

import pytest

from rnn_pipelines.errors import NewerFormatError, RunError
from rnn_pipelines.runs import writing
from rnn_pipelines.runs.files import RECORD, list_files
from rnn_pipelines.runs.records import find_damage, read_record
from rnn_pipelines.runs.run_store import FAILED, Room
from rnn_pipelines.runs.writing import publish, put_aside
from small_runs import FILES, KINDS, METRICS, SOURCE, begin, do_run, fail, put, read_shown, write


def test_results_are_seen_where_people_look(room: Room) -> None:
    do_run(room, 1)
    assert json.loads((room.root / "08_reporting/forecast/metrics.json").read_text()) == {"number": 1}


def test_nothing_is_seen_of_a_run_that_has_not_ended(room: Room) -> None:
    do_run(room, 1)
    write(begin(room), 2)
    assert read_shown(room) == 1
    assert len(room.list_runs()) == 1


def test_newest_run_is_shown_and_the_one_before_is_kept(room: Room) -> None:
    names = [do_run(room, number) for number in (1, 2)]
    assert read_shown(room) == 2
    assert (room.list_runs(), room.find_current()) == (names, names[1])


def test_links_are_relative_so_that_the_data_folder_can_be_moved(room: Room, tmp_path: Path) -> None:
    do_run(room, 1)
    room.root.rename(tmp_path / "moved")
    assert read_shown(Room(tmp_path / "moved", "forecast")) == 1


def test_layer_that_lies_elsewhere_has_links_that_lead_to_the_results(room: Room, tmp_path: Path) -> None:
    """On another disk, say: a link is followed from where it really lies."""
    layer = room.root / "08_reporting"
    room.root.mkdir()
    (tmp_path / "deep/disk").mkdir(parents=True)
    layer.symlink_to(tmp_path / "deep/disk")
    do_run(room, 1)
    assert read_shown(room) == 1


def test_names_never_go_back_when_the_clock_does(room: Room) -> None:
    ahead = do_run(room, 1)
    (room.folder / ahead).rename(room.folder / f"2099{ahead[4:]}")
    later = do_run(room, 2)
    assert room.list_runs() == [f"2099{ahead[4:]}", later]


# A run that leaves nodes out


def test_run_that_leaves_nodes_out_goes_on_from_what_is_shown(room: Room) -> None:
    before = do_run(room, 1)
    run = begin(room, needed=[METRICS])
    assert run.continues == before
    assert json.loads((run.folder / METRICS).read_text()) == {"number": 1}
    assert read_record(run.folder, run.name)["files"] == {}


@pytest.mark.parametrize("is_failed", [False, True])
@pytest.mark.parametrize("kind", KINDS)
def test_it_copies_and_records_no_file_of_somebody_else(room: Room, kind: str, is_failed: bool) -> None:
    before = fail(room, 1) if is_failed else room.folder / do_run(room, 1)
    put(before / "08_reporting/notes", kind)
    run = begin(room, needed=[METRICS])
    publish(run, {"run": run.name})
    assert list_files(room.folder / run.name) == [*FILES, RECORD]
    assert sorted(room.read_record(run.name)["files"]) == [*FILES]


def test_it_does_not_copy_through_a_link(room: Room, tmp_path: Path) -> None:
    """Somebody has moved a layer of the run to another disk."""
    layer = room.folder / do_run(room, 1) / "01_raw"
    layer.symlink_to(layer.rename(tmp_path / "moved"))
    assert list_files(begin(room, needed=[METRICS]).folder) == [METRICS, RECORD]


def test_file_that_was_changed_is_not_copied(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    before = do_run(room, 1)
    (room.folder / before / SOURCE).write_text("mine")
    run = begin(room, needed=[METRICS])
    assert list_files(run.folder) == [METRICS, RECORD]
    assert SOURCE in caplog.text


@pytest.mark.parametrize("is_recorded", [True, False])
def test_file_that_is_needed_and_was_changed_ends_the_run(room: Room, is_recorded: bool) -> None:
    """Before its first node; also a file of somebody else at that path."""
    before = do_run(room, 1)
    needed = METRICS if is_recorded else "08_reporting/other.json"
    (room.folder / before / needed).write_text("mine")
    with pytest.raises(RunError, match=rf"{before}: \['{needed}'\] changed"):
        begin(room, needed=[needed])
    assert room.list_hidden(".part") == []


def test_file_at_a_path_that_no_data_set_has_is_not_recorded(room: Room) -> None:
    """Somebody put it into the folder while the run went on; it stays there, whatever it is."""
    run = begin(room)
    write(run, 1)
    for n, kind in enumerate(KINDS):
        put(run.folder / f"08_reporting/{n}", kind)
    os.mkfifo(run.folder / "08_reporting/fifo")
    publish(run, {"run": run.name})
    assert sorted(room.read_record(run.name)["files"]) == [*FILES]
    assert (room.folder / run.name / "08_reporting/0").read_text() == "mine"
    assert not (room.root / "08_reporting/0").exists()


def test_folder_that_somebody_put_into_a_run_is_no_layer(room: Room) -> None:
    put(room.folder / do_run(room, 1) / "notes/mine", "file")
    do_run(room, 2)
    assert not (room.root / "notes").exists()


def test_what_it_changes_leaves_the_run_before_as_it_was(room: Room) -> None:
    before = do_run(room, 1)
    run = begin(room, needed=[METRICS])
    write(run, 2)
    publish(run, {"run": run.name})
    assert find_damage(room.folder / before, room.read_record(before)["files"]) == []


def test_it_goes_on_from_a_run_that_failed_if_that_came_far_enough(room: Room) -> None:
    do_run(room, 1)
    failed = fail(room, 2)
    run = begin(room, needed=[METRICS])
    assert run.continues == failed.name[1:]
    assert json.loads((run.folder / METRICS).read_text()) == {"number": 2}


def test_it_does_not_go_on_from_one_that_failed_too_early(room: Room) -> None:
    before = do_run(room, 1)
    run = begin(room)
    (run.folder / SOURCE).parent.mkdir()
    (run.folder / SOURCE).write_text("2")
    put_aside(run)
    assert len(room.list_hidden(FAILED)) == 1
    assert begin(room, needed=[METRICS]).continues == before


def test_it_goes_on_from_one_that_failed_on_a_full_disk(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """There was no room for the record, but the record that was begun names its files."""
    run = begin(room)
    write(run, 1)
    with monkeypatch.context() as patch:
        patch.setattr(writing, "write_record", Mock(side_effect=OSError("no room")))
        put_aside(run)
    assert begin(room, needed=[METRICS]).continues == f"{run.name}.failed"


def test_it_does_not_go_on_from_one_that_failed_before_what_is_shown(room: Room) -> None:
    """It is still there where a process was killed between the two."""
    fail(room, 1)
    shown = do_run(room, 2)
    assert begin(room, needed=[METRICS]).continues == shown


def test_it_goes_on_from_nothing_where_what_was_shown_is_gone(room: Room) -> None:
    shutil.rmtree(room.folder / do_run(room, 1))
    assert room.find_current() is None
    assert begin(room, needed=[METRICS]).continues is None
    assert do_run(room, 2) == room.find_current()


def test_link_to_a_run_counts_in_any_form(room: Room) -> None:
    names = [do_run(room, number) for number in (1, 2)]
    current = room.folder / "current"
    for target in (room.folder / names[0], Path("./x/..", names[0])):
        (room.folder / "x").mkdir(exist_ok=True)
        current.unlink()
        current.symlink_to(target)
        assert room.find_current() == names[0]


# Records


def test_record_has_checksums_of_all_files(room: Room) -> None:
    name = do_run(room, 1)
    assert sorted(room.read_record(name)["files"]) == ["01_raw/source.parquet", METRICS]


@pytest.mark.parametrize("change", [lambda path: path.write_text("{}"), lambda path: path.unlink()])
def test_damage_is_found(room: Room, change: object) -> None:
    name = do_run(room, 1)
    change(room.folder / name / METRICS)  # type: ignore[operator]
    assert find_damage(room.folder / name, room.read_record(name)["files"]) == [METRICS]


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"run": "another", "files": {}}', '{"files": 1}'])
def test_damaged_record_is_refused_by_name(room: Room, content: str) -> None:
    name = do_run(room, 1)
    (room.folder / name / RECORD).write_text(content)
    with pytest.raises(RunError, match=f"{name}.*damaged"):
        room.read_record(name)


def test_record_of_a_newer_version_is_refused(room: Room) -> None:
    name = do_run(room, 1)
    (room.folder / name / RECORD).write_text('{"format": 99}')
    with pytest.raises(NewerFormatError, match="Update the project"):
        room.read_record(name)
