"""One step of a long short-term memory (LSTM), and its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rnn_pipelines.cells.conventions import sigmoid
from rnn_pipelines.cells.weights import CellWeights


class LSTMState(NamedTuple):
    """The state of an LSTM: float[batch, units] each; `hidden` is its output, `cell` its memory, the cell state."""

    hidden: np.ndarray
    cell: np.ndarray


class LSTMGates(NamedTuple):
    """The gates of an LSTM in one step: float[batch, units] each; 0 is closed, 1 open; `candidate` from −1 to 1."""

    input: np.ndarray
    forget: np.ndarray
    candidate: np.ndarray
    output: np.ndarray


@dataclass(frozen=True)
class LSTMWeights(CellWeights[LSTMState, LSTMGates]):
    """The weights of an LSTM, with one bias, float[4 · units]. The columns are input, forget, candidate, output."""

    state_type: ClassVar = LSTMState
    gates_type: ClassVar = LSTMGates

    def step(self, inputs: np.ndarray, state: LSTMState) -> tuple[LSTMState, LSTMGates]:
        """Compute one step with `step_lstm`."""
        return step_lstm(self, inputs, state)


def step_lstm(weights: LSTMWeights, inputs: np.ndarray, state: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """Compute one step in time.

        i  = σ(x W_i + h U_i + b_i)         input gate: how much of the candidate is written
        f  = σ(x W_f + h U_f + b_f)         forget gate: how much of the cell state is kept
        g  = tanh(x W_g + h U_g + b_g)      candidate: the values to be written
        o  = σ(x W_o + h U_o + b_o)         output gate: how much of the cell state is output
        c' = f · c + i · g
        h' = o · tanh c'

    x are the inputs, h the hidden state, c the cell state, ' marks values after the step. W, U and b are the columns of
    kernel, recurrent kernel and bias that belong to a gate. · is the element-wise product. g is the c of Keras' order
    i, f, c, o.

    Args:
        weights: of the layer.
        inputs: float[batch, feature].
        state: before the step.
    Returns:
        The state after the step, and the gates.
    Source: Hochreiter & Schmidhuber (1997), DOI 10.1162/neco.1997.9.8.1735, without forget gate (f = 1); Gers et al.
        (2000), DOI 10.1162/089976600300015015, with it.
    """
    i, f, g, o = np.split(inputs @ weights.kernel + state.hidden @ weights.recurrent_kernel + weights.bias, 4, axis=-1)
    gates = LSTMGates(input=sigmoid(i), forget=sigmoid(f), candidate=np.tanh(g), output=sigmoid(o))
    cell = gates.forget * state.cell + gates.input * gates.candidate
    return LSTMState(hidden=gates.output * np.tanh(cell), cell=cell), gates


def read_lstm_weights(arrays: Sequence[np.ndarray]) -> LSTMWeights:
    """Read the arrays of `layer.get_weights()`. A layer without bias gets a bias of 0."""
    kernel, recurrent_kernel, *rest = arrays
    return LSTMWeights(kernel, recurrent_kernel, rest[0] if rest else np.zeros(kernel.shape[1], kernel.dtype))
