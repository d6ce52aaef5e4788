"""The figures of `internals`: gates at work over a window and over words, and what they come to."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure, Heatmap, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.internals.gate_statistics import KEEPING_GATES, REACH_FRACTION, measure_half_lives
from rnn_pipelines.internals.report.looks import LOOKS, PROBABILITY_COLOR, REACH_COLOR, TEXT_COLORS
from rnn_pipelines.report.style import NEUTRAL_COLOR, add_menu, set_title

if TYPE_CHECKING:
    from rnn_pipelines.internals.tracing import LayerTrace

GATES = {
    "lstm": ("forget", "input", "candidate", "output"),
    "gru": ("update", "reset", "candidate"),
}
STATES = {"lstm": {"carry": "c", "hidden": "h"}, "gru": {"hidden": "h"}}
SYMBOLS = {"forget": "f", "input": "i", "output": "o", "update": "z", "reset": "r", "candidate": "g"}
# From closed over half open to open, and from −1 over 0 to 1; colour-blind people can tell the ends apart.
OPENNESS = [[0, "#a6611a"], [0.5, "#f5f0e6"], [1, "#01665e"]]
SIGNED = [[0, "#b2332a"], [0.5, "#f4f1ea"], [1, "#24618f"]]
LAG_FLOOR = 1e-4
LIFE_TICKS = [digit * 10.0**power for power in range(-2, 6) for digit in (1, 2, 5)]


def draw_figures(
    layers: "Mapping[str, LayerTrace]",
    readings: pd.DataFrame,
    distributions: pd.DataFrame,
    half_lives: pd.DataFrame,
    gradients: pd.DataFrame,
) -> dict[str, Figure]:
    """Draws all figures of the report.

    Args:
        layers: of the forecasters, see `trace_forecasters`.
        readings: what `trace_classifier` returns.
        distributions, half_lives, gradients: what `measure_traces` returns.
    Returns:
        For each cell and gate `<cell>_<gate>`, `<cell>_state` and `<cell>_words`; `distributions`, `half_lives` and
        `gradients`.
    """
    figures: dict[str, Figure] = {}
    for cell, gates in GATES.items():
        layer = layers[f"forecast_{cell}"]
        figures |= {f"{cell}_{gate}": draw_gate(layer, gate) for gate in gates}
        figures[f"{cell}_state"] = draw_states(layer)
        figures[f"{cell}_words"] = draw_words(readings[readings["cell"] == cell], cell)
    return figures | {
        "distributions": draw_distributions(distributions),
        "half_lives": draw_half_lives(half_lives),
        "gradients": draw_gradients(gradients),
    }


def name_layer(layer: str) -> str:
    """A layer's name for people: `sentiment_gru_backward` is GRU, sentiment, backward."""
    task, cell, *direction = layer.split("_")
    return ", ".join([LOOKS[cell].name, task, *direction])


def draw_gate(layer: "LayerTrace", gate: str) -> Figure:
    """One gate of every unit over one window, below the series that the layer reads there.

    Args:
        layer: of a forecaster.
        gate: its name.
    """
    row = choose_window(layer)
    values = getattr(layer.trace.gates, gate)[row]
    figure = _start_window(layer, row, 1)
    figure.add_trace(_draw_units(layer, values, gate == "candidate", SYMBOLS[gate]), 2, 1)
    kind = "what could be written, −1 to 1" if gate == "candidate" else "0 is closed, 1 open"
    title = "candidate" if gate == "candidate" else f"{gate} gate"
    set_title(figure, f"{LOOKS[layer.cell].name}: {title} {SYMBOLS[gate]}", f"over one test window; {kind}")
    return figure


def draw_states(layer: "LayerTrace") -> Figure:
    """The states of every unit over the same window as in `draw_gate`."""
    row = choose_window(layer)
    symbols = STATES[layer.cell]
    figure = _start_window(layer, row, len(symbols))
    for place, (state, symbol) in enumerate(symbols.items(), start=2):
        values = getattr(layer.trace.states, state)[row]
        figure.add_trace(_draw_units(layer, values, True, symbol, (place - 1, len(symbols))), place, 1)
    words = " and ".join(f"{state} {symbol}" for state, symbol in symbols.items())
    set_title(figure, f"{LOOKS[layer.cell].name}: {words}", "over one test window; what the units hold after each step")
    return figure


def choose_window(layer: "LayerTrace") -> int:
    """The window in which the series moves most."""
    return int(np.ptp(layer.inputs[:, :, 0], axis=1).argmax())


def order_units(layer: "LayerTrace") -> np.ndarray:
    """The units from the shortest to the longest memory, which a heat map shows from bottom to top."""
    keeping = getattr(layer.trace.gates, KEEPING_GATES[layer.cell])[layer.mask]
    return np.argsort(measure_half_lives(keeping), kind="stable")


def draw_distributions(distributions: pd.DataFrame) -> Figure:
    """How often each gate has which value: a panel for each gate, a line for each layer.

    Args:
        distributions: see `draw_figures`.
    """
    num_columns = max(len(gates) for gates in GATES.values())
    titles = [f"{LOOKS[cell].name} {gate}" for cell, gates in GATES.items() for gate in gates]
    figure = make_subplots(2, num_columns, subplot_titles=titles, vertical_spacing=0.2, horizontal_spacing=0.06)
    for row, (cell, gates) in enumerate(GATES.items(), start=1):
        for column, gate in enumerate(gates, start=1):
            for layer in _list_layers(distributions, cell):
                table = distributions[(distributions["layer"] == layer) & (distributions["gate"] == gate)]
                line = _style(layer) | {"showlegend": column == 1, "mode": "lines"}
                figure.add_trace(Scatter(x=table["value"], y=100 * table["fraction"], **line), row, column)
    figure.update_annotations(font={"size": 13})
    set_title(figure, "How far gates are open", "percent of all steps and units with this value")
    figure.update_yaxes(rangemode="tozero", hoverformat=".1f")
    # Below the subtitle, room for the panels' titles.
    figure.update_layout(hovermode="closest", margin={"t": 100})
    return figure


def draw_half_lives(half_lives: pd.DataFrame) -> Figure:
    """Half-lives of a layer's units from the shortest to the longest.

    Args:
        half_lives: see `draw_figures`.
    """
    figure = Figure()
    for layer, table in half_lives.groupby("layer", sort=False):
        lives = np.sort(table["half_life"].to_numpy())
        share = 100 * (np.arange(len(lives)) + 0.5) / len(lives)
        figure.add_scatter(x=share, y=lives, mode="lines+markers", marker={"size": 5}, **_style(str(layer)))
    set_title(figure, "Memory length of the units", "steps until the gate that keeps has let go of half of a state")
    figure.update_xaxes(title="units, from the shortest memory to the longest, %", range=[0, 100])
    figure.update_yaxes(
        title="half-life, steps", type="log", tickvals=LIFE_TICKS, ticktext=[f"{tick:g}" for tick in LIFE_TICKS]
    )
    figure.update_layout(hovermode="closest")
    return figure


def draw_gradients(gradients: pd.DataFrame) -> Figure:
    """How much less an earlier input matters than the one that matters most.

    Args:
        gradients: see `draw_figures`.
    """
    figure = Figure()
    for layer, table in gradients.groupby("layer", sort=False):
        # What is smaller would take most of the axis.
        shown = table[table["gradient"] >= LAG_FLOOR]
        figure.add_scatter(x=shown["lag"], y=100 * shown["gradient"], mode="lines", **_style(str(layer)))
    figure.add_hline(100 * REACH_FRACTION, line={"color": REACH_COLOR, "dash": "dash", "width": 1})
    set_title(figure, "How far back an input still matters", "gradient by lag; dashed: a tenth of the greatest")
    figure.update_xaxes(title="steps before the last one")
    ticks = [0.01, 0.1, 1, 10, 100]
    figure.update_yaxes(
        title="gradient, % of the greatest", type="log", tickvals=ticks, ticktext=[f"{tick:g}" for tick in ticks]
    )
    figure.update_layout(hovermode="closest")
    return figure


def draw_words(readings: pd.DataFrame, cell: str) -> Figure:
    """Some texts word by word: the probability so far, and gates as they read each word; a menu of the texts.

    Args:
        readings: of one cell; without any row, the figure has no axes and says so.
        cell: its name.
    """
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.34, 0.66], vertical_spacing=0.04)
    texts = [table for _, table in readings.groupby("text")]
    for table in texts:
        words = table.drop_duplicates("place")
        line = {"color": PROBABILITY_COLOR, "width": 2}
        hover = "<b>%{text}</b> %{y:.1%}<extra></extra>"
        common = {"x": words["place"], "y": words["probability"], "text": words["word"], "hovertemplate": hover}
        figure.add_trace(Scatter(mode="lines+markers", line=line, showlegend=False, **common), 1, 1)
        figure.add_trace(_draw_readings(table), 2, 1)
    is_there = len(texts) > 0
    subtitle = (
        "above: probability of positive, if the text ended here" if is_there else "the classifier has no such one"
    )
    set_title(figure, f"{LOOKS[cell].name}: word by word", subtitle)
    figure.update_yaxes(title="probability", range=[-0.04, 1.04], tickvals=[0, 0.5, 1], visible=is_there, row=1)
    figure.update_yaxes(autorange="reversed", showgrid=False, ticks="", visible=is_there, row=2)
    figure.update_xaxes(showgrid=False, tickangle=-60, visible=is_there, row=2)
    figure.update_layout(hovermode="closest")
    if texts:
        add_menu(figure, [f"text {number}" for number in readings["text"].unique()], [*map(_show_words, texts)])
    return figure


def _start_window(layer: "LayerTrace", row: int, num_maps: int) -> Figure:
    """The series above, and room for heat maps of all units below."""
    heights = [0.28, *[0.72 / num_maps] * num_maps]
    figure = make_subplots(1 + num_maps, 1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.05)
    series = layer.inputs[row, :, 0]
    line = {"color": NEUTRAL_COLOR, "width": 2}
    hover = "%{y:.2f}<extra></extra>"
    trace = Scatter(x=_count_back(series), y=series, mode="lines+markers", line=line, hovertemplate=hover)
    figure.add_trace(trace.update(showlegend=False), 1, 1)
    figure.update_yaxes(title="series, scaled", row=1)
    for place in range(2, num_maps + 2):
        figure.update_yaxes(title="units", showgrid=False, showticklabels=False, ticks="", row=place)
    figure.update_xaxes(range=[-len(series) - 0.5, -0.5])
    figure.update_xaxes(title="step before the forecast", row=num_maps + 1)
    figure.update_layout(hovermode="closest")
    return figure


def _draw_units(
    layer: "LayerTrace", values: np.ndarray, is_signed: bool, symbol: str, place: tuple[int, int] = (1, 1)
) -> Heatmap:
    """All units over time; the longest memory is on top.

    Args:
        layer: of the units.
        values: float[time, units].
        is_signed: whether they lie about 0; else between 0 and 1.
        symbol: names them.
        place: number of this heat map among those of its figure, and their number.
    """
    units = order_units(layer)
    limit = max(1.0, float(np.abs(values).max())) if is_signed else 1.0
    number, count = place
    share = 0.72 / count
    bar: dict[str, Any] = {"len": 0.9 * share, "y": 0.72 - (number - 0.5) * share, "thickness": 12, "title": symbol}
    return Heatmap(
        x=_count_back(values),
        y=[f"unit {unit + 1}" for unit in units],
        z=np.round(values[:, units].T.astype(np.float64), 4),
        colorscale=SIGNED if is_signed else OPENNESS,
        zmin=-limit if is_signed else 0,
        zmax=limit,
        colorbar=bar,
        hovertemplate=f"%{{y}}, step %{{x}}: {symbol} = %{{z:.2f}}<extra></extra>",
    )


def _count_back(values: np.ndarray) -> np.ndarray:
    """Steps of a window; −1 is the last one that the forecast sees."""
    return np.arange(-len(values), 0)


def _draw_readings(table: pd.DataFrame) -> Heatmap:
    """The values of one text: a row for each gate or unit, in their order in the table, a column for each word."""
    names = [_name_row(gate, unit) for gate, unit in zip(table["gate"], table["unit"], strict=True)]
    values = table.assign(row=names).pivot(index="row", columns="place", values="value").loc[list(dict.fromkeys(names))]
    words = table.drop_duplicates("place")["word"]
    return Heatmap(
        x=values.columns,
        y=values.index,
        z=np.round(values.to_numpy(np.float64), 4),
        text=[list(words)] * len(values),
        colorscale=OPENNESS,
        zmin=0,
        zmax=1,
        colorbar={"len": 0.66, "y": 0.33, "thickness": 12, "tickvals": [0, 0.5, 1]},
        hovertemplate="<b>%{text}</b> %{y}: %{z:.2f}<extra></extra>",
        xgap=1,
        ygap=1,
    )


def _name_row(gate: str, unit: int) -> str:
    return f"{gate}, mean" if unit < 0 else f"{gate}, unit {unit + 1}"


def _show_words(table: pd.DataFrame) -> dict[str, Any]:
    """The axis of one text: its words; the probability keeps its own range."""
    words = table.drop_duplicates("place")
    ticks = {"xaxis2.tickvals": list(words["place"]), "xaxis2.ticktext": list(words["word"])}
    return {"xaxis2.autorange": True, "yaxis.autorange": False, **ticks}


def _list_layers(table: pd.DataFrame, cell: str) -> list[str]:
    return [layer for layer in dict.fromkeys(table["layer"]) if layer.split("_")[1] == cell]


def _style(layer: str) -> dict[str, Any]:
    """Name and line of a layer: the cell's colour in the forecast, a lighter one on texts, dotted if backward."""
    task, cell, *direction = layer.split("_")
    color = LOOKS[cell].color if task == "forecast" else TEXT_COLORS[cell]
    dash = "dot" if direction == ["backward"] else "solid"
    return {"name": name_layer(layer), "legendgroup": layer, "line": {"color": color, "dash": dash, "width": 2}}
