"""Files of a divided table, which are read with the survey of the whole table, and so like all of its rows."""

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

from rnn_pipelines.reading.csv_files import infer_numbers
from rnn_pipelines.reading.survey import ROW_COLUMN, Survey
from rnn_pipelines.reading.table_files import ROW, Selection, TableFiles, load_file

# In the folder of a divided table, beside the folders of its files.
SURVEY = "survey.parquet"
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


@dataclass(frozen=True)
class DividedFiles:
    """A file of a divided table, or all files in a folder."""

    path: Path
    survey: Path
    whole: WholeTable

    @property
    def columns(self) -> list[str]:
        """The columns of the table."""
        return [
            name for name in pyarrow.parquet.read_schema(self.survey).names if name != ROW_COLUMN
        ]

    def read(self, selection: Selection, files: TableFiles) -> pd.DataFrame:
        """Return columns of the rows, after those of the survey; see `read_columns` for the errors.

        Files in the folder that are not of the table stay unread. The rows have their numbers in the whole table as
        index, negative for those of the survey.
        """
        paths = [self.path]
        if self.path.is_dir():
            paths = sorted(file for file in self.path.iterdir() if _OWN_FILE.fullmatch(file.name))
        wanted = [*selection.names, ROW_COLUMN]

        def read(file: Path) -> pa.Table:
            rows = pyarrow.parquet.ParquetFile(file).read(columns=wanted).select(wanted)
            return rows.replace_schema_metadata()

        tables = [
            load_file(file, "a Parquet file", partial(read, file), files)
            for file in [self.survey, *paths]
        ]
        joined = pa.concat_tables(tables, promote_options="permissive")
        signs = np.where(np.arange(len(joined)) < len(tables[0]), -1, 1)
        index = pd.Index(joined[ROW_COLUMN].to_numpy() * signs, name=ROW)
        frame: pd.DataFrame = joined.select(selection.names).to_pandas(ignore_metadata=True)
        frame = frame.set_axis(index)
        if self.whole.is_inferred:
            numbers = selection.numbers or ()
            frame = frame.assign(**{name: infer_numbers(frame[name]) for name in numbers})
        if self.whole.found is not None:
            frame.attrs["found"] = self.whole.found
        return frame


def find_divided(path: Path) -> DividedFiles | None:
    """Return the divided table of a file, or of a folder of its files; None for other ones."""
    for folder in path.parents[:2]:
        survey = folder / SURVEY
        if survey.is_file():
            try:
                metadata = pyarrow.parquet.read_metadata(survey).metadata or {}
            except pyarrow.ArrowInvalid:
                continue
            if DIVIDED in metadata:
                return DividedFiles(path, survey, WholeTable(**json.loads(metadata[DIVIDED])))
    return None
