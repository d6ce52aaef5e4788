"""Links to results are made anew in the place of exact copies of them; anything else there is refused and left."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from unittest.mock import Mock

import pytest

from damages import interrupt_after
from rnn_pipelines.errors import RunError
from rnn_pipelines.runs import links
from rnn_pipelines.runs.links import Copied, repair_links, restore_links
from rnn_pipelines.runs.run_store import RECORD, RunStore
from rnn_pipelines.runs.writing import publish_run, put_aside
from small_runs import KINDS, LAYERS, METRICS, begin, do_run, list_tree, put, read_shown, write

Copy = Callable[[Path, Path], None]


def copy_by_cp(root: Path, to: Path) -> None:
    subprocess.run(["cp", "-rL", root, to], check=True)


def copy_by_zip(root: Path, to: Path) -> None:
    """Without hidden files, such as locks, as many programs do."""
    subprocess.run(["zip", "-qr", to.with_suffix(".zip"), ".", "-x", "*/.*"], cwd=root, check=True)
    subprocess.run(["unzip", "-q", to.with_suffix(".zip"), "-d", to], check=True)


def copy_without_links(root: Path, to: Path) -> None:
    """As `rsync -r` does."""
    shutil.copytree(root, to, symlinks=True)
    for path in to.rglob("*"):
        if path.is_symlink():
            path.unlink()


@pytest.fixture(params=[copy_by_cp, copy_by_zip])
def copy(store: RunStore, tmp_path: Path, request: pytest.FixtureRequest) -> RunStore:
    """A copy through links of the results of two runs."""
    for number in (1, 2):
        do_run(store, number)
    request.param(store.root, tmp_path / "copy")
    return RunStore(tmp_path / "copy", "forecast")


def test_the_newest_run_is_found_in_a_copy(copy: RunStore, store: RunStore) -> None:
    assert (copy.folder / "current").is_dir()
    begin(copy)
    assert copy.find_current() == store.find_current()


def test_links_take_the_place_of_exact_copies(copy: RunStore) -> None:
    begin(copy)
    assert [copy.find_shown(layer).is_symlink() for layer in LAYERS] == [True, True]
    assert read_shown(copy) == 2


def test_results_are_then_as_in_the_folder_that_was_copied(copy: RunStore, store: RunStore) -> None:
    assert restore_links(copy, LAYERS) == []
    assert list_tree(copy.root) == list_tree(store.root)
    assert begin(copy, needed=[METRICS]).continues == store.find_current()


@pytest.mark.parametrize(
    "name",
    ["08_reporting/forecast/note.md", "runs/forecast/current/note.md", "01_raw/forecast/a/b"],
)
@pytest.mark.parametrize("kind", KINDS)
def test_copy_with_anything_else_in_it_is_left_as_it_is(
    copy: RunStore, name: str, kind: str
) -> None:
    put(copy.root / name, kind)
    blocked = copy.root / "/".join(Path(name).parts[: 3 if name.startswith("runs") else 2])
    before = list_tree(blocked)
    with pytest.raises(RunError, match=str(blocked.relative_to(copy.root))):
        begin(copy)
    assert list_tree(blocked) == before


@pytest.mark.parametrize(
    "place", ["08_reporting/forecast/metrics.json", f"runs/forecast/current/{METRICS}"]
)
def test_copy_that_was_changed_is_left_as_it_is(copy: RunStore, place: str) -> None:
    (copy.root / place).write_text("mine")
    with pytest.raises(RunError, match="repair forecast"):
        begin(copy)
    assert (copy.root / place).read_text() == "mine"


@pytest.mark.parametrize(
    "change", [lambda path: path.write_text("mine"), lambda path: path.unlink()]
)
def test_copy_of_a_file_that_the_run_no_longer_has_is_left_as_it_is(
    copy: RunStore, change: object
) -> None:
    """The copy may be the only one."""
    original = copy.folder / copy.list_runs()[-1] / METRICS
    change(original)  # type: ignore[operator]
    before = list_tree(copy.find_shown("08_reporting"))
    assert set(restore_links(copy, LAYERS)) >= {copy.folder / "current"}
    assert list_tree(copy.find_shown("08_reporting")) == before


def test_file_that_comes_after_the_check_is_not_removed(
    copy: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is then in the folder that the copy was renamed to, and ends later runs by its name."""
    aside = copy.root / "08_reporting/.forecast.copied.part"
    check = Copied.has_all_of

    def check_and_put(copied: Copied, path: Path) -> bool:
        found = check(copied, path)
        if found and path == aside:
            put(aside / "notes.md", "file")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(Copied, "has_all_of", check_and_put)
        with pytest.raises(OSError, match="not empty"):
            begin(copy)
    assert (aside / "notes.md").read_text() == "mine"
    with pytest.raises(RunError, match=aside.name):
        begin(copy)


def test_copies_of_an_older_run_are_left_as_they_are(copy: RunStore) -> None:
    shutil.rmtree(copy.find_shown("08_reporting"))
    shutil.copytree(
        copy.folder / copy.list_runs()[0] / "08_reporting", copy.find_shown("08_reporting")
    )
    assert restore_links(copy, LAYERS) == [copy.find_shown("08_reporting")]


def test_empty_folder_in_the_place_of_a_link_loses_nothing(store: RunStore) -> None:
    for path in (store.folder / "current", *map(store.find_shown, LAYERS)):
        path.mkdir(parents=True)
    do_run(store, 1)
    assert read_shown(store) == 1


@pytest.mark.parametrize("call", ["rename", "symlink", "replace", "unlink", "rmdir"])
@pytest.mark.parametrize("at", range(6))
def test_making_links_goes_on_where_it_was_interrupted(
    copy: RunStore, store: RunStore, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    with monkeypatch.context() as patch:
        interrupt_after(patch, call, at)
        try:
            restore_links(copy, LAYERS)
            is_interrupted = False
        except KeyboardInterrupt:
            is_interrupted = True
    assert is_interrupted or at >= 3
    assert restore_links(copy, LAYERS) == []
    assert list_tree(copy.root) == list_tree(store.root)


def test_all_that_stands_in_the_place_of_links_is_named_at_once(store: RunStore) -> None:
    """Before there were runs, too; nothing of it is taken for results."""
    for layer, kind in zip(LAYERS, ("folder", "file"), strict=True):
        put(store.find_shown(layer), kind)
    put(store.folder / "current", "folder")
    before = list_tree(store.root)
    with pytest.raises(RunError) as refused:
        begin(store)
    assert list_tree(store.root) == before
    for name in (
        "01_raw/forecast",
        "08_reporting/forecast",
        "runs/forecast/current",
        "kedro runs repair forecast",
    ):
        assert name in str(refused.value)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("layer", LAYERS)
def test_what_no_run_made_is_refused_in_the_place_of_a_link(
    store: RunStore, layer: str, kind: str
) -> None:
    do_run(store, 1)
    put(store.find_shown(layer), kind)
    before = list_tree(store.root)
    with pytest.raises(RunError, match=f"{layer}/forecast"):
        begin(store)
    assert list_tree(store.root) == before


@pytest.mark.parametrize("kind", KINDS)
def test_it_is_refused_when_it_came_while_the_run_went_on(store: RunStore, kind: str) -> None:
    """One that leaves nodes out can go on from its results then."""
    do_run(store, 1)
    run = begin(store)
    write(run, 2)
    shown = store.find_shown("08_reporting")
    put(shown, kind)
    with pytest.raises(RunError, match="08_reporting/forecast"):
        publish_run(run, {"run": run.name})
    put_aside(run)
    shown.rename(store.root / "moved")
    assert begin(store, needed=[METRICS]).continues == f"{run.name}.failed"


@pytest.mark.parametrize("kind", ["file", "folder", "link"])
def test_what_is_no_link_to_a_run_is_refused_as_the_current_one(store: RunStore, kind: str) -> None:
    name = do_run(store, 1)
    put(store.folder / "current", kind)
    with pytest.raises(RunError, match="runs/forecast/current"):
        begin(store)
    assert (store.find_current(), store.list_runs()) == (None, [name])


def test_layers_that_are_files_end_the_run_before_it_begins(store: RunStore) -> None:
    store.root.mkdir()
    for layer in LAYERS:
        (store.root / layer).touch()
    for do in (begin, lambda store: repair_links(store, LAYERS)):
        with pytest.raises(RunError, match=r"expected folders, found \['01_raw', '08_reporting'\]"):
            do(store)


def test_link_through_the_current_run_is_ours_in_any_form(store: RunStore) -> None:
    shown = store.find_shown("08_reporting")
    shown.parent.mkdir(parents=True)
    shown.symlink_to(store.folder / "current/08_reporting")
    do_run(store, 1)
    assert (read_shown(store), shown.readlink().is_absolute()) == (1, False)


def test_link_to_the_results_of_another_data_folder_is_not_ours(
    store: RunStore, tmp_path: Path
) -> None:
    do_run(store, 1)
    do_run(RunStore(tmp_path / "other", "forecast"), 2)
    shown = store.find_shown("08_reporting")
    shown.unlink()
    shown.symlink_to(tmp_path / "other/runs/forecast/current/08_reporting")
    with pytest.raises(RunError, match="08_reporting/forecast"):
        begin(store)
    assert read_shown(store) == 2


def test_record_that_names_a_path_outside_of_its_run_makes_no_link(store: RunStore) -> None:
    record = store.folder / do_run(store, 1) / RECORD
    record.write_text(record.read_text().replace(METRICS, "../metrics.json"))
    assert restore_links(store, LAYERS) == []
    assert not os.path.lexists(store.root.parent / "forecast")


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "name", ["08_reporting/.forecast.01234567.part", "runs/forecast/.current.01234567.part"]
)
def test_hidden_things_of_somebody_else_beside_a_link_stay(
    store: RunStore, name: str, kind: str
) -> None:
    put(store.root / name, kind)
    before = list_tree(store.root)
    do_run(store, 1)
    do_run(store, 2)
    assert before.items() <= list_tree(store.root).items()


@pytest.mark.parametrize("kind", KINDS)
def test_something_where_copies_are_renamed_to_is_refused(copy: RunStore, kind: str) -> None:
    mine = copy.root / "08_reporting/.forecast.copied.part"
    put(mine, kind)
    assert restore_links(copy, LAYERS) == [copy.find_shown("08_reporting"), mine]
    assert os.path.lexists(mine)


@pytest.mark.parametrize("copy_folder", [copy_by_cp, copy_by_zip, copy_without_links])
def test_repair_of_a_copy_makes_all_links(
    store: RunStore, tmp_path: Path, copy_folder: Copy
) -> None:
    for number in (1, 2):
        do_run(store, number)
    copy_folder(store.root, tmp_path / "copy")
    found = repair_links(RunStore(tmp_path / "copy", "forecast"), LAYERS)
    assert (found.linked, found.moved) == (
        ["01_raw/forecast", "08_reporting/forecast", "runs/forecast/current"],
        {},
    )
    assert list_tree(tmp_path / "copy") == list_tree(store.root)


@pytest.fixture
def mine(copy: RunStore) -> dict[str, str]:
    mine = {
        "01_raw/forecast": "note.md",
        "08_reporting/forecast": "metrics.json",
        "runs/forecast/current": "note.md",
    }
    for folder, name in mine.items():
        (copy.root / folder / name).write_text("mine")
    return mine


def test_repair_renames_what_it_does_not_know(copy: RunStore, mine: dict[str, str]) -> None:
    before = {folder: list_tree(copy.root / folder) for folder in mine}
    found = repair_links(copy, LAYERS)
    assert {folder: list_tree(copy.root / to) for folder, to in found.moved.items()} == before
    assert all(to.startswith(f"{folder}.moved-2") for folder, to in found.moved.items())


def test_repair_links_the_newest_run(copy: RunStore, mine: dict[str, str]) -> None:
    found = repair_links(copy, LAYERS)
    assert (read_shown(copy), found.linked) == (2, sorted(mine))


def test_a_run_after_a_repair_is_shown(copy: RunStore) -> None:
    repair_links(copy, LAYERS)
    do_run(copy, 3)
    assert read_shown(copy) == 3


@pytest.mark.parametrize("kind", KINDS)
def test_repair_before_there_are_runs_renames_alone(store: RunStore, kind: str) -> None:
    put(store.find_shown("08_reporting"), kind)
    found = repair_links(store, LAYERS)
    assert (found.linked, list(found.moved)) == ([], ["08_reporting/forecast"])
    assert os.path.lexists(store.root / found.moved["08_reporting/forecast"])
    do_run(store, 1)
    assert read_shown(store) == 1


def test_repair_of_what_is_whole_changes_nothing(store: RunStore) -> None:
    do_run(store, 1)
    before = list_tree(store.root)
    found = repair_links(store, LAYERS)
    assert (found.linked, found.moved, list_tree(store.root)) == ([], {}, before)


def test_repair_passes_over_runs_without_a_record(store: RunStore) -> None:
    names = [do_run(store, number) for number in (1, 2)]
    (store.folder / names[1] / RECORD).unlink()
    (store.folder / "current").unlink()
    repair_links(store, LAYERS)
    assert store.find_current() == names[0]


def test_link_that_a_killed_process_left_is_removed(
    store: RunStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    do_run(store, 1)
    with monkeypatch.context() as patch:
        patch.setattr(os, "replace", Mock(side_effect=KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            links.point(store.folder / "current", store.list_runs()[0])
    do_run(store, 2)
    assert list(store.root.rglob(".*.part")) == []
