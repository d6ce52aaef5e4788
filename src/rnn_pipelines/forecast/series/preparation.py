"""All that is checked before a run saves its first file."""

from typing import Any

import pandas as pd

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec, split_series
from rnn_pipelines.forecast.series.windows import WindowSpec


def prepare_series(
    table: pd.DataFrame, source: SourceSpec, gaps: GapPolicy, split: SplitSpec, window: WindowSpec
) -> tuple[pd.DataFrame, dict[str, Any], pd.DataFrame]:
    """Checks, repairs and splits in one go, so that a series that can't be used leaves all files as they were.

    Args:
        table: what `read_source` returns.
        source, gaps, split, window: see their types.
    Returns:
        The series and its data profile (see `repair_series`), the cut-offs of its parts (see `split_series`).
    Raises:
        SeriesError: the series can't be used; the message says why and what to do.
    """
    series, profile = repair_series(table, source, gaps)
    try:
        return series, profile, split_series(series, split, window)
    except SeriesError as error:
        raise type(error)(f"{source.label}: {error}") from error
