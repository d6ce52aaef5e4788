"""Which series and steps the figures of forecasts draw: a readable choice, and words for it."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

MAX_SERIES = 12
# Over all series of a figure, so that its file stays well below a megabyte.
MAX_STEPS = 3000


def choose_steps(predictions: pd.DataFrame) -> pd.DataFrame:
    """Rows in which no time comes twice: the first step ahead of rolling origins, or all steps of a single one."""
    has_many_origins = predictions.groupby("unique_id")["cutoff"].nunique().max() > 1
    return predictions[predictions["horizon_step"] == 1] if has_many_origins else predictions


def choose_series(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """The rows of at most `MAX_SERIES` series, spread evenly over all."""
    names = table["unique_id"].unique()
    places = np.linspace(0, len(names) - 1, min(len(names), MAX_SERIES)).round().astype(int)
    return {str(name): table[table["unique_id"] == name] for name in names[places]}


def keep_last_steps(tables: Mapping[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """The end of each series' table, so that together they have no more than `MAX_STEPS` rows."""
    return (table.tail(MAX_STEPS // len(tables)) for table in tables.values())


def describe_choice(chosen: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> str:
    """How far ahead the forecasts are, and which of their series and steps are drawn, where it is not all.

    Args:
        chosen: forecasts of all series, with the steps that are to be drawn.
        tables: what `keep_last_steps` is given.
    """
    horizon, num_series = int(chosen["horizon_step"].max()), chosen["unique_id"].nunique()
    parts = ["one step ahead" if horizon == 1 else f"1 to {horizon} steps ahead"]
    if len(tables) < num_series:
        parts.append(f"{len(tables)} of {num_series:,} series")
    limit, num_steps = MAX_STEPS // len(tables), max(len(table) for table in tables.values())
    if limit < num_steps:
        parts.append(f"last {limit:,} of {num_steps:,} steps")
    return "; ".join(parts)


def join_steps(steps: pd.DataFrame, forecasts: pd.DataFrame, num_before: int) -> pd.DataFrame:
    """One series' steps and its forecasts for them, NaN where there is none, so that no line is drawn across a gap.

    Args:
        steps: all rows of the series.
        forecasts: its rows of predictions, no time twice.
        num_before: so many steps before the first forecast come along.
    Returns:
        `ds`, `y` (NaN where nothing was observed), `cutoff`, `horizon_step` and the forecasters.
    """
    start = max(int(steps["ds"].searchsorted(forecasts["ds"].min())) - num_before, 0)
    steps = hide_filled(steps)[start:]
    steps = steps[steps["ds"] <= forecasts["ds"].max()]
    return steps.merge(forecasts.drop(columns=["unique_id", "y"]), how="left", on="ds")


def hide_filled(steps: pd.DataFrame) -> pd.DataFrame:
    """`ds` and `y`, NaN where nothing was observed."""
    return steps[["ds"]].assign(y=steps["y"].where(steps["observed"]))


def show_time(times: pd.Series) -> pd.Series:
    """Times as texts, without the midnight that each would carry; steps as they are."""
    return times.astype(str) if pd.api.types.is_datetime64_any_dtype(times) else times
