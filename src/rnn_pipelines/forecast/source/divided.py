"""Tables that are divided: their survey, and their files, which are read with it and so like the whole table."""

import json
import re
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from rnn_pipelines.forecast.source.readable import FILES, SURVEY, Readable
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.reading.csv_files import infer_numbers
from rnn_pipelines.reading.folders import list_data_files
from rnn_pipelines.reading.survey import ROW_COLUMN, Survey
from rnn_pipelines.reading.table_files import ROW, Selection, load_file

# The key of the survey's metadata with the `WholeTable` as JSON.
DIVIDED = b"rnn_pipelines.divided"
_OWN_FILE = re.compile(r"\d{5}\.parquet")


@dataclass(frozen=True)
class WholeTable:
    """The table that was divided.

    Attributes:
        path, name, freq: parameters of its source.
        found: the detected dialect, see `Survey.list_found`.
        is_inferred: whether texts can be numbers, as in CSV files with commas between cells.
        sentinels: numbers that stand for missing values.
    """

    path: str | None
    name: str
    freq: int | str | None
    found: dict[str, str] | None
    is_inferred: bool
    sentinels: Sequence[float] = ()


def write_survey(folder: Path, survey: Survey, kept: Collection[int], whole: WholeTable) -> None:
    """Write the rows of the numbers `kept`, which decide how a folder is read."""
    table = pa.concat_tables(survey.decisive)
    table = table.filter(pc.is_in(table[ROW_COLUMN], pa.array(sorted(kept), pa.int64())))
    table = table.replace_schema_metadata({DIVIDED: json.dumps(asdict(whole))})
    pyarrow.parquet.write_table(table, folder / SURVEY)


class DividedTable(Readable):
    """A file of a divided table, or all files in a folder.

    They were checked and reported when the table was divided. They are read after the rows of its survey, which have
    negative numbers, so that their cells are read like those of the whole table.
    """

    is_checked = True

    def __init__(self, path: Path, survey: Path, whole: WholeTable) -> None:
        self._path = path
        self._survey = survey
        self._whole = whole
        self.sentinels = whole.sentinels

    def has_column(self, name: str) -> bool:
        return name in pyarrow.parquet.read_schema(self._survey).names

    def restore_source(self, source: SourceSpec) -> SourceSpec:
        # A frequency that a fit has found does not decide how times are written.
        freq = self._whole.freq if isinstance(source.freq, str) else source.freq
        given = {"path": self._whole.path, "name": self._whole.name, "freq": freq}
        return source.model_copy(update=given)

    def drop_survey(self, table: pd.DataFrame) -> pd.DataFrame:
        return table[table.index > 0]

    def read(self, selection: Selection) -> pd.DataFrame:
        """Return columns of the rows; files in the folder that are not of the table stay unread."""
        paths = [self._path]
        if self._path.is_dir():
            paths = sorted(file for file in self._path.iterdir() if _OWN_FILE.fullmatch(file.name))
        wanted = [*selection.names, ROW_COLUMN]

        def read(file: Path) -> pa.Table:
            rows = pyarrow.parquet.ParquetFile(file).read(columns=wanted).select(wanted)
            return rows.replace_schema_metadata()

        tables = [
            load_file(file, "a Parquet file", partial(read, file), FILES)
            for file in [self._survey, *paths]
        ]
        joined = pa.concat_tables(tables, promote_options="permissive")
        signs = np.where(np.arange(len(joined)) < len(tables[0]), -1, 1)
        index = pd.Index(joined[ROW_COLUMN].to_numpy() * signs, name=ROW)
        frame: pd.DataFrame = joined.select(selection.names).to_pandas(ignore_metadata=True)
        frame = frame.set_axis(index)
        if self._whole.is_inferred:
            numbers = selection.numbers or ()
            frame = frame.assign(**{name: infer_numbers(frame[name]) for name in numbers})
        if self._whole.found is not None:
            frame.attrs["found"] = self._whole.found
        return frame


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


def find_divided(path: Path) -> DividedTable | None:
    """Return the divided table of a file, or of a folder of its files; None for other ones."""
    for folder in path.parents[:2]:
        survey = folder / SURVEY
        if survey.is_file():
            try:
                metadata = pyarrow.parquet.read_metadata(survey).metadata or {}
            except pyarrow.ArrowInvalid:
                continue
            if DIVIDED in metadata:
                return DividedTable(path, survey, WholeTable(**json.loads(metadata[DIVIDED])))
    return None
