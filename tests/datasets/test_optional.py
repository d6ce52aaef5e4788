"""What is there is loaded as it is, what isn't is None, and nothing is ever written."""

import json
from pathlib import Path

import pytest
from kedro.io import DatasetError

from rnn_pipelines.datasets import OptionalDataset


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "my.json"


@pytest.fixture
def dataset(path: Path) -> OptionalDataset:
    return OptionalDataset(dataset={"type": "json.JSONDataset", "filepath": str(path)})


def test_a_file_that_is_missing_is_none(dataset: OptionalDataset) -> None:
    assert dataset.load() is None


def test_nothing_is_saved_by_an_optional_dataset(dataset: OptionalDataset, path: Path) -> None:
    with pytest.raises(DatasetError, match="belongs to another pipeline"):
        dataset.save({"a": 1})
    assert not path.exists()


def test_a_file_that_is_there_is_loaded(dataset: OptionalDataset, path: Path) -> None:
    path.write_text(json.dumps({"a": 1}))
    assert dataset.load() == {"a": 1}


def test_a_file_that_cannot_be_read_is_an_error(dataset: OptionalDataset, path: Path) -> None:
    path.write_text("{")
    with pytest.raises(DatasetError):
        dataset.load()


@pytest.mark.parametrize("is_there", [True, False])
def test_dataset_exists_where_the_other_one_does(
    dataset: OptionalDataset, path: Path, is_there: bool
) -> None:
    if is_there:
        path.write_text("{}")
    assert dataset.exists() is is_there


def test_newest_of_several_versions_is_loaded(path: Path) -> None:
    versioned = {"type": "json.JSONDataset", "filepath": str(path), "versioned": True}
    assert OptionalDataset(dataset=versioned).load() is None
    for version, value in (("2025-01-01T00.00.00.000Z", 1), ("2026-01-01T00.00.00.000Z", 2)):
        file = path / version / path.name
        file.parent.mkdir(parents=True)
        file.write_text(str(value))
    versioned = {"type": "json.JSONDataset", "filepath": str(path), "versioned": True}
    assert OptionalDataset(dataset=versioned).load() == 2


def test_configuration_is_not_changed(path: Path) -> None:
    config = {
        "type": "json.JSONDataset",
        "filepath": str(path),
        "versioned": True,
        "validator": "none",
    }
    OptionalDataset(dataset=config)
    assert config == {
        "type": "json.JSONDataset",
        "filepath": str(path),
        "versioned": True,
        "validator": "none",
    }


def test_the_layer_is_that_of_the_other_dataset(path: Path) -> None:
    metadata = {"kedro-viz": {"layer": "models"}}
    config = {"type": "json.JSONDataset", "filepath": str(path), "metadata": metadata}
    assert OptionalDataset(dataset=config).metadata == metadata
