"""Tables as CSV files for spreadsheets, as Parquet files, and as Parquet files with a description of the columns."""

import dataclasses
from collections.abc import Iterable
from itertools import chain
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet
from kedro.io.core import DatasetError
from kedro.utils import load_obj
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import DataclassDataset, OneFileDataset
from rnn_pipelines.errors import show
from rnn_pipelines.reading.table_files import find_broken
from rnn_pipelines.storage.spreadsheets import change_texts, unmark_text, write_csv
from rnn_pipelines.storage.table_groups import write_tables

# The rows that are compressed at once; a writer keeps them in memory.
GROUP_ROWS = 1 << 16


class SpreadsheetCSVDataset(OneFileDataset):
    """Dataset of a table as a CSV file in which no text is a formula, without row labels.

    Texts come from untrusted sources, and a spreadsheet would run a cell such as `=HYPERLINK(…)`. Therefore a `'` is
    put before a text whose first character other than white space is one of `= + - @`, or that begins with a tab, a
    line break or `'`. Numbers get no mark. To restore the texts, remove one `'` from the beginning of each text that
    has one, as `load` does. CSV cannot preserve every text: pandas reads an empty text as a missing value, and a column
    in which all texts look like numbers as numbers.
    """

    def save(self, data: pd.DataFrame) -> None:
        refuse_broken_texts(data, str(self._filepath))
        content = write_csv(data)
        with self._open_to_write() as file:
            file.write(content)

    def load(self) -> pd.DataFrame:
        with self._open_to_read() as file:
            return change_texts(pd.read_csv(file), unmark_text)

    def preview(self, nrows: int = 20) -> TablePreview:
        return preview_rows(self.load().head(nrows))


class TablesDataset(OneFileDataset):
    """Dataset of tables that are too large together for memory; each is a group of rows of a Parquet file."""

    def load(self) -> pd.DataFrame:
        with self._open_to_read() as file:
            return pd.read_parquet(file)

    def save(self, data: Iterable[pd.DataFrame]) -> None:
        """Save tables, read one at a time. No tables stand for no file, because a node cannot omit an output."""
        tables = iter(data)
        first = next(tables, None)
        if first is None:
            self._remove()
            return
        with self._open_to_write() as file:
            write_tables(chain([first], tables), file)

    def preview(self, nrows: int = 20) -> TablePreview:
        with self._open_to_read() as file:
            batch = next(pyarrow.parquet.ParquetFile(file).iter_batches(nrows))
        return preview_rows(batch.to_pandas())


class DescribedTableDataset(DataclassDataset):
    """Dataset of a dataclass with a `table`, tuples of its column names, and texts.

    The table is saved as a Parquet file, with these and the run that made it in `DataFrame.attrs`.
    """

    def load(self) -> Any:
        table = self._read()
        kind = load_obj(self._holds)
        names = [field.name for field in dataclasses.fields(kind) if field.name != "table"]
        missing = [name for name in names if name not in table.attrs]
        if missing:
            raise DatasetError(
                f"{self._filepath}: the table has no {', '.join(missing)} in its metadata. Run the pipeline that "
                "makes it again."
            )
        saved = {name: table.attrs[name] for name in names}
        described = {
            name: tuple(value) if isinstance(value, list) else value
            for name, value in saved.items()
        }
        table.attrs = {}
        return kind(table=table, **described)

    def save(self, data: Any) -> None:
        refuse_broken_texts(data.table, str(self._filepath))
        table = data.table.copy(deep=False)
        fields = {
            field.name: getattr(data, field.name)
            for field in dataclasses.fields(data)
            if field.name != "table"
        }
        described = {
            name: list(value) if isinstance(value, tuple) else value
            for name, value in fields.items()
        }
        table.attrs = {"run": self.run} | described
        # Dictionaries of numbers that hardly repeat make a file larger, and take longer to write and to read.
        doubles = [name for name in table if table[name].dtype == np.float64]
        encoded = [name for name in table if name not in doubles]
        options = {
            "use_dictionary": encoded,
            "use_byte_stream_split": doubles,
            "row_group_size": GROUP_ROWS,
        }
        with self._open_to_write() as file:
            table.to_parquet(file, compression="zstd", **options)

    def preview(self, nrows: int = 20) -> TablePreview:
        return preview_rows(self._read().head(nrows))

    def _read(self) -> pd.DataFrame:
        with self._open_to_read() as file:
            return pd.read_parquet(file)


def refuse_broken_texts(data: pd.DataFrame, label: str) -> None:
    """Raise a DatasetError for the first text with a lone surrogate, which UTF-8 cannot encode."""
    broken = find_broken(data)
    if broken:
        name, row, cell = broken
        raise DatasetError(
            f"{label}: column {show(name)}, row {row}: expected a text that UTF-8 can hold, received "
            f"{show(cell)}. Correct the text at its source."
        )


def preview_rows(rows: pd.DataFrame) -> TablePreview:
    """Return rows as kedro-viz shows them."""
    return TablePreview(rows.astype(str).to_dict(orient="split"))
