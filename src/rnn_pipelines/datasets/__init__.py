"""Datasets of the catalog that kedro-datasets lacks, or that it loads with slow imports."""

from rnn_pipelines.datasets.arrays import ArraysDataset
from rnn_pipelines.datasets.champion import ChampionDataset
from rnn_pipelines.datasets.described_table import DescribedTableDataset
from rnn_pipelines.datasets.folder import FolderDataset
from rnn_pipelines.datasets.json_folder import JSONFolderDataset
from rnn_pipelines.datasets.keras_model import KerasModelDataset
from rnn_pipelines.datasets.optional import OptionalDataset
from rnn_pipelines.datasets.page import PageDataset
from rnn_pipelines.datasets.postgres_query import PostgresQueryDataset
from rnn_pipelines.datasets.postgres_rows import (
    PostgresLogDataset,
    PostgresRowsDataset,
    PostgresRunRowsDataset,
)
from rnn_pipelines.datasets.spreadsheet_csv import SpreadsheetCSVDataset
from rnn_pipelines.datasets.strict_json import StrictJSONDataset
from rnn_pipelines.datasets.tables import TablesDataset

__all__ = [
    "ArraysDataset",
    "ChampionDataset",
    "DescribedTableDataset",
    "FolderDataset",
    "JSONFolderDataset",
    "KerasModelDataset",
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
