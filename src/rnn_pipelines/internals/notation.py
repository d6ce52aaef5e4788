"""What the gates and states of each cell are called, and which letters and colours stand for them: said here once."""

from collections.abc import Mapping
from dataclasses import dataclass

from rnn_pipelines.report.styles import CELLS, Style

# A tanh from −1 to 1, where a gate is a σ from 0 to 1.
CANDIDATE = "candidate"


@dataclass(frozen=True)
class Notation:
    """A cell that can be looked into.

    Attributes:
        style: of its layer that reads a series.
        text_color: of its layers that read texts.
        gates: their letters by name, candidate among them, in the order in which they are shown.
        states: likewise.
        keeping: the gate that keeps the state: of the LSTM its carry, of the GRU its hidden state.
        num_biases: of each gate.
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
        {"carry": "c", "hidden": "h"},
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
    """The names of all figures: of each cell's gates, states and words, and of all layers together."""
    of_cells = [f"{cell}_{part}" for cell, of in NOTATIONS.items() for part in (*of.gates, "state", "words")]
    return [*of_cells, "distributions", "half_lives", "gradients"]


def name_layer(layer: str) -> str:
    """A layer's name for people: `sentiment_gru_backward` is GRU, sentiment, backward."""
    task, cell, *direction = layer.split("_")
    return ", ".join([NOTATIONS[cell].style.name, task, *direction])
