"""The figures of `internals`: gates over a window and over words, and their statistics."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from plotly.graph_objects import Figure, Heatmap, Scatter
from plotly.subplots import make_subplots

from rnn_pipelines.cells.cell import CANDIDATE
from rnn_pipelines.lab.internals.gate_statistics import REACH_FRACTION, measure_half_lives
from rnn_pipelines.lab.internals.notation import (
    CELLS,
    PRETRAINED,
    TEXT_COLORS,
    list_forecaster,
    name_layer,
)
from rnn_pipelines.lab.internals.records import LayerTrace, Traces
from rnn_pipelines.report.figures import (
    Values,
    add_menu,
    draw_line,
    make_log_ticks,
    set_layout,
    write_label,
)
from rnn_pipelines.report.notes import draw_or_note
from rnn_pipelines.report.styles import CELL_STYLES, GREEN, NEUTRAL_COLOR, REFERENCE_COLOR, Style

# Closed, half open, open; and −1, 0, 1. The ends are distinct for colour-blind readers.
OPENNESS = [[0, "#a6611a"], [0.5, "#f5f0e6"], [1, "#01665e"]]
SIGNED = [[0, "#b2332a"], [0.5, "#f4f1ea"], [1, "#24618f"]]
SERIES = Style("series", NEUTRAL_COLOR)
PROBABILITY = Style("probability", GREEN)
LAG_FLOOR = 1e-4
# The share of the height for the heat maps of a window; the series above has the rest.
MAPS_SHARE = 0.72


def draw_internals_figures(
    forecast: Traces,
    pretrained: Traces,
    readings: pd.DataFrame,
    distributions: pd.DataFrame,
    half_lives: pd.DataFrame,
    gradients: pd.DataFrame,
) -> dict[str, Figure]:
    """Draw all figures of the report, see `list_figures`; gates and states are those of a forecaster's first member.

    The pretrained forecasters may stand for trained ones. The readings are those of `trace_classifier`, the other
    tables those of `measure_traces`.
    """
    figures: dict[str, Figure] = {}
    traces = {**forecast.layers, **pretrained.layers}
    for name, cell in CELLS.items():
        layers = [traces[layer][0] for layer in list_forecaster(name, traces)]
        figures |= {
            f"{name}_{gate}": draw_or_note(draw_gate, layers, gate) for gate in cell.letters
        }
        figures[f"{name}_state"] = draw_or_note(draw_states, layers)
        figures[f"{name}_{PRETRAINED}"] = draw_or_note(
            draw_pretrained, traces[f"{PRETRAINED}_{name}"][0]
        )
        figures[f"{name}_words"] = draw_or_note(
            draw_words, readings[readings["cell"] == name], name
        )
    return figures | {
        "distributions": draw_or_note(draw_openness, distributions),
        "half_lives": draw_or_note(draw_half_lives, half_lives),
        "gradients": draw_or_note(draw_gradients, gradients),
    }


def draw_gate(layers: Sequence[LayerTrace], gate: str) -> Figure:
    """Draw one gate of every unit over one window, below the series in it; the layers are those of a member."""
    letter = layers[0].cell.letters[gate]
    is_signed = gate == CANDIDATE
    title = f"{gate} {letter}" if is_signed else f"{gate} gate {letter}"
    scale = "value that can be written, −1 to 1" if is_signed else "0 is closed, 1 open"
    maps = [(layer, letter, getattr(layer.trace.gates, gate)) for layer in layers]
    return _draw_window(maps, is_signed, title, scale)


def draw_states(layers: Sequence[LayerTrace]) -> Figure:
    """Draw the states of every unit over the same window as in `draw_gate`."""
    letters = layers[0].cell.state_letters
    maps = [
        (one, letter, getattr(one.trace.states, state))
        for one in layers
        for state, letter in letters.items()
    ]
    title = " and ".join(f"{state} {letter}" for state, letter in letters.items())
    return _draw_window(maps, True, title, "state of the units after each step")


def draw_pretrained(layer: LayerTrace) -> Figure:
    """Draw all gates of every unit of a pretrained network over one window, below the series in this window."""
    letters = {gate: letter for gate, letter in layer.cell.letters.items() if gate != CANDIDATE}
    maps = [(layer, letter, getattr(layer.trace.gates, gate)) for gate, letter in letters.items()]
    return _draw_window(
        maps, False, f"{PRETRAINED}, gates {', '.join(letters.values())}", "0 is closed, 1 open"
    )


def choose_window(layer: LayerTrace) -> int:
    """Return the number of the window in which the normalised series has the largest range."""
    series = _select_series(layer)
    return int((np.nanmax(series, axis=(1, 2)) - np.nanmin(series, axis=(1, 2))).argmax())


def order_units(layer: LayerTrace) -> np.ndarray:
    """Return the units from the shortest to the longest memory, which a heat map shows from bottom to top."""
    keeping = getattr(layer.trace.gates, layer.cell.keeping)[layer.mask]
    return np.argsort(measure_half_lives(keeping), kind="stable")


def draw_openness(distributions: pd.DataFrame) -> Figure:
    """Draw the distribution of each gate's values: a panel for each gate, a line for each layer."""
    titles = [
        f"{CELL_STYLES[name].name} {gate}" for name, cell in CELLS.items() for gate in cell.letters
    ]
    num_columns = max(len(cell.letters) for cell in CELLS.values())
    figure = make_subplots(
        2, num_columns, subplot_titles=titles, vertical_spacing=0.2, horizontal_spacing=0.06
    )
    for row, (name, cell) in enumerate(CELLS.items(), start=1):
        for column, gate in enumerate(cell.letters, start=1):
            for layer in [
                one for one in dict.fromkeys(distributions["layer"]) if one.split("_")[1] == name
            ]:
                table = distributions[
                    (distributions["layer"] == layer) & (distributions["gate"] == gate)
                ]
                line = _draw_layer(
                    layer, table["value"], 100 * table["fraction"], "lines", showlegend=column == 1
                )
                figure.add_trace(line, row, column)
    figure.update_annotations(font={"size": 13})
    figure.update_yaxes(title="share, %", col=1)
    # More labels would turn on a phone, into the titles below.
    figure.update_xaxes(nticks=3)
    # The margin leaves space for the panels' titles below the subtitle.
    return set_layout(
        figure,
        "Openness of the gates",
        "percent of all steps and units with this value",
        y={"rangemode": "tozero", "hoverformat": ".1f"},
        hovermode="closest",
        margin={"t": 100},
    )


def draw_half_lives(half_lives: pd.DataFrame) -> Figure:
    """Draw the half-lives of each layer's units from the shortest to the longest."""
    figure = Figure()
    for layer, table in half_lives.groupby("layer", sort=False):
        lives = np.sort(table["half_life"].to_numpy())
        share = 100 * (np.arange(len(lives)) + 0.5) / len(lives)
        figure.add_trace(_draw_layer(str(layer), share, lives, "lines+markers", marker={"size": 5}))
    x = {"title": "units, from the shortest memory to the longest, %", "range": [0, 100]}
    y = {"title": "half-life, steps", "type": "log", **make_log_ticks(-2, 5)}
    subtitle = "steps until half of a unit's state is left"
    return set_layout(figure, "Memory length of the units", subtitle, x, y, hovermode="closest")


def draw_gradients(gradients: pd.DataFrame) -> Figure:
    """Draw the gradient by lag of each layer, in percent of its largest value."""
    figure = Figure()
    for layer, table in gradients.groupby("layer", sort=False):
        # Smaller values would take most of the axis.
        shown = table[table["gradient"] >= LAG_FLOOR]
        figure.add_trace(_draw_layer(str(layer), shown["lag"], 100 * shown["gradient"], "lines"))
    figure.add_hline(
        100 * REACH_FRACTION, line={"color": REFERENCE_COLOR, "dash": "dash", "width": 1}
    )
    y = {"title": "gradient, % of the largest", "type": "log", **make_log_ticks(-2, 2, (1,))}
    subtitle, x = "gradient by lag; dashed: a tenth of the largest", "steps before the last one"
    return set_layout(figure, "Reach of the inputs", subtitle, x, y, hovermode="closest")


def draw_words(readings: pd.DataFrame, cell: str) -> Figure:
    """Draw texts word by word: the probability so far, and the gates at each word, with a menu of the texts.

    The readings are those of one cell; without rows, the figure is empty and its subtitle gives the reason.
    """
    figure = make_subplots(2, 1, shared_xaxes=True, row_heights=[0.34, 0.66], vertical_spacing=0.04)
    texts = [table for _, table in readings.groupby("text")]
    layouts: list[dict[str, Any]] = []
    for table in texts:
        words = table.drop_duplicates("place")
        line = draw_line(
            PROBABILITY,
            words["place"],
            words["probability"],
            name=None,
            mode="lines+markers",
            text=words["word"].map(write_label),
            showlegend=False,
            customdata=100 * words["probability"],
            hovertemplate="<b>%{text}</b> %{customdata:.1f} %<extra></extra>",
        )
        figure.add_trace(line, 1, 1)
        figure.add_trace(_draw_readings(table), 2, 1)
        ticks = {
            "xaxis2.tickvals": list(words["place"]),
            "xaxis2.ticktext": [*map(write_label, words["word"])],
        }
        # The range of the probability stays fixed.
        layouts.append({"xaxis2.autorange": True, "yaxis.autorange": False, **ticks})
    is_there = len(texts) > 0
    subtitle = (
        "above: probability of positive, if the text ended here"
        if is_there
        else "the classifier has none"
    )
    set_layout(figure, f"{CELL_STYLES[cell].name}: word by word", subtitle, hovermode="closest")
    figure.update_yaxes(visible=is_there)
    figure.update_yaxes(title="probability", range=[-0.04, 1.04], tickvals=[0, 0.5, 1], row=1)
    figure.update_yaxes(
        title="gates and units", autorange="reversed", showgrid=False, ticks="", row=2
    )
    figure.update_xaxes(showgrid=False, tickangle=-60, visible=is_there, row=2)
    if texts:
        add_menu(figure, [f"text {number}" for number in readings["text"].unique()], layouts)
    return figure


def _draw_window(
    maps: Sequence[tuple[LayerTrace, str, np.ndarray]], is_signed: bool, title: str, subtitle: str
) -> Figure:
    """Draw the series over one window, and below it heat maps of all units, the last layer at the bottom.

    Each map has a layer, its letter and values, float[batch, time, units], which are centred on 0 if they are signed;
    otherwise they lie between 0 and 1.
    """
    first = maps[0][0]
    count = len(maps)
    row = choose_window(first)
    heights = [1 - MAPS_SHARE, *[MAPS_SHARE / count] * count]
    figure = make_subplots(
        1 + count, 1, shared_xaxes=True, row_heights=heights, vertical_spacing=0.05
    )
    series = _select_series(first)[row]
    line = draw_line(
        SERIES,
        place_values(series),
        series.ravel(),
        name=None,
        mode="lines+markers",
        hovertemplate="%{y:.2f}<extra></extra>",
        showlegend=False,
    )
    figure.add_trace(line, 1, 1)
    figure.update_yaxes(title="normalised series", row=1)
    layers = list({id(layer): layer for layer, _, _ in maps}.values())
    for place, (layer, letter, values) in enumerate(maps, start=1):
        number = next(number for number, one in enumerate(layers, start=1) if one is layer)
        middle = MAPS_SHARE * (1 - (place - 0.5) / count)
        bar = {"len": 0.9 * MAPS_SHARE / count, "y": middle, "thickness": 12, "title": letter}
        figure.add_trace(
            _draw_units(layer, values[row], is_signed, letter).update(colorbar=bar), place + 1, 1
        )
        units = "units" if len(layers) == 1 else f"units, layer {number}"
        figure.update_yaxes(
            title=units, showgrid=False, showticklabels=False, ticks="", row=place + 1
        )
    x = {"range": [-len(series) - 0.5, -0.5]}
    title = f"{CELL_STYLES[first.cell.name].name}: {title}"
    subtitle = f"over one test window; {subtitle}"
    set_layout(figure, title, subtitle, x, hovermode="closest")
    return figure.update_xaxes(title="step of the layer before the forecast", row=count + 1)


def _draw_units(layer: LayerTrace, values: np.ndarray, is_signed: bool, letter: str) -> Heatmap:
    """Draw a heat map of all units over time, float[time, units]; the longest memory is on top."""
    units = order_units(layer)
    limit = max(1.0, float(np.abs(values).max())) if is_signed else 1.0
    return Heatmap(
        x=_count_back(values),
        y=[f"unit {unit + 1}" for unit in units],
        z=np.round(values[:, units].T.astype(np.float64), 4),
        colorscale=SIGNED if is_signed else OPENNESS,
        zmin=-limit if is_signed else 0,
        zmax=limit,
        hovertemplate=f"%{{y}}, step %{{x}}: {letter} = %{{z:.2f}}<extra></extra>",
    )


def place_values(series: np.ndarray) -> np.ndarray:
    """Return the positions of a series' values, float[time, segment], on an axis of the steps: float64[value]."""
    segment = series.shape[1]
    within = (np.arange(segment) + 0.5) / segment - 0.5
    return (_count_back(series)[:, None] + within).ravel()


def _select_series(layer: LayerTrace) -> np.ndarray:
    assert layer.series is not None  # forecasters have one
    return layer.series


def _count_back(values: np.ndarray) -> np.ndarray:
    """Return the numbers of a window's steps; −1 is the last one before the forecast."""
    return np.arange(-len(values), 0)


def _draw_readings(table: pd.DataFrame) -> Heatmap:
    """Draw the values of one text: a row for each gate or unit, in the table's order, and a column for each word."""
    units = zip(table["gate"], table["unit"], strict=True)
    names = [f"{gate}, mean" if unit < 0 else f"{gate}, unit {unit + 1}" for gate, unit in units]
    values = (
        table.assign(row=names)
        .pivot(index="row", columns="place", values="value")
        .loc[list(dict.fromkeys(names))]
    )
    words = table.drop_duplicates("place")["word"].map(write_label)
    return Heatmap(
        x=values.columns,
        y=values.index,
        z=np.round(values.to_numpy(np.float64), 4),
        colorscale=OPENNESS,
        zmin=0,
        zmax=1,
        colorbar={"len": 0.66, "y": 0.33, "thickness": 12, "tickvals": [0, 0.5, 1]},
        xgap=1,
        ygap=1,
        text=[list(words)] * len(values),
        hovertemplate="<b>%{text}</b> %{y}: %{z:.2f}<extra></extra>",
    )


def _draw_layer(layer: str, x: Values, y: Values, mode: str, **options: Any) -> Scatter:
    """Return a line in a cell's colour, lighter on texts, dashed if pretrained, dotted if backward or above a layer."""
    task, cell, *part = layer.split("_")
    color = TEXT_COLORS[cell] if task == "sentiment" else CELL_STYLES[cell].color
    is_solid = not part or part[-1] in ("forward", "1")
    style = Style(
        name_layer(layer), color, "dash" if task == PRETRAINED else "solid" if is_solid else "dot"
    )
    return draw_line(style, x, y, mode=mode, legendgroup=layer, **options)
