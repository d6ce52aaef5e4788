"""Reading of tables in the user's CSV, Parquet and Excel files."""

from io import BytesIO
from pathlib import Path

import pandas as pd

from rnn_pipelines.errors import show
from rnn_pipelines.reading.csv_files import open_csv
from rnn_pipelines.reading.dialect import Dialect, read_bytes
from rnn_pipelines.reading.excel_files import read_excel
from rnn_pipelines.reading.table_files import (
    Selection,
    TableFiles,
    expand_home,
    load_file,
    require_file,
)

DETECTED = Dialect()
JSON = (".json", ".jsonl", ".ndjson")


def read_columns(
    path: Path, selection: Selection, files: TableFiles, dialect: Dialect = DETECTED
) -> pd.DataFrame:
    """Read some columns of a CSV, Parquet or Excel file, with one row per data row; raise `files.error` if that fails.

    Values of the dialect that are None are detected; `attrs["found"]` has those that are not the default, by name, and
    `attrs["unread"]` the names of the other columns. Cells of a CSV file are text, except for columns of
    `selection.numbers` of a comma-separated one, if all cells are plain numbers or markers of `NO_VALUE`.
    """
    path = expand_home(path)
    require_file(path, files)
    if path.name.lower().endswith(files.csv_endings):
        content = load_file(path, "a CSV file", lambda: read_bytes(path), files)
        file = open_csv(path, lambda: BytesIO(content), selection.names, files, dialect)
        return file.read(selection)
    if path.name.lower().endswith((".xlsx", ".xlsm")):
        return read_excel(path, selection, files, dialect.sheet)
    # Exported forecasters do without pyarrow.
    from rnn_pipelines.reading.typed_files import find_format, open_typed

    form = find_format(path)
    if form is not None:
        return open_typed(path, form, selection.names, files).read(selection)
    other = files.other
    if path.suffix.lower() in JSON:
        lines = "" if path.suffix.lower() == ".json" else ", lines=True"
        other = (
            f"In pandas: pd.read_json('{path.name}'{lines}).to_csv('{path.stem}.csv', index=False)."
        )
    raise files.error(
        f"{path}: expected a file that ends in .csv, .parquet or .xlsx, received {show(path.suffix)}. Save the table "
        f"as one of these, and name that in {files.path}. {other}".rstrip()
    )
