"""A model in a folder of its own: whole or not at all, and nothing else is replaced by it."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from rnn_pipelines.champion.folders import load_folder, load_model, save_folder
from rnn_pipelines.champion.store import ChampionStore
from rnn_pipelines.errors import ChampionError, NewerFormatError, ParameterError

FILES = {"settings.json": b"{}", "model.npz": b"numbers"}


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    save_folder(tmp_path / "new" / "model", FILES)
    assert load_folder(tmp_path / "new" / "model") == FILES


def test_a_model_takes_the_place_of_one_with_other_files(tmp_path: Path) -> None:
    save_folder(tmp_path / "model", FILES | {"intervals.npz": b"old"})
    save_folder(tmp_path / "model", FILES)
    assert load_folder(tmp_path / "model") == FILES
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_folder_of_something_else_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ChampionError, match="Name another"):
        save_folder(tmp_path, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_stays_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "model").write_text("mine")
    with pytest.raises(ChampionError, match="Name another"):
        save_folder(tmp_path / "model", FILES)
    assert (tmp_path / "model").read_text() == "mine"


@pytest.mark.parametrize("name", ["file/model", "x" * 300, "null\0"])
def test_a_place_that_can_not_be_written_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ChampionError, match=r"the model can't be saved there \(\w+Error: .*\)\. Name another folder"):
        save_folder(tmp_path / name, FILES)
    assert [path.name for path in tmp_path.iterdir()] == ["file"]


@pytest.mark.parametrize("name", ["file/model", "x" * 300, "null\0"])
def test_a_place_that_can_not_be_read_is_told(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_text("mine")
    with pytest.raises(ChampionError, match=r"no saved model|can't be loaded"):
        load_model(tmp_path / name, dict)


@pytest.mark.parametrize("path", [None, 3, b"model", ["model"]])
def test_what_names_no_folder_is_refused(path: object) -> None:
    with pytest.raises(ParameterError, match="path: expected the name of a folder, received"):
        save_folder(path, FILES)
    with pytest.raises(ParameterError, match="path: expected the name of a folder, received"):
        load_model(path, dict)


def test_a_version_of_a_champion_is_never_replaced(tmp_path: Path) -> None:
    store = ChampionStore(tmp_path)
    version = store.add_version(FILES)
    with pytest.raises(ChampionError, match="Name another"):
        save_folder(tmp_path / "versions" / version, FILES)


@pytest.mark.parametrize("fault", [KeyError("units"), ValueError("bad zip"), RecursionError(), MemoryError()])
def test_a_damaged_model_is_an_error_of_ours(tmp_path: Path, fault: Exception) -> None:
    def unpack(_: Mapping[str, bytes]) -> None:
        raise fault

    save_folder(tmp_path / "model", FILES)
    with pytest.raises(ChampionError, match=type(fault).__name__):
        load_model(tmp_path / "model", unpack)


def test_a_model_of_a_newer_version_is_said_to_be_one(tmp_path: Path) -> None:
    def unpack(_: Mapping[str, bytes]) -> None:
        raise NewerFormatError("Update the project.")

    save_folder(tmp_path / "model", FILES)
    with pytest.raises(NewerFormatError, match=r"^Update"):
        load_model(tmp_path / "model", unpack)
