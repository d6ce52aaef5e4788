"""One step of a gated recurrent unit (GRU), and its weights. The reset gate acts after or before the product."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar, NamedTuple

import numpy as np

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

    state_type: ClassVar = GRUState
    gates_type: ClassVar = GRUGates

    @property
    def reset_after(self) -> bool:
        """Return whether the reset gate acts after the recurrent product."""
        return self.bias.ndim == 2

    def get_bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of the bias, with two rows or one."""
        return (2, width) if self.reset_after else (width,)

    def split_biases(self) -> tuple[np.ndarray, np.ndarray]:
        """Return the biases of the products with inputs and with the state, float[3 · units] each.

        The latter is 0 if the layer has one bias.
        """
        return (self.bias[0], self.bias[1]) if self.reset_after else (self.bias, np.zeros_like(self.bias))

    def step(self, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
        """Compute one step with `step_gru`."""
        return step_gru(self, inputs, state)


def step_gru(weights: GRUWeights, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, GRUGates]:
    """Compute one step in time.

        z  = σ(x W_z + b_z + h U_z + d_z)               update gate: how much of the old state is kept
        r  = σ(x W_r + b_r + h U_r + d_r)               reset gate: how much of it the candidate reads
        g  = tanh(x W_g + b_g + r · (h U_g + d_g))      candidate, reset after the recurrent product
        g  = tanh(x W_g + b_g + (r · h) U_g)            candidate, reset before it
        h' = z · h + (1 − z) · g

    x are the inputs, h the hidden state, ' marks values after the step. W and U are the columns of kernel and recurrent
    kernel that belong to a gate, b and d those of the biases of inputs and state (d = 0 for reset before the product).
    · is the element-wise product. g is the h of Keras' order z, r, h.

    Args:
        weights: of the layer; the shape of their bias decides between the two forms.
        inputs: float[batch, feature].
        state: before the step.
    Returns:
        The state after the step, and the gates.
    Source: Cho et al. (2014), arXiv:1406.1078, equations 5 to 8, for reset before the product. Reset after the product
        is the form of cuDNN, and Keras' default.
    """
    h = state.hidden
    input_bias, recurrent_bias = weights.split_biases()
    x_z, x_r, x_g = np.split(inputs @ weights.kernel + input_bias, 3, axis=-1)
    u_z, u_r, u_g = np.split(weights.recurrent_kernel, 3, axis=-1)
    d_z, d_r, d_g = np.split(recurrent_bias, 3)
    z = sigmoid(x_z + h @ u_z + d_z)
    r = sigmoid(x_r + h @ u_r + d_r)
    g = np.tanh(x_g + (r * (h @ u_g + d_g) if weights.reset_after else (r * h) @ u_g))
    return GRUState(hidden=z * h + (1 - z) * g), GRUGates(update=z, reset=r, candidate=g)


def read_gru_weights(arrays: Sequence[np.ndarray], reset_after: bool = True) -> GRUWeights:
    """Read the arrays of `layer.get_weights()`. A layer without bias gets a bias of 0.

    Args:
        arrays: kernel, recurrent kernel and, if the layer has one, bias.
        reset_after: `layer.reset_after`.
    Raises:
        ValueError: the shape of the bias does not fit `reset_after`.
    """
    kernel, recurrent_kernel, *rest = arrays
    width = kernel.shape[1]
    zeros = np.zeros((2, width) if reset_after else width, kernel.dtype)
    weights = GRUWeights(kernel, recurrent_kernel, rest[0] if rest else zeros)
    if weights.reset_after != reset_after:
        raise ValueError(
            f"reset_after: received {reset_after} and a bias of shape {weights.bias.shape}, expected two rows of "
            "biases if true, one otherwise. Give the reset_after of the layer that the arrays come from."
        )
    return weights
