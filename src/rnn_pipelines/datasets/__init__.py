"""Datasets of the catalog that kedro-datasets lacks, or that it loads with slow imports.

Kedro finds a dataset by the name of its class here. Its module is imported then, so that a catalog without a database
loads no library for databases.
"""

from importlib import import_module
from typing import Any

from kedro.io.core import DatasetError

MODULES = {
    "ArraysDataset": "rnn_pipelines.datasets.arrays",
    "ChampionDataset": "rnn_pipelines.datasets.champion",
    "DescribedTableDataset": "rnn_pipelines.datasets.tables",
    "FolderDataset": "rnn_pipelines.datasets.folder",
    "JSONFolderDataset": "rnn_pipelines.datasets.folder",
    "KerasModelDataset": "rnn_pipelines.datasets.keras_model",
    "NewestVersionsDataset": "rnn_pipelines.datasets.newest_versions",
    "OptionalDataset": "rnn_pipelines.datasets.optional",
    "PageDataset": "rnn_pipelines.datasets.one_file",
    "PassedDataset": "rnn_pipelines.datasets.passed",
    "PostgresLogDataset": "rnn_pipelines.connectors.postgres.rows",
    "PostgresQueryDataset": "rnn_pipelines.connectors.postgres.query",
    "PostgresRowsDataset": "rnn_pipelines.connectors.postgres.rows",
    "PostgresRunRowsDataset": "rnn_pipelines.connectors.postgres.rows",
    "SpreadsheetCSVDataset": "rnn_pipelines.datasets.tables",
    "StrictJSONDataset": "rnn_pipelines.datasets.one_file",
    "TablesDataset": "rnn_pipelines.datasets.tables",
}
__all__ = list(MODULES)


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    try:
        return getattr(import_module(MODULES[name]), name)
    except ImportError as error:
        if not name.startswith("Postgres"):
            raise
        message = f'PostgreSQL: a library is missing ({error}). Install it: pip install "rnn-pipelines[postgres]".'
        raise DatasetError(message) from error
