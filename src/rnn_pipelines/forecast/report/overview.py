"""The newest forecasts and the last monitoring of `forecast`, for the overview of all champions."""

from plotly.graph_objects import Figure

from rnn_pipelines.champion.report import describe_monitor
from rnn_pipelines.errors import MAX_VALUE, make_line
from rnn_pipelines.forecast.methods.predictions import (
    REASON,
    RECORDED,
    SUSPECT,
    ForecastLog,
    fill_marks,
    keep_last_record,
    list_levels,
)
from rnn_pipelines.forecast.operations.monitoring import DriftRow, ForecastVerdict
from rnn_pipelines.forecast.report.choice import choose_series, describe_choice, keep_last_steps
from rnn_pipelines.forecast.report.monitoring import IN_WORDS, describe_error
from rnn_pipelines.forecast.report.newest import draw_forecast
from rnn_pipelines.forecast.report.styles import VALUE_AXIS
from rnn_pipelines.report.figures import add_menu, choose_time_axis, set_layout
from rnn_pipelines.report.numbers import format_minute, format_number, format_p_cell, format_percent
from rnn_pipelines.report.page import Part, Table


def report_forecasts(log: ForecastLog) -> list[Part]:
    """Return the newest forecasts of each series with their time and version, and a figure of some series.

    They are the last ones on record by the last version, from the newest cut-off of each series.
    """
    if log.empty:
        return []
    last = log.sort_values(RECORDED, kind="stable").iloc[-1]
    shown = keep_last_record(log[log["model_version"] == last["model_version"]])
    newest = shown[shown["cutoff"] == shown.groupby("unique_id")["cutoff"].transform("max")]
    newest = newest.sort_values(["unique_id", "ds"])
    made = f"made at {format_minute(last[RECORDED].isoformat())} by version {last['model_version']}"
    text = f"{len(newest):,} forecasts of {newest['unique_id'].nunique():,} series, {made}."
    suspects = fill_marks(newest).query(SUSPECT).drop_duplicates("unique_id")
    if len(suspects):
        first = suspects.iloc[0]
        named = f"such as {make_line(first['unique_id'], MAX_VALUE)}: {first[REASON]}"
        text += f" Those of {len(suspects):,} series are suspect, because their newest value is gross, {named}."
    return [text, draw_newest_forecasts(newest)]


def draw_newest_forecasts(newest: ForecastLog) -> Figure:
    """Draw the forecasts of one run, sorted by series and time, with their intervals, a series at a time."""
    figure = Figure()
    tables = choose_series(newest)
    levels = list_levels(newest)
    for table in keep_last_steps(tables):
        figure.add_traces(list(draw_forecast(table, levels)))
    add_menu(figure, list(tables))
    axis = choose_time_axis("time", newest["ds"])
    return set_layout(figure, "Newest forecasts", describe_choice(newest, tables), axis, VALUE_AXIS)


def report_forecast_monitor(verdict: ForecastVerdict) -> list[Part]:
    """Return the last verdict with its time, and realised against expected values."""
    text = (
        f"The monitor ran at {format_minute(verdict['at'])}. {describe_monitor(verdict, IN_WORDS)}"
    )
    drift = [row for row in verdict["drift"] if row["distance"] is not None]
    error = verdict["error"]
    if not error["num_forecasts"]:
        return [text, describe_error(error), describe_drift(drift)]
    rows = [
        [
            "MSE",
            format_number(error["mse"]),
            format_number(error["expected_mse"]),
            format_p_cell(error["p_value"]),
        ]
    ]
    for row in verdict["intervals"]:
        level = f"{row['level']} %"
        coverage = format_percent(row["coverage"], 1)
        rows.append(
            [f"inside the {level} intervals", coverage, level, format_p_cell(row["p_value"])]
        )
    return [
        text,
        describe_error(error),
        Table(["", "live", "expected", "p"], rows),
        describe_drift(drift),
    ]


def describe_drift(drift: list[DriftRow]) -> str:
    """Return the series whose newest values differ most from the past, in a sentence."""
    if not drift:
        return "The drift was not measured."
    row = max(drift, key=lambda row: row["distance"] or 0.0)
    distance = f"distance {format_number(row['distance'], 3)} (0 is equal, 1 is no overlap)"
    fact = f"the newest values of {row['unique_id']} differ most from the past"
    return (
        f"Drift: of {len(drift):,} series, {fact}: {distance}, p {format_p_cell(row['p_value'])}."
    )
