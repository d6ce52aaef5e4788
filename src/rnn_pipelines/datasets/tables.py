"""Tables of the same columns as one Parquet file, saved one after another."""

from collections.abc import Iterable

import pandas as pd
from kedro.io.core import get_filepath_str
from kedro_datasets._typing import TablePreview

from rnn_pipelines.datasets.one_file import OneFileDataset


class TablesDataset(OneFileDataset):
    """Dataset of tables that are too large together for memory; each is a group of rows of a Parquet file."""

    def load(self) -> pd.DataFrame:
        """Return all tables as one."""
        with self._open_to_read() as file:
            return pd.read_parquet(file)

    def save(self, data: Iterable[pd.DataFrame]) -> None:
        """Save tables, read one at a time. No tables stand for no file, because a node cannot omit an output."""
        import pyarrow
        import pyarrow.parquet

        tables = (pyarrow.Table.from_pandas(table, preserve_index=False) for table in data)
        first = next(tables, None)
        if first is None:
            # The file of an earlier run would be that of another panel.
            if self._exists():
                self._fs.rm(get_filepath_str(self._get_load_path(), self._protocol))
            return
        schema = first.schema.remove_metadata()
        options = {"compression": "zstd", "use_dictionary": ["unique_id"]}
        with self._open_to_write() as file, pyarrow.parquet.ParquetWriter(file, schema, **options) as writer:
            writer.write_table(first.cast(schema))
            for table in tables:
                writer.write_table(table.cast(schema))

    def preview(self, nrows: int = 20) -> TablePreview:
        """Return the first rows, for kedro-viz."""
        import pyarrow.parquet

        with self._open_to_read() as file:
            batch = next(pyarrow.parquet.ParquetFile(file).iter_batches(nrows))
        return TablePreview(batch.to_pandas().astype(str).to_dict(orient="split"))
