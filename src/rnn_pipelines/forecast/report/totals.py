"""The totals of the next values in the report: a table, and a figure of the first groups."""

import math
from dataclasses import replace

from plotly.graph_objects import Figure

from rnn_pipelines.errors import count
from rnn_pipelines.forecast.report import choice
from rnn_pipelines.forecast.report.next_values import choose_form, write_times
from rnn_pipelines.forecast.report.styles import STYLES, VALUE_AXIS, add_values
from rnn_pipelines.forecast.source.table_form import FORECAST
from rnn_pipelines.forecast.totals.adding import Totals, TotalsTable, name_group
from rnn_pipelines.forecast.totals.levels import OWN, RECONCILED, SUMS, MetricsByTotal
from rnn_pipelines.report.figures import add_menu, draw_band, draw_line, set_layout
from rnn_pipelines.report.numbers import format_percent
from rnn_pipelines.report.page import Part, Table
from rnn_pipelines.report.terminal import fit_table
from rnn_pipelines.report.texts import read_prose

# Rows of the table, and groups of the figure.
MAX_ROWS, MAX_GROUPS = 40, 12
# Groups in the terminal.
MAX_LINES = 7
USED_WIDTH = 3.2
# The ways in which a total is forecast, with their headings.
HEADINGS = {SUMS: "bottom-up", OWN: "own", RECONCILED: "reconciled"}
NOTES = read_prose("rnn_pipelines.forecast.report")["totals"]


def describe_totals(totals: Totals) -> list[Part]:
    """Return the table of the first totals, and what they are; empty without totals."""
    if totals.empty:
        return []
    notes = [NOTES["sums"]]
    if not totals["is_whole"].all():
        notes.append(NOTES["partial"])
    if len(totals) > MAX_ROWS:
        notes.append(NOTES["files"].format(num_rows=f"{len(totals):,}"))
    return [_tabulate(totals.head(MAX_ROWS)), *notes]


def list_first_totals(totals: Totals) -> str:
    """Return the first period of the first groups for a terminal; empty without totals."""
    table = tabulate_first_totals(totals)
    return fit_table(table, MAX_LINES) if table else ""


def tabulate_first_totals(totals: Totals) -> Table:
    """Return the first period of each group; no rows without totals."""
    return _tabulate(totals.drop_duplicates(["total", "group"]))


def _tabulate(totals: Totals) -> Table:
    bounds = [name for name in totals if TotalsTable.is_in_family(name)]
    numbers = totals[[FORECAST, *bounds]].to_numpy()
    form = choose_form(numbers)
    labels = [
        [name_group(row.total, row.group), _name_period(start, end, row.num_steps, row.is_whole)]
        for row, start, end in zip(
            totals.itertuples(),
            write_times(totals["ds"]),
            write_times(totals["until"]),
            strict=True,
        )
    ]
    rows = [[*names, *map(form, values)] for names, values in zip(labels, numbers, strict=True)]
    headings = ["total", "period", FORECAST, *(str(name).replace("-", " ") for name in bounds)]
    return Table(headings, rows)


def _name_period(start: str, end: str, num_steps: int, is_whole: bool) -> str:
    if start == end and is_whole:
        return start
    part = "" if is_whole else f" (partial, {count(num_steps, 'step')})"
    return f"{start} to {end}{part}"


def draw_totals(totals: Totals, use: str, values: str = VALUE_AXIS) -> Figure:
    """Draw the totals of some groups with intervals, one at a time."""
    style = STYLES[use]
    lows = [name for name in totals if str(name).startswith("lo-")]
    figure = Figure()
    labels = []
    for (total, group), rows in list(totals.groupby(["total", "group"], sort=False))[:MAX_GROUPS]:
        table = rows.reset_index(drop=True)
        times = choice.show_time(table["ds"])
        for low in reversed(lows):
            level = low.removeprefix("lo-")
            band = replace(style, name=f"{style.name}, {level} %")
            figure.add_trace(draw_band(band, times, table[low], table[f"hi-{level}"]))
        figure.add_trace(draw_line(style, times, table[FORECAST], width=USED_WIDTH))
        labels.append(name_group(str(total), str(group)))
    add_menu(figure, labels)
    return set_layout(
        figure, add_values("Totals", values), labels[0] if len(labels) == 1 else "", y=values
    )


def tabulate_levels(by_total: MetricsByTotal) -> Table:
    """Return the errors of each kind of total on the test part, by the way in which it is forecast."""
    wape = by_total.pivot(index="level", columns="method", values="wape")
    coverage = by_total.groupby("level")["coverage_80"].max()
    methods = [name for name in HEADINGS if name in wape]
    rows = [
        [
            level,
            *(_format(wape.loc[level, name]) for name in methods),
            _format(coverage[level]),
        ]
        for level in by_total["level"].unique()
    ]
    return Table(["total", *(HEADINGS[name] for name in methods), "inside 80 %"], rows)


def _format(fraction: float) -> str:
    return format_percent(None if math.isnan(fraction) else fraction, 1)
