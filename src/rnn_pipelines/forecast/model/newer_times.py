"""Newer times, held against those that a forecaster was trained on."""

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.model.artefact import ForecasterSettings
from rnn_pipelines.forecast.series.grid import count_steps
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.series.time_axis import TimeAxis


def find_trained_axis(settings: ForecasterSettings) -> TimeAxis | None:
    """The axis of the training; None for steps, and for a forecaster of before the zone was kept."""
    if settings.zone is None or isinstance(settings.freq, int):
        return None
    return TimeAxis(settings.zone.name, settings.tz is not None, "the training")


def have_same_axis(one: ForecasterSettings, other: ForecasterSettings) -> bool:
    """Whether the times of one forecaster's training are read as those of the other's."""
    axes = [find_trained_axis(settings) for settings in (one, other)]
    if axes[0] is None or axes[1] is None:
        return True
    # Times in UTC are the same in each zone.
    return axes[0].is_utc is axes[1].is_utc and (axes[0].is_utc or axes[0].zone == axes[1].zone)


def refuse_other_beginnings(table: Source, settings: ForecasterSettings, label: str) -> None:
    """Refuse days (and other steps that are not counted in UTC) that begin when those of the training do not.

    Midnight in one zone is another time of day in another one, where it would have other calendar features.

    Args:
        table: the series as they were read, on the axis of the training.
        settings: of the forecaster.
        label: of the source, for messages.
    Raises:
        SeriesError: with both zones, series and time.
    """
    axis, zone = find_trained_axis(settings), table.attrs.get("zone")
    if axis is None or zone is None or axis.is_utc or zone["name"] == axis.zone:
        return
    if not is_datetime64_any_dtype(table["ds"]):
        return
    last = table["unique_id"].map(settings.trained_until)
    known = table[last.notna()]
    trained, ds = pd.to_datetime(last[last.notna()]).to_numpy(), known["ds"].to_numpy()
    _, is_on_step = count_steps(np.minimum(trained, ds), np.maximum(trained, ds), settings.freq)
    if is_on_step.all():
        return
    row = known[~is_on_step].iloc[0]
    raise SeriesError(
        f"{label}: row {row.name}: the steps of {zone['name']} are not those of the training in {axis.zone}: series "
        f"{show(row['unique_id'])} has {row['ds']} there, and the training had {trained[~is_on_step][0]}. "
        f"Give values of steps of '{settings.freq}' in {axis.zone}, or train with those of {zone['name']}."
    )
