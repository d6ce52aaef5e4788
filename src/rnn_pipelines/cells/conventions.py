"""The order of the gates and arrays, and how a GRU mixes: as Keras does, stated here once for the whole project.

- LSTM: input, forget, candidate, output (i, f, c, o) stand side by side in the columns of each array.
- GRU: update, reset, candidate (z, r, h), and h' = z · h + (1 − z) · candidate: an update gate of 1 keeps the state.
- The reset gate acts after the recurrent product (`reset_after=True`), which then has a bias of its own. That is what
  `keras.layers.GRU` does by default, although its docstring says that the other form is the default.
- `layer.get_weights()` gives kernel, recurrent kernel, bias; inputs and states are rows: x W + h U + b.

Others differ, and arrays of the wrong order have the right shapes: PyTorch's GRU has reset before update, and
Chung et al. (2014, arXiv:1412.3555) mix with z and 1 − z the other way round.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

CellName = Literal["rnn", "lstm", "gru"]

LSTM_GATES = ("input", "forget", "candidate", "output")
GRU_GATES = ("update", "reset", "candidate")

# A simple recurrent layer has no gates: its new state is what the other cells take for a candidate.
_COLUMNS: dict[CellName, tuple[str, ...]] = {"rnn": ("candidate",), "lstm": LSTM_GATES, "gru": GRU_GATES}


def count_weights(cell: CellName, num_inputs: int, units: int) -> int:
    """Weights of a layer as Keras builds it by default: kernel, recurrent kernel and bias of all gates."""
    return sum(count_weights_by_gate(cell, num_inputs, units).values())


def count_weights_by_gate(cell: CellName, num_inputs: int, units: int) -> dict[str, int]:
    """Weights of each gate, in the order of the gates; a GRU has two biases."""
    num_biases = 2 if cell == "gru" else 1
    return dict.fromkeys(_COLUMNS[cell], units * (num_inputs + units + num_biases))


def sigmoid(values: np.ndarray) -> np.ndarray:
    """1 / (1 + exp(−values)), in their dtype; exp is taken of negative numbers only, so that it can't overflow."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1, small) / (1 + small)


def check_shapes(arrays: Sequence[np.ndarray], expected: Sequence[tuple[int, ...]]) -> None:
    """Checks kernel, recurrent kernel and bias: arrays of another cell could broadcast to something that runs.

    Raises:
        ValueError: received and expected shapes are in the message.
    """
    received = [array.shape for array in arrays]
    if received != list(expected):
        raise ValueError(
            f"weights: expected kernel, recurrent kernel and bias of shapes {[*expected]}, received {received}. "
            "Give what get_weights() of one layer of this cell returns, in its order."
        )
