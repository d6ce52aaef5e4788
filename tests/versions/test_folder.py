"""Versions appear when they are complete, and only files that are known to be their own are ever removed.

All of it holds for both kinds of versions: those of champions, which are flat and have a list of checksums, and runs.
"""

import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from damages import interrupt_after
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.runs.run_store import RunStore
from rnn_pipelines.storage.files import name_temporary
from rnn_pipelines.versions import folder as folder_module
from rnn_pipelines.versions.checksums import list_checksums
from rnn_pipelines.versions.folder import (
    Kept,
    Removal,
    VersionedFolder,
    list_foreign,
    match_letters,
    warn_of_kept,
)
from small_runs import FILES, KINDS, do_run, kill, put
from trees import read_tree

OLD = "2026-01-01T00.00.00.000000Z-abcdef"
CONTENT = {"model.keras": b"model", "scaler.json": b"scaler"}


@dataclass
class Kind:
    """Versions of one kind.

    Attributes:
        versions: their folder.
        files: of each version.
        add: writes a version and returns its name.
        leave: leaves what a process leaves that is killed, and returns its folder.
    """

    versions: VersionedFolder
    files: tuple[str, ...]
    add: Callable[[], str]
    leave: Callable[[], Path]

    @property
    def folder(self) -> Path:
        return self.versions.folder

    def remove(self, *names: str) -> Removal:
        return self.versions.remove([self.folder / name for name in names])


def make_champions(path: Path) -> Kind:
    store = ChampionStore(path / "forecast")
    versions = store._versions

    def leave() -> Path:
        versions.folder.mkdir(parents=True, exist_ok=True)
        left = versions.begin(OLD, list_checksums(CONTENT))
        (left / "model.keras").write_bytes(CONTENT["model.keras"])
        return left

    return Kind(versions, tuple(CONTENT), lambda: store.add_version(CONTENT), leave)


def make_runs(path: Path) -> Kind:
    store = RunStore(path / "data", "forecast")
    return Kind(store.versions, FILES, lambda: do_run(store, 1), lambda: kill(store, 1))


MAKERS = {"champions": make_champions, "runs": make_runs}


@pytest.fixture(autouse=True)
def do_not_wait_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture(params=MAKERS)
def kind(request: pytest.FixtureRequest, tmp_path: Path) -> Kind:
    return MAKERS[request.param](tmp_path)


@pytest.fixture
def runs(tmp_path: Path) -> Kind:
    return make_runs(tmp_path)


@pytest.fixture
def champions(tmp_path: Path) -> Kind:
    return make_champions(tmp_path)


# Each puts something of a user's into a folder. The name that is reported is the key, or the file that is changed.
FOREIGN = {
    ("file", name)
    for name in (
        ".notes.md",
        "deep/.notes.md",
        ".mine/notes",
        "deep/run.json",
        "note.part",
        ".notes.md.01234567.part",
    )
} | {(what, "deep/raw") for what in ("link", "link to nothing")}


@pytest.mark.parametrize("is_left", [False, True])
@pytest.mark.parametrize(("what", "name"), sorted(FOREIGN))
def test_file_of_a_user_keeps_its_version(
    kind: Kind, what: str, name: str, is_left: bool, caplog: pytest.LogCaptureFixture
) -> None:
    """Complete, or as a killed process left it."""
    folder = kind.leave() if is_left else kind.folder / kind.add()
    put(folder / name, what)
    before = read_tree(folder)
    removal = kind.versions.remove([folder])
    warn_of_kept(removal)
    # A folder in a flat version is reported as a whole.
    found = name if kind.files == FILES else name.partition("/")[0]
    assert (removal.removed, [(kept.name, kept.files) for kept in removal.kept]) == (
        [],
        [(folder.name, [found])],
    )
    assert read_tree(folder) == before
    assert found in caplog.text


@pytest.mark.parametrize("content", [b"mine", b""])
def test_file_that_was_changed_keeps_its_version(kind: Kind, content: bytes) -> None:
    name = kind.add()
    (kind.folder / name / kind.files[0]).write_bytes(content)
    assert [(kept.name, kept.files) for kept in kind.remove(name).kept] == [(name, [kind.files[0]])]


def test_version_that_lacks_a_file_is_removed(kind: Kind) -> None:
    name = kind.add()
    (kind.folder / name / kind.files[0]).unlink()
    assert kind.remove(name) == Removal([name])
    assert not (kind.folder / name).exists()


def test_empty_folder_of_a_user_keeps_a_flat_version(champions: Kind) -> None:
    name = champions.add()
    (champions.folder / name / "plots").mkdir()
    assert [kept.files for kept in champions.remove(name).kept] == [["plots"]]


@pytest.mark.parametrize(
    "content", [None, "{", '{"format": 1, "files": {"a": 1}}', '{"format": 99}']
)
def test_version_whose_list_is_missing_or_damaged_is_not_removed(
    kind: Kind, content: str | None
) -> None:
    name = kind.add()
    listed = kind.folder / name / kind.versions.list_name
    listed.unlink()
    if content is not None:
        listed.write_text(content)
    (kept,) = kind.remove(name).kept
    assert (kept.name, kept.files) == (name, [])
    assert str(listed) in kept.reason


def test_empty_folder_with_the_name_of_a_version_is_not_removed(kind: Kind) -> None:
    (kind.folder / OLD).mkdir(parents=True)
    assert kind.remove(OLD).removed == []


@pytest.mark.parametrize("is_list", [False, True])
def test_file_that_was_moved_to_another_disk_keeps_its_version(
    kind: Kind, tmp_path: Path, is_list: bool
) -> None:
    name = kind.add()
    moved = kind.versions.list_name if is_list else kind.files[0]
    path = kind.folder / name / moved
    path.symlink_to(path.rename(tmp_path / "moved"))
    assert [kept.files for kept in kind.remove(name).kept] == [[moved]]
    assert (tmp_path / "moved").exists()


def test_a_link_to_a_folder_on_another_disk_keeps_its_run(runs: Kind, tmp_path: Path) -> None:
    name = runs.add()
    path = runs.folder / name / "08_reporting"
    path.symlink_to(path.rename(tmp_path / "moved"))
    before = read_tree(tmp_path / "moved")
    assert [kept.files for kept in runs.remove(name).kept] == [["08_reporting"]]
    assert read_tree(tmp_path / "moved") == before


def test_file_that_comes_after_the_check_is_not_removed(
    kind: Kind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The next removal finds it in the hidden folder, and names it."""
    name = kind.add()

    def check_and_put(folder: Path, *args: Any) -> list[str]:
        found = list_foreign(folder, *args)
        put(folder / "deep/notes.md", "file")
        return found

    with monkeypatch.context() as patch:
        patch.setattr(folder_module, "list_foreign", check_and_put)
        with pytest.raises(OSError, match="not empty"):
            kind.remove(name)
    hidden = kind.versions.hide(name)
    assert (hidden / "deep/notes.md").read_text() == "mine"
    assert [kept.name for kept in kind.versions.remove_unfinished().kept] == [hidden.name]


def test_file_in_the_way_of_a_removal_keeps_the_version(kind: Kind) -> None:
    name = kind.add()
    mine = kind.versions.hide(name)
    mine.write_text("mine")
    assert kind.remove(name).kept == [Kept(name, f"{mine} exists; move it away", [])]
    assert mine.read_text() == "mine"


@pytest.mark.parametrize(
    "name", ["2020-01-01 my notes", "mine", "2020-01-01T00.00.00.000Z", "VERSION-copy"]
)
def test_folder_of_another_name_is_not_listed(kind: Kind, name: str) -> None:
    added = kind.add()
    shutil.copytree(kind.folder / added, kind.folder / name.replace("VERSION", added))
    (kind.folder / "note.txt").touch()
    assert kind.versions.list_complete() == [added]


@pytest.mark.parametrize(
    "name", [".killed.part", ".x.part", ".x.failed", ".2026-01-01T00.00.00.000000Z.part"]
)
@pytest.mark.parametrize("what", KINDS)
def test_hidden_folder_of_another_name_stays(kind: Kind, name: str, what: str) -> None:
    kind.add()
    put(kind.folder / name, what)
    kind.add()
    assert kind.versions.remove_unfinished() == Removal()
    assert os.path.lexists(kind.folder / name)


@pytest.mark.parametrize(
    "state", ["whole", "temporary files", "a file less", "no list", "a part of the list", "empty"]
)
def test_folder_of_a_killed_process_is_removed_in_any_state(kind: Kind, state: str) -> None:
    left = kind.leave()
    listed = left / kind.versions.list_name
    if state == "temporary files":
        for name in (kind.versions.list_name, kind.files[1]):
            (left / name).with_name(name_temporary(Path(name).name)).write_text("half of it")
    elif state != "whole":
        (left / kind.files[0]).unlink()
    if state in ("no list", "a part of the list", "empty"):
        shutil.rmtree(left)
        left.mkdir()
    if state == "a part of the list":
        listed.with_name(name_temporary(listed.name)).touch()
    assert kind.versions.remove_unfinished() == Removal([left.name])
    assert not left.exists()


def test_files_of_a_killed_run_may_be_incomplete(runs: Kind) -> None:
    """A dataset that does not replace its file leaves a part of it."""
    left = runs.leave()
    (left / FILES[1]).write_text("half of it")
    assert runs.versions.remove_unfinished() == Removal([left.name])


@pytest.mark.parametrize("ending", ["part", "failed"])
@pytest.mark.parametrize("is_named_alike", [False, True])
def test_folder_of_a_user_with_such_a_name_stays(
    kind: Kind, ending: str, is_named_alike: bool
) -> None:
    hidden = kind.folder / f".{OLD}.{ending}"
    put(hidden / (kind.files[0] if is_named_alike else "note.txt"), "file")
    assert kind.versions.remove([hidden]).removed == []
    assert len(read_tree(hidden)) >= 1


@pytest.fixture
def four_folders(kind: Kind) -> list[Path]:
    names = [kind.add() for _ in range(3)]
    put(kind.folder / names[1] / "mine", "file")
    kind.leave()
    return [*map(kind.folder.joinpath, names), *kind.versions.list_hidden()]


def test_a_dry_removal_changes_nothing(kind: Kind, four_folders: list[Path]) -> None:
    before = read_tree(kind.folder)
    kind.versions.remove(four_folders, is_dry=True)
    assert read_tree(kind.folder) == before


def test_a_dry_removal_returns_what_would_be_removed(kind: Kind, four_folders: list[Path]) -> None:
    found = kind.versions.remove(four_folders, is_dry=True)
    assert (len(found.removed), len(found.kept)) == (3, 1)
    assert kind.versions.remove(four_folders) == found


@pytest.mark.parametrize("call", ["rename", "fsync", "unlink", "rmdir"])
@pytest.mark.parametrize("at", range(2))
def test_interrupted_removal_leaves_complete_versions_only(
    kind: Kind, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    """The next one removes the rest."""
    names = [kind.add() for _ in range(3)]
    trees = {name: read_tree(kind.folder / name) for name in names}
    with monkeypatch.context() as patch:
        interrupt_after(patch, call, at)
        with pytest.raises(KeyboardInterrupt):
            kind.remove(*names)
    left = kind.versions.list_complete()
    assert [read_tree(kind.folder / name) for name in left] == [trees[name] for name in left]
    assert kind.versions.remove_unfinished().kept == kind.remove(*left).kept == []
    assert not any((kind.folder / name).exists() for name in names)


@pytest.mark.parametrize("call", ["fsync", "rename", "replace", "chmod"])
def test_version_that_fails_leaves_nothing(
    champions: Kind, monkeypatch: pytest.MonkeyPatch, call: str
) -> None:
    champions.folder.mkdir(parents=True)
    interrupt_after(monkeypatch, call, 0)
    with pytest.raises(KeyboardInterrupt):
        champions.versions.add(OLD, list_checksums(CONTENT), CONTENT)
    assert os.listdir(champions.folder) == []


def test_letters_match_the_name_itself() -> None:
    names = ["ab", "abc", "xab"]
    assert match_letters(names, "ab") == ["ab"]


def test_letters_match_the_beginning_of_names() -> None:
    names = ["ab", "abc", "xab"]
    assert match_letters(names, "a") == ["ab", "abc"]


def test_letters_match_the_end_of_names() -> None:
    names = ["ab", "abc", "xab"]
    assert match_letters(names, "b") == ["ab", "xab"]


def test_no_letters_match_nothing() -> None:
    names = ["ab", "abc", "xab"]
    assert match_letters(names, "") == []
