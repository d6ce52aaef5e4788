"""Files of a divided table, which are read with the survey of the whole table, and so like all of its rows."""

import json
import re
from collections.abc import Collection, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from rnn_pipelines.reading.survey import ROW_COLUMN, Survey, infer_numbers
from rnn_pipelines.reading.table_files import ROW, TableFiles, load_file

if TYPE_CHECKING:
    import pyarrow as pa

# In the folder of a divided table, beside the folders of its files.
SURVEY = "survey.parquet"
# Name of the attribute of a table, and of the metadata of its survey, with the facts about the whole table.
DIVIDED = "rnn_pipelines.divided"
_OWN_FILE = re.compile(r"\d{5}\.parquet")


def write_survey(
    folder: Path, survey: Survey, kept: Collection[int], facts: Mapping[str, Any]
) -> None:
    """Write the rows of the numbers `kept`, which decide how a folder is read, and JSON `facts` on the whole table."""
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet

    table = pa.concat_tables(survey.decisive)
    table = table.filter(pc.is_in(table[ROW_COLUMN], pa.array(sorted(kept), pa.int64())))
    is_inferred = all(file.is_comma_separated for file in survey.files)
    metadata = {
        DIVIDED: json.dumps({**facts, "found": survey.list_found(), "is_inferred": is_inferred})
    }
    pyarrow.parquet.write_table(table.replace_schema_metadata(metadata), folder / SURVEY)


def find_survey(path: Path) -> Path | None:
    """Return the survey of a file of a divided table, or of a folder of them; None for other files."""
    import pyarrow.parquet

    for folder in path.parents[:2]:
        if (folder / SURVEY).is_file():
            try:
                metadata = pyarrow.parquet.read_metadata(folder / SURVEY).metadata or {}
            except pyarrow.ArrowInvalid:
                continue
            if DIVIDED.encode() in metadata:
                return folder / SURVEY
    return None


def list_names(survey: Path) -> list[str]:
    """Return the columns of a divided table."""
    import pyarrow.parquet

    return [name for name in pyarrow.parquet.read_schema(survey).names if name != ROW_COLUMN]


def read_divided(
    path: Path,
    survey: Path,
    columns: Sequence[str],
    numbers: Collection[str] | None,
    files: TableFiles,
) -> pd.DataFrame:
    """Return columns of a file of a divided table, or of all files in a folder, after those of its survey.

    Files in the folder that are not of the table stay unread. See `read_columns` for the parameters and errors. The
    rows have their numbers in the whole table as index, negative for those of the survey; `attrs[DIVIDED]` has its
    facts.
    """
    import pyarrow as pa
    import pyarrow.parquet

    own = (
        sorted(file for file in path.iterdir() if _OWN_FILE.fullmatch(file.name))
        if path.is_dir()
        else [path]
    )
    wanted = [*columns, ROW_COLUMN]

    def read(file: Path) -> "pa.Table":
        return pyarrow.parquet.ParquetFile(file).read(columns=wanted).select(wanted)

    tables = [
        load_file(file, "a Parquet file", partial(read, file), files) for file in [survey, *own]
    ]
    facts = json.loads(tables[0].schema.metadata[DIVIDED.encode()])
    joined = pa.concat_tables(
        [table.replace_schema_metadata() for table in tables], promote_options="permissive"
    )
    signs = np.where(np.arange(len(joined)) < len(tables[0]), -1, 1)
    index = pd.Index(joined[ROW_COLUMN].to_numpy() * signs, name=ROW)
    frame: pd.DataFrame = (
        joined.select(list(columns)).to_pandas(ignore_metadata=True).set_axis(index)
    )
    if facts["is_inferred"]:
        frame = frame.assign(**{name: infer_numbers(frame[name]) for name in numbers or ()})
    frame.attrs = {DIVIDED: facts} | ({} if facts["found"] is None else {"found": facts["found"]})
    return frame
