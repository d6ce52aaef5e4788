"""From features to windows: one array for all windows, and the origins that gaps and parts allow."""

import logging
from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnn_pipelines.errors import SeriesError, show
from rnn_pipelines.forecast.series.columns import AHEAD, count_steps_ahead
from rnn_pipelines.forecast.series.rows import find_rows, look_up
from rnn_pipelines.forecast.series.tables import Cutoffs, Features, Profile, Scaler
from rnn_pipelines.forecast.windows.panel import (
    EvaluationSpec,
    OpenWindowSpec,
    WindowedPanel,
    WindowIndex,
    WindowSpec,
    number_series,
)
from rnn_pipelines.forecast.windows.scaling import scale
from rnn_pipelines.reading.times import format_time

logger = logging.getLogger(__name__)

# Steps of windows that `max_windows` counts as one.
USUAL_STEPS = 20

# The fraction of the windows of a series that must remain if those with unavailable targets are left out.
MIN_WINDOWS = 0.5

# Columns of the cut-offs: steps of a series before the end of train, of validation and of test.
STOPS = ["train_stop", "validation_stop", "num_steps"]


def find_min_history(window: WindowSpec, season_length: int, num_series: int) -> int:
    """Return the number of steps that a window must see; the rest of its lookback may be padding.

    A series alone has no padding, because its networks get enough windows without it. In a panel, the shortest series
    would otherwise limit the lookback of all. Two seasons show a repeating pattern.
    """
    if num_series == 1:
        return window.lookback
    return min(window.lookback, max(2 * season_length, window.horizon))


def find_min_known(window: WindowSpec, num_series: int) -> int:
    """Return the number of steps before a forecast: one in a panel, the lookback of a series alone."""
    return window.lookback if num_series == 1 else 1


def make_windows(
    features: Features,
    cutoffs: Cutoffs,
    scaler: Scaler,
    window: OpenWindowSpec,
    evaluation: EvaluationSpec,
    profile: Profile,
) -> WindowedPanel:
    """Scale the target and find the windows of every part, of series and cutoffs in the same order.

    The targets of a window decide its part; its history may lie in the part before, as on the day of the forecast. No
    window starts inside a gap, and no part's targets end inside one, because an imputed value there depends on the
    observation after it. No window has imputed targets alone, because it would have no error. No window of training or
    validation has an unavailable target, unless its series would lose more than half of the part.
    """
    window = window.fill(profile)
    season_length = evaluation.choose_season_length(profile)
    starts = find_rows(features.table).starts
    runs = _find_parts(features, starts, cutoffs[STOPS].to_numpy(), window, season_length)
    if evaluation.origins == "last":
        series = number_series(starts, runs["test"][:, 0])
        last = runs["test"][np.diff(series, append=-1) != 0, 1]
        runs["test"] = np.stack([last - 1, last], axis=1)
    # The values of a single series' long windows are those of many windows.
    length = max(window.horizon, USUAL_STEPS) if len(starts) == 1 else USUAL_STEPS
    runs["test"] = thin_runs(
        runs["test"], starts, max(1, evaluation.max_windows * USUAL_STEPS // length)
    )
    return lay_out_windows(features, scaler, window, runs, season_length)


def thin_runs(runs: np.ndarray, starts: np.ndarray, max_windows: int) -> np.ndarray:
    """Return the runs of every k-th origin, counted from the newest of each series, with the smallest k that suffices.

    `runs` are int64[run, 2], of one part, `starts` int64[series]. At least one window of each series is kept.
    """
    index = WindowIndex(runs)
    if len(index) <= max_windows:
        return runs
    origins = index.origins(np.arange(len(index)))
    series = number_series(starts, origins)
    newest = np.zeros(len(starts), np.int64)
    np.maximum.at(newest, series, origins)
    ages = newest[series] - origins
    step = -(-len(origins) // max(max_windows, len(np.unique(series))))
    while (ages % step == 0).sum() > max_windows and step <= ages.max():
        step += 1
    kept = origins[ages % step == 0]
    logger.info(
        "evaluated: %s of %s test windows, every %d steps",
        f"{len(kept):,}",
        f"{len(origins):,}",
        step,
    )
    return np.stack([kept, kept + 1], axis=1)


def _find_parts(
    features: Features,
    starts: np.ndarray,
    stops: np.ndarray,
    window: WindowSpec,
    season_length: int,
) -> dict[str, np.ndarray]:
    """Return the runs of each part, see `find_window_runs`.

    `starts` are int64[series], first row of each; `stops` are int64[series, 3], see `STOPS`.
    """
    table = features.table
    bounds = np.column_stack([starts, starts[:, None] + stops])
    min_history = find_min_history(window, season_length, len(starts))
    observed = table["observed"].to_numpy()
    is_open = table["y"].isna().to_numpy()
    runs = find_window_runs(observed, is_open, bounds, window, min_history)
    # As if all of each series were for training.
    whole = np.column_stack([starts, *(bounds[:, 3],) * 3])
    runs["refit"] = find_window_runs(observed, is_open, whole, window, min_history)["train"]
    if "unavailable" in table:
        unavailable = np.flatnonzero(table["unavailable"])
        for part in ("train", "validation", "refit"):
            runs[part] = _leave_out_targets(runs[part], unavailable, starts, window.horizon)
    # A series without validation and test has no training windows, which might overlap held-out times of others.
    is_learnt = stops[:, 0] < stops[:, 2]
    runs["train"] = runs["train"][is_learnt[number_series(starts, runs["train"][:, 0])]]
    return runs


def make_future_windows(
    features: Features, times: pd.DataFrame, scaler: Scaler, window: WindowSpec, profile: Profile
) -> tuple[WindowedPanel, int]:
    """Return windows for forecasts from given times, as the future of a panel without other parts.

    The features have `window.horizon` steps to forecast; `times` are `unique_id, cutoff`, the last time that each
    forecast sees; the profile is that of the scaler, see `make_windows`. Return the number of times without a window,
    too, because a value is missing in the lookback, a future covariate is missing over the horizon, or the series is
    too short.
    """
    table = features.table
    starts = find_rows(features.table).starts
    rows = table[["unique_id", "ds"]].rename(columns={"ds": "cutoff"}).assign(row=range(len(table)))
    origins = times[["unique_id", "cutoff"]].merge(rows)["row"].to_numpy(int) + 1
    firsts = starts[number_series(starts, origins)]
    num_empty = np.concatenate([[0], np.cumsum(table["y"].isna())])
    begins = np.maximum(origins - window.lookback, firsts)
    min_known = find_min_known(window, profile["num_series"])
    is_whole = (origins - firsts >= min_known) & (num_empty[origins] == num_empty[begins])
    for role in AHEAD:
        is_dark = table[list(features.covariates.get(role, ()))].isna().any(axis=1)
        num_dark = np.concatenate([[0], np.cumsum(is_dark)])
        stops = origins + count_steps_ahead(role, window.horizon)
        is_whole &= num_dark[np.minimum(stops, len(table))] == num_dark[origins]
    runs = np.stack([origins, origins + 1], axis=1)[is_whole]
    panel = lay_out_windows(features, scaler, window, {"future": runs}, profile["season_length"])
    return panel, int((~is_whole).sum())


def lay_out_windows(
    features: Features,
    scaler: Scaler,
    window: WindowSpec,
    runs: Mapping[str, np.ndarray],
    season_length: int,
) -> WindowedPanel:
    """Return all series in one array, with the target scaled, and the given runs of windows.

    `runs` are int64[run, 2] by part; a missing part has none.
    """
    table = features.table
    rows = find_rows(features.table)
    means = look_up(table, scaler, "mean")
    deviations = look_up(table, scaler, "deviation")
    inputs = [*features.calendar, *features.names]
    values = np.empty((len(table), 1 + len(inputs)), np.float32)
    values[:, 1:] = table[inputs]
    scaled = scale(table["y"].to_numpy(), rows.spread(means), rows.spread(deviations))
    _check_float32_range(table, scaled)
    values[:, 0] = scaled
    none = np.zeros((0, 2), np.int64)
    return WindowedPanel(
        values=values,
        series_starts=rows.starts,
        zeros=scale(np.zeros(len(means)), means, deviations).astype(np.float32),
        lookback=window.lookback,
        horizon=window.horizon,
        stride=window.stride,
        season_length=season_length,
        roles=np.array(features.roles, str),
        names=np.array(features.names, str),
        train=runs.get("train", none),
        validation=runs.get("validation", none),
        test=runs.get("test", none),
        future=runs.get("future", none),
        refit=runs.get("refit", none),
        open_calendar=np.array(
            [features.calendar.index(name) for name in features.open_calendar], np.int64
        ),
        negative_series=np.flatnonzero(look_up(table, scaler, "lowest") < 0),
    )


def _check_float32_range(table: pd.DataFrame, scaled: np.ndarray) -> None:
    """Raise a SeriesError if a scaled value is infinite in float32, in which networks compute."""
    wrong = np.abs(scaled) > np.finfo(np.float32).max
    if wrong.any():
        row = table[wrong].iloc[0]
        value = scaled[wrong][0]
        raise SeriesError(
            f"series {show(row['unique_id'])} at {format_time(row['ds'])}: {row['y']:g} is {value:.3g} deviations from "
            "the mean of the training part, more than networks compute with. Correct the value, or leave its cell "
            "empty."
        )


def find_window_runs(
    observed: np.ndarray,
    is_open: np.ndarray,
    bounds: np.ndarray | tuple[int, ...],
    window: WindowSpec,
    min_history: int | None = None,
) -> dict[str, np.ndarray]:
    """Find the origins that windows may have: first origin and stop of each run, in order, int64[run, 2] for each part.

    Args:
        observed: bool[time], False if the source had no value; `is_open`: True if that value was not imputed.
        bounds: int64[series, 4], first row of train, of validation, of test, and the row after the last one.
        min_history: steps of its series before an origin; None for the lookback.
    """
    bounds = np.atleast_2d(bounds)
    holes = _find_holes(observed, False, bounds)
    open_holes = _find_holes(is_open, True, bounds)
    free = _find_free(holes, open_holes, bounds, window)
    runs = {}
    for number, part in enumerate(("train", "validation", "test")):
        firsts = bounds[:, number]
        stops = bounds[:, number + 1]
        observed_stops = np.maximum(_leave_out_holes(holes, stops), firsts)
        with_history = np.maximum(firsts, bounds[:, 0] + (min_history or window.lookback))
        runs[part] = _intersect(free, with_history, observed_stops - window.horizon + 1)
    # A series ends with a value, or with an unavailable one that is filled.
    free = _find_free(holes[:0], open_holes, bounds, window)
    return runs | {"future": _intersect(free, bounds[:, 3], bounds[:, 3] + 1)}


def _find_holes(mask: np.ndarray, wanted: bool, bounds: np.ndarray) -> np.ndarray:
    """Return the rows inside the series with `mask` equal to `wanted`; rows beyond a series' end are no holes."""
    rows = _find_true(mask, wanted)
    return rows[rows < bounds[number_series(bounds[:, 0], rows + 1), 3]]


def _find_free(
    holes: np.ndarray, open_holes: np.ndarray, bounds: np.ndarray, window: WindowSpec
) -> np.ndarray:
    """Return the runs of rows that holes allow as origins, in any part: int64[run, 2].

    A hole excludes the origin after it. Adjacent holes over a whole horizon exclude the origin at the first of them. An
    open hole excludes every window of its series that spans it.
    """
    firsts = holes[window.horizon - 1 :] - window.horizon + 1
    blind = firsts[firsts == holes[: len(firsts)]]
    of_open = bounds[number_series(bounds[:, 0], open_holes + 1)]
    first_blocked = np.maximum(open_holes - window.horizon + 1, of_open[:, 0] + 1)
    stop_blocked = np.minimum(open_holes + window.lookback, of_open[:, 3]) + 1
    begins = np.concatenate([blind, holes + 1, first_blocked])
    stops = np.concatenate([blind + 1, holes + 2, stop_blocked])
    return _find_between(begins, stops, bounds[-1, 3] + 1)


def _find_between(begins: np.ndarray, stops: np.ndarray, edge: int) -> np.ndarray:
    """Return the runs of rows before `edge` that lie in no stretch [begin, stop): int64[run, 2]."""
    order = np.argsort(begins)
    free = np.stack(
        [np.append(0, np.maximum.accumulate(stops[order])), np.append(begins[order], edge)], axis=1
    )
    return free[free[:, 0] < free[:, 1]]


def _leave_out_targets(
    runs: np.ndarray, unavailable: np.ndarray, starts: np.ndarray, horizon: int
) -> np.ndarray:
    """Return the runs of a part without windows that have an unavailable target; see `make_windows`."""
    free = _find_between(unavailable - horizon + 1, unavailable + 1, runs.max(initial=0))
    kept = _intersect(free, runs[:, 0], runs[:, 1])
    series = number_series(starts, runs[:, 0])
    series_kept = number_series(starts, kept[:, 0])
    num_windows = np.bincount(series, np.diff(runs)[:, 0], len(starts))
    num_kept = np.bincount(series_kept, np.diff(kept)[:, 0], len(starts))
    is_enough = num_kept >= MIN_WINDOWS * num_windows
    chosen = np.concatenate([kept[is_enough[series_kept]], runs[~is_enough[series]]])
    return chosen[np.argsort(chosen[:, 0])]


def _leave_out_holes(holes: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the stops, each moved before the holes that directly precede it."""
    is_first = np.diff(holes, prepend=-2) != 1
    first_of_stretch = holes[np.maximum.accumulate(np.where(is_first, np.arange(len(holes)), 0))]
    # If no hole lies before a stop, the number is -1, which selects the row -2.
    number = np.searchsorted(holes, stops) - 1
    return np.where(
        np.append(holes, -2)[number] == stops - 1, np.append(first_of_stretch, -2)[number], stops
    )


def _intersect(free: np.ndarray, firsts: np.ndarray, stops: np.ndarray) -> np.ndarray:
    """Return the free runs inside each stretch [first, stop), int64[run, 2]."""
    begins = np.searchsorted(free[:, 1], firsts, side="right")
    counts = np.maximum(np.searchsorted(free[:, 0], stops) - begins, 0)
    stretch = np.repeat(np.arange(len(firsts)), counts)
    number = np.arange(len(stretch)) - np.repeat(np.cumsum(counts) - counts - begins, counts)
    runs = np.stack(
        [np.maximum(free[number, 0], firsts[stretch]), np.minimum(free[number, 1], stops[stretch])],
        axis=1,
    )
    return runs[runs[:, 0] < runs[:, 1]]


def _find_true(mask: np.ndarray, wanted: bool, block: int = 1 << 16) -> np.ndarray:
    """Return the rows with `mask` equal to `wanted`; in blocks, so that a long series needs no second mask."""
    blocks = range(0, len(mask), block)
    return np.concatenate(
        [begin + np.flatnonzero(mask[begin : begin + block] == wanted) for begin in blocks]
    )
