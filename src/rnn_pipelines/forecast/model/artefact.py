"""The forecaster as one artefact, and its forecasts of newer values."""

import logging
from dataclasses import dataclass, field, replace
from typing import Any, NoReturn, Protocol

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, SeriesTooShortError, show, show_all
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import Intervals
from rnn_pipelines.forecast.intervals.network_widths import find_network_of
from rnn_pipelines.forecast.methods.method import PanelModel
from rnn_pipelines.forecast.methods.past import warn_of_cut
from rnn_pipelines.forecast.methods.predictions import (
    Forecasts,
    name_bounds,
    name_own_bounds,
    tabulate_forecasts,
)
from rnn_pipelines.forecast.model.settings import ForecasterSettings
from rnn_pipelines.forecast.preparation.reference import Reference
from rnn_pipelines.forecast.recipe import make_features
from rnn_pipelines.forecast.series.columns import AHEAD
from rnn_pipelines.forecast.series.rows import list_series_names
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.forecast.windows.panel import WindowedPanel, WindowSpec
from rnn_pipelines.forecast.windows.windowing import find_min_known, make_future_windows
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 5
# The name of a forecaster's point forecasts, in tables and in its intervals.
FORECAST = "y_hat"


class ScaledModel(Protocol):
    """A model of scaled windows; see `PanelModel`."""

    def forecast(self, panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
        """Return float32[window, horizon] from int64[window] origins."""


@dataclass(frozen=True)
class Forecaster:
    """A trained forecaster, whose inputs and outputs have the unit of the series.

    Attributes:
        scaler: of the training's series, and of new ones, see `include_new_series`.
        intervals: of `FORECAST`; None for no intervals.
        evaluated: the model that was evaluated on the test part; None if that is `model`. It has learnt the series up
            to `settings.trained_until`, and `model` up to their ends.
        reference: the statistics of its values; None for a forecaster that is not a champion's.
    """

    model: ScaledModel
    scaler: Scaler
    settings: ForecasterSettings
    intervals: Intervals | None = None
    coding: Coding = field(default_factory=Coding)
    evaluated: ScaledModel | None = None
    reference: Reference | None = None

    def as_evaluated(self) -> "Forecaster":
        """Return the forecaster with the model that was evaluated, and its intervals."""
        intervals = None if self.intervals is None else self.intervals.as_evaluated()
        return replace(self, model=self.evaluated or self.model, intervals=intervals)

    def copy_scales(self, other: "Forecaster") -> "Forecaster":
        """Return the forecaster with all that another one of the same training knows of single series."""
        intervals = self.intervals
        if intervals is not None and other.intervals is not None:
            intervals = intervals.replace_usual(other.intervals.sizes.usual)
        return replace(self, scaler=other.scaler, intervals=intervals, coding=other.coding)


def forecast_cutoffs(
    forecaster: Forecaster,
    series: Series,
    cutoffs: pd.DataFrame,
    covariate_table: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Forecast from cut-offs, `unique_id, cutoff`, after which only the calendar and future covariates are read.

    Unknown series are left out, and so are cut-offs without values over the lookback, or without future covariates over
    the horizon. Both are logged. If the forecaster was trained on a panel, values before the start of a series are
    padded.

    Returns:
        `unique_id, cutoff, ds, horizon_step` (int64, from 1) and `y_hat` (float64, in the unit of `y`). With intervals,
        also `lo_80, hi_80` and the like for each level, NaN if there were too few errors for the level.
    """
    return forecast_panel(
        forecaster, *lay_out_cutoffs(forecaster, series, cutoffs, covariate_table)
    )


def forecast_panel(
    forecaster: Forecaster, panel: WindowedPanel, features: Features
) -> pd.DataFrame:
    """Forecast the windows of `lay_out_cutoffs`; see `forecast_cutoffs`."""
    scaler = forecaster.scaler
    scaled = forecaster.model.forecast(panel, panel.list_origins("future"))
    forecasts = {FORECAST: Forecasts(test=scaled[:0], future=scaled)}
    predictions = tabulate_forecasts(panel, features, scaler, forecasts, "future")
    if forecaster.intervals is not None:
        network = find_network_of(forecaster.model)
        predictions = add_intervals(
            predictions, forecaster.intervals, panel, scaler, "future", network
        )
    names: dict[str, str] = {}
    for level in predictions.levels:
        names |= dict(zip(name_bounds(FORECAST, level), name_own_bounds(level), strict=True))
    return predictions.table.rename(columns=names)


def lay_out_cutoffs(
    forecaster: Forecaster,
    series: Series,
    cutoffs: pd.DataFrame,
    covariate_table: pd.DataFrame | None,
    num_future: int | None = None,
) -> tuple[WindowedPanel, Features]:
    """Return windows after given cut-offs, and rows up to `num_future` after each series' end (None: the horizon)."""
    is_known = series["unique_id"].isin(forecaster.scaler["unique_id"])
    if len(unknown := series["unique_id"][~is_known].unique()):
        some = list_some(unknown, NAMES_IN_MESSAGE)
        logger.warning("left out: %d series without training (%s)", len(unknown), some)
    known = series[is_known]
    panel, features, num_left_out = make_cutoff_windows(
        forecaster, known, cutoffs, covariate_table, num_future
    )
    if isinstance(forecaster.model, PanelModel):
        warn_of_cut(
            forecaster.model.normalizer.non_negative,
            panel,
            list_series_names(features.table).to_numpy(),
        )
    if num_left_out:
        window = WindowSpec(lookback=panel.lookback, horizon=panel.horizon)
        logger.warning(
            "left out: %d of %d cut-offs, because values are missing in the %d steps before them%s",
            num_left_out,
            num_left_out + len(panel.future),
            find_min_known(window, len(forecaster.scaler)),
            ", or future covariates after them"
            if any(features.covariates.get(role) for role in AHEAD)
            else "",
        )
    return panel, features


def make_cutoff_windows(
    forecaster: Forecaster,
    series: Series,
    cutoffs: pd.DataFrame,
    covariate_table: pd.DataFrame | None,
    num_future: int | None = None,
) -> tuple[WindowedPanel, Features, int]:
    """Return the windows after given cut-offs, their rows, and the number of cut-offs without a window."""
    settings = forecaster.settings
    scaler = forecaster.scaler
    window = WindowSpec(lookback=settings.lookback, horizon=settings.horizon)
    profile: Any = {
        "freq": settings.freq,
        "season_length": settings.season_length,
        "tz": settings.tz,
        "num_series": len(scaler),
        "lookback": window.lookback,
        "horizon": window.horizon,
    }
    observed = series[["unique_id", "ds", "y", "observed"]]
    num_steps = num_future or window.horizon
    coding = forecaster.coding
    features = make_features(
        observed, profile, settings.calendar, num_steps, coding, covariate_table
    )
    panel, num_left_out = make_future_windows(features, cutoffs, scaler, window, profile)
    return panel, features, num_left_out


def raise_no_forecast(forecaster: Forecaster, series: Series) -> NoReturn:
    """Raise the reason why no series can be forecast: a SeriesTooShortError, or a SeriesError if not all are short."""
    settings = forecaster.settings
    names = forecaster.scaler["unique_id"]
    lengths = series.loc[series["unique_id"].isin(names), "unique_id"].value_counts()
    if lengths.empty:
        facts = f"Expected {show_all(names)}, received {show_all(series['unique_id'].unique())}."
        raise SeriesError(f"the frame: none of its series was in the training. {facts}")
    window = WindowSpec(lookback=settings.lookback, horizon=settings.horizon)
    needed = find_min_known(window, len(names))
    longest = lengths.max()
    if longest < needed:
        facts = f"Expected {needed} steps or more, received {longest} of series {show(lengths.idxmax())}"
        remedy = "Give more of its past, or train with a shorter lookback."
        raise SeriesTooShortError(f"the frame: all of its series are too short. {facts}. {remedy}")
    remedy = "Fill the gaps, or train with gaps='interpolate'."
    facts = f"Expected a value at each of the last {settings.lookback} steps"
    raise SeriesError(f"the frame: all of its series have gaps at their ends. {facts}. {remedy}")
