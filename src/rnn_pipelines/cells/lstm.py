"""One step of a long short-term memory (LSTM), and its weights."""

from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

from rnn_pipelines.cells.cell import (
    CANDIDATE,
    Cell,
    LayerArrays,
    LayerCache,
    Steps,
    sigmoid_in_place,
)
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

    recurrent_kernel: np.ndarray
    bias: np.ndarray
    state_type: ClassVar = LSTMState
    gates_type: ClassVar = LSTMGates

    def list_shapes(self, width: int) -> list[tuple[int, ...]]:
        return [(len(self.kernel), width), (self.units, width), (width,)]

    def step(self, inputs: np.ndarray, state: LSTMState) -> tuple[LSTMState, LSTMGates]:
        """Compute one step in time: the state after it, and the gates.

            i  = σ(x W_i + h U_i + b_i)         input gate: how much of the candidate is written
            f  = σ(x W_f + h U_f + b_f)         forget gate: how much of the cell state is kept
            g  = tanh(x W_g + h U_g + b_g)      candidate: the values to be written
            o  = σ(x W_o + h U_o + b_o)         output gate: how much of the cell state is output
            c' = f · c + i · g
            h' = o · tanh c'

        x are the inputs, h the hidden state, c the cell state, ' marks values after the step. W, U and b are the
        columns of kernel, recurrent kernel and bias that belong to a gate. · is the element-wise product. g is the c of
        Keras' order i, f, c, o.

        Source: Hochreiter & Schmidhuber (1997), DOI 10.1162/neco.1997.9.8.1735, without forget gate (f = 1); Gers et
            al. (2000), DOI 10.1162/089976600300015015, with it.
        """
        i, f, g, o = np.split(
            inputs @ self.kernel + state.hidden @ self.recurrent_kernel + self.bias, 4, axis=-1
        )
        gates = LSTMGates(
            input=sigmoid(i), forget=sigmoid(f), candidate=np.tanh(g), output=sigmoid(o)
        )
        cell = gates.forget * state.cell + gates.input * gates.candidate
        return LSTMState(hidden=gates.output * np.tanh(cell), cell=cell), gates

    def step_back(
        self, inputs: np.ndarray, before: LSTMState, gates: LSTMGates, gradients: LSTMState
    ) -> tuple["LSTMWeights", np.ndarray, LSTMState]:
        """Go back through one step of an LSTM.

        k   = tanh c' = tanh(f · c + i · g)
        dc' += dh' · o · (1 − k²)                   the cell state also reaches the output
        da  = [dc' · g · i · (1 − i),               input gate
               dc' · c · f · (1 − f),               forget gate
               dc' · i · (1 − g²),                  candidate
               dh' · k · o · (1 − o)]               output gate
        dW  = xᵀ da,    dU = hᵀ da,    db = Σ da
        dx  = da Wᵀ,    dh = da Uᵀ,    dc = dc' · f
        """
        i, f, g, o = gates
        shown = np.tanh(f * before.cell + i * g)
        cell = gradients.cell + gradients.hidden * o * (1 - shown**2)
        of_input = cell * g * i * (1 - i)
        of_forget = cell * before.cell * f * (1 - f)
        of_candidate = cell * i * (1 - g**2)
        of_output = gradients.hidden * shown * o * (1 - o)
        a = np.concatenate([of_input, of_forget, of_candidate, of_output], axis=-1)
        of_weights = LSTMWeights(inputs.T @ a, before.hidden.T @ a, a.sum(axis=0))
        return (
            of_weights,
            a @ self.kernel.T,
            LSTMState(hidden=a @ self.recurrent_kernel.T, cell=cell * f),
        )


def _step_through(arrays: LayerArrays, products: np.ndarray) -> Steps:
    """Compute all steps of all members; `extra` has the cell states, the first one before the first step."""
    num_members, time, width, batch = products.shape
    units = width // 4
    states = np.zeros((num_members, time + 1, units, batch), np.float32)
    cells = np.zeros_like(states)
    recurrent = np.empty_like(products[:, 0])
    kernel = np.ascontiguousarray(arrays["recurrent_kernel"].swapaxes(-1, -2))
    for step in range(time):
        gate = products[:, step]
        cell = cells[:, step + 1]
        new = states[:, step + 1]
        gate += np.matmul(kernel, states[:, step], out=recurrent)
        sigmoid_in_place(gate[:, : 2 * units])
        candidate = gate[:, 2 * units : 3 * units]
        np.tanh(candidate, out=candidate)
        sigmoid_in_place(gate[:, 3 * units :])
        np.multiply(cells[:, step], gate[:, units : 2 * units], out=cell)
        cell += gate[:, :units] * candidate
        np.tanh(cell, out=new)
        new *= gate[:, 3 * units :]
    return states, products, cells


def _go_back(
    arrays: LayerArrays, cache: LayerCache, of_states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Go back through all steps of all members."""
    kernel = arrays["recurrent_kernel"]
    units = of_states.shape[2]
    of_hidden = of_states[:, -1]
    found = np.empty_like(cache.gates)
    of_cell = np.zeros_like(of_hidden)
    for step in reversed(range(cache.gates.shape[1])):
        i, f, g, o = (
            cache.gates[:, step, place * units : (place + 1) * units] for place in range(4)
        )
        of_gates = found[:, step]
        shown = np.tanh(cache.extra[:, step + 1])
        of_shown = of_hidden * o
        of_cell += of_shown * (1 - shown * shown)
        of_gates[:, :units] = of_cell * g * i * (1 - i)
        of_gates[:, units : 2 * units] = of_cell * cache.extra[:, step] * f * (1 - f)
        of_gates[:, 2 * units : 3 * units] = of_cell * i * (1 - g * g)
        of_gates[:, 3 * units :] = of_shown * shown * (1 - o)
        of_hidden = kernel @ of_gates
        of_cell *= f
        if step and of_states.shape[1] > 1:
            of_hidden += of_states[:, step - 1]
    return found, found


LSTM = Cell(
    name="lstm",
    weights=LSTMWeights,
    letters={"forget": "f", "input": "i", CANDIDATE: "g", "output": "o"},
    state_letters={"cell": "c", "hidden": "h"},
    keeping="forget",
    keras_layer="LSTM",
    step_through=_step_through,
    go_back=_go_back,
    first_biases={"forget": 1.0},
    options=("activation", "unit_forget_bias"),
)
