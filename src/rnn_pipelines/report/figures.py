"""What the figures of all reports share: titles, menus and axes. Who is drawn in which colour, `styles` says."""

import html
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from plotly.graph_objects import Figure, Scatter, layout

from rnn_pipelines.errors import MAX_VALUE, make_line
from rnn_pipelines.report.styles import Style

# Of what doesn't belong to a network: observed values, and marks.
NEUTRAL_COLOR = "#666666"
MAX_LABEL_LENGTH = 24
MAX_MARKED_POINTS = 40

# A legend below leaves narrow windows their width. Titles stand where kedro-viz puts them too.
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
    """Gives a figure, which is changed in place, the common looks, its title and the line below it."""
    figure.update_layout(template=TEMPLATE, title={"text": title, "subtitle": {"text": subtitle}})


def draw_line(style: Style, x: pd.Series, y: pd.Series, width: float = 2, **options: Any) -> Scatter:
    """A line in someone's look, under the name that they have in the legend.

    Args:
        style: whose.
        x, y: of each point; points are marked where they are few.
        width: in pixels.
        options: see Plotly's `Scatter`.
    """
    line = {"color": style.color, "dash": style.dash, "width": width}
    return Scatter(x=x, y=y, name=style.name, mode=choose_mode(y), line=line, **options)


def add_menu(figure: Figure, labels: Sequence[str], layouts: Sequence[Mapping[str, Any]] = ()) -> None:
    """A menu that shows one run of the figure's traces at a time; none where there is a single run.

    Args:
        figure: with equally many traces for each label, in the order of the labels; changed in place.
        labels: texts of the menu.
        layouts: for each label, what else of the layout goes with it, as in `{"yaxis.type": "log"}`; none for nothing.
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
    """A name from the data on one line, with nothing that Plotly would read as markup, and cut where it is longer."""
    line = make_line(label)
    return html.escape(line if len(line) <= most else f"{line[: most - 1]}…", quote=False)


def make_log_ticks(lowest: int, highest: int, digits: Sequence[int] = (1, 2, 5)) -> dict[str, Any]:
    """Ticks of a logarithmic axis, with numbers at each, so that nobody counts lines.

    Args:
        lowest, highest: powers of ten.
        digits: that are multiplied by them."""
    ticks = [digit * 10.0**power for power in range(lowest, highest + 1) for digit in digits]
    return {"tickvals": ticks, "ticktext": [f"{tick:g}" for tick in ticks]}


def count_up_to(title: str, maximum: int) -> dict[str, Any]:
    """An axis of whole numbers, without fractions between them where they are few."""
    return {"title": title, "dtick": 1 if maximum <= 12 else None}


def choose_mode(values: pd.Series) -> str:
    """Points are marked where they are few: a line alone doesn't show a single one."""
    return "lines+markers" if values.count() <= MAX_MARKED_POINTS else "lines"
