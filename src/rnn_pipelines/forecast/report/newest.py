"""The newest forecasts of a panel: small pictures of its series, and the totals over all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE
from rnn_pipelines.forecast.methods.predictions import (
    SUSPECT,
    ForecastLog,
    fill_marks,
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
from rnn_pipelines.forecast.report.next_values import (
    describe_first_value,
    describe_suspects,
    leave_out_suspects,
    tabulate_steps,
)
from rnn_pipelines.forecast.report.styles import STYLES, VALUE_AXIS, add_values
from rnn_pipelines.forecast.report.totals import describe_totals, tabulate_first_totals
from rnn_pipelines.forecast.series.tables import Series
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.totals.adding import Totals
from rnn_pipelines.report.figures import draw_band, draw_line, set_layout, write_label
from rnn_pipelines.report.numbers import begin_sentence
from rnn_pipelines.report.page import Part, Table
from rnn_pipelines.report.styles import NEUTRAL_COLOR, Style
from rnn_pipelines.report.terminal import summarize
from rnn_pipelines.report.texts import read_prose

HISTORY = Style("history", NEUTRAL_COLOR)
NUM_COLUMNS = 2
ROW_HEIGHT = 190
MAX_TITLE = 20
# Times in the table of totals.
MAX_TIMES = 60
NOTES = read_prose("rnn_pipelines.forecast.report")


def show_newest(
    made: ForecastLog, night: Night, values: str = VALUE_AXIS, totals: Totals | None = None
) -> list[Part]:
    """Return a figure with a small picture for each of some series, and the totals; those of a panel by default."""
    parts: list[Part] = [draw_series(made, night.series, values)]
    described = [] if totals is None else describe_totals(totals)
    if not described and made["unique_id"].nunique() > 1:
        described = [tabulate_totals(made), NOTES["totals"]["without"]]
    return [*parts, *described]


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


def summarize_forecasts(  # noqa: PLR0913, PLR0917 - one for each dataset
    newest: ForecastLog,
    made: ForecastLog,
    log: ForecastLog,
    all_series: Mapping[str, Any] = MappingProxyType({}),
    explanation: Mapping[str, Any] = MappingProxyType({}),
    suspects: Mapping[str, Any] = MappingProxyType({}),
    totals: Totals | None = None,
) -> str:
    """Return the forecasts of a run for a terminal: the first one, their number, those of one series, and first totals.

    `newest` are those that stay the next values, `made` those of this run. The log has the forecasts of all runs; of
    this run, those that differ from the last ones on record. A series with a gross newest value is not the first one.
    For the others, see `forecast_all_newest`, `explain_newest` and `record_suspects`.
    """
    if made.empty:
        return "No forecasts."
    made = fill_marks(made)
    has_kept = made[SUSPECT].any() and not fill_marks(newest)[SUSPECT].any()
    newest = leave_out_suspects(newest)
    first = newest[newest["unique_id"] == newest["unique_id"].iloc[0]].sort_values("ds")
    bounds = [bound for level in list_levels(first) for bound in name_own_bounds(level)]
    text = f"{count(len(made), 'forecast')} of {made['unique_id'].nunique():,} series"
    text += f" by the model version {made['model_version'].iloc[0]}."
    if not (num_new := int((log["recorded_at"] >= made["recorded_at"].iloc[0]).sum())):
        text += (
            " Nothing is new in the log, which has equal forecasts of these steps by this version."
        )
    elif num_new < len(made):
        text += f" In the log, {num_new:,} of them are new."
    if all_series:
        num_all = all_series["num_series"] + all_series["num_left_out"]
        share = "All" if not all_series["num_left_out"] else f"{all_series['num_series']:,} of"
        text += f" {share} {num_all:,} series are in predict_forecast_all_next_values."
    headings = {"y_hat": FORECAST} | {bound: bound.replace("_", " ") for bound in bounds}
    values = first[["ds", *headings]].rename(
        columns={name: heading.replace(" ", "-") for name, heading in headings.items()}
    )
    kept = NOTES["next_values"]["kept"] if has_kept else ""
    subject = f"{begin_sentence(FORECAST)} of {first['unique_id'].iloc[0]}"
    answer = describe_first_value(subject, values)
    change = explanation["sentence"] if explanation.get("changes") else ""
    table = tabulate_steps(f"forecasts of {first['unique_id'].iloc[0]}", first, headings)
    first_totals = "" if totals is None else tabulate_first_totals(totals)
    parts = [*describe_suspects(suspects), kept, answer, text, change, table, first_totals]
    return summarize(parts)
