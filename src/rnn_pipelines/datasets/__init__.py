"""Datasets of the catalog that kedro-datasets lacks, or that it loads with slow imports."""

from rnn_pipelines.datasets.arrays import ArraysDataset
from rnn_pipelines.datasets.champion import ChampionDataset
from rnn_pipelines.datasets.folder import FolderDataset, JSONFolderDataset
from rnn_pipelines.datasets.keras_model import KerasModelDataset
from rnn_pipelines.datasets.newest_versions import NewestVersionsDataset
from rnn_pipelines.datasets.one_file import PageDataset, StrictJSONDataset
from rnn_pipelines.datasets.optional import OptionalDataset
from rnn_pipelines.datasets.postgres_query import PostgresQueryDataset
from rnn_pipelines.datasets.postgres_rows import (
    PostgresLogDataset,
    PostgresRowsDataset,
    PostgresRunRowsDataset,
)
from rnn_pipelines.datasets.tables import (
    DescribedTableDataset,
    SpreadsheetCSVDataset,
    TablesDataset,
)

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
    "PostgresLogDataset",
    "PostgresQueryDataset",
    "PostgresRowsDataset",
    "PostgresRunRowsDataset",
    "SpreadsheetCSVDataset",
    "StrictJSONDataset",
    "TablesDataset",
]
