"""A node gets the path of a folder on this machine."""

from pathlib import Path

import pytest
from kedro.io import DatasetError

from rnn_pipelines.datasets import FolderDataset


def test_the_path_of_a_folder_is_loaded(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path / "deep"))
    assert (dataset.load(), dataset.exists()) == (tmp_path / "deep", True)


def test_nothing_is_saved_in_place_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        FolderDataset(path=str(tmp_path)).save("anything")


def test_a_folder_on_another_machine_is_refused() -> None:
    with pytest.raises(DatasetError, match="on this machine"):
        FolderDataset(path="s3://bucket/folder")
