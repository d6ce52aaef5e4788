"""Everything that a forecast depends on as one thing, and forecasting newer values with it."""

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.forecast.series.calendar import CalendarSpec, add_known_features, resolve_calendar
from rnn_pipelines.forecast.series.scaling import scale, unscale
from rnn_pipelines.forecast.series.schema import GapPolicy, repair_series
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.windows import WindowedPanel, WindowSpec
from rnn_pipelines.forecast.specs import NetworkSpec

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
        scaler: `unique_id, mean, deviation` of the series that it knows.
        settings: what else it needs.
    """

    networks: "Mapping[str, keras.Model]"
    scaler: pd.DataFrame
    settings: ForecasterSettings


def describe_forecaster(
    series: pd.DataFrame,
    profile: dict[str, Any],
    cutoffs: pd.DataFrame,
    window: WindowSpec,
    calendar: CalendarSpec,
    gaps: GapPolicy,
) -> ForecasterSettings:
    """The settings of a forecaster that is to be trained, still without networks.

    Args:
        series, profile, cutoffs: what `prepare_series` returns.
        window, calendar, gaps: see their types.
    """
    places = series.groupby("unique_id", sort=False).cumcount()
    last = series[places == series["unique_id"].map(cutoffs.set_index("unique_id")["validation_stop"]) - 1]
    return ForecasterSettings(
        lookback=window.lookback,
        horizon=window.horizon,
        freq=profile["freq"],
        season_length=profile["season_length"],
        calendar=resolve_calendar(series, profile["freq"], calendar),
        gaps=gaps,
        trained_until=dict(zip(last["unique_id"], last["ds"].tolist(), strict=True)),
    )


def forecast_newest(forecaster: Forecaster, table: pd.DataFrame, source: SourceSpec) -> pd.DataFrame:
    """Forecasts the steps after each series' end.

    Args:
        forecaster: what to forecast with; its spacing and its way with gaps count.
        table: what `read_newest` returns.
        source: where it came from.
    Returns:
        See `forecast_cutoffs`.
    Raises:
        SeriesError: the series can't be used, or have another spacing.
    """
    settings = forecaster.settings
    series, _ = repair_series(table, source.model_copy(update={"freq": settings.freq}), settings.gaps)
    ends = series.groupby("unique_id", sort=False)["ds"].max().rename("cutoff").reset_index()
    return forecast_cutoffs(forecaster, series, ends)


def forecast_cutoffs(forecaster: Forecaster, series: pd.DataFrame, cutoffs: pd.DataFrame) -> pd.DataFrame:
    """Forecasts from given cut-offs, of which nothing later is seen but the calendar.

    Series that the forecaster doesn't know are left out, as are cut-offs before which its lookback has no values; the
    log says so.

    Args:
        forecaster: what to forecast with: its networks, its scale, its lookback and calendar.
        series: what `repair_series` returns.
        cutoffs: `unique_id, cutoff`, the last time that each forecast sees.
    Returns:
        `unique_id, cutoff, ds, horizon_step` (int64, from 1) and `y_hat` (float64, in the unit of `y`).
    """
    from rnn_pipelines.forecast.training import forecast_part

    settings = forecaster.settings
    is_known = series["unique_id"].isin(forecaster.scaler["unique_id"])
    _report_unknown(series["unique_id"][~is_known].unique())
    if not is_known.any():
        return _tabulate(series.head(0), np.zeros(0, int), np.zeros((0, settings.horizon)))
    columns = ["unique_id", "ds", "y", "observed"]
    features = add_known_features(
        series.loc[is_known, columns], {"freq": settings.freq}, settings.calendar, settings.horizon
    )
    statistics = forecaster.scaler.set_index("unique_id").loc[features["unique_id"]]
    panel = _lay_out(features, statistics, cutoffs, settings)
    origins = panel.test[:, 0]
    if not len(origins):
        return _tabulate(features, origins, np.zeros((0, settings.horizon)))
    scaled = np.mean([forecast_part(network, panel, "test") for network in forecaster.networks.values()], axis=0)
    mean, deviation = (statistics[name].to_numpy()[origins, None] for name in ("mean", "deviation"))
    return _tabulate(features, origins, unscale(scaled, mean, deviation))


def _report_unknown(names: np.ndarray) -> None:
    if len(names):
        some = ", ".join(map(str, names[:NAMES_IN_MESSAGE])) + (", …" if len(names) > NAMES_IN_MESSAGE else "")
        logger.warning("left out: %d series that the forecaster doesn't know (%s)", len(names), some)


def _lay_out(
    features: pd.DataFrame, statistics: pd.DataFrame, cutoffs: pd.DataFrame, settings: ForecasterSettings
) -> WindowedPanel:
    """A panel whose test windows are those of the cut-offs that have a whole history."""
    target = scale(features["y"].to_numpy(), statistics["mean"].to_numpy(), statistics["deviation"].to_numpy())
    known = features.columns.drop(["unique_id", "ds", "y", "observed"])
    rows = features[["unique_id", "ds"]].rename(columns={"ds": "cutoff"}).assign(row=range(len(features)))
    wanted = cutoffs[["unique_id", "cutoff"]].merge(rows)
    origins = wanted["row"].to_numpy(int) + 1
    starts = rows.groupby("unique_id", sort=False)["row"].min()
    first = wanted["unique_id"].map(starts).to_numpy(int)
    num_empty = np.concatenate([[0], np.cumsum(np.isnan(target))])
    begins = np.maximum(origins - settings.lookback, first)
    is_whole = (origins - first >= settings.lookback) & (num_empty[origins] == num_empty[begins])
    if not is_whole.all():
        logger.warning(
            "left out: %d of %d cut-offs before which there are no %d steps with values",
            *((~is_whole).sum(), len(is_whole), settings.lookback),
        )
    runs = np.stack([origins, origins + 1], axis=1)[is_whole]
    return WindowedPanel(
        values=np.column_stack([target, features[known]]).astype(np.float32),
        train=runs[:0],
        validation=runs[:0],
        test=runs,
        future=runs[:0],
        series_starts=starts.to_numpy(),
        lookback=settings.lookback,
        horizon=settings.horizon,
        stride=1,
    )


def _tabulate(features: pd.DataFrame, origins: np.ndarray, forecasts: np.ndarray) -> pd.DataFrame:
    horizon = forecasts.shape[1]
    rows = (origins[:, None] + np.arange(horizon)).ravel()
    return pd.DataFrame(
        {
            "unique_id": features["unique_id"].to_numpy()[rows],
            "cutoff": np.repeat(features["ds"].to_numpy()[origins - 1], horizon),
            "ds": features["ds"].to_numpy()[rows],
            "horizon_step": np.tile(np.arange(1, horizon + 1), len(origins)),
            "y_hat": forecasts.ravel().astype(np.float64),
        }
    )
