"""What simple forecasters read of a window, in its frame: the predictors, and where each of them stands."""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from rnn_pipelines.forecast.effects import count_predictors, gather_predictors
from rnn_pipelines.forecast.folds import Folds, find_series
from rnn_pipelines.forecast.frames import FrameKind, Units, measure_units
from rnn_pipelines.forecast.series.windows import WindowedPanel, gather_history

# The season beside that of the frequency, for hours, days and minutes: a week, a year, a week.
LONG_SEASONS = {24: 168, 7: 365, 1440: 10080}
# Crossings of its middle that show a feature of the calendar twice round.
TWICE = 4


@dataclass(frozen=True)
class Framed:
    """Some windows in their frame.

    Attributes:
        predictors: float64[window, predictor]: history; values of the season, and of the long season, at each step;
            covariates, see `gather_predictors`; features of the calendar at the first step; 1.
        history: float64[window, lookback], a part of the predictors.
        units: to come back.
    """

    predictors: np.ndarray
    history: np.ndarray
    units: Units


class Reading(Protocol):
    """What says how windows are framed: a `Base`, or what was made of one."""

    @property
    def frame(self) -> FrameKind: ...
    @property
    def season(self) -> int: ...
    @property
    def long_season(self) -> int: ...
    @property
    def calendar(self) -> np.ndarray: ...


def frame_windows(panel: WindowedPanel, base: Reading, origins: np.ndarray) -> Framed:
    """What is known at some origins, in the frame of each window.

    Args:
        panel: the windows' series.
        base: says the frame, the seasons and the features of the calendar.
        origins: int64[window].
    """
    history = gather_history(panel, origins)
    units = measure_units(base.frame, history, panel.zeros[find_series(panel, origins)], panel.season_length)
    framed = units.frame(history)
    seasons = [
        units.frame(gather_season(panel, origins, length)) for length in (base.season, base.long_season) if length
    ]
    known = panel.values[origins, panel.calendar].astype(np.float64)[:, base.calendar]
    parts = [framed, *seasons, gather_predictors(panel, origins, units.spread), known, np.ones((len(origins), 1))]
    return Framed(np.concatenate(parts, axis=1), framed, units)


def frame_targets(panel: WindowedPanel, framed: Framed, origins: np.ndarray) -> np.ndarray:
    """What happened, in the frame: float64[window, horizon]."""
    return framed.units.frame(panel.values[origins[:, None] + np.arange(panel.horizon), 0])


def gather_season(panel: WindowedPanel, origins: np.ndarray, season_length: int) -> np.ndarray:
    """The newest value seen of the same season; the last value where the series is too young for one.

    Args:
        panel: the windows' series.
        origins: int64[window].
        season_length: steps in a season; 1 gives the last value.
    Returns:
        float32[window, horizon], scaled.
    """
    steps = np.arange(panel.horizon)
    rows = origins[:, None] + steps - season_length * (steps // season_length + 1)
    starts = panel.series_starts[find_series(panel, origins)]
    last = panel.values[origins - 1, 0][:, None]
    values = np.where(rows >= starts[:, None], panel.values[np.maximum(rows, 0), 0], np.nan)
    return np.where(np.isnan(values), last, values)


@dataclass(frozen=True)
class Layout:
    """Where the predictors stand, in the order of `Framed`, and what of `Base` they depend on."""

    frame: FrameKind
    season: int
    long_season: int
    calendar: np.ndarray
    lookback: int
    horizon: int
    num_ahead: int
    num_others: int

    @property
    def num_predictors(self) -> int:
        return self.first_covariate + self.num_ahead + self.num_others + len(self.calendar) + 1

    @property
    def first_covariate(self) -> int:
        return self.lookback + self.horizon * self.num_seasons

    @property
    def num_seasons(self) -> int:
        return (self.season > 0) + (self.long_season > 0)

    def pick(self, place: int, width: int = 1) -> np.ndarray:
        """The matrix that hands some predictors on: float64[predictor, width]."""
        return np.eye(self.num_predictors)[:, place : place + width]

    def pick_season(self, number: int) -> np.ndarray:
        return self.pick(self.lookback + number * self.horizon, self.horizon)

    def list_ahead(self) -> list[np.ndarray]:
        """What hands a covariate that is known ahead on to the forecast of its step, for each of them."""
        places = range(self.first_covariate, self.first_covariate + self.num_ahead, self.horizon)
        return [self.pick(place, self.horizon) for place in places]

    def average(self, begin: int, stop: int) -> np.ndarray:
        """The mean of some steps of the window, for all steps ahead: float64[predictor, horizon]."""
        column = np.zeros((self.num_predictors, 1))
        column[begin:stop] = 1 / (stop - begin)
        return np.repeat(column, self.horizon, axis=1)


def find_layout(panel: WindowedPanel, folds: Folds, frame: FrameKind) -> Layout:
    """Which predictors a panel has: seasons for which it is long enough, the calendar's cycles that it saw twice.

    Args:
        panel: windows for training and validation.
        folds: in which the predictors will be read.
        frame: of the windows.
    """
    season = panel.season_length if panel.season_length > 1 else 0
    long_season = LONG_SEASONS.get(season, 0)
    lengths = np.diff(np.append(panel.series_starts, len(panel.values)))
    # Of the series with the longest past alone: what follows it in the array begins the years anew.
    owners = find_series(panel, folds.fitted)
    begins = panel.series_starts[owners]
    longest = int(np.argmax(folds.fitted - begins))
    num_crossings = count_crossings(panel.values[begins[longest] : folds.fitted[longest] + 1, panel.calendar])
    num_ahead, num_others = count_predictors(panel)
    return Layout(
        frame=frame,
        season=season,
        long_season=long_season if np.median(lengths) >= 3 * long_season else 0,
        calendar=np.flatnonzero(num_crossings >= TWICE),
        lookback=panel.lookback,
        horizon=panel.horizon,
        num_ahead=num_ahead,
        num_others=num_others,
    )


def count_crossings(values: np.ndarray) -> np.ndarray:
    """How often each feature crosses the middle of its range: int64[feature]. Twice for each cycle of a harmonic.

    Args:
        values: float[time, feature].
    """
    if not len(values):
        return np.zeros(values.shape[1], np.int64)
    is_above = values > (values.max(axis=0) + values.min(axis=0)) / 2
    return np.count_nonzero(is_above[1:] != is_above[:-1], axis=0)
