"""Chronological parts of each series: train, then validation, then test. Nothing is ever drawn at random."""

from typing import Annotated

import numpy as np
import pandas as pd
from pydantic import BaseModel, Field

from rnn_pipelines.errors import SeriesError, SeriesTooShortError
from rnn_pipelines.forecast.series.frequency import format_time
from rnn_pipelines.forecast.series.tables import Cutoffs, Series
from rnn_pipelines.forecast.series.windows import WindowSpec, find_runs

Fraction = Annotated[float, Field(gt=0, lt=1)]
NumSteps = Annotated[int, Field(ge=1, strict=True)]


class SplitSpec(BaseModel, extra="forbid", frozen=True):
    """Where validation and test begin. Each is a fraction, a number of steps, or a date.

    Attributes:
        validation: part before the test part: fraction of the series, steps, or the first timestamp that belongs to it.
        test: part at each series' end, in the same three ways.
    """

    validation: NumSteps | Fraction | str = 0.1
    test: NumSteps | Fraction | str = 0.2


def split_series(series: Series, split: SplitSpec, window: WindowSpec) -> Cutoffs:
    """Finds the cut-offs between train, validation and test in every series.

    Args:
        series: one or several.
        split: sizes or dates of the parts.
        window: what must fit: lookback + horizon into train, one horizon into validation and test each.
    Raises:
        SeriesTooShortError: a part is too short for the windows.
        SeriesError: the training part is constant, so that there is nothing to learn and no scale.
    """
    return pd.DataFrame([_cut(name, group, split, window) for name, group in series.groupby("unique_id", sort=False)])


def _cut(name: object, group: pd.DataFrame, split: SplitSpec, window: WindowSpec) -> dict[str, object]:
    ds = group["ds"].reset_index(drop=True)
    num_steps = len(ds)
    validation_stop = num_steps - _count_steps(split.test, ds, num_steps)
    train_stop = validation_stop - _count_steps(split.validation, ds[:validation_stop], num_steps)
    _refuse_short_parts(name, train_stop, validation_stop, num_steps, window)
    _refuse_parts_without_windows(name, group, (0, train_stop, validation_stop, num_steps), window)
    train = group.iloc[:train_stop]
    observed = train.loc[train["observed"], "y"]
    is_constant = observed.nunique() == 1
    if is_constant or not 0 < observed.std(ddof=0) < np.inf:
        what = f"is constant ({observed.iloc[0]})" if is_constant else "is beyond what numbers can hold"
        why = "there is nothing to learn" if is_constant else "its deviation is 0 or infinite"
        raise SeriesError(
            f"series '{name}' {what} in its training part, up to {format_time(train['ds'].iloc[-1])}: {why}. "
            "Leave the series out."
        )
    return {
        "unique_id": name,
        "num_steps": num_steps,
        "train_stop": train_stop,
        "validation_stop": validation_stop,
        "validation_from": ds[train_stop],
        "test_from": ds[validation_stop],
    }


def _count_steps(part: int | float | str, ds: pd.Series, num_steps: int) -> int:
    """Steps of `ds`, which ends where the part ends, that belong to the part."""
    if isinstance(part, int):
        return part
    if isinstance(part, float):
        return round(part * num_steps)
    try:
        # Through UTC, as the timestamps of the series.
        is_datetime = pd.api.types.is_datetime64_any_dtype(ds)
        first = pd.to_datetime(part, utc=True).tz_localize(None) if is_datetime else int(part)
    except ValueError as error:
        raise SeriesError(
            f"split: expected a fraction, a number of steps or a timestamp like those of the series "
            f"({format_time(ds.iloc[0])}), received {part!r}."
        ) from error
    return int((ds >= first).sum())


def _refuse_short_parts(
    name: object, train_stop: int, validation_stop: int, num_steps: int, window: WindowSpec
) -> None:
    for part, length, needed in (
        ("train", train_stop, window.lookback + window.horizon),
        ("validation", validation_stop - train_stop, window.horizon),
        ("test", num_steps - validation_stop, window.horizon),
    ):
        if length < needed:
            raise SeriesTooShortError(
                f"series '{name}' has {num_steps} steps, which leave {max(length, 0)} for {part}; it needs {needed} or "
                f"more (lookback {window.lookback}, horizon {window.horizon}). Shorten window.lookback or "
                "window.horizon, change split, or leave the series out."
            )


def _refuse_parts_without_windows(
    name: object, group: pd.DataFrame, bounds: tuple[int, int, int, int], window: WindowSpec
) -> None:
    runs = find_runs(group["observed"].to_numpy(), group["y"].isna().to_numpy(), bounds, window)
    empty = [part for part, found in runs.items() if not len(found)]
    if empty:
        raise SeriesError(
            f"series '{name}': no window of {window.lookback} + {window.horizon} steps fits the gaps of {empty}. "
            "Fill them, set gaps to 'interpolate', shorten window.lookback or window.horizon, or change split."
        )
