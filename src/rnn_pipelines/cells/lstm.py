"""Long short-term memory: one step, written as its equations, and its weights."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rnn_pipelines.cells.conventions import sigmoid
from rnn_pipelines.cells.initialization import draw_glorot_uniform, draw_orthogonal
from rnn_pipelines.cells.weights import CellWeights


class LSTMState(NamedTuple):
    """What an LSTM remembers: float[batch, units] each; `hidden` is its output, `carry` its memory."""

    hidden: np.ndarray
    carry: np.ndarray


class LSTMGates(NamedTuple):
    """What an LSTM decided in a step: float[batch, units] each; 0 is closed, 1 open, `candidate` −1 to 1."""

    input: np.ndarray
    forget: np.ndarray
    candidate: np.ndarray
    output: np.ndarray


@dataclass(frozen=True)
class LSTMWeights(CellWeights[LSTMState, LSTMGates]):
    """What an LSTM has learned; the columns are input, forget, candidate, output, and one bias, float[4 · units]."""

    state_type: ClassVar = LSTMState
    gates_type: ClassVar = LSTMGates

    def step(self, inputs: np.ndarray, state: LSTMState) -> tuple[LSTMState, LSTMGates]:
        """See `step_lstm`."""
        return step_lstm(self, inputs, state)


def step_lstm(weights: LSTMWeights, inputs: np.ndarray, state: LSTMState) -> tuple[LSTMState, LSTMGates]:
    """One step in time.

        i  = σ(x W_i + h U_i + b_i)         input gate: how much of the candidate is written
        f  = σ(x W_f + h U_f + b_f)         forget gate: how much of the carry is kept
        g  = tanh(x W_g + h U_g + b_g)      candidate: what could be written
        o  = σ(x W_o + h U_o + b_o)         output gate: how much of the carry is shown
        c' = f · c + i · g
        h' = o · tanh c'

    x inputs, h hidden, c carry, ' after the step; W, U, b the columns of kernel, recurrent kernel and bias that belong
    to a gate; · element by element. g is the c of Keras' order i, f, c, o. The hidden state enters each gate once,
    through U.

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
    carry = gates.forget * state.carry + gates.input * gates.candidate
    return LSTMState(hidden=gates.output * np.tanh(carry), carry=carry), gates


def read_lstm_weights(arrays: Sequence[np.ndarray]) -> LSTMWeights:
    """What `layer.get_weights()` gives, also of a layer without bias, which is one whose bias is 0."""
    kernel, recurrent_kernel, *rest = arrays
    return LSTMWeights(kernel, recurrent_kernel, rest[0] if rest else np.zeros(kernel.shape[1], kernel.dtype))


def initialize_lstm(rng: np.random.Generator, num_inputs: int, units: int, forget_bias: float = 1.0) -> LSTMWeights:
    """Weights before training, float64: biases are 0, but those of the forget gates are 1.

    So forget gates begin open, and the carry, and the gradient along it, last from the first training step on. The
    kernel is Glorot-uniform, the recurrent kernel orthogonal.

    Args:
        rng: where the numbers come from.
        num_inputs: features of each step.
        units: size of the state.
        forget_bias: bias of the forget gates.
    Source: Jozefowicz et al. (2015) for `forget_bias`, proceedings.mlr.press/v37/jozefowicz15.
    """
    return LSTMWeights(
        kernel=draw_glorot_uniform(rng, num_inputs, 4 * units),
        recurrent_kernel=draw_orthogonal(rng, units, 4 * units),
        bias=np.repeat([0, forget_bias, 0, 0], units).astype(np.float64),
    )
