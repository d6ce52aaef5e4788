"""The forecaster as one artefact, and its forecasts of newer values."""

import logging
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Protocol

import numpy as np
import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.forecast.methods.intervals import Intervals, add_intervals
from rnn_pipelines.forecast.methods.predictions import (
    Forecasts,
    name_bounds,
    name_own_bounds,
    tabulate_forecasts,
)
from rnn_pipelines.forecast.recipe import FUTURE, run_steps
from rnn_pipelines.forecast.series.calendar import CalendarSpec, resolve_calendar
from rnn_pipelines.forecast.series.coding import Coding
from rnn_pipelines.forecast.series.covariates import (
    check_covariate_columns,
    check_future_covariates,
    list_steps,
)
from rnn_pipelines.forecast.series.rows import find_rows
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import find_unjudged
from rnn_pipelines.forecast.series.tables import Cutoffs, Features, Profile, Scaler, Series, Source
from rnn_pipelines.forecast.series.time_axis import TimeZone
from rnn_pipelines.forecast.series.unread import report_off_steps
from rnn_pipelines.forecast.series.windowing import find_min_history
from rnn_pipelines.forecast.series.windows import OpenWindowSpec, WindowedPanel, WindowSpec
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 5
# The name of a forecaster's point forecasts, in tables and in its intervals.
FORECAST = "y_hat"


class ForecasterSettings(BaseModel, extra="forbid", frozen=True):
    """The settings of a training that a forecaster needs for new forecasts.

    Attributes:
        networks: the parameters of each network, by name.
        lookback, horizon: shape of the windows.
        freq: spacing of the series.
        season_length: steps in a season.
        calendar: the harmonics, all resolved.
        gaps: policy for missing steps.
        tz: zone of the calendar features, for series with times in UTC.
        zone: of the training's times; None for a forecaster of an older version, which did not store it.
        trained_until: last time of each series that was used for training or validation.
    """

    networks: dict[str, dict[str, Any]] = {}
    lookback: int
    horizon: int
    freq: int | str
    season_length: int
    calendar: CalendarSpec
    gaps: GapPolicy
    tz: str | None = None
    zone: TimeZone | None = None
    trained_until: dict[str, int | datetime]


class ScaledModel(Protocol):
    """A model of scaled windows; see `PanelModel`."""

    def forecast(self, panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
        """Return float32[window, horizon] from int64[window] origins."""


@dataclass(frozen=True)
class Forecaster:
    """A trained forecaster, whose inputs and outputs have the unit of the series.

    Attributes:
        model: forecasts scaled windows.
        scaler: of the training's series.
        settings: of the training.
        intervals: of `FORECAST`; None for no intervals.
        coding: of the covariates.
    """

    model: ScaledModel
    scaler: Scaler
    settings: ForecasterSettings
    intervals: Intervals | None = None
    coding: Coding = field(default_factory=Coding)


def describe_forecaster(
    series: Series,
    profile: Profile,
    cutoffs: Cutoffs,
    window: OpenWindowSpec,
    calendar: CalendarSpec,
    gaps: GapPolicy,
) -> ForecasterSettings:
    """Return the settings of a forecaster before its training, without networks.

    Args:
        series, profile, cutoffs: the series, their profile and the cut-offs of their parts.
        window, calendar, gaps: see their types.
    """
    # A series that is not evaluated is used for its scale only.
    num_learnt = np.where(find_unjudged(cutoffs), 1, cutoffs["validation_stop"])
    last = series.iloc[find_rows(series).starts + num_learnt - 1]
    window = window.fill(profile)
    return ForecasterSettings(
        lookback=window.lookback,
        horizon=window.horizon,
        freq=profile["freq"],
        season_length=profile["season_length"],
        calendar=resolve_calendar(series, profile["freq"], calendar),
        gaps=gaps,
        tz=profile["tz"],
        zone=TimeZone(**profile["zone"]),
        trained_until=dict(zip(last["unique_id"], last["ds"].tolist(), strict=True)),
    )


def forecast_newest(
    forecaster: Forecaster, table: Source, source: SourceSpec, covariate_table: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Forecast the steps after each series' end.

    Args:
        forecaster: its spacing and its policy for gaps apply.
        table: the series as they were read.
        source: of the table.
        covariate_table: see `read_series`; None if there are none.
    Returns:
        See `forecast_cutoffs`.
    Raises:
        SeriesError: the series cannot be used, or have another spacing; a covariate is missing, or lacks values over
            the horizon.
    """
    settings = forecaster.settings
    check_covariate_columns(covariate_table, forecaster.coding.list_columns())
    series, _ = repair_series(table, source.model_copy(update={"freq": settings.freq}), settings.gaps)
    check_ahead(forecaster, series, covariate_table, settings.horizon)
    ends = series.groupby("unique_id", sort=False)["ds"].max().rename("cutoff").reset_index()
    return forecast_cutoffs(forecaster, series, ends, covariate_table)


def check_ahead(forecaster: Forecaster, series: Series, covariate_table: pd.DataFrame | None, num_steps: int) -> None:
    """Check that future covariates have values for all steps ahead, and warn of rows between steps.

    Args:
        forecaster: reads the covariates.
        series: repaired.
        covariate_table: see `read_series`; None if there are none.
        num_steps: after each series' end.
    Raises:
        SeriesError: a covariate is missing, or lacks values ahead.
    """
    settings, coding = forecaster.settings, forecaster.coding
    check_covariate_columns(covariate_table, coding.list_columns())
    future = coding.list_columns("future")
    if covariate_table is not None and future:
        known = series[series["unique_id"].isin(forecaster.scaler["unique_id"])]
        check_future_covariates(known, covariate_table, future, num_steps, settings.freq)
        report_off_steps(list_steps(known, num_steps, settings.freq), covariate_table, settings.tz)


def forecast_cutoffs(
    forecaster: Forecaster, series: Series, cutoffs: pd.DataFrame, covariate_table: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Forecast from given cut-offs. After a cut-off, only the calendar and future covariates are read.

    Unknown series are left out, and so are cut-offs without values over the lookback, or without future covariates over
    the horizon. Both are logged. If the forecaster was trained on a panel, values before the start of a series are
    padded.

    Args:
        forecaster: provides model, scale, lookback and calendar.
        series: one or several.
        cutoffs: `unique_id, cutoff`, the last time that each forecast reads.
        covariate_table: see `read_series`; None if there are none.
    Returns:
        `unique_id, cutoff, ds, horizon_step` (int64, from 1) and `y_hat` (float64, in the unit of `y`). With intervals,
        also `lo_80, hi_80` and the like for each level, NaN if there were too few errors for the level.
    """
    return forecast_panel(forecaster, *lay_out_cutoffs(forecaster, series, cutoffs, covariate_table))


def forecast_panel(forecaster: Forecaster, panel: WindowedPanel, features: Features) -> pd.DataFrame:
    """Forecast the windows of `lay_out_cutoffs`; see `forecast_cutoffs`."""
    scaler, index = forecaster.scaler, panel.index("future")
    scaled = forecaster.model.forecast(panel, index.origins(np.arange(len(index))))
    forecasts = {FORECAST: Forecasts(test=scaled[:0], future=scaled)}
    found_forecasts = tabulate_forecasts(panel, features, scaler, forecasts, "future")
    if forecaster.intervals is not None:
        found_forecasts = add_intervals(found_forecasts, forecaster.intervals, panel, scaler, "future")
    names = {
        name: own_name
        for level in found_forecasts.levels
        for name, own_name in zip(name_bounds(FORECAST, level), name_own_bounds(level), strict=True)
    }
    return found_forecasts.table.rename(columns=names)


def lay_out_cutoffs(
    forecaster: Forecaster,
    series: Series,
    cutoffs: pd.DataFrame,
    covariate_table: pd.DataFrame | None,
    num_future: int | None = None,
) -> tuple[WindowedPanel, Features]:
    """Return the windows after given cut-offs, and their rows.

    Args:
        forecaster, series, cutoffs, covariate_table: see `forecast_cutoffs`.
        num_future: rows after each series' end; None for the horizon.
    """
    settings, scaler = forecaster.settings, forecaster.scaler
    is_known = series["unique_id"].isin(scaler["unique_id"])
    _report_unknown(series["unique_id"][~is_known].unique())
    known = series.loc[is_known, ["unique_id", "ds", "y", "observed"]]
    window = WindowSpec(lookback=settings.lookback, horizon=settings.horizon)
    profile = {"freq": settings.freq, "season_length": settings.season_length, "tz": settings.tz}
    profile |= {"num_series": len(scaler), "lookback": window.lookback, "horizon": window.horizon}
    found = run_steps(
        FUTURE,
        {
            "series": known,
            "profile": profile,
            "calendar": settings.calendar,
            "window": window,
            "num_future": num_future or window.horizon,
            "times": cutoffs,
            "scaler": scaler,
            "coding": forecaster.coding,
            "covariate_table": covariate_table,
        },
    )
    features, panel, num_left_out = (found[name] for name in ("features", "windows", "num_left_out"))
    if num_left_out:
        num_needed = find_min_history(window, settings.season_length, len(scaler))
        _report_left_out(num_left_out, num_left_out + len(panel.future), num_needed, bool(features.future))
    return panel, features


def _report_left_out(num_left_out: int, num_cutoffs: int, num_needed: int, is_future_read: bool) -> None:
    logger.warning(
        "left out: %d of %d cut-offs before which there are no %d steps with values%s",
        *(num_left_out, num_cutoffs, num_needed),
        ", or after which covariates are not known" if is_future_read else "",
    )


def _report_unknown(names: np.ndarray) -> None:
    if len(names):
        some = list_some(names, NAMES_IN_MESSAGE)
        logger.warning("left out: %d series that the forecaster doesn't know (%s)", len(names), some)
