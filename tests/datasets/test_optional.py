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


def test_what_is_not_there_is_none_and_what_cannot_be_read_an_error(
    dataset: OptionalDataset, path: Path
) -> None:
    assert dataset.load() is None
    with pytest.raises(DatasetError, match="belongs to another pipeline"):
        dataset.save({"a": 1})
    assert not path.exists()
    path.write_text(json.dumps({"a": 1}))
    assert dataset.load() == {"a": 1}
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


def test_configuration_is_not_changed_and_the_layer_that_of_the_other_one(path: Path) -> None:
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
    metadata = {"kedro-viz": {"layer": "models"}}
    config = {"type": "json.JSONDataset", "filepath": str(path), "metadata": metadata}
    assert OptionalDataset(dataset=config).metadata == metadata
