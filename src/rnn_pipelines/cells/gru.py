"""One step of a gated recurrent unit (GRU), and its weights. The reset gate acts after or before the product."""

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


class GRUState(NamedTuple):
    """The state of a GRU, float[batch, units], which is also its output."""

    hidden: np.ndarray


class GRUGates(NamedTuple):
    """The gates of a GRU in one step: float[batch, units] each; 0 is closed, 1 open; `candidate` from −1 to 1."""

    update: np.ndarray
    reset: np.ndarray
    candidate: np.ndarray


@dataclass(frozen=True)
class GRUWeights(CellWeights[GRUState, GRUGates]):
    """The weights of a GRU. The columns are update, reset, candidate.

    If the reset gate acts after the recurrent product, the bias is float[2, 3 · units]: one row for the product with
    the inputs, one for that with the state. If it acts before, the bias is float[3 · units].
    """

    recurrent_kernel: np.ndarray
    bias: np.ndarray
    state_type: ClassVar = GRUState
    gates_type: ClassVar = GRUGates

    @property
    def reset_after(self) -> bool:
        """Return whether the reset gate acts after the recurrent product."""
        return self.bias.ndim == 2

    def list_shapes(self, width: int) -> list[tuple[int, ...]]:
        return [
            (len(self.kernel), width),
            (self.units, width),
            (2, width) if self.reset_after else (width,),
        ]

    def split_biases(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the biases of the products with inputs and state, float[3 · units]; a single one is of the inputs."""
        return (
            (self.bias[0], self.bias[1])
            if self.reset_after
            else (self.bias, np.zeros_like(self.bias))
        )

    def step(self, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
        """Compute one step in time: the state after it, and the gates.

            z  = σ(x W_z + b_z + h U_z + d_z)               update gate: how much of the old state is kept
            r  = σ(x W_r + b_r + h U_r + d_r)               reset gate: how much of it the candidate reads
            g  = tanh(x W_g + b_g + r · (h U_g + d_g))      candidate, reset after the recurrent product
            g  = tanh(x W_g + b_g + (r · h) U_g)            candidate, reset before it
            h' = z · h + (1 − z) · g

        x are the inputs, h the hidden state, ' marks values after the step. W and U are the columns of kernel and
        recurrent kernel that belong to a gate, b and d those of the biases of inputs and state (d = 0 for reset before
        the product). The shape of the bias decides between the two forms. · is the element-wise product. g is the h of
        Keras' order z, r, h.

        Source: Cho et al. (2014), arXiv:1406.1078, equations 5 to 8, for reset before the product. Reset after the
            product is the form of cuDNN, and Keras' default.
        """
        h = state.hidden
        input_bias, recurrent_bias = self.split_biases()
        x_z, x_r, x_g = np.split(inputs @ self.kernel + input_bias, 3, axis=-1)
        u_z, u_r, u_g = np.split(self.recurrent_kernel, 3, axis=-1)
        d_z, d_r, d_g = np.split(recurrent_bias, 3)
        z = sigmoid(x_z + h @ u_z + d_z)
        r = sigmoid(x_r + h @ u_r + d_r)
        g = np.tanh(x_g + (r * (h @ u_g + d_g) if self.reset_after else (r * h) @ u_g))
        return GRUState(hidden=z * h + (1 - z) * g), GRUGates(update=z, reset=r, candidate=g)

    def step_back(
        self, inputs: np.ndarray, before: GRUState, gates: GRUGates, gradients: GRUState
    ) -> tuple["GRUWeights", np.ndarray, GRUState]:
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
        """
        h = before.hidden
        z, r, g = gates
        of_hidden = gradients.hidden
        u_z, u_r, u_g = np.split(self.recurrent_kernel, 3, axis=-1)
        a_z = of_hidden * (h - g) * z * (1 - z)
        a_g = of_hidden * (1 - z) * (1 - g**2)
        if self.reset_after:
            product = h @ u_g + np.split(self.bias[1], 3)[2]
            a_r = a_g * product * r * (1 - r)
            recurrent = np.concatenate([a_z, a_r, a_g * r], axis=-1)
            of_recurrent_kernel = h.T @ recurrent
            of_before = of_hidden * z + recurrent @ self.recurrent_kernel.T
        else:
            of_product = a_g @ u_g.T
            a_r = of_product * h * r * (1 - r)
            of_recurrent_kernel = np.concatenate([h.T @ a_z, h.T @ a_r, (r * h).T @ a_g], axis=-1)
            of_before = of_hidden * z + a_z @ u_z.T + a_r @ u_r.T + of_product * r
        a = np.concatenate([a_z, a_r, a_g], axis=-1)
        of_bias = (
            np.stack([a.sum(axis=0), recurrent.sum(axis=0)]) if self.reset_after else a.sum(axis=0)
        )
        return (
            GRUWeights(inputs.T @ a, of_recurrent_kernel, of_bias),
            a @ self.kernel.T,
            GRUState(of_before),
        )


def _step_through(arrays: LayerArrays, products: np.ndarray) -> Steps:
    """Compute all steps of all members; `extra` has the recurrent products of the candidate."""
    num_members, time, width, batch = products.shape
    units = width // 3
    states = np.zeros((num_members, time + 1, units, batch), np.float32)
    kept = np.empty_like(states[:, 1:])
    recurrent = np.empty_like(products[:, 0])
    kernel = np.ascontiguousarray(arrays["recurrent_kernel"].swapaxes(-1, -2))
    bias = arrays["recurrent_bias"].swapaxes(-1, -2)
    for step in range(time):
        hidden = states[:, step]
        gate = products[:, step]
        np.matmul(kernel, hidden, out=recurrent)
        recurrent += bias
        opened = gate[:, : 2 * units]
        candidate = gate[:, 2 * units :]
        opened += recurrent[:, : 2 * units]
        sigmoid_in_place(opened)
        kept[:, step] = recurrent[:, 2 * units :]
        candidate += opened[:, units:] * kept[:, step]
        np.tanh(candidate, out=candidate)
        new = states[:, step + 1]
        np.subtract(hidden, candidate, out=new)
        new *= opened[:, :units]
        new += candidate
    return states, products, kept


def _go_back(
    arrays: LayerArrays, cache: LayerCache, of_states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Go back through all steps of all members."""
    kernel = arrays["recurrent_kernel"]
    units = of_states.shape[2]
    of_hidden = of_states[:, -1]
    of_products = np.empty_like(cache.gates)
    of_recurrent = np.empty_like(cache.gates)
    for step in reversed(range(cache.gates.shape[1])):
        z, r, g = (cache.gates[:, step, place * units : (place + 1) * units] for place in range(3))
        found = of_products[:, step]
        of_old = of_hidden * z
        closed = 1 - z
        found[:, :units] = (cache.states[:, step] - g) * of_old * closed
        of_candidate = (of_hidden - of_old) * (1 - g * g)
        found[:, 2 * units :] = of_candidate
        of_kept = of_candidate * r
        found[:, units : 2 * units] = of_kept * (1 - r) * cache.extra[:, step]
        recurrent = of_recurrent[:, step]
        recurrent[:, : 2 * units] = found[:, : 2 * units]
        recurrent[:, 2 * units :] = of_kept
        of_hidden = kernel @ recurrent
        of_hidden += of_old
        if step and of_states.shape[1] > 1:
            of_hidden += of_states[:, step - 1]
    return of_products, of_recurrent


GRU = Cell(
    name="gru",
    weights=GRUWeights,
    letters={"update": "z", "reset": "r", CANDIDATE: "g"},
    state_letters={"hidden": "h"},
    keeping="update",
    keras_layer="GRU",
    step_through=_step_through,
    go_back=_go_back,
    num_biases=2,
)
