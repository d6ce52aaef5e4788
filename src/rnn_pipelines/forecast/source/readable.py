"""Tables whose columns are read when they are needed: files, frames, queries, and parts of a divided table."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from pathlib import Path
from typing import TypeAlias

import pandas as pd

from rnn_pipelines.errors import MissingColumnsError, SeriesError
from rnn_pipelines.forecast.source import layout
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.reading.batch_table import BatchTable
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.folders import list_data_files, read_tables
from rnn_pipelines.reading.table_files import (
    Selection,
    TableFiles,
    list_unread,
    require_columns,
)

FILES = TableFiles(
    error=SeriesError,
    missing=MissingColumnsError,
    path="source.path",
    columns="source.time, source.target, source.id and covariates",
    csv_endings=(".csv", ".tsv", ".txt", ".gz", ".zip"),
    dialect="source",
    wide="source.wide=true",
)
# In the folder of a divided table, beside the folders of its files.
SURVEY = "survey.parquet"
# The table of the catalog entry `forecast_external`.
External: TypeAlias = pd.DataFrame | BatchTable | None


class Readable(ABC):
    """A table whose columns are read when they are needed."""

    # Whether its rows were checked and reported before.
    is_checked = False
    # Numbers that stand for missing values in the table of which this is a part; None to find them.
    sentinels: Sequence[float] | None = None

    @abstractmethod
    def read(self, selection: Selection) -> pd.DataFrame:
        """Return columns, with the numbers of the rows as index."""

    def has_column(self, name: str) -> bool:
        """Return whether a column with this name is known to be there."""
        return False

    def list_files(self) -> "dict[Path, Readable]":
        """Return the table in each file of a folder; none of other tables."""
        return {}

    def restore_source(self, source: SourceSpec) -> SourceSpec:
        """Return the source of the table of which this is a part, as the user gave it."""
        return source

    def drop_survey(self, table: pd.DataFrame) -> pd.DataFrame:
        """Return the rows of a result that are of this part, and were not read for its types alone."""
        return table


class FileTable(Readable):
    """The table of a file, or of all files in a folder."""

    def __init__(self, path: Path, source: SourceSpec) -> None:
        self._path = path
        self._source = source

    def read(self, selection: Selection) -> pd.DataFrame:
        dialect = Dialect(self._source.sep, self._source.encoding, self._source.sheet)
        table = read_tables(self._path, selection, FILES, dialect)
        return layout.number_rows(table)

    def list_files(self) -> dict[Path, Readable]:
        return {file: FileTable(file, self._source) for file in list_data_files(self._path)}


class FrameTable(Readable):
    """A table in memory."""

    def __init__(self, frame: pd.DataFrame, source: SourceSpec) -> None:
        self._frame = frame
        self._source = source

    def read(self, selection: Selection) -> pd.DataFrame:
        label = self._source.external_label
        is_wide = self._source.is_wide or selection.has_all
        given = self._frame.rename(columns=str) if is_wide else self._frame
        require_columns(selection.names, list(given.columns), label, FILES)
        wanted = selection.list_columns(given.columns)
        table = layout.convert_arrow(layout.number_rows(given[wanted]), label)
        table.attrs = {"unread": list_unread(map(str, given.columns), wanted)}
        # Other attributes than those of a CSV file are the user's.
        found = self._frame.attrs.get("found")
        if isinstance(found, dict):
            table.attrs["found"] = found
        return table

    def has_column(self, name: str) -> bool:
        return name in self._frame
