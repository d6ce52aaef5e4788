"""Tables that are too large together for memory, as groups of rows of a Parquet file."""

from collections.abc import Iterable
from typing import BinaryIO

import pandas as pd
import pyarrow
import pyarrow.parquet


def write_tables(tables: Iterable[pd.DataFrame], file: BinaryIO) -> None:
    """Write one or more tables with a column `unique_id`, which are read one at a time."""
    groups = (pyarrow.Table.from_pandas(table, preserve_index=False) for table in tables)
    first = next(groups)
    schema = first.schema.remove_metadata()
    options = {"compression": "zstd", "use_dictionary": ["unique_id"]}
    with pyarrow.parquet.ParquetWriter(file, schema, **options) as writer:
        writer.write_table(first.cast(schema))
        for group in groups:
            writer.write_table(group.cast(schema))
