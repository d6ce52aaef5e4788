"""A table with a description of its columns, as one Parquet file."""

import dataclasses
from typing import Any

import numpy as np
import pandas as pd
from kedro.io.core import DatasetError
from kedro.utils import load_obj
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import DataclassDataset
from rnn_pipelines.datasets.texts import refuse_broken_texts

# The rows that are compressed at once; a writer keeps them in memory.
GROUP_ROWS = 1 << 16


class DescribedTableDataset(DataclassDataset):
    """Dataset of a dataclass with a `table`, tuples of its column names, and texts.

    The table is saved as a Parquet file, with these and the run that made it in `DataFrame.attrs`.
    """

    def load(self) -> Any:
        table, kind = self._read(), load_obj(self._holds)
        names = [field.name for field in dataclasses.fields(kind) if field.name != "table"]
        missing = [name for name in names if name not in table.attrs]
        if missing:
            raise DatasetError(
                f"{self._filepath}: the table has no {', '.join(missing)} in its metadata. Run the pipeline that "
                "makes it again."
            )
        found = {name: table.attrs[name] for name in names}
        described = {name: tuple(value) if isinstance(value, list) else value for name, value in found.items()}
        table.attrs = {}
        return kind(table=table, **described)

    def save(self, data: Any) -> None:
        refuse_broken_texts(data.table, str(self._filepath))
        table = data.table.copy(deep=False)
        found = {field.name: getattr(data, field.name) for field in dataclasses.fields(data) if field.name != "table"}
        described = {name: list(value) if isinstance(value, tuple) else value for name, value in found.items()}
        table.attrs = {"run": self.run} | described
        # Dictionaries of numbers that hardly repeat make a file larger, and take longer to write and to read.
        doubles = [name for name in table if table[name].dtype == np.float64]
        others = [name for name in table if name not in doubles]
        options = {"use_dictionary": others, "use_byte_stream_split": doubles, "row_group_size": GROUP_ROWS}
        with self._open_to_write() as file:
            table.to_parquet(file, compression="zstd", **options)

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows, for kedro-viz."""
        return TablePreview(self._read().head(nrows).astype(str).to_dict(orient="split"))

    def _read(self) -> pd.DataFrame:
        with self._open_to_read() as file:
            return pd.read_parquet(file)
