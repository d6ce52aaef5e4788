"""Checks of a trace against the states that the network itself computed, and of its weights against the formula."""

from collections.abc import Sequence
from typing import Any

import numpy as np

from rnn_pipelines.cells.cell import Cell
from rnn_pipelines.cells.unroll import Trace
from rnn_pipelines.errors import NetworkError

# Hidden states lie within ±1. The rounding errors of float32 over hundreds of steps are a hundred times smaller.
MAX_DIFFERENCE = 1e-4


def compare_states(
    name: str, trace: Trace[Any, Any], mask: np.ndarray, expected: np.ndarray
) -> float:
    """Return the largest difference between the trace and the hidden states that the network computed.

    `mask` is bool[batch, time], true for steps that are read. `expected` is float[batch, time, units], or
    float[batch, units] of the last step that is read. A difference above rounding errors raises a NetworkError.
    """
    hidden = trace.states.hidden
    if expected.ndim == 3:
        differences = np.abs(hidden - expected)[mask]
    else:
        differences = np.abs(hidden[:, 0 if trace.backwards else -1] - expected)
    largest = float(differences.max(initial=0.0))
    # Not `largest > MAX_DIFFERENCE`, which is false for NaN.
    if not largest <= MAX_DIFFERENCE:
        raise NetworkError(
            f"{name}: expected hidden states within {MAX_DIFFERENCE:g} of those that the network computed, received a "
            f"difference of {largest:.2g}. The equations in rnn_pipelines.cells do not cover an option of "
            "the layer. Train it with the default options."
        )
    return largest


def count_by_gate(name: str, cell: Cell, arrays: Sequence[np.ndarray]) -> dict[str, int]:
    """Return the number of weights of each gate in the kernels and biases; a NetworkError if the formula differs."""
    num_inputs, width = arrays[0].shape
    formula = cell.count_weights_by_gate(num_inputs, width // len(cell.gates))
    counted = dict.fromkeys(formula, sum(array.size for array in arrays) // len(formula))
    if counted != formula:
        expected = f"expected the numbers of weights of the formula, {formula}, received {counted}"
        raise NetworkError(
            f"{name}: {expected}. Train the layer with biases, which is the default."
        )
    return counted
