"""The settings of a training that its forecaster keeps, and checks of newer times against them."""

from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd
from pydantic import BaseModel

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.series.rows import find_rows
from rnn_pipelines.forecast.series.tables import Cutoffs, Profile, Series, Source
from rnn_pipelines.forecast.source.table_form import TableForm
from rnn_pipelines.forecast.source.time_axis import TimeAxis, TimeZone
from rnn_pipelines.forecast.times.calendar import CalendarSpec, resolve_calendar
from rnn_pipelines.forecast.times.grid import count_steps_between
from rnn_pipelines.forecast.windows.panel import WindowedPanel
from rnn_pipelines.forecast.windows.splits import find_not_evaluated


class ForecasterSettings(BaseModel, extra="forbid", frozen=True):
    """The settings of a training that a forecaster needs for new forecasts.

    Attributes:
        calendar: the harmonics, all resolved.
        tz: zone of the calendar features, for series with times in UTC.
        breaks: treatment of values before a break; `keep` for forecasters that were saved before there was any.
        zone: of the training's times.
        table: form of the training's table; None for packaged series, and for forecasters that were saved before it
            was recorded.
        trained_until: last time of each series that was used for training or validation of the evaluated model.
        fitted_until: last time of each series that was used for the model in use; empty if it is not on record.
    """

    networks: dict[str, dict[str, Any]] = {}
    lookback: int
    horizon: int
    freq: int | str
    season_length: int
    calendar: CalendarSpec
    gaps: GapPolicy
    breaks: BreakPolicy = BreakPolicy("keep")
    tz: str | None = None
    zone: TimeZone
    table: TableForm | None = None
    use: str = "ensemble"
    trained_until: dict[str, int | datetime]
    fitted_until: dict[str, int | datetime] = {}


def describe_forecaster(  # noqa: PLR0913, PLR0917 - one for each block of parameters, whose types Kedro checks
    series: Series,
    profile: Profile,
    cutoffs: Cutoffs,
    windows: WindowedPanel,
    calendar: CalendarSpec,
    gaps: GapPolicy,
    breaks: BreakPolicy,
) -> ForecasterSettings:
    """Return the settings of a forecaster before its training, without networks."""
    # A series that is not evaluated is used for its scale only.
    num_learnt = np.where(find_not_evaluated(cutoffs), 1, cutoffs["validation_stop"])
    last = series.iloc[find_rows(series).starts + num_learnt - 1]
    ends = series.groupby("unique_id", sort=False)["ds"].last()
    return ForecasterSettings(
        lookback=windows.lookback,
        horizon=windows.horizon,
        freq=profile["freq"],
        # Windows of newer values are padded with the same season.
        season_length=windows.season_length,
        calendar=resolve_calendar(series, profile["freq"], calendar),
        gaps=gaps,
        breaks=breaks,
        tz=profile["tz"],
        zone=TimeZone(**profile["zone"]),
        table=TableForm(**profile["form"]) if profile.get("form") else None,
        trained_until=dict(zip(last["unique_id"], last["ds"].tolist(), strict=True)),
        fitted_until=dict(zip(ends.index, ends.tolist(), strict=True)),
    )


def find_trained_axis(settings: ForecasterSettings) -> TimeAxis | None:
    """Return the axis of the training; None for integer steps."""
    if isinstance(settings.freq, int):
        return None
    return TimeAxis(settings.zone.name, settings.tz is not None, "the training")


def have_same_axis(one: ForecasterSettings, other: ForecasterSettings) -> bool:
    """Return whether two forecasters read times in the same way."""
    axis, other_axis = (find_trained_axis(settings) for settings in (one, other))
    if axis is None or other_axis is None:
        return True
    # Times in UTC do not depend on the zone.
    return axis.is_utc is other_axis.is_utc and (axis.is_utc or axis.zone == other_axis.zone)


def refuse_other_beginnings(table: Source, settings: ForecasterSettings, label: str) -> None:
    """Check that days, and other steps not counted in UTC, begin at the same times as those of the training.

    Midnight in one zone is another time of day in another zone, with other calendar features.

    Raises:
        SeriesError: they do not; the message holds both zones, the series and the time.
    """
    axis = find_trained_axis(settings)
    zone = table.attrs.get("zone")
    if (
        axis is None
        or zone is None
        or axis.is_utc
        or zone["name"] == axis.zone
        or table["ds"].dtype.kind != "M"
    ):
        return
    last = table["unique_id"].map(settings.trained_until)
    trained_rows = table[last.notna()]
    trained = pd.to_datetime(last[last.notna()]).to_numpy()
    ds = trained_rows["ds"].to_numpy()
    _, is_on_step = count_steps_between(
        np.minimum(trained, ds), np.maximum(trained, ds), settings.freq
    )
    if is_on_step.all():
        return
    row = trained_rows[~is_on_step].iloc[0]
    raise SeriesError(
        f"{label}: row {row.name}: series {show(row['unique_id'])}: expected steps of '{settings.freq}' in "
        f"{axis.zone}, as in the training until {trained[~is_on_step][0]}, received {row['ds']} of steps in "
        f"{zone['name']}. Give values at steps of {axis.zone}, or train with times of {zone['name']}."
    )
