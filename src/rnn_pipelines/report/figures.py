"""Titles, menus and axes of the figures of all reports. The colours are in `styles`."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure, Scatter, layout

from rnn_pipelines.errors import MAX_VALUE, make_line
from rnn_pipelines.report.styles import Style

# The colour of observed values and marks.
NEUTRAL_COLOR = "#666666"
MAX_LABEL_LENGTH = 24
MAX_MARKED_POINTS = 40

# A legend below the figure saves width in narrow windows. Titles are at the same place as in kedro-viz.
TEMPLATE = layout.Template(
    layout={
        "font": {"family": "system-ui, -apple-system, Segoe UI, Roboto, sans-serif", "size": 13, "color": "#333"},
        "title": {"x": 0, "xref": "paper", "xanchor": "left", "font": {"size": 16}},
        "paper_bgcolor": "#fff",
        "plot_bgcolor": "#fff",
        "margin": {"l": 16, "r": 16, "t": 72, "b": 40},
        "xaxis": {
            "gridcolor": "rgba(128,128,128,0.15)",
            "zeroline": False,
            "automargin": True,
            "title": {"font": {"size": 13}},
        },
        "yaxis": {
            "gridcolor": "rgba(128,128,128,0.2)",
            "zerolinecolor": "rgba(128,128,128,0.5)",
            "automargin": True,
            "hoverformat": ",.5~r",
            "title": {"font": {"size": 13}},
        },
        "legend": {"orientation": "h", "yref": "container", "y": 0, "yanchor": "bottom", "x": 0, "xanchor": "left"},
        "hovermode": "x unified",
        "hoverlabel": {"namelength": -1},
    }
)


def set_title(figure: Figure, title: str, subtitle: str = "") -> None:
    """Set template, title and subtitle of a figure in place."""
    figure.update_layout(template=TEMPLATE, title={"text": title, "subtitle": {"text": subtitle}})


def draw_line(style: Style, x: pd.Series, y: pd.Series, width: float = 2, **options: Any) -> Scatter:
    """Return a line in the given style; its points are marked if they are few.

    Args:
        width: the width in pixels.
        options: see Plotly's `Scatter`.
    """
    line = {"color": style.color, "dash": style.dash, "width": width}
    return Scatter(x=x, y=y, name=style.name, mode=choose_mode(y), line=line, **options)


def add_menu(figure: Figure, labels: Sequence[str], layouts: Sequence[Mapping[str, Any]] = ()) -> None:
    """Add a menu that shows the traces of one label at a time; a single label gets no menu.

    Args:
        figure: has the same number of traces for each label, in the order of the labels; changed in place.
        labels: the texts of the menu.
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
        before, after = [False] * num_traces * place, [False] * num_traces * (len(labels) - place - 1)
        buttons.append(
            {
                "label": write_label(label, MAX_LABEL_LENGTH),
                "method": "update",
                "args": [
                    {"visible": [*before, *shown, *after]},
                    {"xaxis.autorange": True, "yaxis.autorange": True, **layouts[place]},
                ],
            }
        )
    figure.update_layout(
        updatemenus=[{"buttons": buttons, "x": 1, "xanchor": "right", "y": 1, "yanchor": "bottom", "pad": {"b": 8}}]
    )


def write_label(label: object, most: int = MAX_VALUE) -> str:
    """Return a name from the data on one line, with markup escaped, cut to `most` characters."""
    line = make_line(label)
    return html.escape(line if len(line) <= most else f"{line[: most - 1]}…", quote=False)


def make_log_ticks(lowest: int, highest: int, digits: Sequence[int] = (1, 2, 5)) -> dict[str, Any]:
    """Return the ticks of a logarithmic axis, each with its number.

    Args:
        lowest, highest: the range of powers of ten.
        digits: the multiples of each power.
    """
    ticks = [digit * 10.0**power for power in range(lowest, highest + 1) for digit in digits]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def count_up_to(title: str, maximum: int) -> dict[str, Any]:
    """Return the settings of an axis of whole numbers, without fractional ticks if the numbers are few."""
    return {"title": title, "dtick": 1 if maximum <= 12 else None}


def choose_mode(values: pd.Series) -> str:
    """Return Plotly's mode for a line; few points are marked, because a line alone does not show a single point."""
    return "lines+markers" if values.count() <= MAX_MARKED_POINTS else "lines"
