"""The parts of the figures of `compare`: a view of each task, and rows of dots for its seeds."""

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.compare.records import Estimate
from rnn_pipelines.compare.report.styles import STYLES
from rnn_pipelines.compare.report.tables import format_estimate
from rnn_pipelines.report.figures import add_menu, draw_estimate, draw_points, make_log_ticks, set_layout
from rnn_pipelines.report.styles import Style
from rnn_pipelines.report.trainings import MIN_LOG_RATIO

# Offsets from the middle of a row, whose height is 1.
DOTS_ABOVE = 0.12
DOTS_SPREAD = 0.12
MEAN_BELOW = 0.2
MAX_DENSE_RATIO = 100


@dataclass(frozen=True)
class View:
    """The view of one task in a figure.

    Attributes:
        layout: the settings of the layout for this task, see `add_menu`.
    """

    traces: Sequence[Scatter]
    layout: Mapping[str, Any]


def combine_views(views: Mapping[str, View], axes: Mapping[str, Any] | None = None) -> Figure:
    """Return one figure with a menu of the tasks; empty traces give all tasks the same number of traces."""
    figure = Figure(layout=axes)
    most = max(len(view.traces) for view in views.values())
    for view in views.values():
        figure.add_traces(view.traces)
        for _ in range(most - len(view.traces)):
            figure.add_scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip")
    add_menu(figure, [STYLES[task].name for task in views], [view.layout for view in views.values()])
    return figure


def combine_rows(views: Mapping[str, View], title: str, subtitle: str, axes: Mapping[str, Any] | None = None) -> Figure:
    """Return one figure with a menu of the tasks, from views that consist of rows."""
    return set_layout(
        combine_views(views, axes), title, subtitle, y={"title": "network", "zeroline": False}, hovermode="closest"
    )


def choose_scale(axis: str, values: Sequence[float]) -> dict[str, Any]:
    """Return the settings of an axis, which is logarithmic if the values differ much."""
    lowest, highest = min(values), max(values)
    if lowest <= 0 or highest < MIN_LOG_RATIO * lowest:
        return {f"{axis}.type": "linear", f"{axis}.tickmode": "auto"}
    ticks = make_log_ticks(-12, 9, (1, 2, 5) if highest < MAX_DENSE_RATIO * lowest else (1,))
    return {f"{axis}.type": "log", f"{axis}.tickmode": "array", **{f"{axis}.{key}": of for key, of in ticks.items()}}


def name_rows(names: Iterable[str]) -> dict[str, Any]:
    """Return the settings of the axis of rows, with the first row on top."""
    texts = list(names)
    return {"yaxis.tickvals": [-row for row in range(len(texts))], "yaxis.ticktext": texts}


def draw_seeds(row: int, values: Sequence[float], style: Style, axis: str = "x") -> Scatter:
    """Draw a dot for each seed, with the first seed on top."""
    y = DOTS_ABOVE - row + np.linspace(DOTS_SPREAD, -DOTS_SPREAD, len(values))
    options = {
        "marker": {"size": 7, "opacity": 0.75},
        "text": [f"seed {seed}" for seed in range(len(values))],
        "hovertemplate": "%{text}: %{x:.4g}<extra></extra>",
    }
    return draw_points(style, values, y, name=None, xaxis=axis, showlegend=False, **options)


def draw_mean(row: int, estimate: Estimate, style: Style, axis: str = "x", lowest: float = -math.inf) -> Scatter:
    """Draw the mean with its interval, below the dots of the seeds.

    Args:
        lowest: the value at which the interval is cut, because a logarithmic axis has no 0 and times are not negative.
    """
    mean, low, high = estimate["mean"], estimate["low"], estimate["high"]
    ends = (mean, mean, mean) if low is None or high is None else (mean, max(low, lowest), high)
    hover = "mean {} ({})<extra></extra>".format(*format_estimate(estimate))
    options = {"marker": {"symbol": "diamond"}, "hovertemplate": hover}
    return draw_estimate(style, -row - MEAN_BELOW, ends, name=None, xaxis=axis, showlegend=False, **options)
