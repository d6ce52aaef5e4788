"""JSON that any program reads."""

import json
from pathlib import Path
from typing import Any

import pytest
from kedro.io import DatasetError

from rnn_pipelines.datasets import StrictJSONDataset


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "results.json"


def refuse(constant: str) -> None:
    raise AssertionError(f"{constant} is no JSON")


@pytest.mark.parametrize("data", [{"a": [1, 2.5, None, "ä"]}, [1, 2], [], {}])
def test_what_is_saved_is_loaded(path: Path, data: Any) -> None:
    StrictJSONDataset(filepath=str(path)).save(data)
    assert StrictJSONDataset(filepath=str(path)).load() == data


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_are_not_finite_are_null(path: Path, number: float) -> None:
    StrictJSONDataset(filepath=str(path)).save({"mse": number, "all": [1.0, number]})
    assert json.loads(path.read_text(), parse_constant=refuse) == {"mse": None, "all": [1.0, None]}


@pytest.fixture
def dataset(path: Path) -> StrictJSONDataset:
    dataset = StrictJSONDataset(filepath=str(path))
    dataset.run = "2026"
    return dataset


def test_an_object_names_its_run(path: Path, dataset: StrictJSONDataset) -> None:
    dataset.save({"mse": 1})
    assert json.loads(path.read_text()) == {"run": "2026", "mse": 1}


def test_a_loaded_object_has_no_run(dataset: StrictJSONDataset) -> None:
    dataset.save({"mse": 1})
    assert dataset.load() == {"mse": 1}


def test_a_list_stays_one(path: Path, dataset: StrictJSONDataset) -> None:
    dataset.save([1, 2])
    assert json.loads(path.read_text()) == [1, 2]


def test_a_value_that_is_no_json_leaves_the_file(dataset: StrictJSONDataset) -> None:
    dataset.save([1, 2])
    with pytest.raises(DatasetError):
        dataset.save({"mse": object()})
    assert dataset.load() == [1, 2]
