"""Names, letters and colours of the gates and states of each cell."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rnn_pipelines.report.styles import CELLS, Style

# The candidate is a tanh from −1 to 1; the other gates are a σ from 0 to 1.
CANDIDATE = "candidate"


@dataclass(frozen=True)
class Notation:
    """A cell whose gates can be traced.

    Attributes:
        style: the style of its layer in the forecast.
        text_color: the colour of its layers that read texts.
        gates: letters by name, including the candidate, in display order.
        states: letters by name, in display order.
        keeping: the gate that keeps the state: the LSTM's cell state or the GRU's hidden state.
        num_biases: the number of biases of each gate and unit.
    """

    style: Style
    text_color: str
    gates: Mapping[str, str]
    states: Mapping[str, str]
    keeping: str
    num_biases: int


NOTATIONS = {
    "lstm": Notation(
        CELLS["lstm"],
        "#56b4e9",
        {"forget": "f", "input": "i", CANDIDATE: "g", "output": "o"},
        {"cell": "c", "hidden": "h"},
        keeping="forget",
        num_biases=1,
    ),
    "gru": Notation(
        CELLS["gru"],
        "#e69f00",
        {"update": "z", "reset": "r", CANDIDATE: "g"},
        {"hidden": "h"},
        keeping="update",
        num_biases=2,
    ),
}


def list_figures() -> list[str]:
    """Return the names of all figures: of each cell's gates, states and words, and of all layers together."""
    of_cells = [f"{cell}_{part}" for cell, of in NOTATIONS.items() for part in (*of.gates, "state", "words")]
    return [*of_cells, "distributions", "half_lives", "gradients"]


def name_layer(layer: str) -> str:
    """Return the displayed name of a layer.

    `sentiment_gru_backward` is GRU, sentiment, backward; `forecast_lstm_layer_2` is LSTM, forecast, layer 2.
    """
    task, cell, *part = layer.split("_")
    return ", ".join([NOTATIONS[cell].style.name, task, *filter(None, [" ".join(part)])])


def list_forecaster(cell: str, layers: Iterable[str]) -> list[str]:
    """Return the names of the layers of a forecaster, from its inputs to its head."""
    return [layer for layer in layers if layer.split("_")[:2] == ["forecast", cell]]
