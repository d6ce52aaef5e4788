"""Notes with the error, which replace a figure, a table, a page or a text that failed."""

from collections.abc import Callable, Iterable
from functools import partial
from html import escape
from textwrap import wrap
from typing import ParamSpec

import pandas as pd
from plotly.graph_objects import Figure

from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.figures import set_layout
from rnn_pipelines.report.page import render_page
from rnn_pipelines.report.report import Report

Inputs = ParamSpec("Inputs")

NOTE_TITLE = "This part of the report failed"
# The number of characters in a line of a figure.
LINE_WIDTH = 90
# The key of a table's note in its `attrs`.
NOTE = "note"


def draw_or_note(
    draw: Callable[Inputs, Figure], *args: Inputs.args, **kwargs: Inputs.kwargs
) -> Figure:
    """Return the figure, or a note if drawing it fails."""
    return guard(draw, draw_note)(*args, **kwargs)


def draw_note(reason: str) -> Figure:
    """Return a figure that contains only a note: the error on one line, which is escaped."""
    figure = Figure()
    hidden = {"visible": False}
    set_layout(figure, NOTE_TITLE, "the results of the run are complete", hidden, hidden)
    text = "<br>".join(escape(line, quote=False) for line in wrap(reason, LINE_WIDTH))
    place = {"xref": "paper", "yref": "paper", "x": 0, "y": 1, "xanchor": "left", "yanchor": "top"}
    return figure.add_annotation(text=text, showarrow=False, align="left", **place)


def draw_notes(names: Iterable[str]) -> Callable[[str], dict[str, Figure]]:
    """Return a substitute for several figures: a note for each name."""
    return partial(_draw_all_notes, tuple(names))


def _draw_all_notes(names: Iterable[str], reason: str) -> dict[str, Figure]:
    return {name: draw_note(reason) for name in names}


def render_or_note(
    build: Callable[Inputs, Report], name: str = "render_report"
) -> Callable[Inputs, str]:
    """Return a node function of the given name: the page of the report, or a note if it fails."""
    return guard(build, render_note, name, Report.render)


def summarize_or_note(
    build: Callable[Inputs, Report], name: str = "summarize_run"
) -> Callable[Inputs, str]:
    """Return a node function of the given name: the report for a terminal, or a note if it fails."""
    return guard(build, write_note, name, Report.summarize)


def render_note(reason: str) -> str:
    return render_page("Report", write_note(reason), [])


def write_note(reason: str) -> str:
    return f"{NOTE_TITLE}; the results of the run are complete. {reason}"


def empty_table(columns: pd.DataFrame) -> Callable[[str], pd.DataFrame]:
    """Return a substitute for a table: no rows, and the note in `attrs`, which Parquet files keep."""
    return partial(_note_in_table, columns)


def _note_in_table(columns: pd.DataFrame, reason: str) -> pd.DataFrame:
    table = columns.copy()
    table.attrs = {NOTE: reason}
    return table


def find_failure(table: pd.DataFrame) -> str | None:
    """Return the error of a table that failed, from its note; None for any other table."""
    return table.attrs.get(NOTE)
