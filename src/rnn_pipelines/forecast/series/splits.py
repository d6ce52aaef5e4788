"""Chronological parts of each series: train, validation, test. No part is drawn at random."""

from typing import Annotated, get_args

import numpy as np
import pandas as pd
from pydantic import Field

from rnn_pipelines.errors import SeriesError, SeriesTooShortError, show
from rnn_pipelines.forecast.series.rows import SeriesRows, find_rows, list_names
from rnn_pipelines.forecast.series.scaling import group_training
from rnn_pipelines.forecast.series.tables import Cutoffs, Series
from rnn_pipelines.forecast.series.windowing import find_runs
from rnn_pipelines.forecast.series.windows import Part, WindowSpec, number_series
from rnn_pipelines.parameter_models import ParameterModel, expect
from rnn_pipelines.reading.as_of import parse_step, parse_time
from rnn_pipelines.reading.times import format_time
from rnn_pipelines.reading.zones import read_local

Fraction = Annotated[float, Field(gt=0, lt=1)]
NumSteps = Annotated[int, Field(ge=1, le=10**9, strict=True)]
Size = Annotated[
    NumSteps | Fraction | str, expect("a fraction above 0 and below 1, a number of steps from 1 on, or a date")
]


class SplitSpec(ParameterModel, frozen=True):
    """The sizes of validation and test, each as a fraction, a number of steps, or a date.

    Attributes:
        validation: part before the test part: fraction of the series, number of steps, or its first timestamp.
        test: part at each series' end, in the same three forms.
    """

    validation: Size = 0.1
    test: Size = 0.2


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


def split_series(series: Series, split: SplitSpec, window: WindowSpec, min_history: int | None = None) -> Cutoffs:
    """Find the cut-offs between train, validation and test in every usable series.

    A series is usable if windows fit into its validation and test parts, and if its training part has a scale. If no
    window fits into its training part, it is evaluated but not trained on. If none fits into validation or test, but
    one after its end, it is only forecast: all of it is its training part, for the scale alone, and `make_windows`
    gives it no training windows.

    Args:
        split: sizes or dates of the parts.
        window: lookback + horizon must fit into train, one horizon into validation and test each.
        min_history: necessary steps of the lookback, see `find_min_history`; None for all.
    Raises:
        SeriesTooShortError: no series can be used; a part of the first one is too short for the windows.
        SeriesError: no series can be used; in the first one, gaps leave a part without windows, or the training part
            is constant.
    """
    rows, ds = find_rows(series), series["ds"]
    num_steps = rows.lengths
    train_stops, validation_stops = find_stops(series, split)
    bounds = np.stack([np.zeros_like(num_steps), train_stops, validation_stops, num_steps], axis=1)
    has_windows = _find_windows(series, bounds, window, min_history)
    is_judged = has_windows[:, 1:].all(axis=1) & _find_varied(series, train_stops)
    if not has_windows[is_judged, 0].any():
        raise _explain(series[: rows.stops[0]], bounds[0], has_windows[0], window, min_history)
    has_history = has_windows[:, 3] & (num_steps >= (min_history or window.lookback))
    is_unjudged = ~has_windows[:, 1:3].all(axis=1) & has_history & _find_varied(series, num_steps)
    train_stops, validation_stops = (
        np.where(is_unjudged, num_steps, stops) for stops in (train_stops, validation_stops)
    )
    is_usable = is_judged | is_unjudged
    cutoffs = pd.DataFrame(
        {
            "unique_id": list_names(series),
            "num_steps": num_steps,
            "train_stop": train_stops,
            "validation_stop": validation_stops,
        }
    )[is_usable].reset_index(drop=True)
    starts, lasts = rows.starts[is_usable], rows.stops[is_usable] - 1
    return cutoffs.assign(
        validation_from=ds.array[np.minimum(starts + cutoffs["train_stop"], lasts)],
        test_from=ds.array[np.minimum(starts + cutoffs["validation_stop"], lasts)],
    )


def find_stops(series: Series, split: SplitSpec) -> tuple[np.ndarray, np.ndarray]:
    """Return the ends of train and validation of each series, even if no window fits: int64[series] each."""
    rows, ds = find_rows(series), series["ds"]
    validation_stops = rows.lengths - _count_steps(split.test, ds, rows, rows.lengths)
    return validation_stops - _count_steps(split.validation, ds, rows, validation_stops), validation_stops


def find_unjudged(cutoffs: Cutoffs) -> np.ndarray:
    """Return whether a series is only forecast, without training, validation and test: bool[series]."""
    return (cutoffs["train_stop"] == cutoffs["num_steps"]).to_numpy()


def _count_steps(part: int | float | str, ds: pd.Series, rows: SeriesRows, stops: np.ndarray) -> np.ndarray:
    """Count the steps of each series that belong to a part, which ends at `stops`: int64[series]."""
    if isinstance(part, int):
        return np.full_like(stops, part)
    if isinstance(part, float):
        return np.rint(part * rows.lengths).astype(np.int64)
    try:
        # Through UTC, like the timestamps of the series.
        is_datetime = pd.api.types.is_datetime64_any_dtype(ds)
        first = read_local(parse_time(part), None) if is_datetime else parse_step(part)
    except ValueError as error:
        raise SeriesError(
            f"split: expected a fraction, a number of steps or a timestamp like those of the series "
            f"({format_time(ds.iloc[0])}), received {show(part)}."
        ) from error
    num_before = np.add.reduceat((ds < first).to_numpy(), rows.starts, dtype=np.int64)
    return np.maximum(stops - num_before, 0)


def _find_windows(series: Series, bounds: np.ndarray, window: WindowSpec, min_history: int | None) -> np.ndarray:
    """Return whether each part has windows, bool[series, part]; `bounds`: int64[series, 4], see `find_runs`."""
    starts = find_rows(series).starts
    inside = starts[:, None] + np.clip(bounds, 0, bounds[:, 3:])
    runs = find_runs(series["observed"].to_numpy(), series["y"].isna().to_numpy(), inside, window, min_history)
    has_windows = np.zeros(bounds.shape, bool)
    for part, found in enumerate(runs.values()):
        has_windows[number_series(starts, found[:, 0]), part] = True
    return has_windows


def _find_varied(series: Series, train_stops: np.ndarray) -> np.ndarray:
    """Return whether the training part of each series has a scale, bool[series]."""
    train = group_training(series, train_stops)
    deviations = train.std(ddof=0)
    is_varied = (train.min() < train.max()) & (deviations > 0) & (deviations < np.inf)
    return is_varied.reindex(range(len(train_stops)), fill_value=False).to_numpy()


def _explain(
    group: Series, bounds: np.ndarray, has_windows: np.ndarray, window: WindowSpec, min_history: int | None
) -> SeriesError:
    """Return the error that describes one unusable series."""
    name, parts = group["unique_id"].iloc[0], get_args(Part)
    least = [(min_history or window.lookback) + window.horizon, window.horizon, window.horizon]
    for part, length, needed in zip(parts, np.diff(bounds), least, strict=False):
        if length < needed:
            return SeriesTooShortError(
                f"series {show(name)} has {len(group)} steps, which leave {max(length, 0)} for {part}; it needs "
                f"{needed} or more (lookback {window.lookback}, horizon {window.horizon}). Shorten window.lookback or "
                "window.horizon, change split, or leave the series out."
            )
    empty = [part for part, has in zip(parts, has_windows, strict=True) if not has]
    if empty:
        return SeriesError(
            f"series {show(name)}: no window of {window.lookback} + {window.horizon} steps fits the gaps of {empty}. "
            "Fill them, set gaps to 'interpolate', shorten window.lookback or window.horizon, or change split."
        )
    train = group.iloc[: bounds[1]]
    observed = train.loc[train["observed"], "y"]
    is_constant = observed.nunique() == 1
    what = f"is constant ({observed.iloc[0]})" if is_constant else "is beyond what numbers can hold"
    why = "there is nothing to learn" if is_constant else "its deviation is 0 or infinite"
    return SeriesError(
        f"series {show(name)} {what} in its training part, up to {format_time(train['ds'].iloc[-1])}: {why}. "
        "Leave the series out."
    )
