"""The totals of the next values, of a run and of a forecaster."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.fitting import Fitted
from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL, Predictions
from rnn_pipelines.forecast.model.artefact import FORECAST as Y_HAT
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.paths import PathsSpec, iterate_next_paths, iterate_used_paths
from rnn_pipelines.forecast.newer_values import Ends
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.series.tables import Profile, Scaler
from rnn_pipelines.forecast.source.frames import ID
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.totals.adding import (
    NUM_PATHS,
    PartialTotals,
    Question,
    Totals,
    TotalsTable,
    add_forecasts,
    finish_totals,
)
from rnn_pipelines.forecast.totals.groups import select_groups
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.reading.zones import show_table


def add_used(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    panel: WindowedPanel,
    scaler: Scaler,
    intervals: Intervals,
    next_values: Predictions,
    paths: PathsSpec,
    pretrained: PretrainedSpec,
    linear: LinearModels,
    methods: Mapping[str, FittedMethod],
    totals: TotalsSpec,
    covariate_table: pd.DataFrame,
    profile: Profile,
    all_totals: Totals | None = None,
) -> Totals:
    """Return the totals of the next values in use, or those of a divided panel; no rows if none are asked for."""
    if not totals.root:
        return TotalsTable.make_empty()
    if all_totals is not None and len(all_totals):
        return all_totals
    chunks: Iterator[np.ndarray] = iter(())
    if next_values.levels:
        num_paths = paths.root or NUM_PATHS
        chunks = iterate_used_paths(
            panel, scaler, intervals, next_values, num_paths, pretrained, linear, methods
        )
    steps = next_values.table.rename(columns={next_values.use: FORECAST})
    question = Question(totals, sorted(next_values.levels), profile["freq"])
    return finish_totals(_add_groups(steps, chunks, covariate_table, question), question)


def add_fitted(
    fitted: Fitted, next_values: Predictions, totals: TotalsSpec, covariate_table: pd.DataFrame
) -> Totals:
    """Return the totals of the next values of a fit; no rows if none are asked for."""
    panel = fitted.panel
    return add_used(
        panel.windows,
        panel.scaler,
        fitted.intervals,
        next_values,
        PathsSpec(0),
        fitted.spec.pretrained,
        fitted.data.linear,
        fitted.methods,
        totals,
        covariate_table,
        panel.profile,
    )


def add_ends(  # noqa: PLR0913, PLR0917 - the last ones say how the paths are drawn
    ends: Ends,
    forecasts: pd.DataFrame,
    group_table: pd.DataFrame | None,
    totals: TotalsSpec,
    levels: Sequence[int] | None = None,
    num_paths: int = NUM_PATHS,
    seed: int = 0,
) -> Totals:
    """Return the totals of the steps after each series' end; no rows if none are asked for.

    Args:
        forecasts: `unique_id, ds, y_hat` of these steps.
        group_table: `unique_id` and the columns whose values are groups; None for none.
        levels: of the intervals, in percent; None for those of the forecaster.
        num_paths: sample paths of each series.
        seed: of the paths.
    """
    if not totals.root:
        return TotalsTable.make_empty()
    question = make_question(ends.forecaster, totals, levels)
    part = add_part(ends, forecasts, group_table, question, num_paths, seed)
    return finish_totals(part, question)


def make_question(
    forecaster: Forecaster, totals: TotalsSpec, levels: Sequence[int] | None = None
) -> Question:
    """Return the question about totals of a forecaster, by default with its levels."""
    if levels is None:
        fitted = [] if forecaster.intervals is None else forecaster.intervals.levels.tolist()
        levels = [level for level in fitted if level != ANOMALY_LEVEL]
    return Question(totals, levels, forecaster.settings.freq)


def add_part(
    ends: Ends,
    forecasts: pd.DataFrame,
    group_table: pd.DataFrame | None,
    question: Question,
    num_paths: int,
    seed: int = 0,
) -> PartialTotals:
    """Return the totals of the steps after the ends of some series of a panel; see `add_ends`."""
    chunks: Iterator[np.ndarray] = iter(())
    if question.levels:
        chunks = iterate_next_paths(
            ends.forecaster, ends.panel, ends.features, ends.num_steps, num_paths, seed
        )
    steps = show_table(forecasts, ends.forecaster.settings.tz).rename(columns={Y_HAT: FORECAST})
    return _add_groups(steps, chunks, group_table, question)


def _add_groups(
    steps: pd.DataFrame,
    paths: Iterator[np.ndarray],
    group_table: pd.DataFrame | None,
    question: Question,
) -> PartialTotals:
    """Return the totals of forecasts with the groups of a table; see `add_forecasts`.

    The steps are `unique_id, ds, forecast`, of one series after another, with times in the zone of the data.
    """
    groups = select_groups(group_table, question.spec.columns, list(steps[ID].unique()))
    return add_forecasts(steps, paths, groups, question)
