"""All that is checked before a run saves its first file."""

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec, split_series
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series, Source
from rnn_pipelines.forecast.series.windows import WindowSpec


def prepare_series(
    table: Source, source: SourceSpec, gaps: GapPolicy, split: SplitSpec, window: WindowSpec
) -> tuple[Source, Series, Profile, Cutoffs]:
    """Checks, repairs and splits the series, and only then lets go of the table as it was read.

    In one go, so that a series that can't be used leaves all files as they were.

    Args:
        table: the series as they were read.
        source, gaps, split, window: see their types.
    Returns:
        The table as it was read, the series, what is known of them, and the cut-offs of their parts.
    Raises:
        SeriesError: the series can't be used; the message says why and what to do.
    """
    series, profile = repair_series(table, source, gaps)
    try:
        return table, series, profile, split_series(series, split, window)
    except SeriesError as error:
        raise type(error)(f"{source.label}: {error}") from error
