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
from rnn_pipelines.reading.divided_files import DividedFiles, find_divided
from rnn_pipelines.reading.folders import list_data_files, read_tables
from rnn_pipelines.reading.survey import Survey
from rnn_pipelines.reading.table_files import (
    Selection,
    TableFiles,
    expand_home,
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


class DividedTable(Readable):
    """Some of the files of a divided table, which are read with its survey, see `DividedFiles`."""

    is_checked = True

    def __init__(self, files: DividedFiles) -> None:
        self._files = files
        self.sentinels = files.whole.sentinels

    def read(self, selection: Selection) -> pd.DataFrame:
        return self._files.read(selection, FILES)

    def has_column(self, name: str) -> bool:
        return name in self._files.columns

    def restore_source(self, source: SourceSpec) -> SourceSpec:
        # A frequency that a fit has found does not decide how times are written.
        whole = self._files.whole
        freq = whole.freq if isinstance(source.freq, str) else source.freq
        return source.model_copy(update={"path": whole.path, "name": whole.name, "freq": freq})

    def drop_survey(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table.index > 0]


class SurveyTable(Readable):
    """The rows of a survey: those of all files, or of one."""

    def __init__(self, survey: Survey, path: Path | None) -> None:
        self._survey = survey
        self._path = path

    def read(self, selection: Selection) -> pd.DataFrame:
        return self._survey.read(self._path, selection, FILES)

    def has_column(self, name: str) -> bool:
        return name in self._survey.roles.times

    def list_files(self) -> dict[Path, Readable]:
        files = [] if self._path is None else list_data_files(self._path)
        return {file: SurveyTable(self._survey, file) for file in files}


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


def open_table(source: SourceSpec, external: External) -> Readable:
    """Return the table that `source` names; `external` is that of the catalog entry, if it has no path."""
    if source.path is not None:
        path = expand_home(source.path)
        divided = find_divided(path)
        return FileTable(path, source) if divided is None else DividedTable(divided)
    if isinstance(external, BatchTable):
        external = external.read()
    if not isinstance(external, pd.DataFrame):
        raise SeriesError(
            "source.name is 'catalog', but the catalog entry forecast_external holds no table. "
            "Define it in conf/local/catalog_forecast.yml, or give source.path."
        )
    return FrameTable(external, source)
