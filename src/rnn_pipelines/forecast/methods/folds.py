"""Folds: parts of the past that are held out in turn, so that each method is validated on held-out windows."""

from dataclasses import dataclass, replace
from itertools import count, pairwise

import numpy as np

from rnn_pipelines.forecast.windows.panel import WindowedPanel

NUM_BLOCKS = 5
# The number of validation origins of a panel, the most that leave enough windows. Each holds out all later windows.
NUM_ORIGINS = (3, 2, 1)
# More windows than these add nothing, because they overlap.
MAX_FITTED, MAX_VALIDATION = 20_000, 4_000
# Of a single series with a long horizon, whose windows overlap most: windows in a horizon, at least these in a fold.
WINDOWS_IN_HORIZON, MIN_VALIDATION = 24, 200
# The smallest number of training windows of a fold; with fewer, there is no validation.
MIN_SEEN = 8
# The level drifts if more than this part of the newest windows have a mean outside the range of earlier means.
MAX_OUTSIDE = 0.2


@dataclass(frozen=True)
class Folds:
    """The past of a panel, and the part of it that each fold holds out."""

    # int64[window], origins of the training windows, evenly spaced, equally many of each series
    fitted: np.ndarray
    validation: np.ndarray  # int64[validation], origins of the validation windows
    fold: np.ndarray  # int64[validation], the fold that holds each validation window out
    # `begins` and `stops`: int64[fold, series], first held-out origin of each series, and the stop.
    begins: np.ndarray
    stops: np.ndarray
    horizon: (
        int  # steps between training and held-out windows, so that their targets do not overlap
    )
    is_forward: bool  # whether later windows are held out too, because the level drifts or there are many series
    is_enough: bool  # whether there are enough windows for validation

    def __len__(self) -> int:
        return len(self.begins) if self.is_enough else 0

    @property
    def num_independent(self) -> float:
        """The number of independent validation windows; windows within one horizon of each other overlap."""
        spans = self.stops - self.begins
        return float(np.maximum(spans / self.horizon, spans > 0).sum())

    def find_seen(self, origins: np.ndarray, series: np.ndarray) -> np.ndarray:
        """Return whether each fold trains on each origin: bool[fold, window]; no folds if there are too few windows."""
        seen = origins + self.horizon <= self.begins[: len(self), series]
        if not self.is_forward:
            seen |= origins >= self.stops[: len(self), series] + self.horizon - 1
        return seen


def make_folds(panel: WindowedPanel) -> Folds:
    """Hold out parts of the training and validation windows in turn; the test windows are not touched.

    A single series has five blocks, with a horizon before and after each, so that training and held-out targets do not
    overlap. If its level drifts, the blocks divide the newest half, and all later windows are held out too, because
    interpolation is easier than extrapolation. A panel has three origins at its end, or fewer if it is short.
    """
    past = list_past(panel)
    series = panel.find_series(past)
    if len(panel.series_starts) > 1:
        tried = []
        for number in NUM_ORIGINS:
            tried.append(
                _hold_out(
                    panel, past, series, *_find_panel_origins(panel, past, series, number), True
                )
            )
            if tried[-1].is_enough:
                return tried[-1]
        return tried[0]
    is_forward = len(past) > 0 and measure_level_drift(panel, past) > MAX_OUTSIDE
    edges = np.linspace(len(past) // 2 if is_forward else 0, len(past), NUM_BLOCKS + 1).astype(int)
    edges = np.append(past, past[-1:] + 1)[edges] if len(past) else edges
    return _hold_out(panel, past, series, edges[:-1, None], edges[1:, None], is_forward)


def count_needed_values(panel: WindowedPanel, is_forward: bool) -> int:
    """Return about how many values a series needs, so that there are enough windows for validation.

    The parts count as if their sizes were open. The lookback is that of the panel, and that of a longer series may be
    longer.
    """
    horizon = panel.horizon
    num_series = len(panel.series_starts)
    num_windows = horizon - (-MIN_SEEN // num_series)
    if num_series == 1:
        num_windows = next(
            number for number in count(1) if _is_enough_alone(number, horizon, is_forward)
        )
    # One horizon of the windows is lost between training and validation.
    num_learnt = num_windows + panel.lookback + 2 * horizon - 2
    return max(num_learnt + horizon, -(-5 * num_learnt // 4))


def _is_enough_alone(num_windows: int, horizon: int, is_forward: bool) -> bool:
    """Return whether so many windows of a single series are enough for its folds."""
    edges = np.linspace(num_windows // 2 if is_forward else 0, num_windows, NUM_BLOCKS + 1).astype(
        int
    )
    num_seen = np.maximum(0, edges[:-1] - horizon + 1)
    if not is_forward:
        num_seen += np.maximum(0, num_windows - edges[1:] - horizon + 1)
    return bool((num_seen >= MIN_SEEN).all() and (np.diff(edges) > 0).all())


def _hold_out(
    panel: WindowedPanel,
    past: np.ndarray,
    series: np.ndarray,
    begins: np.ndarray,
    stops: np.ndarray,
    is_forward: bool,
) -> Folds:
    fitted = thin_origins(past, series, MAX_FITTED)
    horizon = panel.horizon
    held_out = []
    numbers = []
    for number, (begin, stop) in enumerate(zip(begins, stops, strict=True)):
        inside = (past >= begin[series]) & (past < stop[series])
        most = MAX_VALIDATION // len(begins)
        if begins.shape[1] == 1 and horizon > WINDOWS_IN_HORIZON:
            most = min(most, max(MIN_VALIDATION, int(inside.sum()) * WINDOWS_IN_HORIZON // horizon))
        held_out.append(thin_origins(past[inside], series[inside], most))
        numbers.append(np.full(len(held_out[-1]), number))
    validation = np.concatenate(held_out)
    fold = np.concatenate(numbers)
    folds = Folds(
        fitted, validation, fold, begins, stops, panel.horizon, is_forward, is_enough=True
    )
    num_seen = folds.find_seen(fitted, panel.find_series(fitted)).sum(axis=1)
    num_held_out = np.bincount(fold, minlength=len(begins))
    return replace(folds, is_enough=bool((num_seen >= MIN_SEEN).all()) and bool(num_held_out.all()))


def list_past(panel: WindowedPanel) -> np.ndarray:
    """Return the origins of all training and validation windows, in order: int64[window]."""
    return np.sort(np.concatenate([panel.list_origins("train"), panel.list_origins("validation")]))


def list_refit(panel: WindowedPanel) -> np.ndarray:
    """Return the origins of the windows for the models in use, thinned like those of the training: int64[window]."""
    origins = panel.list_origins("refit")
    return thin_origins(origins, panel.find_series(origins), MAX_FITTED)


def measure_level_drift(panel: WindowedPanel, past: np.ndarray) -> float:
    """Return the share of the newest half of the windows with a mean outside the range of means before their block."""
    sums = np.concatenate(
        [[0.0], np.cumsum(np.nan_to_num(panel.values[: past[-1], 0]), dtype=np.float64)]
    )
    means = (sums[past] - sums[np.maximum(past - panel.lookback, 0)]) / panel.lookback
    edges = np.linspace(len(past) // 2, len(past), NUM_BLOCKS + 1).astype(int)
    num_outside = 0
    for begin, stop in pairwise(edges):
        before = means[: max(1, begin - panel.horizon)]
        block = means[begin:stop]
        num_outside += int(((block < before.min()) | (block > before.max())).sum())
    return num_outside / max(1, len(past) - edges[0])


def _find_panel_origins(
    panel: WindowedPanel, past: np.ndarray, series: np.ndarray, number: int
) -> tuple[np.ndarray, np.ndarray]:
    """Return first and stop of the origins that each of some folds holds out: int64[fold, series] each."""
    num_series = len(panel.series_starts)
    firsts, stops = np.zeros((2, num_series), np.int64)
    firsts[series[::-1]] = past[::-1]
    stops[series] = past + 1
    validation = panel.find_series(panel.list_origins("validation"))
    num_validated = np.bincount(validation, minlength=num_series) + panel.horizon - 1
    gap = np.maximum(panel.horizon, num_validated // number)
    folds = []
    for _ in range(number):
        # Moved back to an origin, because there are none in gaps and between training and validation.
        last = np.append(-1, past)[np.searchsorted(past, stops)]
        # No fold begins before the first window, so that its span counts windows.
        stops = np.maximum(last + 1, firsts)
        folds.append((np.maximum(stops - np.maximum(1, gap - panel.horizon + 1), firsts), stops))
        stops = stops - gap
    begins, ends = zip(*reversed(folds), strict=True)
    return np.stack(begins), np.stack(ends)


def thin_origins(origins: np.ndarray, series: np.ndarray, max_windows: int) -> np.ndarray:
    """Return at most `max_windows` origins, evenly spaced, with equally many of each series if possible."""
    if len(origins) <= max_windows:
        return origins
    counts = np.bincount(series)
    firsts = np.cumsum(counts) - counts
    there = np.flatnonzero(counts)
    if len(there) > max_windows:
        there = there[np.linspace(0, len(there) - 1, max_windows).astype(int)]
    # Equal shares, at least 1 each, and at most the count.
    share = 1
    high = int(counts[there].max())
    while share < high:
        middle = (share + high + 1) // 2
        if np.minimum(counts[there], middle).sum() <= max_windows:
            share = middle
        else:
            high = middle - 1
    pairs = zip(firsts[there], counts[there], strict=True)
    places = [
        first + np.linspace(0, count - 1, min(count, share)).astype(int) for first, count in pairs
    ]
    return origins[np.concatenate(places)]
