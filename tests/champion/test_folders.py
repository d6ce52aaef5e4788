"""A model in a folder of its own: whole or refused, and no file of somebody else is replaced or removed."""

import json
import logging
import os
import re
import shutil
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from damages import flip_bit, truncate
from rnn_pipelines.champion import folders
from rnn_pipelines.champion.folders import LIST, LOCK, load_folder, load_model, save_folder
from rnn_pipelines.champion.history import add_record
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, FormatError, LockError, ParameterError
from rnn_pipelines.storage.files import name_temporary
from rnn_pipelines.versions.folder import list_foreign
from trees import read_tree

pytestmark = pytest.mark.usefixtures("no_wait_for_the_disk")

FILES = {"settings.json": b"{}", "model.npz": b"numbers"}
OTHER = {"settings.json": b"[]", "model.npz": b"numbers", "intervals.npz": b"bounds"}


def find_stored(folder: Path, name: str) -> Path:
    """Where a saved model has the file that is called so."""
    stem, _, suffix = name.partition(".")
    (found,) = folder.glob(f"{stem}.*.{suffix}")
    return found


def test_a_model_takes_the_place_of_one_with_other_files(tmp_path: Path) -> None:
    save_folder(tmp_path / "model", OTHER)
    save_folder(tmp_path / "model", FILES)
    assert load_folder(tmp_path / "model") == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert len(os.listdir(tmp_path / "model")) == len({*FILES, LIST, LOCK})


def test_a_model_is_saved_over_itself(tmp_path: Path) -> None:
    save_folder(tmp_path, FILES)
    save_folder(tmp_path, FILES)
    assert load_folder(tmp_path) == FILES


# What a user may have in a folder, by name: the text of a file, None for an empty folder, or the target of a link.
ADDITIONS: dict[str, str | Path | None] = {
    "thesis.txt": "mine",
    "plots/one.png": "mine",
    ".git": None,
    "data": Path(".."),
    # A name of the form of a saved file's.
    "notes.0123456789abcdef.txt": "mine",
    ".thesis.txt.abcd_123.part": "mine",
    # As other programs name the unfinished part of a file.
    f".{LIST}.abcd1234.part": "mine",
    # As other programs have them.
    "settings.json": "{}",
    LIST: '{"format": 1, "files": ["mine"]}',
    f"{LIST} as a link": Path("../list.json"),
}


def add(folder: Path, name: str) -> str:
    """Add what a user may have there; return the name that a message has."""
    content = ADDITIONS[name]
    path = folder / name.removesuffix(" as a link")
    path.parent.mkdir(exist_ok=True)
    path.unlink(missing_ok=True)
    if content is None:
        path.mkdir()
    elif isinstance(content, Path):
        (folder.parent / "list.json").write_text("mine")
        path.symlink_to(content)
    else:
        path.write_text(content)
    return path.relative_to(folder).parts[0]


@pytest.mark.parametrize("is_model", [False, True])
@pytest.mark.parametrize("name", ADDITIONS)
def test_a_folder_with_files_of_somebody_else_stays_as_it_is(
    tmp_path: Path, name: str, is_model: bool
) -> None:
    """Whether a model is among them or not; the message names the file."""
    folder = tmp_path / "folder"
    save_folder(folder, FILES) if is_model else folder.mkdir()
    found = add(folder, name)
    before = read_tree(tmp_path)
    with pytest.raises(ChampionError) as caught:
        save_folder(folder, OTHER)
    assert read_tree(tmp_path) == before
    assert repr(found) in str(caught.value)


@pytest.mark.parametrize("name", [*FILES, LIST])
def test_a_model_that_somebody_changed_stays_as_it_is(tmp_path: Path, name: str) -> None:
    save_folder(tmp_path, FILES)
    path = tmp_path / LIST if name == LIST else find_stored(tmp_path, name)
    if name == LIST:
        path.write_text(json.dumps({**json.loads(path.read_text()), "note": "mine"}))
    else:
        path.write_text("mine")
    before = read_tree(tmp_path)
    with pytest.raises(ChampionError) as caught:
        save_folder(tmp_path, OTHER)
    assert read_tree(tmp_path) == before
    assert repr(path.name) in str(caught.value)


@pytest.mark.parametrize("name", [*FILES, LIST])
def test_a_model_that_lacks_a_file_is_replaced(tmp_path: Path, name: str) -> None:
    """Nothing of somebody else's is in it."""
    save_folder(tmp_path, FILES)
    (tmp_path / LIST if name == LIST else find_stored(tmp_path, name)).unlink()
    save_folder(tmp_path, OTHER)
    assert load_folder(tmp_path) == OTHER


def test_a_file_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("mine")
    with pytest.raises(ChampionError, match="expected a folder"):
        save_folder(tmp_path / "model", FILES)
    assert (tmp_path / "model").read_text() == "mine"


def test_a_model_is_saved_where_a_link_leads(tmp_path: Path) -> None:
    """Such as on another disk."""
    (tmp_path / "disk").mkdir()
    (tmp_path / "model").symlink_to(tmp_path / "disk")
    for files in (OTHER, FILES):
        save_folder(tmp_path / "model", files)
    assert (tmp_path / "model").is_symlink()
    assert load_folder(tmp_path / "disk") == load_folder(tmp_path / "model") == FILES


def test_files_of_somebody_else_behind_a_link_stay(tmp_path: Path) -> None:
    (tmp_path / "disk").mkdir()
    (tmp_path / "disk" / "thesis.txt").write_text("mine")
    (tmp_path / "model").symlink_to(tmp_path / "disk")
    before = read_tree(tmp_path)
    with pytest.raises(ChampionError, match=r"thesis\.txt"):
        save_folder(tmp_path / "model", FILES)
    assert read_tree(tmp_path) == before


def test_a_link_that_leads_nowhere_is_refused(tmp_path: Path) -> None:
    (tmp_path / "model").symlink_to(tmp_path / "nowhere")
    with pytest.raises(ChampionError, match="link to none"):
        save_folder(tmp_path / "model", FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_no_file_appears_through_a_lock_that_is_a_link(tmp_path: Path) -> None:
    folder = tmp_path / "model"
    save_folder(folder, FILES)
    (folder / LOCK).unlink()
    (folder / LOCK).symlink_to(tmp_path / "planted")
    with pytest.raises((ChampionError, LockError)):
        save_folder(folder, OTHER)
    assert [path.name for path in tmp_path.iterdir()] == ["model"]
    assert load_folder(folder) == FILES


def test_the_folders_of_a_store_are_never_replaced(tmp_path: Path) -> None:
    store = ChampionStore(tmp_path)
    version = store.add_version(FILES)
    store.promote(version, ["why"], "2026-01-31T02:00:00+00:00")
    before = read_tree(tmp_path)
    for folder in (store.find_folder(version), tmp_path, tmp_path / "versions"):
        with pytest.raises(ChampionError, match="Name another"):
            save_folder(folder, OTHER)
    assert read_tree(tmp_path) == before


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


@pytest.mark.parametrize("name", OTHER)
@pytest.mark.parametrize("damage", [flip_bit, truncate, Path.unlink, replace_by_folder])
def test_a_damaged_file_is_refused_by_its_name(
    tmp_path: Path, name: str, damage: Callable[[Path], object]
) -> None:
    save_folder(tmp_path, OTHER)
    damage(find_stored(tmp_path, name))
    with pytest.raises(ChampionError) as caught:
        load_model(tmp_path, dict)
    assert name.partition(".")[0] in str(caught.value)


@pytest.mark.parametrize("damage", [flip_bit, truncate, Path.unlink, replace_by_folder])
def test_a_damaged_list_is_refused(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    save_folder(tmp_path, FILES)
    damage(tmp_path / LIST)
    with pytest.raises(
        ChampionError, match=LIST if damage in (Path.unlink, replace_by_folder) else "damaged"
    ):
        load_model(tmp_path, dict)


def test_files_that_the_list_does_not_name_are_not_read(tmp_path: Path) -> None:
    save_folder(tmp_path, FILES)
    add(tmp_path, "thesis.txt")
    add(tmp_path, "settings.json")
    assert load_folder(tmp_path) == FILES


@pytest.mark.parametrize("damage", [flip_bit, truncate, Path.unlink])
def test_a_damaged_version_is_refused(tmp_path: Path, damage: Callable[[Path], object]) -> None:
    store = ChampionStore(tmp_path)
    version = store.find_folder(store.add_version(FILES))
    assert load_folder(version) == FILES
    damage(version / "model.npz")
    with pytest.raises(ChampionError, match=r"model\.npz"):
        load_folder(version)


def test_a_version_is_found_from_within(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    store = ChampionStore(tmp_path)
    monkeypatch.chdir(store.find_folder(store.add_version(FILES)))
    assert load_folder(Path(".")) == FILES


def test_alarms_of_a_champion_are_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    store = ChampionStore(tmp_path)
    versions = []
    for files in (FILES, OTHER):
        versions.append(store.add_version(files))
        store.promote(versions[-1], ["why"], "2026-01-31T02:00:00+00:00")
        add_record(tmp_path, {"is_promoted": True, "version": versions[-1]})
    flip_bit(store.find_folder(versions[1]) / "model.npz")
    with caplog.at_level(logging.WARNING):
        assert load_folder(tmp_path) == FILES
    assert f"{versions[1]}: model.npz changed after it was written." in caplog.messages


def test_model_without_its_list_is_refused_by_the_name_of_the_list(tmp_path: Path) -> None:
    for name, content in FILES.items():
        (tmp_path / name).write_bytes(content)
    with pytest.raises(ChampionError, match=re.escape(LIST)):
        load_folder(tmp_path)


def test_a_model_that_a_newer_version_saved_is_neither_read_nor_replaced(tmp_path: Path) -> None:
    save_folder(tmp_path, FILES)
    (tmp_path / LIST).write_text(
        json.dumps({**json.loads((tmp_path / LIST).read_text()), "format": 2})
    )
    before = read_tree(tmp_path)
    for use in (lambda: load_folder(tmp_path), lambda: save_folder(tmp_path, OTHER)):
        with pytest.raises(FormatError):
            use()
    assert read_tree(tmp_path) == before


def test_what_a_killed_save_left_is_removed_by_the_next(tmp_path: Path) -> None:
    save_folder(tmp_path / "killed", OTHER)
    save_folder(tmp_path / "model", FILES)
    for path in [
        *(tmp_path / "killed").glob("settings.*"),
        *(tmp_path / "killed").glob("intervals.*"),
    ]:
        shutil.copy(path, tmp_path / "model")
    for name in (LIST, find_stored(tmp_path / "killed", "intervals.npz").name):
        (tmp_path / "model" / name_temporary(name)).write_bytes(b"half of")
    save_folder(tmp_path / "model", FILES)
    assert load_folder(tmp_path / "model") == FILES
    assert len(os.listdir(tmp_path / "model")) == len({*FILES, LIST, LOCK})


@pytest.mark.parametrize("call", ["fsync", "replace"])
@pytest.mark.parametrize("at", range(1, 4))
def test_failed_save_leaves_the_old_model(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, call: str, at: int
) -> None:
    save_folder(tmp_path, FILES)
    before = read_tree(tmp_path)
    original = getattr(os, call)
    calls = []

    def fail(*arguments: object) -> object:
        calls.append(arguments)
        if len(calls) >= at:
            raise OSError("No space left on device")
        return original(*arguments)

    with monkeypatch.context() as patch:
        patch.setattr(os, call, fail)
        with pytest.raises(ChampionError, match="No space left"):
            save_folder(tmp_path, OTHER)
    assert read_tree(tmp_path) == before


def test_file_that_another_save_adds_meanwhile_is_not_foreign(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_folder(tmp_path / "other", OTHER)
    save_folder(tmp_path / "model", FILES)

    def add_and_check(folder: Path, *arguments: Any) -> list[str]:
        shutil.copy(find_stored(tmp_path / "other", "intervals.npz"), folder)
        return list_foreign(folder, *arguments)

    monkeypatch.setattr(folders, "list_foreign", add_and_check)
    save_folder(tmp_path / "model", FILES)
    assert load_folder(tmp_path / "model") == FILES


def test_threads_share_one_folder(tmp_path: Path) -> None:
    """Also two models in turn, whose files come and go and come again."""
    models = [FILES, OTHER]
    save_folder(tmp_path, FILES)

    def work(number: int) -> dict[str, bytes]:
        if number % 4 == 0:
            save_folder(tmp_path, models[number // 4 % 2])
        return load_folder(tmp_path)

    with ThreadPoolExecutor(4) as threads:
        found = list(threads.map(work, range(80)))
    assert all(files in models for files in found)
    assert load_folder(tmp_path) in models
    assert {path.suffix for path in tmp_path.iterdir()} == {".json", ".npz", ".lock"}


@pytest.mark.parametrize("name", ["file/model", "x" * 300, "null\0"])
def test_a_place_that_can_not_be_written_or_read_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(
        ChampionError,
        match=r"the model can't be saved there \(\w+Error: .*\)\. Name another folder",
    ):
        save_folder(tmp_path / name, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]
    with pytest.raises(ChampionError, match=r"no saved model|can't be loaded"):
        load_model(tmp_path / name, dict)


@pytest.mark.parametrize("path", [None, 3, b"model", ["model"]])
def test_what_names_no_folder_is_refused(path: object) -> None:
    with pytest.raises(
        ParameterError, match="path: expected the name of a file or folder, received"
    ):
        save_folder(path, FILES)
    with pytest.raises(
        ParameterError, match="path: expected the name of a file or folder, received"
    ):
        load_model(path, dict)


@pytest.mark.parametrize(
    "fault", [KeyError("units"), ValueError("bad zip"), RecursionError(), MemoryError()]
)
def test_a_damaged_model_is_an_error_of_ours(tmp_path: Path, fault: Exception) -> None:
    def unpack(_: Mapping[str, bytes]) -> None:
        raise fault

    save_folder(tmp_path / "model", FILES)
    with pytest.raises(ChampionError, match=type(fault).__name__):
        load_model(tmp_path / "model", unpack)


def test_a_model_of_a_newer_version_is_said_to_be_one(tmp_path: Path) -> None:
    def unpack(_: Mapping[str, bytes]) -> None:
        raise FormatError("Update the project.")

    save_folder(tmp_path / "model", FILES)
    with pytest.raises(FormatError, match=r"^Update"):
        load_model(tmp_path / "model", unpack)


def test_a_tilde_alone_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    save_folder("~/model", FILES)
    assert load_model("~/model", dict) == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["home"]


def test_a_tilde_can_be_the_first_letter_of_a_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    save_folder("./~x", FILES)
    assert (tmp_path / "~x").is_dir()
    assert load_model("./~x", dict) == FILES


@pytest.mark.parametrize(
    "use", [lambda path: save_folder(path, FILES), lambda path: load_model(path, dict)]
)
def test_home_of_an_unknown_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, use: Callable[[str], object]
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ParameterError, match="~no-such-user/model"):
        use("~no-such-user/model")
    assert list(tmp_path.iterdir()) == []
