"""The figures of `compare`: each has a menu of the tasks, which differ in their units."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure, Scatter

from rnn_pipelines.compare.report.looks import LOOKS
from rnn_pipelines.compare.report.tables import (
    FLOOR,
    find_best_reference,
    format_estimate,
    get_metric,
    group_by_task,
    list_pairs,
)
from rnn_pipelines.report.numbers import format_number
from rnn_pipelines.report.style import NEUTRAL_COLOR, add_menu, set_title
from rnn_pipelines.report.trainings import MIN_LOG_RATIO

UNDECIDED_COLOR = "#8c8c8c"
BAND_OPACITY = 0.18
PAPER_SYMBOLS = ("square-open", "triangle-up-open", "star-open")
# Places around the middle of a row, whose height is 1.
DOTS_ABOVE = 0.12
DOTS_SPREAD = 0.12
MEAN_BELOW = 0.2
MAX_DENSE_RATIO = 100


@dataclass(frozen=True)
class View:
    """What a figure shows of one task.

    Attributes:
        traces: as many as there are.
        layout: what of the layout belongs to the task, see `add_menu`.
    """

    traces: Sequence[Scatter]
    layout: Mapping[str, Any]


def draw_figures(
    runs: Sequence[Mapping[str, Any]], summary: Sequence[Mapping[str, Any]], description: Mapping[str, Any]
) -> dict[str, Figure]:
    """Draws all figures of the report.

    Args:
        runs: what `compare_cells` returns, with the learning curves.
        summary: what `summarize_runs` returns.
        description: what `compare_cells` returns beside the trainings.
    Returns:
        `curves`, `losses`, `differences` and `time`.
    """
    by_task, described = group_by_task(summary), description["tasks"]
    tables = {
        task: pd.DataFrame([run for run in runs if run["task"] == task]).sort_values("seed", kind="stable")
        for task in by_task
    }
    return {
        "curves": draw_curves(tables, described),
        "losses": draw_losses(tables, by_task, described),
        "differences": draw_differences(tables, by_task, described),
        "time": draw_time(tables, by_task),
    }


def draw_curves(tables: Mapping[str, pd.DataFrame], described: Mapping[str, Mapping[str, Any]]) -> Figure:
    """Loss on validation by gradient step: median, and band from the lowest to the highest seed.

    A seed that has stopped goes on with its last loss, or the curve would tell of those that are left alone. From there
    on the median is thin.

    Args:
        tables: trainings of each task, see `train_contender`.
        described: what `describe_task` returns, by task.
    """
    views = {}
    for task, table in tables.items():
        traces = [trace for cell, of_cell in table.groupby("cell", sort=False) for trace in _draw_curve(cell, of_cell)]
        end = int((table["epochs"] * table["steps_per_epoch"]).max())
        lines = _list_lines(described[task])
        traces += [_draw_line(name, [0, end], [loss, loss]) for name, loss in lines.items()]
        losses = [*np.concatenate(table["curve"].tolist()), *lines.values()]
        views[task] = View(traces, {"yaxis.title.text": get_metric(described[task]), **_choose_scale("yaxis", losses)})
    figure = _combine(views)
    set_title(figure, "Learning curves", "on validation; median and range over seeds")
    figure.update_xaxes(title="gradient steps")
    return figure


def _draw_curve(cell: str, table: pd.DataFrame) -> Iterator[Scatter]:
    curves = table["curve"].tolist()
    shortest, longest = min(map(len, curves)), max(map(len, curves))
    losses = np.array([[*curve, *[curve[-1]] * (longest - len(curve))] for curve in curves])
    low, median, high = losses.min(axis=0), np.median(losses, axis=0), losses.max(axis=0)
    steps = int(table["steps_per_epoch"].iloc[0]) * np.arange(1, longest + 1)
    style = {"name": LOOKS[cell].name, "legendgroup": cell}
    yield Scatter(
        x=[*steps, *steps[::-1]],
        y=[*low, *high[::-1]],
        mode="none",
        fill="toself",
        fillcolor=_fade(LOOKS[cell].color),
        showlegend=False,
        hoverinfo="skip",
        **style,
    )
    for part, width in ((slice(shortest), 2.5), (slice(shortest - 1, None), 1)):
        yield Scatter(
            x=steps[part],
            y=median[part],
            customdata=np.stack([low[part], high[part]], axis=1),
            hovertemplate="%{y:.4g} (%{customdata[0]:.4g} to %{customdata[1]:.4g})",
            # A line shows nothing of a single epoch.
            mode="lines+markers" if longest == 1 else "lines",
            line={"color": LOOKS[cell].color, "width": width},
            showlegend=part.start is None,
            **style,
        )


def _fade(color: str) -> str:
    red, green, blue = (int(color[place : place + 2], 16) for place in (1, 3, 5))
    return f"rgba({red},{green},{blue},{BAND_OPACITY})"


def _list_lines(described: Mapping[str, Any]) -> dict[str, float]:
    """References, and the loss below which a task counts as learnt."""
    bound = described["spec"]["learnt_below"]
    return described["references"] | ({} if bound is None else {"learnt below": bound})


def _draw_line(name: str, x: Sequence[float], y: Sequence[float]) -> Scatter:
    """A reference, the same all along one axis; its value stands in the legend."""
    value = format_number(x[0] if x[0] == x[1] else y[0])
    line = {"color": LOOKS[name].color, "dash": LOOKS[name].dash, "width": 1.8}
    return Scatter(x=x, y=y, name=f"{name} {value}", mode="lines", line=line, hoverinfo="skip")


def draw_losses(
    tables: Mapping[str, pd.DataFrame],
    by_task: Mapping[str, Sequence[Mapping[str, Any]]],
    described: Mapping[str, Mapping[str, Any]],
) -> Figure:
    """Loss of each seed on the test part, mean and interval, beside published figures and the best reference.

    Args:
        tables, described: see `draw_curves`.
        by_task: what `group_by_task` returns.
    """
    views = {}
    for task, entries in by_task.items():
        cells, references = [entry["cell"] for entry in entries], choose_references(described[task]["references"])
        values = {cell: tables[task].query("cell == @cell")["test"].tolist() for cell in cells}
        published = described[task]["published"]
        shown = [
            *tables[task]["test"],
            *references.values(),
            *(v for of in published.values() for v in of.values()),
        ]
        scale = _choose_scale("xaxis", shown)
        lowest = min(shown) / 2 if scale["xaxis.type"] == "log" else None
        traces = [
            trace
            for row, entry in enumerate(entries)
            for trace in _draw_row(row, values[entry["cell"]], entry["test"], LOOKS[entry["cell"]].color, lowest=lowest)
        ]
        traces += _draw_published(published, cells)
        for name, loss in references.items():
            line = _draw_line(name, [loss, loss], [0.5, 0.5 - len(cells)])
            # Markers that nobody sees, or the line could lie on the edge of the figure.
            traces.append(line.update(mode="lines+markers", marker={"color": "rgba(0,0,0,0)"}))
        names = _name_rows(LOOKS[cell].name for cell in cells)
        views[task] = View(traces, {"xaxis.title.text": get_metric(described[task]), **scale, **names})
    return _finish_rows(_combine(views), "Losses by seed", "on the test part; ◆ mean with 95% interval")


def choose_references(references: Mapping[str, float]) -> dict[str, float]:
    """The best simple method and the noise floor: those that are far off would press all seeds together."""
    return {name: loss for name, loss in references.items() if name in (FLOOR, find_best_reference(references))}


def _draw_published(published: Mapping[str, Mapping[str, float]], cells: Sequence[str]) -> Iterator[Scatter]:
    for symbol, (paper, losses) in zip(PAPER_SYMBOLS, published.items(), strict=False):
        known = [cell for cell in cells if cell in losses]
        yield Scatter(
            x=[losses[cell] for cell in known],
            y=[DOTS_ABOVE - cells.index(cell) for cell in known],
            name=paper,
            mode="markers",
            marker={"color": NEUTRAL_COLOR, "symbol": symbol, "size": 11, "line": {"width": 2}},
            hovertemplate="%{x:.4g}",
        )


def draw_differences(
    tables: Mapping[str, pd.DataFrame],
    by_task: Mapping[str, Sequence[Mapping[str, Any]]],
    described: Mapping[str, Mapping[str, Any]],
) -> Figure:
    """Test loss of one network minus that of another, seed by seed, in the colour of the one that is better.

    Args:
        tables, by_task, described: see `draw_losses`.
    """
    views = {}
    for task, entries in by_task.items():
        by_cell = tables[task].pivot(index="seed", columns="cell", values="test")
        traces, names = [Scatter(x=[0, 0], y=[0.5, 0.5 - len(list_pairs(entries))], **_ZERO)], []
        for row, pair in enumerate(list_pairs(entries)):
            color = LOOKS[pair["better"]].color if pair["better"] else UNDECIDED_COLOR
            traces += _draw_row(row, (by_cell[pair["cell"]] - by_cell[pair["against"]]).tolist(), pair, color)
            names.append(f"{LOOKS[pair['cell']].name}<br>− {LOOKS[pair['against']].name}")
        views[task] = View(traces, {"xaxis.title.text": get_metric(described[task]), **_name_rows(names)})
    figure = _combine(views)
    return _finish_rows(figure, "Paired differences", "of test losses; left of 0 the upper network is better")


_ZERO = {"mode": "lines", "line": {"color": UNDECIDED_COLOR, "width": 1.5}, "showlegend": False, "hoverinfo": "skip"}


def draw_time(tables: Mapping[str, pd.DataFrame], by_task: Mapping[str, Sequence[Mapping[str, Any]]]) -> Figure:
    """Seconds per epoch and to the best validation loss, by seed, without graph compilation.

    Args:
        tables, by_task: see `draw_losses`.
    """
    views = {}
    for task, entries in by_task.items():
        traces: list[Scatter] = []
        for row, entry in enumerate(entries):
            for key, axis in (("seconds_per_epoch", "x"), ("seconds_to_best", "x2")):
                values = tables[task].loc[tables[task]["cell"] == entry["cell"], key].tolist()
                traces += _draw_row(row, values, entry[key], LOOKS[entry["cell"]].color, axis, 0.0)
        names = _name_rows(LOOKS[entry["cell"]].name for entry in entries)
        views[task] = View(traces, {"xaxis2.autorange": True, **names})
    axes = {
        "xaxis": {"domain": [0, 0.48], "title": "s per epoch", "rangemode": "tozero"},
        "xaxis2": {"domain": [0.52, 1], "title": "s to best", "rangemode": "tozero", "anchor": "y"},
    }
    return _finish_rows(_combine(views, axes), "Time", "without compiling; ◆ mean with 95% interval")


def _draw_row(
    row: int,
    values: Sequence[float],
    estimate: Mapping[str, float],
    color: str,
    axis: str = "x",
    lowest: float | None = None,
) -> Iterator[Scatter]:
    """A dot for each seed, the first one on top, and the mean with its interval below them.

    Args:
        row: from the top, from 0.
        values: one for each seed.
        estimate: `mean, low, high`.
        color: of all.
        axis: across.
        lowest: where the interval is cut: a logarithmic axis has no place for 0, and no training takes less; None for
            nowhere.
    """
    style = {"xaxis": axis, "showlegend": False, "mode": "markers"}
    yield Scatter(
        x=values,
        y=DOTS_ABOVE - row + np.linspace(DOTS_SPREAD, -DOTS_SPREAD, len(values)),
        marker={"color": color, "size": 7, "opacity": 0.75},
        text=[f"seed {seed}" for seed in range(len(values))],
        hovertemplate="%{text}: %{x:.4g}<extra></extra>",
        **style,
    )
    mean, low, high = (estimate[key] for key in ("mean", "low", "high"))
    low = low if lowest is None else max(low, lowest)
    yield Scatter(
        x=[mean],
        y=[-row - MEAN_BELOW],
        error_x={"array": [high - mean], "arrayminus": [mean - low], "thickness": 2, "width": 6},
        marker={"color": color, "size": 11, "symbol": "diamond"},
        hovertemplate="mean {} ({})<extra></extra>".format(*format_estimate(estimate)),
        **style,
    )


def _name_rows(names: Iterator[str] | Sequence[str]) -> dict[str, Any]:
    texts = list(names)
    return {"yaxis.tickvals": [-row for row in range(len(texts))], "yaxis.ticktext": texts}


def _finish_rows(figure: Figure, title: str, subtitle: str) -> Figure:
    set_title(figure, title, subtitle)
    figure.update_yaxes(zeroline=False)
    figure.update_layout(hovermode="closest")
    return figure


def _choose_scale(axis: str, values: Sequence[float]) -> dict[str, Any]:
    """A logarithmic axis where the values differ much, with ticks that are read without counting lines."""
    lowest, highest = min(values), max(values)
    if lowest <= 0 or highest < MIN_LOG_RATIO * lowest:
        return {f"{axis}.type": "linear", f"{axis}.tickmode": "auto"}
    digits = (1, 2, 5) if highest < MAX_DENSE_RATIO * lowest else (1,)
    ticks = [digit * 10.0**power for power in range(-12, 10) for digit in digits]
    return {
        f"{axis}.type": "log",
        f"{axis}.tickmode": "array",
        f"{axis}.tickvals": ticks,
        f"{axis}.ticktext": [f"{tick:g}" for tick in ticks],
    }


def _combine(views: Mapping[str, View], axes: Mapping[str, Any] | None = None) -> Figure:
    """One figure with a menu of the tasks; empty traces make up for what a task has less than another."""
    figure = Figure(layout=axes)
    most = max(len(view.traces) for view in views.values())
    for view in views.values():
        figure.add_traces(view.traces)
        for _ in range(most - len(view.traces)):
            figure.add_scatter(x=[None], y=[None], showlegend=False, hoverinfo="skip")
    add_menu(figure, [LOOKS[task].name for task in views], [view.layout for view in views.values()])
    return figure
