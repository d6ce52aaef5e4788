"""Survey of a panel while it is divided, so that each of its files is read like the whole panel."""

from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import chain
from pathlib import Path

import pandas as pd
import pyarrow as pa
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.forecast.partitions.folders import require_rows
from rnn_pipelines.forecast.partitions.read_ahead import FilesAhead, is_read_ahead
from rnn_pipelines.forecast.source.divided import SurveyTable, WholeTable, write_survey
from rnn_pipelines.forecast.source.readable import FILES
from rnn_pipelines.forecast.source.reading import add_unavailable, read_source, read_survey
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.time_parts import TIME_SIGN
from rnn_pipelines.forecast.source.values import find_sentinels
from rnn_pipelines.reading.batches import read_batches
from rnn_pipelines.reading.dialect import Dialect
from rnn_pipelines.reading.folders import list_tables
from rnn_pipelines.reading.numbers import SENTINELS
from rnn_pipelines.reading.scatter import (
    count_table_rows,
    scatter_rows,
    survey_batches,
    survey_files,
)
from rnn_pipelines.reading.survey import Roles, Survey
from rnn_pipelines.reading.table_files import expand_home, require_columns


@dataclass
class SurveyedTable:
    """A table that is divided.

    Attributes:
        columns: to read beside those of the source.
        has_values: whether it has the values of the series, or only more values of covariates.
        found: the rows of its survey, as read; known after the division.
        num_read: all rows of the table, also those that are left out; known after the division.
    """

    source: SourceSpec
    columns: Sequence[str]
    has_values: bool = True
    found: pd.DataFrame = field(default_factory=pd.DataFrame)
    num_read: int = 0

    def divide(
        self, targets: Sequence[Path], batches: Iterable[pa.Table] | None = None
    ) -> list[int]:
        """Write the rows of a query, or of files (None), to files, and their survey beside the folders of these.

        The number of rows of each target is returned. Raises as `read_table`, and a SeriesError if not all rows were
        written.
        """
        assert self.source.id is not None
        if batches is None:
            survey = Survey(self._list_roles(self.source.time.split(TIME_SIGN)))
            path = expand_home(self.source.path or "")
            dialect = Dialect(self.source.sep, self.source.encoding)
            paths = list_tables(path)
            read = read_batches
            if is_read_ahead(paths):
                read = FilesAhead(deque(paths), targets[0].parents[1]).read
            rows = survey_files(path, survey, FILES, dialect, self._decide, read)
        else:
            survey, rows = self._survey_query(iter(batches))
        numbers: list[int] = []
        counts: list[int] = scatter_rows(
            _count_batches(rows, numbers), self.source.id, targets
        ).tolist()
        written = (
            count_table_rows(file, FILES)
            for file, number in zip(targets, counts, strict=True)
            if number
        )
        require_rows(self.source.label, sum(numbers), sum(written))
        self.num_read = sum(file.num_rows for file in survey.files)
        folder = targets[0].parents[1]
        kept = self.found.index.tolist()
        whole = WholeTable(
            self.source.path,
            self.source.name,
            self.source.freq,
            found=survey.list_found(),
            is_inferred=all(file.is_comma_separated for file in survey.files),
        )
        write_survey(folder, survey, kept, whole)
        if self.has_values and self.source.valid_range is None:
            sentinels = self.found["y"][self.found["y"].isin(SENTINELS)]
            # Small numbers above 0 are frequent, and never left out.
            if not sentinels.between(0, 100, inclusive="right").all():
                # The survey keeps the numbers as they are.
                filled = [file for file, number in zip(targets, counts, strict=True) if number]
                as_read = self.source.model_copy(update={"valid_range": (None, None)})
                parts = (
                    read_source(as_read.model_copy(update={"path": str(file)})) for file in filled
                )
                sentinels = find_sentinels(parts, self.source)
                write_survey(folder, survey, kept, replace(whole, sentinels=sentinels))
        return counts

    def _list_roles(self, times: Sequence[str]) -> Roles:
        assert self.source.id is not None
        columns = tuple(self.columns)
        if self.has_values:
            columns = (self.source.target, *add_unavailable(self.source, columns))
        return Roles(self.source.id, tuple(times), columns)

    def _survey_query(self, batches: Iterator[pa.Table]) -> tuple[Survey, Iterator[pa.Table]]:
        first = next(batches)
        is_whole = self.source.time in first.schema.names
        survey = Survey(
            self._list_roles([self.source.time] if is_whole else self.source.time.split(TIME_SIGN))
        )
        require_columns(survey.roles.columns, first.schema.names, self.source.external_label, FILES)
        chosen = (batch.select(survey.roles.columns) for batch in chain([first], batches))
        return survey, survey_batches(chosen, survey, FILES, self._decide)

    def _decide(self, survey: Survey) -> list[int]:
        path = None if self.source.path is None else expand_home(self.source.path)
        table = SurveyTable(survey, path)
        self.found = read_survey(self.source, self.columns, table, self.has_values)
        return self.found.index.tolist()


def _count_batches(batches: Iterable[pa.Table], numbers: list[int]) -> Iterator[pa.Table]:
    """Yield batches, and add their numbers of rows to `numbers`."""
    for batch in batches:
        numbers.append(len(batch))
        yield batch


def make_covariate_source(source: SourceSpec, path: str, found: pd.DataFrame) -> SourceSpec:
    """Return the source of more values of covariates, see `read_future`."""
    # If the series has steps, numbers are steps too, even if they may be dates.
    freq = source.freq if is_datetime64_any_dtype(found["ds"]) else source.freq or 1
    return source.model_copy(update={"path": path, "sheet": None, "freq": freq})
