"""All that is checked before a run saves its first file."""

import logging

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.series.frequency import format_time
from rnn_pipelines.forecast.series.rows import list_names
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec, split_series
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series, Source
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowSpec, find_min_history
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 5


def prepare_series(
    table: Source,
    source: SourceSpec,
    gaps: GapPolicy,
    split: SplitSpec,
    window: WindowSpec,
    evaluation: EvaluationSpec,
) -> tuple[Source, Series, Profile, Cutoffs]:
    """Checks, repairs and splits the series, and only then lets go of the table as it was read.

    In one go, so that series that can't be used leave all files as they were. Of a panel, those that can't be used are
    left out; log and profile say so.

    Args:
        table: the series as they were read.
        source, gaps, split, window, evaluation: see their types.
    Returns:
        The table as it was read, the series, what is known of them, and the cut-offs of their parts.
    Raises:
        SeriesError: no series can be used; the message says why and what to do.
    """
    series, profile = repair_series(table, source, gaps)
    season_length = evaluation.choose_season_length(profile)
    try:
        min_history = find_min_history(window, season_length, profile["num_series"])
        cutoffs = split_series(series, split, window, min_history)
        if len(cutoffs) < profile["num_series"]:
            series, profile = _leave_out_others(series, profile, cutoffs)
            # Once more, because a single one that is left is no panel.
            cutoffs = split_series(
                series, split, window, find_min_history(window, season_length, profile["num_series"])
            )
        return table, series, profile, cutoffs
    except SeriesError as error:
        raise type(error)(f"{source.label}: {error}") from error


def _leave_out_others(series: Series, profile: Profile, cutoffs: Cutoffs) -> tuple[Series, Profile]:
    """The series that have cut-offs."""
    names = list_names(series)
    others = names[~names.isin(cutoffs["unique_id"])]
    kept = series[series["unique_id"].isin(cutoffs["unique_id"])].reset_index(drop=True)
    sentence = (
        f"left out: {len(others)} of {len(names)} series that have no window in validation or test, or are constant in "
        f"training ({list_some(others, NAMES_IN_MESSAGE)})"
    )
    logger.warning("%s: %s", profile["source"], sentence)
    return kept, {
        **profile,
        "num_series": len(cutoffs),
        "num_steps": len(kept),
        "first": format_time(kept["ds"].min()),
        "last": format_time(kept["ds"].max()),
        "repairs": [*profile["repairs"], sentence],
    }
