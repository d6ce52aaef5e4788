"""The private attribute with the path of a file is used in one place, for all types of the catalog."""

import importlib
import re
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd
import pytest
import yaml
from kedro.io import AbstractDataset, AbstractVersionedDataset, DataCatalog, MemoryDataset
from plotly.graph_objects import Figure

from rnn_pipelines.datasets.paths import change_path, find_path
from rnn_pipelines.errors import RunError
from rnn_pipelines.hooks.results import refuse_fixed_paths

PROJECT = Path(__file__).parents[2]
ENTRIES = [
    entry
    for path in sorted((PROJECT / "conf/base").glob("catalog_*.yml"))
    for entry in yaml.safe_load(path.read_text()).values()
]
# The types of kedro-datasets in conf/base that have a file, and a value of each.
VALUES = {
    "pandas.CSVDataset": pd.DataFrame({"a": [1]}),
    "pandas.ParquetDataset": pd.DataFrame({"a": [1]}),
    "plotly.JSONDataset": Figure(),
    "text.TextDataset": "a",
    "yaml.YAMLDataset": {"a": 1},
}


def is_of_kedro(kind: str) -> bool:
    return not kind.startswith("rnn_pipelines.") and kind.partition(".")[2] != ""


class OwnDataset(AbstractDataset[str, str]):
    """A dataset of a user, which keeps its path in an attribute of its own."""

    def __init__(self, filepath: str) -> None:
        self.file = Path(filepath)

    def load(self) -> str:
        return self.file.read_text()

    def save(self, data: str) -> None:
        self.file.write_text(data)

    def _describe(self) -> dict[str, Any]:
        return {}


class OwnVersionedDataset(AbstractVersionedDataset[str, str]):
    """A dataset of a user, as Kedro's documentation describes it."""

    def __init__(self, filepath: str) -> None:
        super().__init__(PurePosixPath(filepath), None)

    def load(self) -> str:
        return Path(self._get_load_path()).read_text()

    def save(self, data: str) -> None:
        Path(self._get_save_path()).write_text(data)

    def _describe(self) -> dict[str, Any]:
        return {}


def test_all_types_of_kedro_datasets_are_tested_here() -> None:
    assert {entry["type"] for entry in ENTRIES if is_of_kedro(entry["type"])} == set(VALUES)


@pytest.mark.parametrize("kind", VALUES)
def test_file_of_kedro_datasets_moves_with_its_path(kind: str, tmp_path: Path) -> None:
    module, _, name = kind.rpartition(".")
    made = getattr(importlib.import_module(f"kedro_datasets.{module}"), name)
    dataset = made(filepath=str(tmp_path / "shown/a"))
    change_path(dataset, PurePosixPath(tmp_path / "run/a"))
    (tmp_path / "run").mkdir()
    dataset.save(VALUES[kind])
    assert find_path(dataset) == PurePosixPath(tmp_path / "run/a")
    assert [path.name for path in tmp_path.iterdir()] == ["run"]
    assert type(dataset.load()) is type(VALUES[kind])


def test_file_of_a_users_versioned_dataset_moves(tmp_path: Path) -> None:
    dataset = OwnVersionedDataset(str(tmp_path / "a"))
    change_path(dataset, PurePosixPath(tmp_path / "b"))
    dataset.save("text")
    assert [path.name for path in tmp_path.iterdir()] == ["b"]


# The log of forecasts is no result of one run.
FILES = {entry["type"] for entry in ENTRIES if "filepath" in entry} - {
    "rnn_pipelines.forecast.datasets.ForecastLogDataset"
}


@pytest.mark.parametrize("kind", sorted(FILES))
def test_every_file_of_the_catalog_is_of_a_type_that_moves(kind: str) -> None:
    module, _, name = kind.rpartition(".")
    package = module if module.startswith("rnn_pipelines.") else f"kedro_datasets.{module}"
    assert issubclass(getattr(importlib.import_module(package), name), AbstractVersionedDataset)


def test_users_dataset_that_would_save_outside_of_the_run_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "08_reporting/forecast/mine.txt"
    catalog = DataCatalog.from_config(
        {"forecast_mine": {"type": OwnDataset, "filepath": str(path)}}
    )
    with pytest.raises(RunError, match=r"forecast_mine: OwnDataset cannot save .*mine\.txt"):
        refuse_fixed_paths({"forecast_mine"}, catalog, tmp_path)


@pytest.mark.parametrize("place", ["elsewhere/mine.txt", "08_reporting/retrain_forecast/mine.txt"])
def test_users_dataset_may_save_where_no_run_has_a_folder(tmp_path: Path, place: str) -> None:
    catalog = DataCatalog.from_config(
        {"mine": {"type": OwnDataset, "filepath": str(tmp_path / place)}}
    )
    catalog["value"] = MemoryDataset(1)
    refuse_fixed_paths({"mine", "value"}, catalog, tmp_path)


def test_attribute_is_named_in_one_module() -> None:
    naming = re.compile(r"(?<!self)\._filepath|\"_filepath\"")
    modules = (PROJECT / "src").rglob("*.py")
    assert [path.name for path in modules if naming.search(path.read_text())] == ["paths.py"]
