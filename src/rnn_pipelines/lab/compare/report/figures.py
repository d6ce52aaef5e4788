"""The figures of `compare`; each has a menu of the tasks, because their units differ."""

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.lab.compare.records import ComparisonResults, Description, Estimate, RunWithCurve
from rnn_pipelines.lab.compare.report.results import BOUND, STYLES, TaskResults, list_tasks
from rnn_pipelines.lab.compare.report.tables import format_estimate
from rnn_pipelines.lab.compare.tasks.series import FLOOR
from rnn_pipelines.report.figures import (
    add_menu,
    draw_band,
    draw_estimate,
    draw_line,
    draw_points,
    make_log_ticks,
    set_layout,
)
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.styles import NEUTRAL_COLOR, REFERENCE_COLOR, Style
from rnn_pipelines.report.trainings import MIN_LOG_RATIO

# Offsets from the middle of a row, whose height is 1.
DOTS_ABOVE = 0.12
DOTS_SPREAD = 0.12
MEAN_BELOW = 0.2
MAX_DENSE_RATIO = 100
UNDECIDED = Style("no difference shown", REFERENCE_COLOR)
PAPER_SYMBOLS = ("square-open", "triangle-up-open", "star-open")


@dataclass(frozen=True)
class View:
    """The view of one task in a figure; its layout as in `add_menu`."""

    traces: Sequence[Scatter]
    layout: Mapping[str, Any]


def draw_comparison_figures(
    runs: Sequence[RunWithCurve], results: ComparisonResults, description: Description
) -> dict[str, Figure]:
    """Draw all figures of the report: `curves`, `losses`, `differences` and `time`."""
    tasks = list_tasks(runs, results["summary"], description)
    return {
        "curves": draw_or_note(draw_curves, tasks),
        "losses": draw_or_note(draw_test_losses, tasks),
        "differences": draw_or_note(draw_differences, tasks),
        "time": draw_or_note(draw_time, tasks),
    }


def draw_curves(tasks: Sequence[TaskResults]) -> Figure:
    """Draw the validation loss by gradient step: the median, and a band from the lowest to the highest seed.

    A seed that has stopped keeps its last loss, so that the curve always covers all seeds. The median is thin after the
    first seed has stopped.
    """
    views = {}
    for task in tasks:
        traces = [trace for cell in task.cells for trace in _draw_curve(task, cell)]
        end = max(run["epochs"] * run["steps_per_epoch"] for run in task.runs)
        bound = {} if task.spec.learnt_below is None else {BOUND: task.spec.learnt_below}
        lines = dict(task.references) | bound
        traces += [_draw_line(name, [0, end], [loss, loss]) for name, loss in lines.items()]
        losses = [
            loss
            for cell in task.cells
            for curve in task.list_values(cell, "curve")
            for loss in curve
        ]
        scale = choose_scale("yaxis", [*losses, *lines.values()])
        views[task.name] = View(traces, {"yaxis.title.text": task.spec.data.metric, **scale})
    figure = combine_views(views)
    subtitle = "on validation; median and range over seeds"
    return set_layout(figure, "Learning curves", subtitle, "gradient steps")


def _draw_curve(task: TaskResults, cell: str) -> Iterator[Scatter]:
    curves = task.list_values(cell, "curve")
    shortest = min(map(len, curves))
    longest = max(map(len, curves))
    losses = np.array([[*curve, *[curve[-1]] * (longest - len(curve))] for curve in curves])
    low = losses.min(axis=0)
    median = np.median(losses, axis=0)
    high = losses.max(axis=0)
    steps = task.list_values(cell, "steps_per_epoch")[0] * np.arange(1, longest + 1)
    style = STYLES[cell]
    band = map(pd.Series, (steps, low, high))
    yield draw_band(style, *band, showlegend=False, legendgroup=cell)
    for part, width in ((slice(shortest), 2.5), (slice(shortest - 1, None), 1)):
        yield draw_line(
            style,
            steps[part],
            median[part],
            width,
            # A line alone does not show a single epoch.
            mode="lines+markers" if longest == 1 else "lines",
            hovertemplate="%{y:.4g} (%{customdata[0]:.4g} to %{customdata[1]:.4g})",
            customdata=np.stack([low[part], high[part]], axis=1),
            showlegend=part.start is None,
            legendgroup=cell,
        )


def _draw_line(name: str, x: Sequence[float], y: Sequence[float]) -> Scatter:
    """Draw a reference as a straight line with its value in the legend."""
    value = format_number(x[0] if x[0] == x[1] else y[0])
    return draw_line(
        STYLES[name], x, y, 1.8, name=f"{name} {value}", mode="lines", hoverinfo="skip"
    )


def draw_test_losses(tasks: Sequence[TaskResults]) -> Figure:
    """Draw the test loss of each seed, mean and interval, published losses and the best reference."""
    views = {task.name: _view_losses(task) for task in tasks}
    return combine_rows(views, "Losses by seed", "on the test part; ◆ mean with 95 % interval")


def _view_losses(task: TaskResults) -> View:
    # Worse references would compress the scale of the seeds.
    references = {
        name: loss for name, loss in task.references.items() if name in (FLOOR, task.best_reference)
    }
    published = [loss for losses in task.published.values() for loss in losses.values()]
    shown = [*(run["test"] for run in task.runs), *references.values(), *published]
    scale = choose_scale("xaxis", shown)
    lowest = min(shown) / 2 if scale["xaxis.type"] == "log" else -math.inf
    traces: list[Scatter] = []
    for row, network in enumerate(task.networks):
        cell = network["cell"]
        losses = task.list_values(cell, "test")
        traces += draw_row(row, losses, network["test"], STYLES[cell], lowest=lowest)
    for symbol, (paper, by_cell) in zip(PAPER_SYMBOLS, task.published.items(), strict=False):
        cells = [cell for cell in task.cells if cell in by_cell]
        x = [by_cell[cell] for cell in cells]
        y = [DOTS_ABOVE - task.cells.index(cell) for cell in cells]
        marker = {"symbol": symbol, "size": 11, "line": {"width": 2}}
        traces.append(
            draw_points(Style(paper, NEUTRAL_COLOR), x, y, marker=marker, hovertemplate="%{x:.4g}")
        )
    for name, loss in references.items():
        line = _draw_line(name, [loss, loss], [0.5, 0.5 - len(task.networks)])
        # Invisible markers extend the axis, so that the line does not lie on the edge of the figure.
        traces.append(line.update(mode="lines+markers", marker={"color": "rgba(0,0,0,0)"}))
    return View(traces, {"xaxis.title.text": task.spec.data.metric, **scale, **_name_cells(task)})


def _name_cells(task: TaskResults) -> dict[str, list[str]]:
    return name_rows(STYLES[cell].name for cell in task.cells)


def draw_differences(tasks: Sequence[TaskResults]) -> Figure:
    """Draw the test loss of one network minus that of another, by seed, in the colour of the better network."""
    views = {task.name: _view_differences(task) for task in tasks}
    return combine_rows(
        views, "Paired differences", "of test losses; left of 0 the upper network is better"
    )


def _view_differences(task: TaskResults) -> View:
    ends = [0.5, 0.5 - len(task.differences)]
    traces = [
        draw_line(UNDECIDED, [0, 0], ends, 1.5, mode="lines", showlegend=False, hoverinfo="skip")
    ]
    names = []
    for row, pair in enumerate(task.differences):
        style = STYLES[pair["better"]] if pair["better"] else UNDECIDED
        values = np.subtract(
            task.list_values(pair["cell"], "test"), task.list_values(pair["against"], "test")
        )
        traces += draw_row(row, values.tolist(), pair, style)
        names.append(f"{STYLES[pair['cell']].name}<br>− {STYLES[pair['against']].name}")
    return View(traces, {"xaxis.title.text": task.spec.data.metric, **name_rows(names)})


def draw_time(tasks: Sequence[TaskResults]) -> Figure:
    """Draw the seconds per epoch and to the best validation loss, by seed, without graph compilation."""
    axes = {
        "xaxis": {"domain": [0, 0.48], "title": "s per epoch", "rangemode": "tozero"},
        "xaxis2": {"domain": [0.52, 1], "title": "s to best", "rangemode": "tozero", "anchor": "y"},
    }
    views = {task.name: _view_time(task) for task in tasks}
    return combine_rows(views, "Time", "without compiling; ◆ mean with 95 % interval", axes)


def _view_time(task: TaskResults) -> View:
    traces: list[Scatter] = []
    for row, network in enumerate(task.networks):
        cell = network["cell"]
        for axis, key, estimate in (
            ("x", "seconds_per_epoch", network["seconds_per_epoch"]),
            ("x2", "seconds_to_best", network["seconds_to_best"]),
        ):
            seconds = task.list_values(cell, key)
            traces += draw_row(row, seconds, estimate, STYLES[cell], axis, lowest=0.0)
    return View(traces, {"xaxis2.autorange": True, **_name_cells(task)})


def combine_views(views: Mapping[str, View], axes: Mapping[str, Any] | None = None) -> Figure:
    """Return one figure with a menu of the tasks; empty traces give all tasks the same number of traces."""
    figure = Figure(layout=axes)
    most = max(len(view.traces) for view in views.values())
    for view in views.values():
        figure.add_traces(view.traces)
        for _ in range(most - len(view.traces)):
            figure.add_scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip")
    add_menu(
        figure, [STYLES[task].name for task in views], [view.layout for view in views.values()]
    )
    return figure


def combine_rows(
    views: Mapping[str, View], title: str, subtitle: str, axes: Mapping[str, Any] | None = None
) -> Figure:
    """Return one figure with a menu of the tasks, from views that consist of rows."""
    y = {"title": "network", "zeroline": False}
    return set_layout(combine_views(views, axes), title, subtitle, y=y, hovermode="closest")


def choose_scale(axis: str, values: Sequence[float]) -> dict[str, Any]:
    """Return the settings of an axis, which is logarithmic if the values differ much."""
    lowest = min(values)
    highest = max(values)
    if lowest <= 0 or highest < MIN_LOG_RATIO * lowest:
        return {f"{axis}.type": "linear", f"{axis}.tickmode": "auto"}
    ticks = make_log_ticks(-12, 9, (1, 2, 5) if highest < MAX_DENSE_RATIO * lowest else (1,))
    scale = {"type": "log", "tickmode": "array", **ticks}
    return {f"{axis}.{key}": value for key, value in scale.items()}


def name_rows(names: Iterable[str]) -> dict[str, Any]:
    """Return the settings of the axis of rows, with the first row on top."""
    texts = list(names)
    return {"yaxis.tickvals": [-row for row in range(len(texts))], "yaxis.ticktext": texts}


def draw_row(
    row: int,
    values: Sequence[float],
    estimate: Estimate,
    style: Style,
    axis: str = "x",
    lowest: float = -math.inf,
) -> list[Scatter]:
    """Draw a dot for each seed, the first seed on top, and below them the mean with its interval.

    The interval is cut at `lowest`, because a logarithmic axis has no 0 and times are not negative.
    """
    y = DOTS_ABOVE - row + np.linspace(DOTS_SPREAD, -DOTS_SPREAD, len(values))
    seeds = draw_points(
        style,
        values,
        y,
        name=None,
        xaxis=axis,
        showlegend=False,
        marker={"size": 7, "opacity": 0.75},
        text=[f"seed {seed}" for seed in range(len(values))],
        hovertemplate="%{text}: %{x:.4g}<extra></extra>",
    )
    center = estimate["mean"]
    low = estimate["low"]
    high = estimate["high"]
    ends = (center, center) if low is None or high is None else (max(low, lowest), high)
    mean = draw_estimate(
        style,
        -row - MEAN_BELOW,
        (center, *ends),
        name=None,
        xaxis=axis,
        showlegend=False,
        marker={"symbol": "diamond"},
        hovertemplate="mean {} ({})<extra></extra>".format(*format_estimate(estimate)),
    )
    return [seeds, mean]
