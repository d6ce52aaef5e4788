"""Tables that are read when their rows are needed, such as the result of a query."""

from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Protocol, runtime_checkable

import pandas as pd

if TYPE_CHECKING:
    import pyarrow as pa


@runtime_checkable
class BatchTable(Protocol):
    """A table that can be read whole or in batches, with the same types."""

    def read(self) -> pd.DataFrame:
        """Return the table."""

    def open_counted(self) -> AbstractContextManager[tuple[int, Iterator["pa.Table"]]]:
        """Yield the number of rows, and their batches: at least one, all of one schema."""
