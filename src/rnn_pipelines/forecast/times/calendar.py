"""Calendar features, which are known in advance for every step."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.forecast.series.rows import find_rows
from rnn_pipelines.forecast.series.tables import Features, Series
from rnn_pipelines.forecast.times.grid import insert_steps
from rnn_pipelines.forecast.times.offsets import find_offset
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.reading.zones import show_local

NumHarmonics = Annotated[int, Field(ge=0, le=10)]

# Longest step, in days, at which a series shows a cycle; and the length of the cycle.
_LONGEST_STEP_DAYS = {"yearly": 92.0, "weekly": 1.5, "daily": 0.5}
_CYCLE_DAYS = {"yearly": 365.0, "weekly": 7.0, "daily": 1.0}


class CalendarSpec(ParameterModel, frozen=True):
    """Harmonics (pairs of sine and cosine) of each cycle; 0 for none, null to choose by the frequency.

    A cycle longer than every series is not chosen, because forecasts would meet feature values that training lacks.
    With null, linear models may also use up to 10 harmonics of cycles that occur four times, if these reduce the errors
    on held-out windows.

    Attributes:
        yearly: by default 1 for steps of a quarter or shorter.
        weekly: by default 1 for steps of a day or shorter.
        daily: by default 1 for steps of half a day or shorter.
    """

    yearly: NumHarmonics | None = None
    weekly: NumHarmonics | None = None
    daily: NumHarmonics | None = None


def add_calendar(
    series: Series, freq: int | str, calendar: CalendarSpec, num_future: int, tz: str | None = None
) -> Features:
    """Append the steps to forecast to every series, and calendar features to every step.

    `tz` is the zone of the calendar, for times in UTC; without it, the times are used unchanged. The features are
    float32, -1 to 1, named like `yearly_sin_1`. Integer steps have none.
    """
    if series.empty:
        return Features(series)
    rows = find_rows(series)
    extended = insert_steps(series, rows, rows.places, rows.lengths + num_future, freq)
    extended["ds"] = extended["ds"].astype(series["ds"].dtype)
    features = compute_calendar(
        show_local(extended["ds"], tz), freq, resolve_calendar(series, freq, calendar)
    )
    is_open = {f"{cycle}_sin_1": getattr(calendar, cycle) is None for cycle in _CYCLE_DAYS}
    sines = tuple(name for name in features if is_open.get(name))
    return Features(extended.assign(**features), calendar=tuple(features), open_calendar=sines)


def resolve_calendar(series: Series, freq: int | str, calendar: CalendarSpec) -> CalendarSpec:
    """Return the harmonics of every cycle; open ones depend on frequency and length of the series."""
    if isinstance(freq, int):
        return CalendarSpec(**dict.fromkeys(_CYCLE_DAYS, 0))
    rows = find_rows(series)
    ds = series["ds"].array
    longest = (ds[rows.stops - 1] - ds[rows.starts]).max()
    missing = [cycle for cycle, days in _CYCLE_DAYS.items() if longest < pd.Timedelta(days=days)]
    seen = calendar.model_copy(
        update={cycle: 0 for cycle in missing if getattr(calendar, cycle) is None}
    )
    return CalendarSpec(**{cycle: _count_harmonics(cycle, freq, seen) for cycle in _CYCLE_DAYS})


def compute_calendar(
    ds: pd.Series, freq: int | str, calendar: CalendarSpec
) -> dict[str, np.ndarray]:
    """Return the sine and cosine of each harmonic at every timestamp; int64 steps have no calendar.

    `freq` decides the cycles that `calendar` leaves open. The features are float32[time] by name; the phase is 0 at the
    start of a year, of a Monday, of a day.
    """
    if isinstance(freq, int):
        return {}
    day = (ds.dt.hour * 3600 + ds.dt.minute * 60 + ds.dt.second) / 86400
    phases = {
        "yearly": (ds.dt.day_of_year - 1 + day) / np.where(ds.dt.is_leap_year, 366, 365),
        "weekly": (ds.dt.day_of_week + day) / 7,
        "daily": day,
    }
    features = {}
    for cycle, phase in phases.items():
        for harmonic in range(1, _count_harmonics(cycle, freq, calendar) + 1):
            angle = 2 * np.pi * harmonic * phase.to_numpy()
            features[f"{cycle}_sin_{harmonic}"] = np.sin(angle).astype(np.float32)
            features[f"{cycle}_cos_{harmonic}"] = np.cos(angle).astype(np.float32)
    return features


def _count_harmonics(cycle: str, freq: str, calendar: CalendarSpec) -> int:
    number = getattr(calendar, cycle)
    if number is not None:
        return int(number)
    start = pd.Timestamp("2001-01-01")
    # The mean over 16 steps, because months and business days have uneven lengths.
    step_days = ((start + 17 * find_offset(freq)) - (start + find_offset(freq))) / pd.Timedelta(
        days=16
    )
    return int(step_days <= _LONGEST_STEP_DAYS[cycle])
