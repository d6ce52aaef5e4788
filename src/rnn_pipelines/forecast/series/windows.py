"""Windows over series: indices into one array, never copies of it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.parameter_models import ParameterModel

Part = Literal["train", "validation", "test", "future"]


class OpenWindowSpec(ParameterModel, frozen=True):
    """Shape of a window; what is None is chosen by frequency and length of the series.

    Attributes:
        lookback: steps of history that a forecast sees.
        horizon: steps that it reaches ahead, all at once.
        stride: steps from one training window to the next.
    """

    lookback: int | None = Field(default=None, ge=1, le=10**6)
    horizon: int | None = Field(default=None, ge=1, le=10**5)
    stride: int = Field(default=1, ge=1, le=10**6)

    def fill(self, profile: Profile) -> "WindowSpec":
        """With what is open as the data profile has it."""
        lookback, horizon = self.lookback or profile["lookback"], self.horizon or profile["horizon"]
        return WindowSpec(lookback=lookback, horizon=horizon, stride=self.stride)


class WindowSpec(OpenWindowSpec, frozen=True):
    """Shape of a window, with nothing open."""

    lookback: int = Field(default=30, ge=1, le=10**6)
    horizon: int = Field(default=7, ge=1, le=10**5)


class EvaluationSpec(ParameterModel, frozen=True):
    """How forecasts are judged.

    Attributes:
        origins: `rolling`, a forecast from every step of the test part, or `last`, one for each series, of its end.
        season_length: steps in a season, for seasonal naive and MASE; by default that of the frequency.
    """

    origins: Literal["rolling", "last"] = "rolling"
    season_length: int | None = Field(default=None, ge=1, le=10**6)

    def choose_season_length(self, profile: Profile) -> int:
        """The one that is set, or that of the data profile."""
        return self.season_length or profile["season_length"]


@dataclass(frozen=True)
class WindowedPanel:
    """All series, one after another, and where their windows lie.

    A window is known by its origin: the row of its first target. It sees the rows [origin - lookback, origin) and
    forecasts [origin, origin + horizon). The origins of a part are runs of rows, so that the index needs memory for
    the runs and not for the windows. What lies before the beginning of a series is padded: see `find_history`.

    Attributes:
        values: float32[time, feature]; feature 0 is the target, scaled; then come the calendar's, and covariates:
            static ones, those known ahead, and those of the past. Each series ends with `horizon` rows in which the
            target and what is of the past are NaN.
        train, validation, test, future: int64[run, 2], first origin and stop of each run.
        series_starts: int64[series], first row of each series.
        zeros: float32[series], where 0 of the data lies on the scaled axis.
        lookback, horizon, stride: see `WindowSpec`; the stride is that of the training windows.
        season_length: steps in a season; 1 where there is none. Windows are padded by it.
        num_static, num_future, num_past: covariates of each kind, see `Features`.
    """

    values: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    future: np.ndarray
    series_starts: np.ndarray
    zeros: np.ndarray
    lookback: int
    horizon: int
    stride: int
    season_length: int = 1
    num_static: int = 0
    num_future: int = 0
    num_past: int = 0

    @property
    def num_known(self) -> int:
        """Features of the calendar, known in advance."""
        return int(self.values.shape[1] - 1 - self.num_static - self.num_future - self.num_past)

    @property
    def calendar(self) -> slice:
        """The features of the calendar among all."""
        return slice(1, 1 + self.num_known)

    @property
    def static(self) -> slice:
        """The covariates that are static."""
        return slice(self.calendar.stop, self.calendar.stop + self.num_static)

    @property
    def ahead(self) -> slice:
        """The covariates that are known ahead."""
        return slice(self.static.stop, self.static.stop + self.num_future)

    @property
    def moving(self) -> slice:
        """The covariates that change with time: what is known ahead and what is of the past."""
        return slice(self.static.stop, self.values.shape[1])

    def index(self, part: Part) -> "WindowIndex":
        """The windows of one part."""
        return WindowIndex(getattr(self, part), self.stride if part == "train" else 1)


class WindowIndex:
    """The windows of one part, numbered from 0.

    Args:
        runs: int64[run, 2], first origin and stop of each run.
        stride: steps between windows.
    """

    def __init__(self, runs: np.ndarray, stride: int = 1) -> None:
        self.firsts = runs[:, 0]
        self.stride = stride
        counts = -(-(runs[:, 1] - runs[:, 0]) // stride)
        self.stops = np.cumsum(counts)
        self.begins = self.stops - counts

    def __len__(self) -> int:
        return int(self.stops[-1]) if len(self.stops) else 0

    def origins(self, numbers: np.ndarray) -> np.ndarray:
        """Origins of windows: int64[window] numbers to int64[window] rows."""
        run = np.searchsorted(self.stops, numbers, side="right")
        return self.firsts[run] + (numbers - self.begins[run]) * self.stride

    def batches(self, batch_size: int) -> Iterator[np.ndarray]:
        """Origins of all windows in order, int64[batch] at a time."""
        for begin in range(0, len(self), batch_size):
            yield self.origins(np.arange(begin, min(begin + batch_size, len(self))))


def number_series(series_starts: np.ndarray, origins: np.ndarray) -> np.ndarray:
    """The number of the series that each window lies in, from 0.

    By the row before its origin, because the origin of the future lies beyond the series.

    Args:
        series_starts: int64[series], first row of each series.
        origins: int64[window].
    Returns:
        int64[window].
    """
    return np.searchsorted(series_starts, origins - 1, side="right") - 1


def count_padded(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """How many steps of each window's lookback are padding, the oldest ones: int64[batch].

    Args:
        panel: the windows' series.
        origins: int64[batch].
    """
    starts = panel.series_starts[number_series(panel.series_starts, origins)]
    return np.maximum(starts + panel.lookback - origins, 0)


def find_history(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """The rows that windows see as their history, in order of time.

    What lies before the beginning of a series is its oldest season, over and over; its first row where the window sees
    less than a season. All of them lie before the origin: nothing comes from the future or from another series.

    Args:
        panel: the windows' series.
        origins: int64[batch].
    Returns:
        int64[batch, lookback].
    """
    rows = origins[:, None] + np.arange(-panel.lookback, 0)
    if not count_padded(panel, origins).any():
        return rows
    starts = panel.series_starts[number_series(panel.series_starts, origins)][:, None]
    seasons = np.where(origins[:, None] - starts >= panel.season_length, panel.season_length, 1)
    return np.where(rows < starts, starts + (rows - starts) % seasons, rows)


def gather_windows(panel: WindowedPanel, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Copies some windows out: for one batch, not for a whole part.

    Args:
        panel: the windows' series.
        origins: int64[batch].
    Returns:
        History float32[batch, lookback, feature], of target and calendar; features of the calendar at the targets
        float32[batch, horizon, feature - 1]; targets float32[batch, horizon], scaled.
    """
    history = panel.values[find_history(panel, origins)][:, :, : panel.calendar.stop]
    ahead = panel.values[origins[:, None] + np.arange(panel.horizon)]
    return history, ahead[:, :, panel.calendar], ahead[:, :, 0]


def gather_history(panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
    """The target's own past, without what is known ahead: float32[batch, lookback], scaled."""
    return panel.values[find_history(panel, origins), 0]
