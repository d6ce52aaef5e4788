"""A folder of JSON files is a mapping whose values are on disk, whole, as soon as they are set."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from rnn_pipelines.datasets import JSONFolderDataset
from rnn_pipelines.datasets.folder import JSONFolder


@pytest.fixture
def folder(tmp_path: Path) -> JSONFolder:
    return JSONFolder(tmp_path / "deep" / "down")


@pytest.fixture
def fail_to_write(monkeypatch: pytest.MonkeyPatch) -> Callable[[], None]:
    """Makes the disk full from now on."""

    def refuse(_: int) -> None:
        raise OSError("No space left on device")

    return lambda: monkeypatch.setattr(os, "fsync", refuse)


def test_a_new_folder_is_an_empty_mapping(folder: JSONFolder) -> None:
    assert (dict(folder), len(folder)) == ({}, 0)


def test_values_come_back_in_the_order_of_their_keys(folder: JSONFolder, tmp_path: Path) -> None:
    """Numbers come back to their last digit, and keys in their order; the last value of a key counts."""
    value = {"test": 0.1 + 0.2, "curve": [1.5, 2], "steps_to_learn": None, "name": "Größe"}
    folder.update({"b": value, "a": 1, "c.d-e_0": 3})
    folder["a"] = 2
    (tmp_path / "deep" / "down" / "notes.txt").write_text("mine")
    assert list(folder.items()) == [("a", 2), ("b", value), ("c.d-e_0", 3)]


def test_another_mapping_of_the_folder_is_equal(folder: JSONFolder, tmp_path: Path) -> None:
    value = {"test": 0.1 + 0.2, "curve": [1.5, 2], "steps_to_learn": None, "name": "Größe"}
    folder.update({"b": value, "a": 1, "c.d-e_0": 3})
    folder["a"] = 2
    (tmp_path / "deep" / "down" / "notes.txt").write_text("mine")
    assert dict(JSONFolder(tmp_path / "deep" / "down")) == dict(folder)


def test_a_key_can_be_deleted(folder: JSONFolder, tmp_path: Path) -> None:
    value = {"test": 0.1 + 0.2, "curve": [1.5, 2], "steps_to_learn": None, "name": "Größe"}
    folder.update({"b": value, "a": 1, "c.d-e_0": 3})
    folder["a"] = 2
    (tmp_path / "deep" / "down" / "notes.txt").write_text("mine")
    del folder["a"]
    assert (list(folder), len(folder)) == (["b", "c.d-e_0"], 2)


@pytest.mark.parametrize(("key", "is_in"), [("a", True), ("b", False), ("../down/a", False)])
def test_key_is_in_once_it_is_set(folder: JSONFolder, key: str, is_in: bool) -> None:
    folder["a"] = None
    assert (key in folder) is is_in


@pytest.mark.parametrize("key", ["b", "../down/a", "b/a"])
@pytest.mark.parametrize("use", ["__getitem__", "__delitem__"])
def test_key_that_is_not_there_is_a_key_error(folder: JSONFolder, use: str, key: str) -> None:
    folder["a"] = 1
    with pytest.raises(KeyError, match=key):
        getattr(folder, use)(key)


@pytest.mark.parametrize("key", ["../a", "b/a"])
def test_key_that_leads_to_another_folder_is_refused(folder: JSONFolder, key: str) -> None:
    with pytest.raises(KeyError, match="without a folder"):
        folder[key] = 1


def test_key_is_not_there_while_its_value_is_written(
    folder: JSONFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[list[str]] = []
    replace = os.replace
    monkeypatch.setattr(os, "replace", lambda *paths: (seen.append(list(folder)), replace(*paths)))
    folder["a"] = 1
    assert (seen, list(folder)) == ([[]], ["a"])


@pytest.mark.parametrize("before", [{}, {"a": 1}])
def test_value_stays_after_a_write_that_failed(
    folder: JSONFolder, fail_to_write: Callable[[], None], before: dict[str, int]
) -> None:
    folder.update(before)
    fail_to_write()
    with pytest.raises(OSError, match="No space left"):
        folder["a"] = 2
    assert dict(folder) == before


def test_every_value_is_a_json_file_of_its_key(folder: JSONFolder, tmp_path: Path) -> None:
    folder["a"] = {"test": 1}
    assert json.loads((tmp_path / "deep" / "down" / "a.json").read_text()) == {"test": 1}
    folder["a"] = 1
    with pytest.raises(TypeError):
        folder["a"] = object()
    assert folder["a"] == 1


def test_loaded_mapping_fills_the_folder_of_the_dataset(tmp_path: Path) -> None:
    assert dict(JSONFolderDataset(path=str(tmp_path / "mine")).load()) == {}
    dataset = JSONFolderDataset(path=str(tmp_path / "mine"))
    dataset.load()["a"] = 1
    assert [path.name for path in (tmp_path / "mine").iterdir()] == ["a.json"]


@pytest.mark.parametrize("is_filled", [True, False])
def test_dataset_exists_once_something_is_in_it(tmp_path: Path, is_filled: bool) -> None:
    dataset = JSONFolderDataset(path=str(tmp_path / "mine"))
    if is_filled:
        dataset.load()["a"] = 1
    assert dataset.exists() is is_filled
