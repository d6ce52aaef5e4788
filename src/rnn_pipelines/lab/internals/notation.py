"""Names and colours of the layers whose gates are shown."""

from collections.abc import Iterable

from rnn_pipelines.cells import registry
from rnn_pipelines.report.styles import CELL_STYLES

# The networks of forecasters and classifiers, in the order in which they are shown.
CELLS = {name: registry.CELLS[name] for name in ("lstm", "gru")}
# The colours of layers that read texts; those that read series have the colours of `report.styles`.
TEXT_COLORS = {"lstm": "#56b4e9", "gru": "#e69f00"}
# The task of layers that were trained before, on generated series.
PRETRAINED = "pretrained"


def list_figures() -> list[str]:
    """Return the names of all figures: of each cell's gates, states and words, and of all layers together."""
    parts = {name: (*cell.letters, "state", PRETRAINED, "words") for name, cell in CELLS.items()}
    of_cells = [f"{name}_{part}" for name, own in parts.items() for part in own]
    return [*of_cells, "distributions", "half_lives", "gradients"]


def name_layer(layer: str) -> str:
    """Return the displayed name of a layer.

    `sentiment_gru_backward` is GRU, sentiment, backward; `forecast_lstm_layer_2` is LSTM, forecast, layer 2;
    `pretrained_gru` is pretrained GRU.
    """
    task, cell, *part = layer.split("_")
    if task == PRETRAINED:
        return f"{PRETRAINED} {CELL_STYLES[cell].name}"
    return ", ".join([CELL_STYLES[cell].name, task, *filter(None, [" ".join(part)])])


def list_forecaster(cell: str, layers: Iterable[str]) -> list[str]:
    """Return the names of the layers of a forecaster, from its inputs to its head; if none was trained, pretrained."""
    return [layer for layer in layers if layer.split("_")[:2] == ["forecast", cell]] or [
        f"{PRETRAINED}_{cell}"
    ]
