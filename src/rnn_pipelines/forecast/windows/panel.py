"""Windows over series, as indices into one array, never as copies."""

from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.forecast.series.columns import Columns
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.parameter_models import ParameterModel

Part = Literal["train", "validation", "test", "future"]


class OpenWindowSpec(ParameterModel, frozen=True):
    """The shape of a window; None is chosen by frequency and length of the series.

    Attributes:
        lookback: steps of history that a forecast sees.
        horizon: steps that it forecasts at once.
        stride: steps from one training window to the next.
    """

    lookback: int | None = Field(default=None, ge=1, le=10**6)
    horizon: int | None = Field(default=None, ge=1, le=10**5)
    stride: int = Field(default=1, ge=1, le=10**6)

    def fill(self, profile: Profile) -> "WindowSpec":
        """Return the shape of the data profile, which resolves open values."""
        return WindowSpec(
            lookback=profile["lookback"], horizon=profile["horizon"], stride=self.stride
        )


class WindowSpec(OpenWindowSpec, frozen=True):
    """The shape of a window, without open values; its lookback is shortened if a part of the rows is too short."""

    lookback: int = Field(default=30, ge=1, le=10**6)
    horizon: int = Field(default=7, ge=1, le=10**5)


class EvaluationSpec(ParameterModel, frozen=True):
    """The evaluation of forecasts.

    Attributes:
        origins: `rolling`, a forecast from every step of the test part, or `last`, one at the end of each series.
        season_length: steps in a season, for seasonal naive and MASE; by default that of the frequency.
        max_windows: number of test windows above which origins are left out, evenly and for all series alike; of a
            single series with a horizon over 20 steps, fewer in proportion. The newest origin of each series is kept.
    """

    origins: Literal["rolling", "last"] = "rolling"
    season_length: int | None = Field(default=None, ge=1, le=10**6)
    max_windows: int = Field(default=20_000, ge=1, le=10**9)

    def choose_season_length(self, profile: Profile) -> int:
        """Return the given season length, or that of the data profile."""
        return self.season_length or profile["season_length"]


@dataclass(frozen=True)
class WindowedPanel:
    """All series, one after another, and the positions of their windows.

    The origin of a window is the row of its first target. A window sees the rows [origin - lookback, origin) and
    forecasts [origin, origin + horizon). The origins of a part are runs of rows, so that memory grows with the runs and
    not with the windows. History before the beginning of a series is padded, see `find_history`.
    """

    # float32[time, feature]: the scaled target, the calendar features, and the covariates, see `Columns`. Each series
    # ends with `horizon` rows in which the target and past covariates are NaN.
    values: np.ndarray
    # `train`, `validation`, `test` and `future`: int64[run, 2], first origin and stop of each run.
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    future: np.ndarray
    series_starts: np.ndarray  # int64[series], first row of each series
    zeros: np.ndarray  # float32[series], the scaled value of 0
    # `lookback`, `horizon` and `stride`: see `WindowSpec`; the stride is that of the training windows.
    lookback: int
    horizon: int
    stride: int
    season_length: int = 1  # steps in a season, which padding repeats; 1 if there is none
    # `roles` and `names`: str[covariate], of the last columns, see `Columns`.
    roles: np.ndarray = field(default_factory=lambda: np.array([], str))
    names: np.ndarray = field(default_factory=lambda: np.array([], str))
    # The same, of the windows for the models in use: all with actual values, up to the end of each series.
    refit: np.ndarray = field(default_factory=lambda: np.zeros((0, 2), np.int64))
    # int64[cycle], numbers of the calendar features in `Features.open_calendar`.
    open_calendar: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))
    # int64[negative], numbers of the series with a value below 0 in their training part, which may lie before the rows
    # of the panel.
    negative_series: np.ndarray = field(default_factory=lambda: np.zeros(0, np.int64))

    @property
    def series_stops(self) -> np.ndarray:
        """The row after the last one of each series, int64[series]; no rows if the panel has no series."""
        return np.append(self.series_starts, len(self.values))[1:]

    @cached_property
    def first_negative(self) -> np.ndarray:
        """The row from which each series is known to fall below 0, int64[series]; beyond its end if it does not."""
        zeros = np.repeat(self.zeros, self.series_stops - self.series_starts)
        rows = np.append(np.flatnonzero(self.values[:, 0] < zeros), len(self.values))
        firsts: np.ndarray = rows[np.searchsorted(rows, self.series_starts)]
        firsts[self.negative_series] = self.series_starts[self.negative_series]
        return firsts

    @cached_property
    def past_stops(self) -> np.ndarray:
        """The row after the last target of training or validation of each series, or its first row: int64[series]."""
        stops = self.series_starts.copy()
        for runs in (self.train, self.validation):
            np.maximum.at(stops, self.find_series(runs[:, 0]), runs[:, 1] - 1 + self.horizon)
        return stops

    @cached_property
    def columns(self) -> Columns:
        """The columns of the values by role."""
        return Columns(self.values.shape[1] - 1 - len(self.roles), tuple(self.roles.tolist()))

    def index(self, part: Part | Literal["refit"]) -> "WindowIndex":
        """Return the windows of one part, or of the refit."""
        return WindowIndex(getattr(self, part), self.stride if part in ("train", "refit") else 1)

    def list_origins(self, part: Part | Literal["refit"], most: int | None = None) -> np.ndarray:
        """Return the origins of a part, or of the refit, int64[window]: all, or at most so many, evenly spaced."""
        index = self.index(part)
        numbers = np.linspace(0, len(index) - 1, min(len(index), most or 0)).round().astype(int)
        return index.origins(np.arange(len(index)) if most is None else numbers)

    def find_series(self, origins: np.ndarray) -> np.ndarray:
        """Return the number of the series of each window, see `number_series`."""
        return number_series(self.series_starts, origins)

    def find_starts(self, origins: np.ndarray) -> np.ndarray:
        """Return the first row of the series of each window, int64[window]."""
        return self.series_starts[self.find_series(origins)]

    def find_past_origins(
        self, ends: np.ndarray, num_origins: int
    ) -> tuple[np.ndarray, np.ndarray]:
        """Return past origins half a horizon apart, the newest a horizon before each end, and whether each is whole.

        A whole one has a lookback of its series before it. Both are [origin, end], int64 and bool.
        """
        stride = max(1, self.horizon // 2)
        origins = ends - self.horizon - stride * np.arange(num_origins)[:, None]
        return origins, origins - self.find_starts(ends) >= self.lookback

    def select_series(self, begin: int, end: int) -> "WindowedPanel":
        """Return the panel of consecutive series; the values are not copied."""
        rows = np.append(self.series_starts, len(self.values))
        first = rows[begin]
        runs = {}
        for part in ("train", "validation", "test", "future", "refit"):
            of_part = getattr(self, part)
            number = self.find_series(of_part[:, 0])
            runs[part] = of_part[(begin <= number) & (number < end)] - first
        negative = self.negative_series
        return replace(
            self,
            values=self.values[first : rows[end]],
            series_starts=self.series_starts[begin:end] - first,
            zeros=self.zeros[begin:end],
            negative_series=negative[(begin <= negative) & (negative < end)] - begin,
            **runs,
        )

    def find_zeros(self, origins: np.ndarray) -> np.ndarray:
        """Return the scaled zero of the series of each window, float32[window]."""
        return self.zeros[self.find_series(origins)]


class WindowIndex:
    """The windows of one part, numbered from 0, `stride` steps apart in runs: int64[run, 2], first origin and stop."""

    def __init__(self, runs: np.ndarray, stride: int = 1) -> None:
        self.firsts = runs[:, 0]
        self.stride = stride
        counts = -(-(runs[:, 1] - runs[:, 0]) // stride)
        self.stops = np.cumsum(counts)
        self.begins = self.stops - counts

    def __len__(self) -> int:
        return int(self.stops[-1]) if len(self.stops) else 0

    def origins(self, numbers: np.ndarray) -> np.ndarray:
        """Return the origins of windows: int64[window] numbers to int64[window] rows."""
        run = np.searchsorted(self.stops, numbers, side="right")
        return self.firsts[run] + (numbers - self.begins[run]) * self.stride


def number_series(series_starts: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """Return the number of the series of each window, from 0: int64[window].

    The row before the origin decides, because the origin of a future window is beyond the series.
    """
    return np.searchsorted(series_starts, origins - 1, side="right") - 1


def find_negative(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return whether a value below 0 is known of the series before each origin: bool[window]."""
    negative: np.ndarray = origins > panel.first_negative[panel.find_series(origins)]
    return negative


def count_padded(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Count the padded steps of each window's lookback, which are the oldest: int64[batch]."""
    starts = panel.find_starts(origins)
    return np.maximum(starts + panel.lookback - origins, 0)


def find_history(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the rows of each window's history, in order of time: int64[batch, lookback].

    Steps before the beginning of a series repeat its oldest season, or its first row if the window sees less than a
    season. All rows are before the origin and in the same series.
    """
    rows = origins[:, None] + np.arange(-panel.lookback, 0)
    starts = panel.find_starts(origins)[:, None]
    if (starts[:, 0] <= rows[:, 0]).all():
        return rows
    seasons = np.where(origins[:, None] - starts >= panel.season_length, panel.season_length, 1)
    return np.where(rows < starts, starts + (rows - starts) % seasons, rows)


def gather_windows(panel: WindowedPanel, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Copy the values of some windows; meant for one batch, not for a whole part.

    Return the history of target and calendar, float32[batch, lookback, feature]; and the targets, float32[batch,
    horizon], scaled.
    """
    history = panel.values[find_history(panel, origins)][:, :, : panel.columns.calendar.stop]
    return history, gather_targets(panel, origins)


def gather_history(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the history of the target alone: float32[batch, lookback], scaled."""
    return panel.values[find_history(panel, origins), 0]


def gather_targets(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """Return the actual values over the horizon: float32[batch, horizon], scaled."""
    return panel.values[origins[:, None] + np.arange(panel.horizon), 0]
