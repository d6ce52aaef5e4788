"""Datasets of the catalog that kedro-datasets lacks, or that it loads with slow imports.

Kedro finds a dataset by the name of its class here. Its module is imported then, so that a catalog without a database
loads no library for databases.
"""

from importlib import import_module
from typing import Any

from kedro.io.core import DatasetError

MODULES = {
    "ArraysDataset": "arrays",
    "ChampionDataset": "champion",
    "DescribedTableDataset": "tables",
    "FolderDataset": "folder",
    "JSONFolderDataset": "folder",
    "KerasModelDataset": "keras_model",
    "NewestVersionsDataset": "newest_versions",
    "OptionalDataset": "optional",
    "PageDataset": "one_file",
    "PostgresLogDataset": "postgres_rows",
    "PostgresQueryDataset": "postgres_query",
    "PostgresRowsDataset": "postgres_rows",
    "PostgresRunRowsDataset": "postgres_rows",
    "SpreadsheetCSVDataset": "tables",
    "StrictJSONDataset": "one_file",
    "TablesDataset": "tables",
}
__all__ = list(MODULES)


def __getattr__(name: str) -> Any:
    if name not in MODULES:
        raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
    try:
        return getattr(import_module(f"{__name__}.{MODULES[name]}"), name)
    except ImportError as error:
        if not name.startswith("Postgres"):
            raise
        message = f'PostgreSQL: a library is missing ({error}). Install it: pip install "rnn-pipelines[postgres]".'
        raise DatasetError(message) from error
