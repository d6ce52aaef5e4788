"""Windows over series: indices into one array, never copies of it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from rnn_pipelines.forecast.series.scaling import scale

Part = Literal["train", "validation", "test", "future"]


class WindowSpec(BaseModel, extra="forbid", frozen=True):
    """Shape of a window.

    Attributes:
        lookback: steps of history that a forecast sees.
        horizon: steps that it reaches ahead, all at once.
        stride: steps from one training window to the next.
    """

    lookback: int = Field(30, ge=1)
    horizon: int = Field(7, ge=1)
    stride: int = Field(1, ge=1)


class EvaluationSpec(BaseModel, extra="forbid", frozen=True):
    """How forecasts are judged.

    Attributes:
        origins: `rolling`, a forecast from every step of the test part, or `last`, one for each series, of its end.
        season_length: steps in a season, for seasonal naive and MASE; by default that of the frequency.
    """

    origins: Literal["rolling", "last"] = "rolling"
    season_length: int | None = Field(None, ge=1)

    def choose_season_length(self, profile: Mapping[str, Any]) -> int:
        """The one that is set, or that of the data profile."""
        return self.season_length or int(profile["season_length"])


@dataclass(frozen=True)
class WindowedPanel:
    """All series, one after another, and where their windows lie.

    A window is known by its origin: the row of its first target. It sees the rows [origin - lookback, origin) and
    forecasts [origin, origin + horizon). The origins of a part are runs of rows, so that the index needs memory for
    the runs and not for the windows.

    Attributes:
        values: float32[time, feature]; feature 0 is the target, scaled, the others are known in advance. Each series
            ends with `horizon` rows whose target is NaN.
        train, validation, test, future: int64[run, 2], first origin and stop of each run.
        series_starts: int64[series], first row of each series.
        lookback, horizon, stride: see `WindowSpec`; the stride is that of the training windows.
    """

    values: np.ndarray
    train: np.ndarray
    validation: np.ndarray
    test: np.ndarray
    future: np.ndarray
    series_starts: np.ndarray
    lookback: int
    horizon: int
    stride: int

    @property
    def num_known(self) -> int:
        """Features that are known in advance."""
        return int(self.values.shape[1] - 1)

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


def make_windows(
    features: pd.DataFrame, cutoffs: pd.DataFrame, scaler: pd.DataFrame, window: WindowSpec, evaluation: EvaluationSpec
) -> WindowedPanel:
    """Scales the target and finds the windows of every part.

    Targets decide which part a window belongs to; its history may lie in the part before, as it would on the day of
    the forecast. No window starts inside a gap, and no part's targets end inside one, because a value filled in there
    leans on the observation after it. No window has filled targets alone, for it would have nothing to be judged by.

    Args:
        features: what `add_known_features` returns for `window.horizon` future steps.
        cutoffs: what `split_series` returns.
        scaler: what `fit_scaler` returns.
        window: shape of the windows.
        evaluation: which origins the test part has.
    """
    sizes = cutoffs["num_steps"].to_numpy() + window.horizon
    starts = np.cumsum(sizes) - sizes
    statistics = scaler.set_index("unique_id").loc[cutoffs["unique_id"]]
    known = features.columns.drop(["unique_id", "ds", "y", "observed", "signal"], errors="ignore")
    values = np.empty((len(features), 1 + len(known)), np.float32)
    values[:, 0], values[:, 1:] = np.nan, features[known]
    observed = features["observed"].to_numpy()
    runs: dict[str, list[np.ndarray]] = {"train": [], "validation": [], "test": [], "future": []}
    for start, cut, statistic in zip(starts, cutoffs.itertuples(), statistics.itertuples(), strict=True):
        rows = slice(start, start + cut.num_steps)
        target = features["y"].to_numpy()[rows]
        values[rows, 0] = scale(target, statistic.mean, statistic.deviation)
        bounds = (0, cut.train_stop, cut.validation_stop, cut.num_steps)
        for part, found in find_runs(observed[rows], np.isnan(target), bounds, window).items():
            runs[part].append(start + found)
    if evaluation.origins == "last":
        runs["test"] = [np.stack([found[-1:, 1] - 1, found[-1:, 1]], axis=1) for found in runs["test"]]
    return WindowedPanel(
        values=values,
        series_starts=starts,
        lookback=window.lookback,
        horizon=window.horizon,
        stride=window.stride,
        **{part: np.concatenate(found) for part, found in runs.items()},
    )


def find_runs(
    observed: np.ndarray, is_open: np.ndarray, bounds: tuple[int, int, int, int], window: WindowSpec
) -> dict[str, np.ndarray]:
    """Finds the origins that the windows of one series may have.

    Args:
        observed: bool[time], False where the source had no value.
        is_open: bool[time], True where that value was not filled in.
        bounds: first row of train, of validation, of test, and the number of steps.
        window: shape of the windows.
    Returns:
        int64[run, 2] for each part: first origin and stop of each run, in rows of this series.
    """
    holes, open_holes = _find_true(observed, False), _find_true(is_open, True)
    # First of as many holes as the horizon has steps.
    firsts = holes[window.horizon - 1 :] - window.horizon + 1
    blind = firsts[firsts == holes[: len(firsts)]]
    # A hole forbids the origin after it; an open hole, every window that reaches across.
    begins = np.concatenate([blind, holes + 1, open_holes - window.horizon + 1])
    stops = np.concatenate([blind + 1, holes + 2, open_holes + window.lookback + 1])
    order = np.argsort(begins)
    begins, stops = begins[order], np.maximum.accumulate(stops[order])

    def free_runs(first: int, stop: int) -> np.ndarray:
        firsts = np.maximum(np.concatenate([[first], stops]), first)
        ends = np.minimum(np.concatenate([begins, [stop]]), stop)
        return np.stack([firsts, ends], axis=1)[firsts < ends]

    found = {}
    for part, first, stop in zip(("train", "validation", "test"), bounds, bounds[1:], strict=False):
        observed_stop = stop
        while observed_stop > first and not observed[observed_stop - 1]:
            observed_stop -= 1
        found[part] = free_runs(max(first, window.lookback), observed_stop - window.horizon + 1)
    return found | {"future": free_runs(bounds[3], bounds[3] + 1)}


def _find_true(mask: np.ndarray, wanted: bool, block: int = 1 << 16) -> np.ndarray:
    """Where `mask` equals `wanted`; block by block, so that a long series needs no second mask."""
    blocks = range(0, len(mask), block)
    return np.concatenate([begin + np.flatnonzero(mask[begin : begin + block] == wanted) for begin in blocks])


def gather_windows(panel: WindowedPanel, origins: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Copies some windows out: for one batch, not for a whole part.

    Args:
        panel: the windows' series.
        origins: int64[batch].
    Returns:
        History float32[batch, lookback, feature], known features of the targets float32[batch, horizon, feature - 1],
        targets float32[batch, horizon], scaled.
    """
    history = panel.values[origins[:, None] + np.arange(-panel.lookback, 0)]
    ahead = panel.values[origins[:, None] + np.arange(panel.horizon)]
    return history, ahead[:, :, 1:], ahead[:, :, 0]
