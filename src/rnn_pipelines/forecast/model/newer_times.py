"""Checks of new times against the time axis of a training."""

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.model.artefact import ForecasterSettings
from rnn_pipelines.forecast.series.grid import count_steps
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.series.time_axis import TimeAxis


def find_trained_axis(settings: ForecasterSettings) -> TimeAxis | None:
    """Return the axis of the training; None for integer steps, and if an older version stored no zone."""
    if settings.zone is None or isinstance(settings.freq, int):
        return None
    return TimeAxis(settings.zone.name, settings.tz is not None, "the training")


def have_same_axis(one: ForecasterSettings, other: ForecasterSettings) -> bool:
    """Return whether two forecasters read times in the same way."""
    axes = [find_trained_axis(settings) for settings in (one, other)]
    if axes[0] is None or axes[1] is None:
        return True
    # Times in UTC do not depend on the zone.
    return axes[0].is_utc is axes[1].is_utc and (axes[0].is_utc or axes[0].zone == axes[1].zone)


def refuse_other_beginnings(table: Source, settings: ForecasterSettings, label: str) -> None:
    """Check that days, and other steps not counted in UTC, begin at the same times as those of the training.

    Midnight in one zone is another time of day in another zone, with other calendar features.

    Args:
        table: the series as they were read, on the axis of the training.
        settings: of the forecaster.
        label: of the source, for messages.
    Raises:
        SeriesError: they do not; the message holds both zones, the series and the time.
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
