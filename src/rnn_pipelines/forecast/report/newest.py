"""The newest forecasts of a panel: small pictures of its series, and the totals over all."""

from collections.abc import Iterable, Iterator
from dataclasses import replace

import pandas as pd
from plotly.graph_objects import Figure, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.predictions import (
    ForecastLog,
    list_levels,
    name_own_bounds,
)
from rnn_pipelines.forecast.model.nights import Night
from rnn_pipelines.forecast.report.choice import (
    choose_series,
    describe_choice,
    hide_filled,
    show_time,
)
from rnn_pipelines.forecast.report.next_values import leave_out_suspects, tabulate_steps
from rnn_pipelines.forecast.report.styles import STYLES, VALUE_AXIS, add_values
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.report.figures import draw_band, draw_line, set_layout, write_label
from rnn_pipelines.report.page import Part, Table
from rnn_pipelines.report.styles import NEUTRAL_COLOR, Style

HISTORY = Style("history", NEUTRAL_COLOR)
NUM_COLUMNS = 2
ROW_HEIGHT = 190
MAX_TITLE = 20
# Times in the table of totals.
MAX_TIMES = 60


def show_newest(made: ForecastLog, night: Night, values: str = VALUE_AXIS) -> list[Part]:
    """Return a figure with a small picture for each of some series; for a panel also the totals, and what they are."""
    parts: list[Part] = [draw_series(made, night.series, values)]
    if made["unique_id"].nunique() > 1:
        parts += [
            tabulate_totals(made),
            "A total is the sum of the forecasts at a time. It has no interval, because those of series do not add up.",
        ]
    return parts


def draw_series(made: ForecastLog, series: Series, values: str = VALUE_AXIS) -> Figure:
    """Draw history, forecast and band of each of at most 12 series, two side by side."""
    tables = choose_series(made.sort_values(["unique_id", "ds"]))
    levels = list_levels(made)
    num_columns = min(NUM_COLUMNS, len(tables))
    num_rows = -(-len(tables) // num_columns)
    figure = make_subplots(
        num_rows,
        num_columns,
        subplot_titles=[write_label(name, MAX_TITLE) for name in tables],
        vertical_spacing=0.3 / num_rows,
        horizontal_spacing=0.1,
    )
    for number, (name, table) in enumerate(tables.items()):
        place = {"row": number // num_columns + 1, "col": number % num_columns + 1}
        past = hide_filled(series[series["unique_id"] == name])
        joined = pd.concat([past.tail(max(3 * len(table), 30)), table], ignore_index=True)
        times = show_time(joined["ds"])
        history = draw_line(HISTORY, times, joined["y"], width=1.4, mode="lines")
        for trace in (history, *draw_forecast(joined, levels, mode="lines")):
            trace.update(legendgroup=trace.name, showlegend=number == 0)
            figure.add_trace(trace, **place)
    horizon = describe_choice(made, tables)
    figure.update_layout(height=ROW_HEIGHT * num_rows + 120)
    figure.update_xaxes(nticks=4, tickangle=0)
    figure.update_annotations(font_size=13)
    return set_layout(figure, add_values("Next values", values), horizon)


def draw_forecast(
    table: pd.DataFrame, levels: Iterable[int], mode: str | None = None
) -> Iterator[Scatter]:
    """Draw the intervals of some rows of a log, the widest first, and the forecasts."""
    times = show_time(table["ds"])
    style = STYLES[ENSEMBLE]
    for level in sorted(levels, reverse=True):
        low, high = name_own_bounds(level)
        named = replace(style, name=f"{level} % interval")
        yield draw_band(named, times, table[low], table[high])
    options = {} if mode is None else {"mode": mode}
    yield draw_line(style, times, table["y_hat"], width=3, name="forecast", **options)


def tabulate_totals(made: ForecastLog) -> Table:
    """Return the sum of the point forecasts over series at each time, and how many series have one.

    Series with a gross newest value are left out.
    """
    totals = leave_out_suspects(made).groupby("ds")["y_hat"].agg(["sum", "count"]).reset_index()
    table = tabulate_steps("time", totals.head(MAX_TIMES), {"sum": "total"})
    rows = [[*row, f"{number:,}"] for row, number in zip(table.rows, totals["count"], strict=False)]
    return Table([*table.header, "series"], rows, caption="Totals over all series")
