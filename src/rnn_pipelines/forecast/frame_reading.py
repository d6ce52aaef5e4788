"""The reading of a frame in Python, as the pipelines read a table."""

import logging

import pandas as pd

from rnn_pipelines.errors import SeriesError
from rnn_pipelines.forecast.model.settings import ForecasterSettings, find_trained_axis, refuse_other_beginnings
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.covariates import read_series
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.layout import TIME_SIGN
from rnn_pipelines.forecast.source.specs import SourceSpec

logger = logging.getLogger(__name__)


def read_frame(
    frame: pd.DataFrame, recipe: Recipe, learnt: ForecasterSettings | None = None
) -> tuple[Source, pd.DataFrame, SourceSpec]:
    """Read a frame, and warn of columns that are not read.

    Args:
        recipe: with the columns of the series and of the covariates.
        learnt: the settings of a training, for newer values on its time axis; None for a training.
    Returns:
        The series, the covariates, and the columns.
    Raises:
        SeriesError: the frame is empty, or cannot be used; the message holds the reason and a remedy.
    """
    if frame.empty:
        raise SeriesError(
            f"the frame: expected a row for each time, received {frame.shape[0]} rows of {frame.shape[1]} columns. "
            "Check how it was made."
        )
    source, covariates, axis = name_columns(frame, recipe.source), recipe.covariates, None
    if learnt is not None:
        # Numbers that can be dates are steps if the training had steps.
        freq = learnt.freq if isinstance(learnt.freq, int) else source.freq
        source, axis = source.model_copy(update={"freq": freq}), find_trained_axis(learnt)
    wanted = (source.id, *source.time.split(TIME_SIGN), source.time, source.target, *covariates.columns)
    others = [str(name) for name in frame if name not in wanted]
    if others and not source.is_wide and source.target in frame:
        logger.warning("the frame: columns that are not read: %s", ", ".join(others))
    table, covariate_table = read_series(source, covariates, frame, axis)
    if learnt is not None:
        refuse_other_beginnings(table, learnt, source.label)
    return table, covariate_table, source


def name_columns(frame: pd.DataFrame, source: SourceSpec) -> SourceSpec:
    """Return the columns of a frame, in which a column `unique_id` needs no parameter."""
    is_named = source.id is None and ID in frame and not source.is_wide
    return source.model_copy(update={"id": ID}) if is_named else source
