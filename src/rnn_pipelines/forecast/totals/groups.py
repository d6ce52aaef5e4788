"""The groups of series by columns of their table."""

import logging
from collections.abc import Sequence

import pandas as pd

from rnn_pipelines.errors import SeriesError, count, show, show_all
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.specs import SourceSpec

logger = logging.getLogger(__name__)

# The group of series without a value in the column.
UNKNOWN = "unknown"


def select_groups(
    table: pd.DataFrame | None, columns: Sequence[str], names: Sequence[str]
) -> pd.DataFrame:
    """Return the newest value of columns by series, as text: index `unique_id`, in the order of the names.

    A series without a value is in the group `unknown`.

    Args:
        table: `unique_id` and the columns, in the order of the times of each series; None for none.
        names: of the series.
    Raises:
        SeriesError: the table lacks a column.
    """
    table = pd.DataFrame({ID: []}) if table is None else table
    missing = [column for column in columns if column not in table]
    if missing:
        raise SeriesError(
            f"totals: the table has no column {show_all(missing)}. Name a column whose values are groups of series, "
            "all, series, or a period such as week. After a fit on a file, pass the file to predict, too."
        )
    groups = pd.DataFrame(index=pd.Index(names, name=ID))
    for column in columns:
        # Text covariates are empty if they are missing.
        has_value = table[column].notna() & table[column].ne("")
        values = table.loc[has_value, [ID, column]].astype("str")
        by_series = values.groupby(ID)[column]
        num_moved = int((by_series.nunique() > 1).sum())
        if num_moved:
            logger.warning(
                "totals: %s of %s have several values of %s; the newest one counts",
                num_moved,
                count(len(groups), "series", "series"),
                show(column),
            )
        groups[column] = by_series.last().reindex(groups.index)
        num_unknown = int(groups[column].isna().sum())
        if num_unknown:
            logger.warning(
                "totals: %s without a value of %s: group %s",
                count(num_unknown, "series", "series"),
                show(column),
                show(UNKNOWN),
            )
    return groups.fillna(UNKNOWN)


def list_newest(frame: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Return `unique_id`, and the newest value of each column of a user's table that holds no fractions."""
    name_of_series = source.id or ID
    if name_of_series not in frame:
        return pd.DataFrame({ID: []})
    # A further column `unique_id`, beside that of the names, is no group: the result has the names under it.
    read = [source.time, source.target, name_of_series, ID]
    # Of fractions and times, no group is made.
    columns = [name for name in frame if name not in read and frame[name].dtype.kind not in "fM"]
    names = frame[name_of_series].astype("str").rename(ID)
    return frame[columns].groupby(names).last().reset_index()
