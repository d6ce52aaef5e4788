"""Diagnostics of errors on the test part: by season, seasons ahead, level and lag, and the worst windows."""

import math
from collections.abc import Sequence
from functools import partial

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.forecast.evaluation.metrics import average_errors
from rnn_pipelines.forecast.evaluation.summary import find_reference
from rnn_pipelines.forecast.methods.predictions import Predictions
from rnn_pipelines.forecast.report.choice import choose_steps, show_time
from rnn_pipelines.forecast.report.styles import STYLES, name_axis
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.report.figures import draw_bars, draw_line, set_layout
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.numbers import Column, format_bias, format_number
from rnn_pipelines.report.page import Table, tabulate
from rnn_pipelines.report.styles import REFERENCE_COLOR, Style

DIAGNOSTICS = ("error_by_season", "autocorrelation")
NUM_WORST = 5
FIFTHS = ("lowest", "second", "middle", "fourth", "highest")
MAX_LAG = 60
# Of the table by season ahead, which shorter horizons do not need.
MAX_ROWS, MIN_SEASONS = 30, 3
SEASONS = {"hour of the day": "day", "weekday": "week", "month": "year", "quarter": "year"}
WEEKDAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
CHANCE = Style("95 % of uncorrelated errors", REFERENCE_COLOR, "dash")


def draw_diagnostics(predictions: Predictions, profile: Profile) -> dict[str, Figure]:
    """Draw the figures of `DIAGNOSTICS`, by name; empty ones without a test part."""
    draws = zip(DIAGNOSTICS, (draw_error_by_season, draw_autocorrelation), strict=True)
    is_empty = predictions.table.empty
    return {
        name: Figure() if is_empty else draw_or_note(draw, predictions, profile)
        for name, draw in draws
    }


def choose_forecaster(predictions: Predictions) -> str:
    """Return the forecaster in use, or the first one if its forecasts are missing."""
    return (
        predictions.use
        if predictions.use in predictions.forecasters
        else predictions.forecasters[0]
    )


def draw_error_by_season(predictions: Predictions, profile: Profile) -> Figure:
    """Draw the mean absolute error by hour, weekday, month, quarter or step of the season; empty without one."""
    title, positions, labels = _name_seasons(predictions.table["ds"], profile)
    if not labels:
        return Figure()
    figure = Figure()
    for name in dict.fromkeys(
        (choose_forecaster(predictions), find_reference(predictions.forecasters))
    ):
        if name in predictions.forecasters:
            means = (
                predictions.errors[name].abs().groupby(positions).mean().reindex(range(len(labels)))
            )
            figure.add_trace(draw_bars(STYLES[name], list(labels), means.to_numpy()))
    return set_layout(
        figure, f"Error by {title}", "mean over all steps ahead", title, name_axis("mae")
    )


def _name_seasons(times: pd.Series, profile: Profile) -> tuple[str, pd.Series, Sequence[str]]:
    """Return the name of the season, the position of each time in it, and the labels of the positions."""
    length = profile["season_length"]
    freq = profile["freq"]
    if times.dtype.kind != "M" and not isinstance(times.dtype, pd.DatetimeTZDtype):
        labels = [str(number + 1) for number in range(length)] if 1 < length <= MAX_LAG else []
        step = freq if isinstance(freq, int) else 1
        return "position in the season", times // step % length, labels
    days = times.drop_duplicates().sort_values().diff().median() / pd.Timedelta(1, "D")
    if days < 1:
        return "hour of the day", times.dt.hour, [str(hour) for hour in range(24)]
    if days < 7:
        return "weekday", times.dt.day_of_week, WEEKDAYS
    if days < 80:
        return "month", times.dt.month - 1, MONTHS
    return "quarter", times.dt.quarter - 1, ["Q1", "Q2", "Q3", "Q4"] if days < 300 else []


def draw_autocorrelation(predictions: Predictions, profile: Profile) -> Figure:
    """Draw the autocorrelation of the errors of `choose_steps` by lag; empty with fewer than 8 errors per series."""
    name = choose_forecaster(predictions)
    rows = choose_steps(predictions.table)
    errors = (rows["y"] - rows[name]).groupby(rows["unique_id"])
    centred = (rows["y"] - rows[name]) - errors.transform("mean")
    size = (centred**2).sum()
    num_errors = int(centred.count())
    max_lag = min(errors.size().max() // 4, max(2 * profile["season_length"] + 1, 14), MAX_LAG)
    if max_lag < 2 or not size > 0:
        return Figure()
    lags = np.arange(1, max_lag + 1)
    shifted = centred.groupby(rows["unique_id"])
    values = np.array([(centred * shifted.shift(lag)).sum() / size for lag in lags])
    chance = 1.96 / math.sqrt(num_errors)
    figure = Figure([draw_bars(STYLES[name], lags, values, showlegend=False)])
    for bound in (chance, -chance):
        figure.add_trace(
            draw_line(CHANCE, [0.5, max_lag + 0.5], [bound] * 2, mode="lines", showlegend=bound > 0)
        )
    num_outside = int((np.abs(values) > chance).sum())
    subtitle = f"{num_outside} of {max_lag} lags outside the range of uncorrelated errors"
    return set_layout(
        figure, "Autocorrelation of the errors", subtitle, "lag, steps", "correlation"
    )


def tabulate_seasons_ahead(
    predictions: Predictions, profile: Profile, forecasters: Sequence[str]
) -> Table | None:
    """Return the mean absolute errors by season ahead, or by several in a row; None if the horizon has at most two."""
    table = predictions.table
    length = profile["season_length"]
    num_seasons = math.ceil(table["horizon_step"].max() / length)
    if length == 1 or num_seasons < MIN_SEASONS:
        return None
    width = math.ceil(num_seasons / MAX_ROWS)
    groups = table.assign(group=(table["horizon_step"] - 1) // (length * width))
    names = [name for name in dict.fromkeys(forecasters) if name in predictions.forecasters]
    errors = average_errors(groups, names, "mae", by="group").groupby("group")[names].mean()
    rows = []
    for group, means in errors.iterrows():
        first = int(group) * width + 1
        last = min((int(group) + 1) * width, num_seasons)
        rows.append([_format_span(first, last), *map(format_number, means)])
    best = frozenset(enumerate(errors.fillna(np.inf).to_numpy().argmin(axis=1) + 1))
    season = SEASONS.get(_name_seasons(table["ds"], profile)[0], "season")
    header = [f"{season} ahead", *(STYLES[name].name for name in names)]
    return Table(header, rows, best=best, caption=f"Mean absolute error by {season} ahead")


def _format_span(first: object, last: object) -> str:
    return str(first) if first == last else f"{first} to {last}"


def measure_fifths(predictions: Predictions) -> pd.DataFrame:
    """Return the errors by fifth of forecasts of each series: means of `fifth, forecast, actual, mae`; and `bias`.

    Fifths of the actuals would show a bias of any forecast: noise makes the highest actuals higher than expected. The
    bias is a fraction of the mean absolute actual. No rows if there are fewer than two fifths.
    """
    name = choose_forecaster(predictions)
    table = predictions.table[["unique_id", "y", name]].dropna()
    ranks = table.groupby("unique_id")[name].rank(pct=True, method="average")
    fifths = np.clip(np.ceil(ranks * len(FIFTHS)).astype(int) - 1, 0, None)
    facts = pd.DataFrame({"forecast": table[name], "actual": table["y"], "size": table["y"].abs()})
    means = facts.assign(mae=(table["y"] - table[name]).abs()).groupby(fifths).mean()
    means.insert(0, "fifth", [FIFTHS[number] for number in means.index])
    means["bias"] = (means["forecast"] - means["actual"]) / means.pop("size").where(
        lambda size: size > 0
    )
    return means.reset_index(drop=True) if len(means) > 1 else means.iloc[:0]


def tabulate_fifths(predictions: Predictions) -> Table:
    """Return the table of `measure_fifths`."""
    fifths = measure_fifths(predictions).astype({"bias": "float64"})
    columns = {
        "forecast": Column("mean forecast"),
        "actual": Column("mean actual"),
        "mae": Column("MAE"),
        "bias": Column("bias, %", format_bias),
    }
    rows = [(row["fifth"], row) for row in fifths.to_dict("records")]
    return tabulate("fifth of the forecasts", rows, columns, "Errors by level")


def find_worst_windows(predictions: Predictions) -> pd.DataFrame:
    """Return `NUM_WORST` windows without overlaps, the worst first: `unique_id, first, last, actual, forecast, mae`."""
    name = choose_forecaster(predictions)
    if predictions.table.empty:
        return pd.DataFrame(columns=["unique_id", "first", "last", "actual", "forecast", "mae"])
    table = predictions.table.assign(error=predictions.errors[name].abs())
    windows = table.groupby(["unique_id", "cutoff"]).agg(
        first=("ds", "min"),
        last=("ds", "max"),
        actual=("y", "mean"),
        forecast=(name, "mean"),
        mae=("error", "mean"),
    )
    windows = (
        windows.dropna(subset="mae")
        .sort_values("mae", ascending=False, kind="stable")
        .reset_index("unique_id")
    )
    chosen: list[int] = []
    for place, window in enumerate(windows.itertuples()):
        earlier = windows.iloc[chosen]
        overlaps = (earlier["first"] <= window.last) & (earlier["last"] >= window.first)
        if not (overlaps & (earlier["unique_id"] == window.unique_id)).any():
            chosen.append(place)
        if len(chosen) == NUM_WORST:
            break
    return windows.iloc[chosen].reset_index(drop=True)


def tabulate_worst_windows(predictions: Predictions, average: float) -> Table:
    """Return the table of `find_worst_windows`, also relative to the mean absolute error of all windows."""
    worst = find_worst_windows(predictions)
    shown = worst.assign(
        window=list(map(_format_span, show_time(worst["first"]), show_time(worst["last"]))),
        ratio=worst["mae"] / (average or np.nan),
    )
    columns = {
        "window": Column("window"),
        "actual": Column("mean actual"),
        "forecast": Column("mean forecast"),
        "mae": Column("MAE"),
        "ratio": Column("times the average MAE", partial(format_number, num_digits=2)),
    }
    rows = [(str(row["unique_id"]), row) for row in shown.to_dict("records")]
    return tabulate("series", rows, columns, "The windows with the largest errors", 2)
