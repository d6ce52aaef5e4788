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

import numpy as np


def sigmoid(values: np.ndarray) -> np.ndarray:
    """Return 1 / (1 + exp(−values)), in their dtype. If exp overflows to infinity, this is 0, which is right."""
    with np.errstate(over="ignore"):
        opened: np.ndarray = 1 / (1 + np.exp(-values))
    return opened


def check_shapes(arrays: Sequence[np.ndarray], expected: Sequence[tuple[int, ...]]) -> None:
    """Raise a ValueError unless kernel, recurrent kernel and bias have these shapes; others could broadcast."""
    received = [array.shape for array in arrays]
    if received != list(expected):
        raise ValueError(
            f"weights: expected kernel, recurrent kernel and bias of shapes {[*expected]}, received {received}. "
            "Give the arrays of get_weights() of one layer of this cell, in its order."
        )
