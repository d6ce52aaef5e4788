"""The next values as people read them: the forecast in use and its intervals, in few digits."""

import math
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.methods.predictions import (
    SUSPECT,
    ForecastLog,
    Predictions,
    fill_marks,
)
from rnn_pipelines.forecast.preparation.gross_values import describe_gross_values, read_records
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.totals.adding import Totals
from rnn_pipelines.report.numbers import NO_NUMBER, begin_sentence, format_number, list_some
from rnn_pipelines.report.page import Part, Table
from rnn_pipelines.report.texts import read_prose

# Of the usual value of a table; the interval of a forecast is wider than what they leave out.
NUM_DIGITS = 6
# Two numbers with a smaller relative difference are shown as equal.
SMALLEST_DIFFERENCE = 1e-4
# Rows of the table in the report.
MAX_ROWS = 31
# Series that are named without bounds.
MAX_NAMES = 5
NOTES = read_prose("rnn_pipelines.forecast.report")["next_values"]


def tabulate_used(next_values: Predictions, dead: Collection[str] = ()) -> pd.DataFrame:
    """Return the next values in use, in the unit of `y`: `unique_id, ds, forecast`, and `lo-80, hi-80` of each level.

    If there are dead series, which end long before the others, `is_dead` marks their rows with earlier times.
    """
    table = next_values.table
    bounds = [f"{side}-{level}" for level in sorted(next_values.levels) for side in ("lo", "hi")]
    columns = {next_values.use: FORECAST} | {f"{next_values.use}-{name}": name for name in bounds}
    used = table[["unique_id", "ds", *(name for name in columns if name in table)]].rename(
        columns=columns
    )
    rounded = round_values(used, FORECAST)
    is_dead = used["unique_id"].isin(dead)
    return restore_numbers(rounded.assign(is_dead=is_dead) if is_dead.any() else rounded)


def round_values(table: pd.DataFrame, reference: str) -> pd.DataFrame:
    """Return a table with as many decimals as the median value of a series has digits left; whole numbers keep none.

    The values are those of the column `reference`, by `unique_id`.
    """
    sizes = table[reference].abs()
    medians = (
        sizes.where(np.isfinite(sizes) & (sizes > 0))
        .groupby(table["unique_id"])
        .transform("median")
    )
    decimals = (NUM_DIGITS - 1 - np.floor(np.log10(medians.fillna(1.0)))).clip(lower=0).astype(int)
    columns = [name for name in table if table[name].dtype.kind == "f"]
    rounded = table.copy()
    for number in decimals.unique():
        rows = decimals == number
        rounded.loc[rows, columns] = table.loc[rows, columns].round(number)
    return rounded


def round_totals(totals: Totals) -> pd.DataFrame:
    """Return totals with as many decimals as `round_values` gives to each kind of total and group."""
    names = totals["total"] + totals["group"]
    return round_values(totals.assign(unique_id=names), FORECAST).drop(columns="unique_id")


def restore_numbers(table: pd.DataFrame) -> pd.DataFrame:
    """Return a table whose ids are int64 if all of them are whole numbers, as in most files; 007 stays a text."""
    ids = table["unique_id"].drop_duplicates()
    is_number = ids.str.fullmatch(r"0|-?[1-9]\d{0,17}")
    return (
        table.assign(unique_id=table["unique_id"].astype("int64"))
        if len(ids) and is_number.all()
        else table
    )


def tabulate_next_values(next_values: Predictions) -> list[Part]:
    """Return the table of the first series' next values, and where all of them are."""
    table = (
        tabulate_used(next_values) if next_values.use in next_values.forecasters else pd.DataFrame()
    )
    if table.empty:
        return [NOTES["none"]]
    first = table[table["unique_id"] == table["unique_id"].iloc[0]]
    steps = tabulate_steps("time", first, {name: name for name in first.columns[2:]})
    counts = {
        "values": count(len(table), "value"),
        "series": count(table["unique_id"].nunique(), "series", "series"),
    }
    caption = f"Next values of {first['unique_id'].iloc[0]}"
    shown = replace(steps, rows=steps.rows[:MAX_ROWS], caption=caption)
    notes = [NOTES["files"].format(**counts)]
    if names := list_unbounded(table):
        notes.append(NOTES["unbounded"].format(series=list_some(names, MAX_NAMES)))
    return [shown, *notes]


def list_unbounded(table: pd.DataFrame) -> list[str]:
    """Return the series of `tabulate_used` without any bounds, if others have some."""
    bounds = [name for name in table if str(name).startswith("lo-")]
    is_empty = table[bounds].isna().all(axis=1)
    return (
        list(map(str, table.loc[is_empty, "unique_id"].unique()))
        if bounds and not is_empty.all()
        else []
    )


def tabulate_steps(first: str, table: pd.DataFrame, columns: Mapping[str, str]) -> Table:
    """Return a row for each time `ds` of a table, and the columns by name with their headings; `first` is its own."""
    values = table[list(columns)].to_numpy()
    form = choose_form(values)
    rows = [
        [time, *map(form, numbers)]
        for time, numbers in zip(write_times(table["ds"]), values, strict=True)
    ]
    return Table([first, *columns.values()], rows)


def describe_first_value(subject: str, values: pd.DataFrame, scope: str = "") -> str:
    """Return the first forecast with its narrowest interval in a sentence; `scope` says of what it is the first one.

    The values have `ds, forecast` and pairs of bounds, such as `lo-80, hi-80`.
    """
    form = choose_form(values.drop(columns=["unique_id", "ds"], errors="ignore").to_numpy())
    first = values.iloc[0]
    lows = [str(name) for name in values if str(name).startswith("lo-")]
    levels = [int(low[3:]) for low in lows if f"hi-{low[3:]}" in values]
    interval = ""
    if levels and not math.isnan(first[f"lo-{min(levels)}"]):
        level = min(levels)
        bounds = f"{form(first[f'lo-{level}'])} to {form(first[f'hi-{level}'])}"
        interval = f" ({level} % interval {bounds})"
    time = write_times(values["ds"])[0]
    return f"{subject} on {time}: {form(first[FORECAST])}{interval}{scope}."


def leave_out_suspects(log: ForecastLog) -> ForecastLog:
    """Return the forecasts of series whose newest values are not gross; all, if there is no other."""
    marked = fill_marks(log)
    is_suspect = marked[SUSPECT]
    return marked if is_suspect.all() else marked[~is_suspect]


def describe_suspects(suspects: Mapping[str, Any]) -> list[str]:
    """Return the gross newest values of a run, and those that were corrected, in a sentence each."""
    texts = []
    if suspects.get("gross_values"):
        named = describe_gross_values(
            read_records(suspects["gross_values"]), num_found=suspects["num_gross_values"]
        )
        verdict = "Alarm" if suspects["is_alarm"] else "Look at the source"
        texts.append(f"{verdict}: {named}. The forecasts of these series are marked as suspect.")
    if suspects.get("again"):
        texts.append(begin_sentence(f"{suspects['again']}."))
    return texts


def choose_form(values: np.ndarray) -> Callable[[float], str]:
    """Return a formatter with the same decimals for all numbers: as many as the largest needs for four digits."""
    largest = np.abs(values[np.isfinite(values)]).max(initial=0.0)
    magnitude = math.floor(math.log10(largest)) if largest > 0 else 0
    if not -5 <= magnitude < 15:
        return format_number
    decimals = max(3 - magnitude, 0)
    # Of a negative number that is 0 in these decimals, `z` leaves out the sign.
    return lambda number: (
        NO_NUMBER if math.isnan(number) else f"{number:z,.{decimals}f}".replace("-", "−")
    )


def choose_differing_form(one: float, other: float) -> Callable[[float], str]:
    """Return a formatter with as many decimals as two numbers need to differ."""
    difference = abs(one - other)
    largest = max(abs(one), abs(other))
    if not largest * SMALLEST_DIFFERENCE < difference < largest:
        return choose_form(np.array([one, other]))
    decimals = max(1 - math.floor(math.log10(difference)), 0)
    return lambda number: f"{number:z,.{decimals}f}".replace("-", "−")


def write_times(times: pd.Series) -> list[str]:
    """Return the times as short text: dates without an hour if all are at midnight."""
    are_days = times.dtype.kind == "M" and bool((times == times.dt.normalize()).all())
    return [str(time) for time in (times.dt.date if are_days else times)]
