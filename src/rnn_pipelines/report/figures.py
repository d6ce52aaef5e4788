"""The parts of all figures: layout, menus, axes, lines, bands, bars and markers. The colours are in `styles`."""

import html
from collections.abc import Mapping, Sequence
from typing import Any, TypeAlias

import numpy as np
import pandas as pd
from plotly.graph_objects import Bar, Figure, Scatter, layout

from rnn_pipelines.errors import MAX_VALUE, make_line
from rnn_pipelines.report.styles import Style

Values: TypeAlias = Sequence[Any] | np.ndarray

BAND_OPACITY = 0.18
MAX_LABEL_LENGTH = 24
MAX_MARKED_POINTS = 40

AXIS = {"automargin": True, "title": {"font": {"size": 13}}}
# A legend below the figure saves width in narrow windows. Titles are at the same place as in kedro-viz.
TEMPLATE = layout.Template(
    layout={
        "font": {
            "family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif",
            "size": 13,
            "color": "#333",
        },
        "title": {"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 16}},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "margin": {"l": 16, "r": 16, "t": 72, "b": 40},
        "xaxis": AXIS | {"gridcolor": "rgba(128,128,128,0.15)", "zeroline": False},
        "yaxis": AXIS
        | {
            "gridcolor": "rgba(128,128,128,0.2)",
            "zerolinecolor": "rgba(128,128,128,0.5)",
            "hoverformat": ",.5~r",
        },
        "legend": {
            "orientation": "h",
            "yref": "container",
            "y": 0,
            "yanchor": "bottom",
            "x": 0,
            "xanchor": "left",
        },
        "hovermode": "x unified",
        "hoverlabel": {"namelength": -1},
    }
)


def set_layout(
    figure: Figure,
    title: str,
    subtitle: str = "",
    x: Mapping[str, Any] | str | None = None,
    y: Mapping[str, Any] | str | None = None,
    **layout: Any,
) -> Figure:
    """Set template, titles and axes of a figure in place, and return it.

    Args:
        x, y: settings of all horizontal and vertical axes, or their title alone.
        layout: other settings, as in `hovermode="closest"`; by default, the values at one place of the horizontal axis
            are shown together.
    """
    figure.update_layout(
        template=TEMPLATE, title={"text": title, "subtitle": {"text": subtitle}}, **layout
    )
    figure.update_xaxes({"title": x} if isinstance(x, str) else x)
    return figure.update_yaxes({"title": y} if isinstance(y, str) else y)


def draw_line(style: Style, x: Values, y: Values, width: float = 2, **options: Any) -> Scatter:
    """Return a line in the given style; few points are marked. The `options` of Plotly's `Scatter` prevail."""
    line = {"color": style.color, "dash": style.dash, "width": width} | options.pop("line", {})
    return Scatter(
        **{"x": x, "y": y, "name": style.name, "mode": choose_mode(y), "line": line} | options
    )


def draw_points(style: Style, x: Values, y: Values, **options: Any) -> Scatter:
    """Return markers in the given colour; `options` as in `draw_line`."""
    marker = {"color": style.color} | options.pop("marker", {})
    return Scatter(
        **{"x": x, "y": y, "name": style.name, "mode": "markers", "marker": marker} | options
    )


def draw_estimate(
    style: Style, y: Any, estimate: tuple[float, float, float], **options: Any
) -> Scatter:
    """Return a marker with a horizontal interval; the estimate is its value, lower and upper end."""
    value, low, high = estimate
    interval = {"array": [high - value], "arrayminus": [value - low], "thickness": 2, "width": 6}
    marker = {"size": 11} | options.pop("marker", {})
    return draw_points(style, [value], [y], error_x=interval, marker=marker, **options)


def draw_bars(style: Style, x: Values, y: Values, **options: Any) -> Bar:
    """Return bars in the given colour; `options` are those of Plotly's `Bar`."""
    return Bar(x=x, y=y, name=style.name, marker={"color": style.color}, **options)


def draw_band(
    style: Style, x: pd.Series, low: pd.Series, high: pd.Series, **options: Any
) -> Scatter:
    """Return a band between two bounds, all with the same index, with gaps where one is missing.

    If there is only one point, return an error bar.
    """
    has_both = low.notna() & high.notna()
    if has_both.sum() == 1:
        middle = (low + high)[has_both] / 2
        half = (high - low)[has_both] / 2
        bar = {"array": half, "color": style.color, "thickness": 2, "width": 8}
        # The legend shows the marker, but no bar.
        marker = {"symbol": "line-ns", "size": 12, "line": {"color": style.color, "width": 2}}
        return draw_points(
            style,
            x[has_both],
            middle,
            error_y=bar,
            **{"marker": marker, "hoverinfo": "skip"} | options,
        )
    xs: list[object] = []
    ys: list[float | None] = []
    # One outline for each run of rows, because Plotly closes the gaps of a single one.
    for _, rows in has_both[has_both].groupby((~has_both).cumsum()[has_both]):
        xs += [*x[rows.index], *x[rows.index][::-1], None]
        ys += [*high[rows.index], *low[rows.index][::-1], None]
    fill = {"fill": "toself", "fillcolor": fade(style.color), "hoverinfo": "skip"}
    return draw_line(style, xs, ys, width=0, **{"mode": "lines"} | fill | options)


def fade(color: str, opacity: float = BAND_OPACITY) -> str:
    """Return a colour such as #0072b2 with an opacity between 0 and 1."""
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{opacity})"


def choose_visible(is_shown: bool) -> bool | str:
    """Return Plotly's visibility of a trace; a trace that is not shown is drawn after a click on its legend entry."""
    return True if is_shown else "legendonly"


def add_menu(
    figure: Figure, labels: Sequence[str], layouts: Sequence[Mapping[str, Any]] = ()
) -> None:
    """Add a menu that shows the traces of one label at a time; a single label gets no menu.

    Args:
        figure: has the same number of traces for each label, in the order of the labels; changed in place.
        layouts: other settings of the layout for each label, as in `{"yaxis.type": "log"}`.
    """
    layouts = layouts or [{}] * len(labels)
    figure.update_layout(layouts[0])
    if len(labels) == 1:
        return
    num_traces = len(figure.data) // len(labels)
    shown = [trace.visible or True for trace in figure.data[:num_traces]]
    for trace in figure.data[num_traces:]:
        trace.visible = False
    buttons = []
    for place, label in enumerate(labels):
        before = [False] * num_traces * place
        after = [False] * num_traces * (len(labels) - place - 1)
        axes = {"xaxis.autorange": True, "yaxis.autorange": True, **layouts[place]}
        button = {"label": write_label(label, MAX_LABEL_LENGTH), "method": "update"}
        buttons.append(button | {"args": [{"visible": [*before, *shown, *after]}, axes]})
    place_of_menu = {"x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "pad": {"b": 8}}
    figure.update_layout(updatemenus=[{"buttons": buttons, **place_of_menu}])


def write_label(label: object, most: int = MAX_VALUE) -> str:
    """Return a name from the data on one line, with markup escaped, cut to `most` characters."""
    line = make_line(label)
    return html.escape(line if len(line) <= most else f"{line[: most - 1]}…", quote=False)


def make_log_ticks(lowest: int, highest: int, digits: Sequence[int] = (1, 2, 5)) -> dict[str, Any]:
    """Return the ticks of a logarithmic axis, each with its number: the multiples `digits` of powers of ten."""
    ticks = [digit * 10.0**power for power in range(lowest, highest + 1) for digit in digits]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def count_up_to(title: str, maximum: int) -> dict[str, Any]:
    """Return the settings of an axis of whole numbers, without fractional ticks if the numbers are few."""
    return {"title": title, "dtick": 1 if maximum <= 12 else None}


def choose_time_axis(title: str, times: Values | pd.Series) -> dict[str, Any]:
    """Return the settings of an axis of times; a single time is a label, because its scale would be microseconds."""
    return {"title": title} | ({"type": "category"} if pd.Series(times).nunique() == 1 else {})


def choose_mode(values: Values) -> str:
    """Return Plotly's mode for a line; few points are marked, because a line alone does not show a single point."""
    return "lines+markers" if pd.Series(values).count() <= MAX_MARKED_POINTS else "lines"
