"""Back-propagation through time: gradients of a loss with respect to weights, inputs and initial state.

Each cell goes back through one step. In these equations, dv is the gradient of the loss with respect to v, and a is the
argument of the σ or tanh of a gate. Because σ' = σ (1 − σ) and tanh' = 1 − tanh², the gates suffice. ᵀ transposes, Σ is
the sum over the batch, [ , ] puts columns side by side.

Source: Werbos (1990), DOI 10.1109/5.58337; for the whole gradient of an LSTM, Graves & Schmidhuber (2005),
DOI 10.1016/j.neunet.2005.06.042.
"""

from dataclasses import dataclass
from typing import Generic

import numpy as np

from rnn_pipelines.cells.unroll import Trace, fill_defaults
from rnn_pipelines.cells.weights import CellWeights, GatesT, StateT


@dataclass(frozen=True)
class Gradients(Generic[StateT, GatesT]):
    """The gradients of a loss. Each has the shape and dtype of the array that it belongs to."""

    weights: CellWeights[StateT, GatesT]  # for kernel, recurrent kernel and bias
    inputs: np.ndarray  # float[batch, time, feature]; 0 at masked steps
    initial: StateT  # for the state before the first step, float[batch, units] each


def backpropagate(
    weights: CellWeights[StateT, GatesT],
    inputs: np.ndarray,
    trace: Trace[StateT, GatesT],
    hidden_gradients: np.ndarray,
    mask: np.ndarray | None = None,
    initial: StateT | None = None,
) -> Gradients[StateT, GatesT]:
    """Return the gradients of a loss, by going back through the steps of `unroll`, given its parameters and result.

    A masked step passes the gradient of its state to the step before it, and adds nothing to the other gradients.
    `hidden_gradients`, float[batch, time, units], are those of each hidden state as an output, in the order of the
    inputs, without the effect of the state on later steps. Errors are those of `unroll`.
    """
    inputs, mask, first = fill_defaults(weights, inputs, mask, initial)
    states = np.stack(trace.states)
    column = np.stack(first)[:, :, None]
    parts = [states[:, :, 1:], column] if trace.backwards else [column, states[:, :, :-1]]
    before = np.concatenate(parts, axis=2)
    gates_type = weights.gates_type
    state_type = weights.state_type
    # The gradient that enters a masked step is 0, and adds 0 to the others unless a gate is NaN.
    gates = np.where(mask[:, :, None], trace.gates, 0)
    hidden_gradients = np.asarray(hidden_gradients, inputs.dtype)
    of_weights = [np.zeros_like(array) for array in weights.to_list()]
    of_inputs = np.empty_like(inputs)
    of_state = state_type(*np.zeros_like(first))
    order = range(inputs.shape[1])
    for time in order if trace.backwards else reversed(order):
        is_read = mask[:, time, None]
        of_state = of_state._replace(hidden=of_state.hidden + hidden_gradients[:, time])
        step = inputs[:, time], state_type(*before[:, :, time]), gates_type(*gates[:, :, time])
        of_step, of_inputs[:, time], passed = weights.step_back(
            *step, state_type(*np.where(is_read, of_state, 0))
        )
        of_state = state_type(*np.where(is_read, passed, of_state))
        of_weights = [
            total + part for total, part in zip(of_weights, of_step.to_list(), strict=True)
        ]
    return Gradients(type(weights)(*of_weights), of_inputs, of_state)
