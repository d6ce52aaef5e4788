"""Positions of the rows of each series in a table that holds one series after another."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import pandas as pd


@dataclass(frozen=True)
class SeriesRows:
    """The rows of each series, for computations without a loop over series."""

    stops: np.ndarray  # int64[series], the row after the last one of each series

    @cached_property
    def starts(self) -> np.ndarray:
        """The first row of each series, int64[series]."""
        return np.append(0, self.stops)[:-1]

    @property
    def lengths(self) -> np.ndarray:
        """The number of rows of each series, int64[series]."""
        return self.stops - self.starts

    @property
    def numbers(self) -> np.ndarray:
        """The number of each row's series, from 0, int64[row]."""
        return self.spread(np.arange(len(self.stops)))

    @property
    def places(self) -> np.ndarray:
        """The number of rows before each row in its series, int64[row]."""
        return np.arange(self.stops[-1]) - self.spread(self.starts)

    def spread(self, values: np.ndarray) -> np.ndarray:
        """Repeat the value of each series for each of its rows."""
        return np.repeat(values, self.lengths)


def find_rows(table: pd.DataFrame) -> SeriesRows:
    """Find the rows of each series, which are contiguous in the table, in its order."""
    names = table["unique_id"]
    is_first = names.ne(names.shift()).to_numpy(bool)
    return SeriesRows(np.append(np.flatnonzero(is_first), len(names))[1:])


def list_series_names(table: pd.DataFrame) -> pd.Series:
    """Return the name of each series, in the order of the table, numbered from 0."""
    return table["unique_id"].iloc[find_rows(table).starts].reset_index(drop=True)


def look_up(table: pd.DataFrame, by_series: pd.DataFrame, column: str) -> np.ndarray:
    """Return a column of a table with one row for each of the series in `table`, in the order of the latter."""
    return by_series.set_index("unique_id").loc[list_series_names(table), column].to_numpy()
