"""The order of gates and arrays, and the update rule of a GRU. All of the project follows Keras.

- LSTM: the columns of each array are input, forget, candidate, output (i, f, c, o).
- GRU: the columns are update, reset, candidate (z, r, h). h' = z · h + (1 − z) · candidate: an update gate of 1 keeps
  the state.
- The reset gate acts after the recurrent product (`reset_after=True`), which then has its own bias. This is the default
  of `keras.layers.GRU`, although its docstring names the other form.
- `layer.get_weights()` returns kernel, recurrent kernel, bias. Inputs and states are rows: x W + h U + b.

Other libraries differ, and arrays in the wrong order have the right shapes: PyTorch's GRU has reset before update, and
Chung et al. (2014, arXiv:1412.3555) swap z and 1 − z.
"""

from collections.abc import Sequence
from typing import Literal

import numpy as np

CellName = Literal["rnn", "lstm", "gru"]

LSTM_GATES = ("input", "forget", "candidate", "output")
GRU_GATES = ("update", "reset", "candidate")

# A simple recurrent layer has no gates: its new state is computed like the candidate of the other cells.
_COLUMNS: dict[CellName, tuple[str, ...]] = {"rnn": ("candidate",), "lstm": LSTM_GATES, "gru": GRU_GATES}


def count_weights(cell: CellName, num_inputs: int, units: int) -> int:
    """Return the number of weights of a layer with Keras' defaults: kernel, recurrent kernel and bias of all gates."""
    return sum(count_weights_by_gate(cell, num_inputs, units).values())


def count_weights_by_gate(cell: CellName, num_inputs: int, units: int) -> dict[str, int]:
    """Return the number of weights of each gate, in the order of the gates. A GRU has two biases."""
    num_biases = 2 if cell == "gru" else 1
    return dict.fromkeys(_COLUMNS[cell], units * (num_inputs + units + num_biases))


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(−values)), in their dtype. exp only gets negative numbers, so that it cannot overflow."""
    small = np.exp(-np.abs(values))
    return np.where(values >= 0, 1, small) / (1 + small)


def check_shapes(arrays: Sequence[np.ndarray], expected: Sequence[tuple[int, ...]]) -> None:
    """Check the shapes of kernel, recurrent kernel and bias. Arrays of another cell could broadcast without an error.

    Raises:
        ValueError: a shape is wrong; the message holds the received and the expected shapes.
    """
    received = [array.shape for array in arrays]
    if received != list(expected):
        raise ValueError(
            f"weights: expected kernel, recurrent kernel and bias of shapes {[*expected]}, received {received}. "
            "Give the arrays of get_weights() of one layer of this cell, in its order."
        )
