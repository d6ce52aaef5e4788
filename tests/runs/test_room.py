"""A pipeline's results are those of one run; older ones are kept."""

import json
import logging
import os
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path, PurePath

import pytest

from rnn_pipelines.errors import NewerFormatError, RunError
from rnn_pipelines.runs.records import RECORD, find_damage, list_foreign
from rnn_pipelines.runs.room import OpenRun, Room, open_run, prune, publish, put_aside

LAYERS = ("01_raw", "08_reporting")
METRICS = "08_reporting/metrics.json"


@pytest.fixture
def room(tmp_path: Path) -> Room:
    return Room(tmp_path / "data", "forecast")


def write(run: OpenRun, number: int) -> None:
    for name in ("01_raw/source.parquet", METRICS):
        path = run.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps({"number": number}))


def do_run(room: Room, number: int) -> str:
    run = open_run(room, LAYERS, needed=None)
    write(run, number)
    publish(run, {"run": run.name})
    return run.name


def fail(room: Room, number: int) -> str:
    run = open_run(room, LAYERS, needed=None)
    write(run, number)
    put_aside(run)
    return run.name


def put(path: Path, kind: str) -> None:
    """Something of the user's, in place of what is there."""
    if path.is_symlink():
        path.unlink()
    path.parent.mkdir(parents=True, exist_ok=True)
    elsewhere = path.parents[2] / "elsewhere"
    if kind == "link":
        elsewhere.mkdir()
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
        (path / "mine.txt").write_text("mine")
    else:
        path.symlink_to(elsewhere)


def read_shown(room: Room) -> int:
    number: int = json.loads((room.find_shown("08_reporting") / "metrics.json").read_text())["number"]
    return number


def test_results_are_seen_where_people_look(room: Room) -> None:
    do_run(room, 1)
    assert json.loads((room.root / "08_reporting/forecast/metrics.json").read_text()) == {"number": 1}


def test_nothing_is_seen_of_a_run_that_has_not_ended(room: Room) -> None:
    do_run(room, 1)
    write(open_run(room, LAYERS, needed=None), 2)
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


def test_layer_that_is_a_file_ends_the_run_before_it_begins(room: Room) -> None:
    room.root.mkdir()
    (room.root / "08_reporting").touch()
    with pytest.raises(RunError, match=f"^{room.root}/08_reporting: expected a folder, found a file.*Move it away"):
        open_run(room, LAYERS, needed=None)


def test_names_never_go_back_when_the_clock_does(room: Room) -> None:
    ahead = do_run(room, 1)
    (room.folder / ahead).rename(room.folder / f"2099{ahead[4:]}")
    later = do_run(room, 2)
    assert room.list_runs() == [f"2099{ahead[4:]}", later]


def test_only_the_newest_runs_and_the_one_that_is_shown_stay(room: Room) -> None:
    names = [do_run(room, number) for number in range(4)]
    assert prune(room, 2) == names[:2]
    assert room.list_runs() == names[2:]


def test_files_that_somebody_put_into_a_run_are_not_removed(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    names = [do_run(room, number) for number in range(3)]
    (room.folder / names[0] / "01_raw/mine.csv").write_text("mine")
    with caplog.at_level(logging.WARNING):
        assert prune(room, 1) == [names[1]]
    assert "01_raw/mine.csv" in caplog.text


@pytest.mark.parametrize(
    "name", [".notes.md", "08_reporting/.notes.md", ".mine/notes.md", "03_primary/run.json", "03/a"]
)
@pytest.mark.parametrize("kind", ["file", "link", "link to nothing"])
def test_whatever_a_run_did_not_write_keeps_it(
    room: Room, caplog: pytest.LogCaptureFixture, kind: str, name: str
) -> None:
    names = [do_run(room, number) for number in range(3)]
    mine = room.folder / names[0] / name
    put(mine, kind)
    with caplog.at_level(logging.WARNING):
        assert prune(room, 1) == [names[1]]
    assert os.path.lexists(mine)
    assert f"its record does not name ['{name}']" in caplog.text


def test_linked_file_of_a_run_keeps_it(room: Room, tmp_path: Path) -> None:
    """Somebody has moved it to another disk."""
    names = [do_run(room, number) for number in range(2)]
    path = room.folder / names[0] / METRICS
    path.rename(tmp_path / "moved.json")
    path.symlink_to(tmp_path / "moved.json")
    assert prune(room, 1) == []


def test_folder_with_the_name_of_a_run_is_not_removed(room: Room) -> None:
    """Without a record nothing is known of it, whatever it holds."""
    do_run(room, 1)
    mine = room.folder / "2020-01-01T00.00.00.000000Z-abcdef"
    mine.mkdir()
    do_run(room, 2)
    assert prune(room, 1) != [mine.name]
    assert mine.exists()


@pytest.mark.parametrize("name", ["2020-01-01 my notes", "mine", "2020-01-01T00.00.00.000Z", "RUN-copy"])
def test_folder_of_another_name_is_neither_listed_nor_removed(room: Room, name: str) -> None:
    names = [do_run(room, number) for number in range(3)]
    folder = room.folder / name.replace("RUN", names[0])
    shutil.copytree(room.folder / names[0], folder)
    assert prune(room, 2) == names[:1]
    assert folder.exists()
    assert room.list_runs() == names[1:]


def test_folder_without_a_record_is_not_removed(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    """Nothing says which of its files a run wrote."""
    names = [do_run(room, number) for number in range(3)]
    (room.folder / names[0] / RECORD).unlink()
    with caplog.at_level(logging.WARNING):
        assert prune(room, 1) == [names[1]]
    assert f"run {names[0]} is kept" in caplog.text


@pytest.mark.parametrize("content", ["{", '{"files": {"a": 1}}', '{"format": 99}'])
def test_run_whose_record_is_damaged_is_not_removed(room: Room, caplog: pytest.LogCaptureFixture, content: str) -> None:
    names = [do_run(room, number) for number in range(3)]
    (room.folder / names[0] / RECORD).write_text(content)
    with caplog.at_level(logging.WARNING):
        assert prune(room, 1) == [names[1]]
    assert f"run {names[0]} is kept" in caplog.text


def test_run_that_was_killed_is_removed_by_the_next_one(room: Room) -> None:
    killed = open_run(room, LAYERS, needed=None)
    write(killed, 1)
    do_run(room, 2)
    assert not killed.folder.exists()


# A run that leaves nodes out


def test_run_that_leaves_nodes_out_goes_on_from_what_is_shown(room: Room) -> None:
    before = do_run(room, 1)
    run = open_run(room, LAYERS, needed=[PurePath(METRICS)])
    assert run.continues == before
    assert json.loads((run.folder / METRICS).read_text()) == {"number": 1}
    assert not (run.folder / RECORD).exists()


def test_it_copies_results_alone(room: Room) -> None:
    """A run.json further down is one of them."""
    run = open_run(room, LAYERS, needed=None)
    write(run, 1)
    (run.folder / "08_reporting/run.json").touch()
    publish(run, {"run": run.name})
    (room.folder / run.name / "08_reporting/.notes.md").touch()
    (room.folder / run.name / "08_reporting/gone").symlink_to("nowhere")
    after = open_run(room, LAYERS, needed=[PurePath(METRICS)]).folder
    found = sorted(str(path.relative_to(after)) for path in after.rglob("*") if not path.is_dir())
    assert found == ["01_raw/source.parquet", METRICS, "08_reporting/run.json"]


def test_what_it_changes_leaves_the_run_before_as_it_was(room: Room) -> None:
    before = do_run(room, 1)
    run = open_run(room, LAYERS, needed=[PurePath(METRICS)])
    write(run, 2)
    publish(run, {"run": run.name})
    assert find_damage(room.folder / before, room.read_record(before)["files"]) == []


def test_it_goes_on_from_a_run_that_failed_if_that_came_far_enough(room: Room) -> None:
    do_run(room, 1)
    failed = fail(room, 2)
    run = open_run(room, LAYERS, needed=[PurePath(METRICS)])
    assert run.continues == f"{failed}.failed"
    assert json.loads((run.folder / METRICS).read_text()) == {"number": 2}


def test_it_does_not_go_on_from_one_that_failed_too_early(room: Room) -> None:
    before = do_run(room, 1)
    put_aside(open_run(room, LAYERS, needed=None))
    assert open_run(room, LAYERS, needed=[PurePath(METRICS)]).continues == before


def test_a_failed_run_is_forgotten_when_one_has_ended_well(room: Room) -> None:
    fail(room, 1)
    do_run(room, 2)
    prune(room, 2)
    assert list(room.folder.glob(".*.failed")) == []


def test_it_does_not_go_on_from_one_that_failed_before_what_is_shown(room: Room) -> None:
    """It is still there where a process was killed between the two."""
    fail(room, 1)
    shown = do_run(room, 2)
    assert open_run(room, LAYERS, needed=[PurePath(METRICS)]).continues == shown


def test_it_goes_on_from_nothing_where_what_was_shown_is_gone(room: Room) -> None:
    shutil.rmtree(room.folder / do_run(room, 1))
    assert room.find_current() is None
    assert open_run(room, LAYERS, needed=[PurePath(METRICS)]).continues is None
    assert do_run(room, 2) == room.find_current()


# Results of a version of the project that had no runs


def write_plainly(room: Room, names: tuple[str, ...] = ("source.parquet", "metrics.json")) -> None:
    for layer, name in zip(LAYERS, names, strict=True):
        path = room.root / layer / "forecast" / name
        path.parent.mkdir(parents=True)
        path.write_text('{"number": 1}')


def test_results_from_before_there_were_runs_become_the_first_one(room: Room) -> None:
    write_plainly(room)
    write(open_run(room, LAYERS, needed=None), 2)
    assert read_shown(room) == 1
    assert len(room.list_runs()) == 1


def test_they_have_a_record_of_their_files(room: Room) -> None:
    """And nothing else is known of them."""
    write_plainly(room)
    open_run(room, LAYERS, needed=None)
    (name,) = room.list_runs()
    record = room.read_record(name)
    assert record.keys() == {"format", "run", "pipeline", "taken_in", "files"}
    assert sorted(record["files"]) == ["01_raw/source.parquet", METRICS]
    assert find_damage(room.folder / name, record["files"]) == []


def test_they_are_removed_as_any_run(room: Room, caplog: pytest.LogCaptureFixture) -> None:
    write_plainly(room)
    do_run(room, 2)
    first = room.list_runs()[0]
    with caplog.at_level(logging.WARNING):
        assert prune(room, 1) == [first]
    assert caplog.text == ""


def test_hidden_files_among_them_keep_them(room: Room) -> None:
    write_plainly(room)
    (room.root / "08_reporting/forecast/.notes.md").touch()
    do_run(room, 2)
    assert prune(room, 1) == []


@pytest.mark.parametrize("num_renames", range(1, 9))
def test_taking_them_in_goes_on_where_it_was_interrupted(
    room: Room, monkeypatch: pytest.MonkeyPatch, num_renames: int
) -> None:
    write_plainly(room)
    calls = []

    def interrupt(real: Callable[..., None], *paths: Path) -> None:
        calls.append(paths)
        if len(calls) == num_renames:
            raise OSError("no room")
        real(*paths)

    for call in ("rename", "replace"):
        monkeypatch.setattr(os, call, partial(interrupt, getattr(os, call)))
    with pytest.raises(OSError, match="no room"):
        open_run(room, LAYERS, needed=None)
    assert len(calls) == num_renames
    monkeypatch.undo()
    for name in room.list_runs():
        (room.folder / name / ".run.json.abc.part").touch()
    run = open_run(room, LAYERS, needed=[PurePath(METRICS)])
    assert (read_shown(room), room.list_runs()) == (1, [run.continues])
    own = room.read_record(str(run.continues))["files"]
    assert sorted(own) == ["01_raw/source.parquet", METRICS]
    assert list_foreign(room.folder / str(run.continues), own) == []


def test_users_files_are_never_moved_with_them(room: Room) -> None:
    write_plainly(room, names=("sales.csv", "metrics.json"))
    with pytest.raises(RunError, match=r"found \['sales\.csv'\].*Move it to"):
        open_run(room, LAYERS, needed=None)
    assert (room.root / "01_raw/forecast/sales.csv").exists()
    assert read_shown(room) == 1


# What people put where runs write

KINDS = ("file", "folder", "link", "link to nothing")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", LAYERS)
def test_what_no_run_made_is_refused_in_the_place_of_a_link(room: Room, layer: str, kind: str) -> None:
    do_run(room, 1)
    shown = room.find_shown(layer)
    put(shown, kind)
    with pytest.raises(
        RunError, match=f"^{shown}: expected a link to the newest run's results, found a .*Move it away"
    ):
        open_run(room, ["08_reporting"], needed=None)
    assert not (shown.is_symlink() and shown.resolve().is_relative_to(room.folder))


@pytest.mark.parametrize("kind", ["file", "link", "link to nothing"])
def test_it_is_refused_before_there_are_runs(room: Room, kind: str) -> None:
    shown = room.find_shown("08_reporting")
    put(shown, kind)
    with pytest.raises(RunError, match=f"^{shown}: expected a link"):
        open_run(room, LAYERS, needed=None)
    assert room.list_runs() == []


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_refused_when_it_came_while_the_run_went_on(room: Room, kind: str) -> None:
    """One that leaves nodes out can go on from its results then."""
    do_run(room, 1)
    run = open_run(room, LAYERS, needed=None)
    write(run, 2)
    shown = room.find_shown("08_reporting")
    put(shown, kind)
    with pytest.raises(RunError, match="Move it away"):
        publish(run, {"run": run.name})
    put_aside(run)
    shown.rename(room.root / "moved")
    assert open_run(room, (), needed=[PurePath(METRICS)]).continues == f"{run.name}.failed"


def test_link_through_the_current_run_is_ours_in_any_form(room: Room) -> None:
    shown = room.find_shown("08_reporting")
    shown.parent.mkdir(parents=True)
    shown.symlink_to(room.folder / "current/08_reporting")
    do_run(room, 1)
    assert (read_shown(room), shown.readlink().is_absolute()) == (1, False)


def test_folder_is_refused_where_there_are_runs_and_none_is_shown(room: Room) -> None:
    do_run(room, 1)
    (room.folder / "current").unlink()
    put(room.find_shown("08_reporting"), "folder")
    with pytest.raises(RunError, match="found a folder that no run made"):
        open_run(room, LAYERS, needed=None)


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_link_to_a_run_is_refused_as_the_current_one(room: Room, kind: str) -> None:
    name = do_run(room, 1)
    put(room.folder / "current", kind)
    with pytest.raises(RunError, match=f"^{room.folder}/current: expected a link to a run, found a {kind} .*Move it"):
        open_run(room, LAYERS, needed=None)
    assert (room.find_current(), room.list_runs()) == (None, [name])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", [".x.part", ".x.failed"])
def test_hidden_things_of_other_names_stay_and_end_no_run(room: Room, name: str, kind: str) -> None:
    path = room.folder / name
    put(path, kind)
    do_run(room, 1)
    fail(room, 2)
    do_run(room, 3)
    prune(room, 2)
    assert (path.exists() or path.is_symlink(), read_shown(room)) == (True, 3)


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
