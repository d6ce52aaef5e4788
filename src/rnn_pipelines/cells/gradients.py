"""Back-propagation through time: gradients of a loss with respect to weights, inputs and initial state.

In the equations, dv is the gradient of the loss with respect to v, and a is the argument of the σ or tanh of a gate.
Because σ' = σ (1 − σ) and tanh' = 1 − tanh², the gates suffice to go back through a step. The other letters are those
of `step_lstm` and `step_gru`. ᵀ transposes, Σ is the sum over the batch, [ , ] puts columns side by side.

Source: Werbos (1990), DOI 10.1109/5.58337; for the whole gradient of an LSTM, Graves & Schmidhuber (2005),
DOI 10.1016/j.neunet.2005.06.042.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic

import numpy as np

from rnn_pipelines.cells.gru import GRUGates, GRUState, GRUWeights
from rnn_pipelines.cells.lstm import LSTMGates, LSTMState, LSTMWeights
from rnn_pipelines.cells.unroll import Trace, fill_defaults
from rnn_pipelines.cells.weights import CellWeights, GatesT, StateT


@dataclass(frozen=True)
class Gradients(Generic[StateT, GatesT]):
    """The gradients of a loss. Each has the shape and dtype of the array that it belongs to.

    Attributes:
        weights: for kernel, recurrent kernel and bias.
        inputs: float[batch, time, feature]; 0 at masked steps.
        initial: for the state before the first step, float[batch, units] each.
    """

    weights: CellWeights[StateT, GatesT]
    inputs: np.ndarray
    initial: StateT


def backpropagate(
    weights: CellWeights[StateT, GatesT],
    inputs: np.ndarray,
    trace: Trace[StateT, GatesT],
    hidden_gradients: np.ndarray,
    mask: np.ndarray | None = None,
    initial: StateT | None = None,
) -> Gradients[StateT, GatesT]:
    """Return the gradients of a loss, by going back through the steps of `unroll`.

    A masked step passes the gradient of its state to the step before it, and adds nothing to the other gradients.

    Args:
        weights: of the layer.
        inputs: float[batch, time, feature], as given to `unroll`.
        trace: of these inputs.
        hidden_gradients: float[batch, time, units], gradient of the loss with respect to each hidden state as an
            output, in the order of the inputs. It excludes the effect of the state on later steps.
        mask: bool[batch, time], as given to `unroll`.
        initial: the state before the first step, as given to `unroll`.
    Raises:
        ValueError: inputs or mask do not fit the weights or each other.
    """
    step_back = _STEPS_BACK[type(weights)]
    inputs, mask, first = fill_defaults(weights, inputs, mask, initial)
    before, gates_type, state_type = _shift_states(trace, first), weights.gates_type, weights.state_type
    # The gradient that enters a masked step is 0, and adds 0 to the others unless a gate is NaN.
    gates = np.where(mask[:, :, None], trace.gates, 0)
    hidden_gradients = np.asarray(hidden_gradients, inputs.dtype)
    of_weights = [np.zeros_like(array) for array in weights.to_list()]
    of_inputs, of_state = np.empty_like(inputs), state_type(*np.zeros_like(first))
    order = range(inputs.shape[1])
    for time in order if trace.backwards else reversed(order):
        is_read = mask[:, time, None]
        of_state = of_state._replace(hidden=of_state.hidden + hidden_gradients[:, time])
        step = inputs[:, time], state_type(*before[:, :, time]), gates_type(*gates[:, :, time])
        of_step, of_inputs[:, time], passed = step_back(weights, *step, state_type(*np.where(is_read, of_state, 0)))
        of_state = state_type(*np.where(is_read, passed, of_state))
        of_weights = [total + part for total, part in zip(of_weights, of_step.to_list(), strict=True)]
    return Gradients(type(weights)(*of_weights), of_inputs, of_state)


def _shift_states(trace: Trace[Any, Any], first: Any) -> np.ndarray:
    """Return the state before each step: float[field, batch, time, units]."""
    states, column = np.stack(trace.states), np.stack(first)[:, :, None]
    parts = [states[:, :, 1:], column] if trace.backwards else [column, states[:, :, :-1]]
    return np.concatenate(parts, axis=2)


def step_back_lstm(
    weights: LSTMWeights, inputs: np.ndarray, before: LSTMState, gates: LSTMGates, gradients: LSTMState
) -> tuple[LSTMWeights, np.ndarray, LSTMState]:
    """Go back through one step of an LSTM.

        k   = tanh c' = tanh(f · c + i · g)
        dc' += dh' · o · (1 − k²)                   the cell state also reaches the output
        da  = [dc' · g · i · (1 − i),               input gate
               dc' · c · f · (1 − f),               forget gate
               dc' · i · (1 − g²),                  candidate
               dh' · k · o · (1 − o)]               output gate
        dW  = xᵀ da,    dU = hᵀ da,    db = Σ da
        dx  = da Wᵀ,    dh = da Uᵀ,    dc = dc' · f

    Args:
        weights: of the layer.
        inputs: float[batch, feature].
        before: the state before the step.
        gates: of the step.
        gradients: of the state after the step.
    Returns:
        The gradients for weights, inputs and the state before the step.
    """
    i, f, g, o = gates
    shown = np.tanh(f * before.cell + i * g)
    cell = gradients.cell + gradients.hidden * o * (1 - shown**2)
    a = np.concatenate(
        [
            cell * g * i * (1 - i),
            cell * before.cell * f * (1 - f),
            cell * i * (1 - g**2),
            gradients.hidden * shown * o * (1 - o),
        ],
        axis=-1,
    )
    of_weights = LSTMWeights(inputs.T @ a, before.hidden.T @ a, a.sum(axis=0))
    return of_weights, a @ weights.kernel.T, LSTMState(hidden=a @ weights.recurrent_kernel.T, cell=cell * f)


def step_back_gru(
    weights: GRUWeights, inputs: np.ndarray, before: GRUState, gates: GRUGates, gradients: GRUState
) -> tuple[GRUWeights, np.ndarray, GRUState]:
    """Go back through one step of a GRU.

        da_z = dh' · (h − g) · z · (1 − z)          update gate
        da_g = dh' · (1 − z) · (1 − g²)             candidate

    If the reset gate acts after the recurrent product p = h U_g + d_g, the candidate reads r · p:

        da_r = da_g · p · r · (1 − r)               reset gate
        dU   = hᵀ [da_z, da_r, da_g · r],           dd = Σ [da_z, da_r, da_g · r]
        dh   = dh' · z + [da_z, da_r, da_g · r] Uᵀ

    If it acts before, the candidate reads the state q = r · h:

        dq   = da_g U_gᵀ
        da_r = dq · h · r · (1 − r)                 reset gate
        dU   = [hᵀ da_z, hᵀ da_r, qᵀ da_g]
        dh   = dh' · z + [da_z, da_r] [U_z, U_r]ᵀ + dq · r

    In both, with da = [da_z, da_r, da_g]:

        dW   = xᵀ da,    db = Σ da,    dx = da Wᵀ

    Args and Returns: as in `step_back_lstm`.
    """
    h, (z, r, g), of_hidden = before.hidden, gates, gradients.hidden
    u_z, u_r, u_g = np.split(weights.recurrent_kernel, 3, axis=-1)
    a_z = of_hidden * (h - g) * z * (1 - z)
    a_g = of_hidden * (1 - z) * (1 - g**2)
    if weights.reset_after:
        product = h @ u_g + np.split(weights.bias[1], 3)[2]
        a_r = a_g * product * r * (1 - r)
        recurrent = np.concatenate([a_z, a_r, a_g * r], axis=-1)
        of_recurrent_kernel = h.T @ recurrent
        of_before = of_hidden * z + recurrent @ weights.recurrent_kernel.T
    else:
        of_product = a_g @ u_g.T
        a_r = of_product * h * r * (1 - r)
        of_recurrent_kernel = np.concatenate([h.T @ a_z, h.T @ a_r, (r * h).T @ a_g], axis=-1)
        of_before = of_hidden * z + a_z @ u_z.T + a_r @ u_r.T + of_product * r
    a = np.concatenate([a_z, a_r, a_g], axis=-1)
    of_bias = np.stack([a.sum(axis=0), recurrent.sum(axis=0)]) if weights.reset_after else a.sum(axis=0)
    return GRUWeights(inputs.T @ a, of_recurrent_kernel, of_bias), a @ weights.kernel.T, GRUState(of_before)


_STEPS_BACK: dict[type, Callable[..., Any]] = {LSTMWeights: step_back_lstm, GRUWeights: step_back_gru}
