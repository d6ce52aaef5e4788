"""The preparation of a table: from its rows to windows. Kedro runs its statements as nodes."""

from dataclasses import dataclass

import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.preparing import prepare_series
from rnn_pipelines.forecast.preparation.schema import GapPolicy, choose_usual_window, find_frequency
from rnn_pipelines.forecast.series.columns import AHEAD
from rnn_pipelines.forecast.series.tables import Cutoffs, Features, Profile, Scaler, Series, Source
from rnn_pipelines.forecast.source.covariates import (
    CovariateSpec,
    check_future_covariates,
    read_series,
)
from rnn_pipelines.forecast.source.readable import External
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.source.unread import report_off_steps
from rnn_pipelines.forecast.times.calendar import CalendarSpec, add_calendar
from rnn_pipelines.forecast.windows.coding import Coding, add_coded_covariates, fit_coding
from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    OpenWindowSpec,
    WindowedPanel,
    WindowSpec,
)
from rnn_pipelines.forecast.windows.scaling import fit_scaler
from rnn_pipelines.forecast.windows.splits import SplitSpec
from rnn_pipelines.forecast.windows.windowing import make_windows


class Recipe(BaseModel, extra="forbid", frozen=True):
    """The blocks of parameters for the steps from a table to windows."""

    source: SourceSpec
    gaps: GapPolicy = GapPolicy("interpolate")
    breaks: BreakPolicy = BreakPolicy("auto")
    split: SplitSpec = SplitSpec()
    window: OpenWindowSpec = WindowSpec()
    calendar: CalendarSpec = CalendarSpec()
    covariates: CovariateSpec = CovariateSpec()
    evaluation: EvaluationSpec = EvaluationSpec()


@dataclass(frozen=True)
class Panel:
    """The windows of a table, and the intermediate results."""

    series: Series
    profile: Profile
    cutoffs: Cutoffs
    scaler: Scaler
    coding: Coding
    features: Features
    windows: WindowedPanel


def read_with_covariates(
    source: SourceSpec, covariates: CovariateSpec, window: OpenWindowSpec, external: External = None
) -> tuple[Source, pd.DataFrame]:
    """Read series and covariates, and check that future covariates cover the horizon."""
    table, covariate_table = read_series(source, covariates, external)
    # An empty table raises its own error in a later check.
    if covariates.list_columns(AHEAD) and len(table):
        freq = find_frequency(table, source)
        horizon = window.horizon or choose_usual_window(source, freq)[1]
        check_future_covariates(table, covariate_table, covariates.by_role, horizon, freq)
    return table, covariate_table


def add_features(
    series: Series,
    profile: Profile,
    calendar: CalendarSpec,
    window: OpenWindowSpec,
    coding: Coding,
    covariate_table: pd.DataFrame | None,
) -> Features:
    """Add the future steps, and the calendar features and covariates of all steps.

    This runs once per fit, so that covariates between steps are logged here.
    """
    features = make_features(
        series, profile, calendar, window.fill(profile).horizon, coding, covariate_table
    )
    if covariate_table is not None and coding.list_columns(AHEAD):
        report_off_steps(features.table, covariate_table, profile["tz"])
    return features


def make_features(
    series: Series,
    profile: Profile,
    calendar: CalendarSpec,
    num_future: int,
    coding: Coding,
    covariate_table: pd.DataFrame | None,
) -> Features:
    """Add features for a forecaster and any number of steps. `check_ahead` warns once for all forecasters."""
    features = add_calendar(series, profile["freq"], calendar, num_future, profile["tz"])
    return add_coded_covariates(features, coding, covariate_table, num_future, profile["tz"])


def prepare_panel(
    table: Source, recipe: Recipe, covariate_table: pd.DataFrame | None = None
) -> Panel:
    """Make windows of a table and its covariates; raise a SeriesError with the reason and a remedy."""
    _, series, profile, cutoffs = prepare_series(
        table,
        recipe.source,
        recipe.gaps,
        recipe.breaks,
        recipe.split,
        recipe.window,
        recipe.evaluation,
    )
    return lay_out_panel(series, profile, cutoffs, recipe, covariate_table)


def lay_out_panel(
    series: Series,
    profile: Profile,
    cutoffs: Cutoffs,
    recipe: Recipe,
    covariate_table: pd.DataFrame | None = None,
) -> Panel:
    """Make windows of repaired series with given cut-offs, instead of the recipe's split, source and gaps."""
    scaler = fit_scaler(series, cutoffs)
    coding = fit_coding(series, cutoffs, recipe.covariates, covariate_table)
    features = add_features(
        series, profile, recipe.calendar, recipe.window, coding, covariate_table
    )
    windows = make_windows(features, cutoffs, scaler, recipe.window, recipe.evaluation, profile)
    return Panel(series, profile, cutoffs, scaler, coding, features, windows)
