"""Figures of the notebooks: Plotly figures with a PNG beside them, and drawings of the cells."""

import json
from collections.abc import Sequence
from io import BytesIO
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
from IPython.display import display
from matplotlib.axes import Axes
from matplotlib.colors import to_rgba
from matplotlib.dates import ConciseDateFormatter

QUIET, BOLD = "#b8c0cc", "#d1495b"
# Dashes of Plotly in matplotlib.
DASHES = {"dash": "--", "dot": ":", "dashdot": "-."}

# A node is its place and its label; an edge is its corners and the paths that it belongs to.
Node = tuple[float, float, str]
Edge = tuple[Sequence[tuple[float, float]], str]

LSTM_NODES: list[Node] = [
    (2.2, 2.2, r"$\sigma$"), (3.8, 2.2, r"$\sigma$"), (5.0, 2.2, "tanh"), (6.6, 2.2, r"$\sigma$"),
    (2.2, 5.0, r"$\times$"), (5.0, 3.7, r"$\times$"), (5.0, 5.0, "$+$"), (8.2, 4.2, "tanh"), (8.2, 3.2, r"$\times$"),
]  # fmt: skip
LSTM_EDGES: list[Edge] = [
    ([(0, 5), (2.2, 5)], "forget"), ([(2.2, 5), (5, 5)], "forget"), ([(5, 5), (8.2, 5)], "forget input output"),
    ([(8.2, 5), (10, 5)], "forget input"),
    ([(0, 1), (2.2, 1)], "forget input output"), ([(1, 0), (1, 1)], "forget input output"),
    ([(2.2, 1), (3.8, 1)], "input output"), ([(3.8, 1), (5, 1)], "input output"), ([(5, 1), (6.6, 1)], "output"),
    ([(2.2, 1), (2.2, 2.2)], "forget"), ([(2.2, 2.2), (2.2, 5)], "forget"),
    ([(3.8, 1), (3.8, 2.2)], "input"), ([(3.8, 2.2), (3.8, 3.7), (5, 3.7)], "input"),
    ([(5, 1), (5, 2.2)], "input"), ([(5, 2.2), (5, 3.7)], "input"), ([(5, 3.7), (5, 5)], "input"),
    ([(6.6, 1), (6.6, 2.2)], "output"), ([(6.6, 2.2), (6.6, 3.2), (8.2, 3.2)], "output"),
    ([(8.2, 5), (8.2, 4.2)], "output"), ([(8.2, 4.2), (8.2, 3.2)], "output"),
    ([(8.2, 3.2), (8.2, 1), (10, 1)], "output"),
]  # fmt: skip
LSTM_LABELS: list[Node] = [
    (-0.35, 5, "$c$"), (10.4, 5, "$c'$"), (-0.35, 1, "$h$"), (10.4, 1, "$h'$"), (1, -0.35, "$x$"),
    (1.85, 3.1, "$f$"), (3.45, 3.1, "$i$"), (5.3, 3.0, "$g$"), (6.25, 3.1, "$o$"),
]  # fmt: skip

GRU_NODES: list[Node] = [
    (1.9, 2.2, r"$\sigma$"), (3.1, 2.2, r"$\times$"), (4.4, 2.2, "tanh"), (6.0, 2.2, r"$\sigma$"),
    (6.0, 5.0, r"$\times$"), (7.5, 3.0, "$1-$"), (7.5, 3.9, r"$\times$"), (7.5, 5.0, "$+$"),
]  # fmt: skip
GRU_EDGES: list[Edge] = [
    ([(0, 5), (0.6, 5)], "reset update"), ([(0.6, 5), (3.1, 5)], "reset update"), ([(3.1, 5), (6, 5)], "update"),
    ([(6, 5), (7.5, 5)], "update"), ([(7.5, 5), (10, 5)], "update candidate"),
    ([(0.6, 5), (0.6, 1)], "reset update"), ([(1.2, 0), (1.2, 1)], "reset update candidate"),
    ([(0.6, 1), (1.9, 1)], "reset update"), ([(1.2, 1), (4.4, 1)], "update candidate"), ([(4.4, 1), (6, 1)], "update"),
    ([(1.9, 1), (1.9, 2.2)], "reset"), ([(1.9, 2.2), (3.1, 2.2)], "reset"),
    ([(3.1, 5), (3.1, 2.2)], "reset candidate"), ([(3.1, 2.2), (4.4, 2.2)], "reset candidate"),
    ([(4.4, 1), (4.4, 2.2)], "candidate"), ([(4.4, 2.2), (4.4, 3.9), (7.5, 3.9)], "candidate"),
    ([(6, 1), (6, 2.2)], "update"), ([(6, 2.2), (6, 5)], "update"), ([(6, 3), (7.5, 3)], "update"),
    ([(7.5, 3), (7.5, 3.9)], "update"), ([(7.5, 3.9), (7.5, 5)], "candidate update"),
]  # fmt: skip
GRU_LABELS: list[Node] = [
    (-0.35, 5, "$h$"), (10.4, 5, "$h'$"), (1.2, -0.35, "$x$"),
    (2.5, 2.5, "$r$"), (5.65, 3.1, "$z$"), (4.1, 3.1, "$g$"),
]  # fmt: skip


def draw_lstm(axes: Axes, path: str) -> None:
    """Draw an LSTM with one path highlighted: `forget`, `input` or `output`."""
    _draw_cell(axes, (LSTM_NODES, LSTM_EDGES, LSTM_LABELS), path)


def draw_gru(axes: Axes, path: str) -> None:
    """Draw a GRU with one path highlighted: `reset`, `candidate` or `update`."""
    _draw_cell(axes, (GRU_NODES, GRU_EDGES, GRU_LABELS), path)


def _draw_cell(axes: Axes, cell: tuple[list[Node], list[Edge], list[Node]], path: str) -> None:
    nodes, edges, labels = cell
    ends = {corners[-1] for corners, paths in edges if path in paths.split()}
    for corners, paths in sorted(edges, key=lambda edge: path in edge[1].split()):
        is_on = path in paths.split()
        axes.plot(
            *zip(*corners, strict=True), color=BOLD if is_on else QUIET, lw=2.6 if is_on else 1.4, zorder=1 + is_on
        )
    for x, y, label in nodes:
        style = {"boxstyle": "round,pad=0.35", "fc": "white", "ec": BOLD if (x, y) in ends else QUIET, "lw": 1.6}
        axes.text(x, y, label, ha="center", va="center", fontsize=10, bbox=style, zorder=3)
    for x, y, label in labels:
        axes.text(x, y, label, ha="center", va="center", fontsize=12)
    axes.set(xlim=(-0.8, 10.9), ylim=(-0.8, 5.8), title=f"path: {path}")
    axes.set_aspect("equal")
    axes.axis("off")


def show_figure(figure: Any) -> None:
    """Display a Plotly figure, with a PNG of its lines for pages that run no script."""
    layout = figure.layout
    _, axes = plt.subplots(figsize=(8, 3.6), layout="constrained")
    for trace in figure.data:
        line, label = trace.line, trace.name if trace.showlegend is not False else None
        if trace.fill == "toself":
            # The outline ends with None.
            axes.fill(_read_times(trace.x[:-1]), trace.y[:-1], color=to_rgba(line.color), alpha=0.25, lw=0, label=label)
        elif line.width != 0:
            axes.plot(
                _read_times(trace.x),
                trace.y,
                color=to_rgba(line.color),
                ls=DASHES.get(line.dash, "-"),
                lw=1.6,
                label=label,
            )
    if np.issubdtype(_read_times(figure.data[0].x[:-1]).dtype, np.datetime64):
        axes.xaxis.set_major_formatter(ConciseDateFormatter(axes.xaxis.get_major_locator()))
    axes.set(title=layout.title.text, xlabel=layout.xaxis.title.text, ylabel=layout.yaxis.title.text)
    axes.legend(frameon=False)
    png = BytesIO()
    plt.savefig(png, format="png", dpi=90)
    plt.close()
    bundle = {"application/vnd.plotly.v1+json": json.loads(figure.to_json()), "image/png": png.getvalue()}
    display(bundle, raw=True)


def _read_times(times: Any) -> np.ndarray:
    """Return the values of an axis; Plotly's times are texts."""
    is_text = len(times) > 0 and isinstance(times[0], str)
    return np.array(times, "datetime64[us]") if is_text else np.asarray(times)
