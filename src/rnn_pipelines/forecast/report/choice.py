"""Selection of series and steps for the figures of forecasts, and its description."""

from collections.abc import Iterator, Mapping

import numpy as np
import pandas as pd

MAX_SERIES = 12
# Total over the series of a figure, so that its file stays well below a megabyte.
MAX_STEPS = 3000


def choose_steps(predictions: pd.DataFrame) -> pd.DataFrame:
    """Return rows without repeated times: the first step ahead of rolling origins, or all steps of a single one."""
    has_many_origins = predictions.groupby("unique_id")["cutoff"].nunique().max() > 1
    return predictions[predictions["horizon_step"] == 1] if has_many_origins else predictions


def choose_series(table: pd.DataFrame) -> dict[str, pd.DataFrame]:
    """Return the rows of at most `MAX_SERIES` series, evenly spaced, by name."""
    names = table["unique_id"].unique()
    places = np.linspace(0, len(names) - 1, min(len(names), MAX_SERIES)).round().astype(int)
    return {str(name): table[table["unique_id"] == name] for name in names[places]}


def keep_last_steps(tables: Mapping[str, pd.DataFrame]) -> Iterator[pd.DataFrame]:
    """Return the last rows of each series, at most `MAX_STEPS` in total."""
    return (table.tail(MAX_STEPS // len(tables)) for table in tables.values())


def describe_choice(chosen: pd.DataFrame, tables: Mapping[str, pd.DataFrame]) -> str:
    """Describe how many steps ahead the forecasts are, and which series and steps are drawn if not all are."""
    horizon = int(chosen["horizon_step"].max())
    num_series = chosen["unique_id"].nunique()
    parts = ["one step ahead" if horizon == 1 else f"1 to {horizon} steps ahead"]
    if len(tables) < num_series:
        parts.append(f"{len(tables)} of {num_series:,} series")
    limit = MAX_STEPS // len(tables)
    num_steps = max(len(table) for table in tables.values())
    if limit < num_steps:
        parts.append(f"last {limit:,} of {num_steps:,} steps")
    return "; ".join(parts)


def join_steps(steps: pd.DataFrame, forecasts: pd.DataFrame, num_before: int) -> pd.DataFrame:
    """Return the steps of a series with its forecasts, from `num_before` steps before the first one on.

    Forecasts and values that are not observed are NaN, so that lines have gaps there.
    """
    start = max(int(steps["ds"].searchsorted(forecasts["ds"].min())) - num_before, 0)
    steps = hide_filled(steps)[start:]
    steps = steps[steps["ds"] <= forecasts["ds"].max()]
    return steps.merge(forecasts.drop(columns=["unique_id", "y"]), how="left", on="ds")


def hide_filled(steps: pd.DataFrame) -> pd.DataFrame:
    """Return `ds` and `y`, NaN if not observed."""
    return steps[["ds"]].assign(y=steps["y"].where(steps["observed"]))


def show_time(times: pd.Series) -> pd.Series:
    """Return times as text, without the hour if all are at midnight; steps are unchanged."""
    return times.astype(str) if pd.api.types.is_datetime64_any_dtype(times) else times
