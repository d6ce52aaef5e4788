"""Datasets of the catalog that kedro-datasets lacks, or that it loads with slow imports."""

from importlib import import_module
from typing import Any

from rnn_pipelines.datasets.arrays import ArraysDataset
from rnn_pipelines.datasets.champion import ChampionDataset
from rnn_pipelines.datasets.folder import FolderDataset, JSONFolderDataset
from rnn_pipelines.datasets.keras_model import KerasModelDataset
from rnn_pipelines.datasets.newest_versions import NewestVersionsDataset
from rnn_pipelines.datasets.one_file import PageDataset, StrictJSONDataset
from rnn_pipelines.datasets.optional import OptionalDataset
from rnn_pipelines.datasets.tables import (
    DescribedTableDataset,
    SpreadsheetCSVDataset,
    TablesDataset,
)

# Datasets of the connectors, which are loaded only if a catalog names them: their module by their name.
OF_CONNECTORS = {
    "PostgresLogDataset": "rnn_pipelines.connectors.postgres.rows",
    "PostgresQueryDataset": "rnn_pipelines.connectors.postgres.query",
    "PostgresRowsDataset": "rnn_pipelines.connectors.postgres.rows",
    "PostgresRunRowsDataset": "rnn_pipelines.connectors.postgres.rows",
}

__all__ = [
    "ArraysDataset",
    "ChampionDataset",
    "DescribedTableDataset",
    "FolderDataset",
    "JSONFolderDataset",
    "KerasModelDataset",
    "NewestVersionsDataset",
    "OptionalDataset",
    "PageDataset",
    "SpreadsheetCSVDataset",
    "StrictJSONDataset",
    "TablesDataset",
]


def __getattr__(name: str) -> Any:
    if name not in OF_CONNECTORS:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(OF_CONNECTORS[name]), name)
