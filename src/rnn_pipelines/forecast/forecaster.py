"""Everything that a forecast depends on as one thing, and forecasting newer values with it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.forecast.predictions import Forecasts, tabulate_forecasts
from rnn_pipelines.forecast.recipe import FUTURE, run_steps
from rnn_pipelines.forecast.series.calendar import CalendarSpec, resolve_calendar
from rnn_pipelines.forecast.series.rows import find_rows, look_up
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Scaler, Series, Source
from rnn_pipelines.forecast.series.windows import WindowedPanel, WindowSpec
from rnn_pipelines.forecast.specs import NetworkSpec
from rnn_pipelines.report.numbers import list_some

if TYPE_CHECKING:
    import keras

logger = logging.getLogger(__name__)

NAMES_IN_MESSAGE = 5


class ForecasterSettings(BaseModel, extra="forbid", frozen=True):
    """What a forecaster was trained with and needs to know again.

    Attributes:
        networks: what each network is made of.
        lookback, horizon: shape of its windows.
        freq: spacing of its series.
        season_length: steps in their season.
        calendar: the harmonics that it reads, none left open.
        gaps: what becomes of missing steps.
        trained_until: for each series the last time that training or the choice among networks has seen.
    """

    networks: dict[str, NetworkSpec] = {}
    lookback: int
    horizon: int
    freq: int | str
    season_length: int
    calendar: CalendarSpec
    gaps: GapPolicy
    trained_until: dict[str, int | datetime]


@dataclass(frozen=True)
class Forecaster:
    """A trained forecaster, complete: values in, values out, in the series' own unit.

    Attributes:
        networks: by name; their forecasts are averaged with equal weights.
        scaler: of the series that it knows.
        settings: what else it needs.
    """

    networks: "Mapping[str, keras.Model]"
    scaler: Scaler
    settings: ForecasterSettings


def describe_forecaster(
    series: Series,
    profile: Profile,
    cutoffs: Cutoffs,
    window: WindowSpec,
    calendar: CalendarSpec,
    gaps: GapPolicy,
) -> ForecasterSettings:
    """Gathers what a forecaster that is to be trained must know again when it forecasts newer values.

    Args:
        series: with their profile and the cut-offs of their parts.
        window, calendar, gaps: see their types.
    Returns:
        Settings without networks.
    """
    last = series.iloc[find_rows(series).starts + look_up(series, cutoffs, "validation_stop") - 1]
    return ForecasterSettings(
        lookback=window.lookback,
        horizon=window.horizon,
        freq=profile["freq"],
        season_length=profile["season_length"],
        calendar=resolve_calendar(series, profile["freq"], calendar),
        gaps=gaps,
        trained_until=dict(zip(last["unique_id"], last["ds"].tolist(), strict=True)),
    )


def forecast_newest(forecaster: Forecaster, table: Source, source: SourceSpec) -> pd.DataFrame:
    """Forecasts the steps after each series' end.

    Args:
        forecaster: what to forecast with; its spacing and its way with gaps count.
        table: the series as they were read.
        source: where they came from.
    Returns:
        See `forecast_cutoffs`.
    Raises:
        SeriesError: the series can't be used, or have another spacing.
    """
    settings = forecaster.settings
    series, _ = repair_series(table, source.model_copy(update={"freq": settings.freq}), settings.gaps)
    ends = series.groupby("unique_id", sort=False)["ds"].max().rename("cutoff").reset_index()
    return forecast_cutoffs(forecaster, series, ends)


def forecast_cutoffs(forecaster: Forecaster, series: Series, cutoffs: pd.DataFrame) -> pd.DataFrame:
    """Forecasts from given cut-offs, of which nothing later is seen but the calendar.

    Series that the forecaster doesn't know are left out, as are cut-offs before which its lookback has no values; the
    log says so.

    Args:
        forecaster: what to forecast with: its networks, its scale, its lookback and calendar.
        series: one or several.
        cutoffs: `unique_id, cutoff`, the last time that each forecast sees.
    Returns:
        `unique_id, cutoff, ds, horizon_step` (int64, from 1) and `y_hat` (float64, in the unit of `y`).
    """
    settings, scaler = forecaster.settings, forecaster.scaler
    is_known = series["unique_id"].isin(scaler["unique_id"])
    _report_unknown(series["unique_id"][~is_known].unique())
    known = series.loc[is_known, ["unique_id", "ds", "y", "observed"]]
    found = run_steps(
        FUTURE,
        {
            "series": known,
            "profile": {"freq": settings.freq},
            "calendar": settings.calendar,
            "window": WindowSpec(lookback=settings.lookback, horizon=settings.horizon),
            "times": cutoffs,
            "scaler": scaler,
        },
    )
    features, panel, num_left_out = (found[name] for name in ("features", "windows", "num_left_out"))
    if num_left_out:
        logger.warning(
            "left out: %d of %d cut-offs before which there are no %d steps with values",
            *(num_left_out, num_left_out + len(panel.future), settings.lookback),
        )
    scaled = _forecast(forecaster, panel)
    forecasts = {"y_hat": Forecasts(test=scaled[:0], future=scaled)}
    return tabulate_forecasts(panel, features, scaler, forecasts, "future").table


def _forecast(forecaster: Forecaster, panel: WindowedPanel) -> np.ndarray:
    """The mean of the networks' forecasts of the panel's future, float32[window, horizon], scaled."""
    if not len(panel.future):
        return np.zeros((0, panel.horizon), np.float32)
    from rnn_pipelines.forecast.training import forecast_part

    return np.mean([forecast_part(network, panel, "future") for network in forecaster.networks.values()], axis=0)


def _report_unknown(names: np.ndarray) -> None:
    if len(names):
        some = list_some(names, NAMES_IN_MESSAGE)
        logger.warning("left out: %d series that the forecaster doesn't know (%s)", len(names), some)
