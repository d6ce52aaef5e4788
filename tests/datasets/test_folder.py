"""A node gets the path of a folder on this machine."""

from pathlib import Path

import pytest
from kedro.io import DatasetError

from rnn_pipelines.datasets import FolderDataset


def test_path_of_a_folder_on_this_machine_is_loaded_and_nothing_saved(tmp_path: Path) -> None:
    dataset = FolderDataset(path=str(tmp_path / "deep"))
    assert (dataset.load(), dataset.exists()) == (tmp_path / "deep", True)
    with pytest.raises(DatasetError):
        FolderDataset(path=str(tmp_path)).save("anything")
    with pytest.raises(DatasetError, match="on this machine"):
        FolderDataset(path="s3://bucket/folder")
