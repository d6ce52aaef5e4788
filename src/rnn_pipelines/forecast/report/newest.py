"""The newest forecasts of a panel: small pictures of its series, and the totals over all."""

from collections.abc import Mapping

import pandas as pd
from plotly.graph_objects import Figure
from plotly.subplots import make_subplots

from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.predictions import (
    ANOMALY_LEVEL,
    ForecastLog,
    name_bounds,
    name_own_bounds,
)
from rnn_pipelines.forecast.model.nights import Night
from rnn_pipelines.forecast.report.choice import (
    choose_series,
    describe_choice,
    hide_filled,
    show_time,
)
from rnn_pipelines.forecast.report.intervals import draw_fan
from rnn_pipelines.forecast.report.next_values import leave_out_suspects, tabulate_steps
from rnn_pipelines.forecast.report.styles import STYLES, VALUE_AXIS, add_values
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.report.figures import draw_line, set_layout, write_label
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
        _draw_one(figure, joined, place, is_first=number == 0)
    horizon = describe_choice(made, tables)
    figure.update_layout(height=ROW_HEIGHT * num_rows + 120)
    figure.update_xaxes(nticks=4, tickangle=0)
    figure.update_annotations(font_size=13)
    return set_layout(figure, add_values("Next values", values), horizon)


def _draw_one(
    figure: Figure, table: pd.DataFrame, place: Mapping[str, int], is_first: bool
) -> None:
    levels = tuple(
        int(name.removeprefix("lo_"))
        for name in table
        if name.startswith("lo_") and table[name].notna().any() and name != f"lo_{ANOMALY_LEVEL}"
    )
    names = {
        old: new
        for level in levels
        for old, new in zip(name_own_bounds(level), name_bounds(ENSEMBLE, level), strict=True)
    }
    times = show_time(table["ds"])
    style = STYLES[ENSEMBLE]
    traces = draw_fan(ENSEMBLE, times, table.rename(columns=names), levels, visible=True)
    for trace, level in zip(traces, sorted(levels, reverse=True), strict=True):
        trace.name = f"{level} % interval"
    traces += [
        draw_line(HISTORY, times, table["y"], width=1.4, mode="lines"),
        draw_line(style, times, table["y_hat"], width=3, name="forecast", mode="lines"),
    ]
    for trace in traces:
        trace.update(legendgroup=trace.name, showlegend=is_first)
        figure.add_trace(trace, **place)


def tabulate_totals(made: ForecastLog) -> Table:
    """Return the sum of the point forecasts over series at each time, and how many series have one.

    Series with a gross newest value are left out.
    """
    totals = leave_out_suspects(made).groupby("ds")["y_hat"].agg(["sum", "count"]).reset_index()
    table = tabulate_steps("time", totals.head(MAX_TIMES), {"sum": "total"})
    rows = [[*row, f"{number:,}"] for row, number in zip(table.rows, totals["count"], strict=False)]
    return Table([*table.header, "series"], rows, caption="Totals over all series")
