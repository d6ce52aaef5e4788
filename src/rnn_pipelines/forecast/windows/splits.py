"""Chronological parts of each series: train, validation, test. No part is drawn at random."""

from typing import Annotated, get_args

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import SeriesError, SeriesTooShortError, count, show
from rnn_pipelines.forecast.series.rows import SeriesRows, find_rows, list_series_names
from rnn_pipelines.forecast.series.tables import Cutoffs, Series
from rnn_pipelines.forecast.windows.panel import Part, WindowSpec, number_series
from rnn_pipelines.forecast.windows.scaling import group_training
from rnn_pipelines.forecast.windows.windowing import find_min_history, find_window_runs
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.as_of import parse_first, parse_time
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.reading.zones import read_local

Fraction = Annotated[float, Field(gt=0, lt=1)]
NumSteps = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Size = Annotated[
    NumSteps | Fraction | str,
    expect("a fraction above 0 and below 1, a number of steps from 1 on, or a date"),
]

# Most horizons of an open test part, enough for any comparison.
MAX_HORIZONS = 100
# Fewest values before a forecast that is evaluated.
MIN_KNOWN = 3


class SplitSpec(ParameterModel, frozen=True):
    """The sizes of validation and test, each as a fraction, a number of steps, or a date.

    Attributes:
        validation: part before the test part: fraction of the series, number of steps, or its first timestamp; None
            for a tenth, at least one horizon.
        test: part at each series' end, in the same three forms; None for a fifth, at least one horizon and at most
            100. If this leaves too few steps for training, parts of None are one horizon, or are left out.
    """

    validation: Size | None = None
    test: Size | None = None


def place_dates(split: SplitSpec, tz: str | None) -> SplitSpec:
    """Return the split with dates on the axis of the series: UTC if its times are shown in a zone."""
    if tz is None:
        return split
    dates = {name: part for name, part in split.model_dump().items() if isinstance(part, str)}
    try:
        placed = {name: str(read_local(parse_time(part), tz)) for name, part in dates.items()}
    except ValueError:
        return split  # `_count_steps` reports an invalid date
    return split.model_copy(update=placed)


def split_series(
    series: Series, split: SplitSpec, window: WindowSpec, season_length: int = 1
) -> Cutoffs:
    """Find the cut-offs between train, validation and test in every usable series.

    A series is usable if a window fits after its end. It is evaluated if windows fit into its validation and test
    parts. If they do not, and the sizes of the parts are open, it is evaluated on one window at its end. Otherwise it
    is only forecast: all of it is its training part, for the scale alone. Raise a SeriesTooShortError or another
    SeriesError if no series can be used.
    """
    rows = find_rows(series)
    min_history = find_min_history(window, season_length, len(rows.stops))
    train_stops, validation_stops = find_stops(series, split, window)
    bounds = np.stack(
        [np.zeros_like(train_stops), train_stops, validation_stops, rows.lengths], axis=1
    )
    has_windows = _find_windows(series, bounds, window, min_history)
    is_evaluated = has_windows[:, 1:].all(axis=1)
    if split.validation is None:
        is_short = ~is_evaluated
        num_known = _count_known(series, rows)
        bounds[is_short, 1:3] = (
            num_known - _find_test_steps(split, num_known, validation_stops, window, season_length)
        )[is_short, None]
        is_evaluated |= _find_windows(series, bounds, window, min_history)[:, 2:].all(axis=1)
    elif not has_windows[is_evaluated, 0].any():
        raise _explain(series[: rows.stops[0]], bounds[0], has_windows[0], window, min_history)
    bounds[~is_evaluated, 1:3] = bounds[~is_evaluated, 3:]
    deviations = group_training(series, bounds[:, 1]).std(ddof=0)
    is_scaled = (deviations < np.inf).reindex(range(len(bounds)), fill_value=False).to_numpy()
    is_usable = has_windows[:, 3] & is_scaled
    if not is_usable.any():
        raise _explain(series[: rows.stops[0]], bounds[0], has_windows[0], window, min_history)
    return _tabulate(series, bounds, is_usable)


def _find_test_steps(
    split: SplitSpec,
    num_steps: np.ndarray,
    validation_stops: np.ndarray,
    window: WindowSpec,
    season_length: int,
) -> np.ndarray:
    """Return the steps of a test part without a validation part, 0 if too few steps are left: int64[series]."""
    horizon = window.horizon
    if split.test is not None:
        return num_steps - validation_stops
    return np.where(num_steps - horizon >= find_least_known(horizon, season_length), horizon, 0)


def find_least_known(horizon: int, season_length: int) -> int:
    """Return the steps before a test part of one horizon: two seasons or two horizons, at least 3."""
    return max(MIN_KNOWN, 2 * min(season_length, horizon))


def _tabulate(series: Series, bounds: np.ndarray, is_usable: np.ndarray) -> Cutoffs:
    rows = find_rows(series)
    ds = series["ds"]
    starts = rows.starts[is_usable]
    lasts = rows.stops[is_usable] - 1
    used = bounds[is_usable]
    return pd.DataFrame(
        {
            "unique_id": list_series_names(series)[is_usable].reset_index(drop=True),
            "num_steps": used[:, 3],
            "train_stop": used[:, 1],
            "validation_stop": used[:, 2],
            "validation_from": ds.array[np.minimum(starts + used[:, 1], lasts)],
            "test_from": ds.array[np.minimum(starts + used[:, 2], lasts)],
        }
    )


def find_stops(
    series: Series, split: SplitSpec, window: WindowSpec
) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of train and validation of each series, even if no window fits: int64[series] each."""
    rows = find_rows(series)
    ds = series["ds"]
    num_steps = _count_known(series, rows)
    horizon = window.horizon
    fifth, tenth = (np.rint(part * num_steps).astype(np.int64) for part in (0.2, 0.1))
    test = np.clip(fifth, horizon, MAX_HORIZONS * horizon)
    if split.test is not None:
        test = _count_steps(split.test, ds, rows, num_steps)
    validation = np.maximum(tenth, horizon)
    if split.validation is not None:
        validation = _count_steps(split.validation, ds, rows, num_steps - test)
    is_short = num_steps - test - validation < count_training_steps(window, len(num_steps))
    if split.validation is None:
        validation = np.where(is_short, horizon, validation)
    if split.test is None:
        test = np.where(is_short, horizon, test)
    return num_steps - test - validation, num_steps - test


def _count_known(series: Series, rows: SeriesRows) -> np.ndarray:
    """Return the steps of each series up to its last observed value: unavailable values may follow it."""
    places = np.where(series["observed"], rows.places + 1, 0)
    return np.maximum.reduceat(places, rows.starts)


def count_training_steps(window: WindowSpec, num_series: int) -> int:
    """Return the steps of a training part: a window, and for a series alone some more windows."""
    return window.lookback + window.horizon * (2 if num_series == 1 else 1)


def find_not_evaluated(cutoffs: Cutoffs) -> np.ndarray:
    """Return whether a series is only forecast, without training, validation and test: bool[series]."""
    return (cutoffs["train_stop"] == cutoffs["num_steps"]).to_numpy()


def _count_steps(
    part: int | float | str, ds: pd.Series, rows: SeriesRows, stops: np.ndarray
) -> np.ndarray:
    """Count the steps of each series that belong to a part, which ends at `stops`: int64[series]."""
    if isinstance(part, int):
        return np.full_like(stops, part)
    if isinstance(part, float):
        return np.rint(part * rows.lengths).astype(np.int64)
    try:
        # Through UTC, like the timestamps of the series.
        first = parse_first(part, ds, None)
    except ValueError as error:
        raise SeriesError(
            f"split: expected a fraction, a number of steps or a timestamp like those of the series "
            f"({format_time(ds.iloc[0])}), received {show(part)}."
        ) from error
    num_before = np.add.reduceat((ds < first).to_numpy(), rows.starts, dtype=np.int64)
    return np.maximum(stops - num_before, 0)


def _find_windows(
    series: Series, bounds: np.ndarray, window: WindowSpec, min_history: int
) -> np.ndarray:
    """Return whether each part has windows, bool[series, part]; `bounds`: int64[series, 4], see `find_window_runs`."""
    starts = find_rows(series).starts
    inside = starts[:, None] + np.clip(bounds, 0, bounds[:, 3:])
    runs = find_window_runs(
        series["observed"].to_numpy(), series["y"].isna().to_numpy(), inside, window, min_history
    )
    has_windows = np.zeros(bounds.shape, bool)
    for part, of_part in enumerate(runs.values()):
        has_windows[number_series(starts, of_part[:, 0]), part] = True
    return has_windows


def _explain(
    group: Series, bounds: np.ndarray, has_windows: np.ndarray, window: WindowSpec, min_history: int
) -> SeriesError:
    """Return the error that describes one unusable series."""
    name = group["unique_id"].iloc[0]
    parts = get_args(Part)
    least = [min_history + window.horizon, window.horizon, window.horizon]
    for part, length, needed in zip(parts, np.diff(bounds), least, strict=False):
        if length < needed:
            return SeriesTooShortError(
                f"series {show(name)} has {count(len(group), 'step')}, leaving {max(length, 0)} for {part}; it needs "
                f"{needed} or more (lookback {window.lookback}, horizon {window.horizon}). Shorten window.lookback or "
                "window.horizon, change split.validation or split.test, or leave the series out."
            )
    empty = [part for part, has in zip(parts, has_windows, strict=True) if not has]
    if empty:
        return SeriesError(
            f"series {show(name)}: no window of {window.lookback} + {window.horizon} steps fits the gaps of {empty}. "
            "Fill them, give gaps=interpolate, or shorten window.lookback, window.horizon, split.validation or "
            "split.test."
        )
    return SeriesError(
        f"series {show(name)} is beyond what numbers can hold: the deviation of its training part, up to "
        f"{format_time(group['ds'].iloc[bounds[1] - 1])}, is infinite. Leave the series out."
    )
