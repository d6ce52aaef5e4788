"""Gradients of a pretrained network's forecast with respect to the values that it reads.

A forecast is f = unit · (base + correction) + zero. The gradients of the correction with respect to the inputs come
from backpropagation, and those of inputs, base, unit and zero from a complex step, which has no rounding.

The forecast of a·y + b is a·f + b. So the gradients, times the distances of the values from any level, sum to the
distance of the forecast from this level.

Source: the complex step, Squire & Trapp (1998), doi:10.1137/S003614459631241X.
"""

from typing import Any

import numpy as np

from rnn_pipelines.cells.gradients import backpropagate
from rnn_pipelines.cells.unroll import Trace, unroll
from rnn_pipelines.forecast.pretrained.network import MIDDLE, PretrainedNetwork, find_quantiles, find_spread
from rnn_pipelines.forecast.pretrained.reading import UNIT_OF_CONSTANTS, read_past

# Of the complex step, in units. Its square is 0, so that it never changes a sign.
STEP = 1e-180


def differentiate_forecast(
    network: PretrainedNetwork, past: np.ndarray, season_length: int, horizon: int, is_log: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return the medians of windows, their gradients, and the zeros of the windows.

    Args:
        past: float64[window, time], without NaN.
        is_log: bool[window].
    Returns:
        float64[window, horizon], float64[window, time, horizon], float64[window].
    """
    read = read_past(past, season_length, horizon, is_log)
    # In float64, because gradients that vanish over many steps become denormal numbers, which are slow.
    cell = type(network.cell)(*(array.astype(np.float64) for array in network.cell.to_list()))
    trace: Trace[Any, Any] = unroll(cell, read.sequence)
    outputs, *of_layers = network.compute_head(read, trace.states.hidden[:, -1])
    median = find_quantiles(outputs, read.base)[:, :, MIDDLE].astype(np.float64)
    of_sums = find_spread(horizon)[:, None] * differentiate_head(network, *of_layers)
    of_states = np.zeros((len(past) * horizon, *trace.states.hidden.shape[1:]))
    of_states[:, -1] = (of_sums @ network.head["state_kernel"].T).reshape(len(of_states), -1)
    repeated = Trace(
        *(type(part)(*(np.repeat(one, horizon, 0) for one in part)) for part in (trace.states, trace.gates))
    )
    of_sequence = backpropagate(cell, np.repeat(read.sequence, horizon, 0), repeated, of_states).inputs
    of_inputs = (
        of_sequence.reshape(*median.shape, *of_sequence.shape[1:]).transpose(0, 2, 3, 1),
        *((of_sums @ network.head[name].T).transpose(0, 2, 1) for name in ("static_kernel", "ahead_kernel")),
    )
    slopes = np.zeros((*past.shape, horizon))
    # A constant window is forecast by its value, and has no spread that could be differentiated.
    slopes[read.unit == UNIT_OF_CONSTANTS, -1] = 1
    for window in np.flatnonzero(read.unit > UNIT_OF_CONSTANTS):
        steps = past[window] + STEP * read.unit[window] * 1j * np.eye(past.shape[1])
        inputs = read_past(steps, season_length, horizon, bool(is_log[window]), np.complex128)
        of_sequence, of_static, of_ahead = (part[window] for part in of_inputs)
        moved = inputs.base + np.tensordot(inputs.sequence, of_sequence, 2) + inputs.static @ of_static
        moved += np.einsum("whi,ih->wh", inputs.ahead, of_ahead)
        moved = read.unit[window] * moved + inputs.unit[:, None] * median[window] + inputs.zero[:, None]
        slopes[window] = moved.imag / (STEP * read.unit[window])
    return median * read.unit[:, None] + read.zero[:, None], slopes, read.zero


def differentiate_head(network: PretrainedNetwork, first: np.ndarray, second: np.ndarray) -> np.ndarray:
    """Return the gradients of o₀ with respect to the sums in a: float[window, horizon, unit]; see `compute_head`."""
    of_second = network.head["output_kernel"][:, 0]
    gradients: np.ndarray = (((second > 0) * of_second) @ network.head["second_kernel"].T + of_second) * (first > 0)
    return gradients
