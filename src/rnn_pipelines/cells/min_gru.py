"""One step of a minimal gated recurrent unit (minGRU), and its weights: a GRU whose gates do not read the state."""

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
from rnn_pipelines.cells.gru import GRUState
from rnn_pipelines.cells.weights import CellWeights


class MinGRUGates(NamedTuple):
    """The gates of a minGRU in one step: float[batch, units] each; the update gate is 0 to 1, `candidate` unbounded."""

    update: np.ndarray
    candidate: np.ndarray


@dataclass(frozen=True)
class MinGRUWeights(CellWeights[GRUState, MinGRUGates]):
    """The weights of a minGRU: kernel, float[num_inputs, 2 · units], and bias, float[2 · units]."""

    bias: np.ndarray
    state_type: ClassVar = GRUState
    gates_type: ClassVar = MinGRUGates

    def list_shapes(self, width: int) -> list[tuple[int, ...]]:
        return [(len(self.kernel), width), (width,)]

    def step(self, inputs: np.ndarray, state: GRUState) -> tuple[GRUState, MinGRUGates]:
        """Compute one step.

            z  = σ(x W_z + b_z)             update gate: how much of the old state is kept
            g  = x W_g + b_g                candidate, without tanh
            h' = z · h + (1 − z) · g

        The letters are those of `GRUWeights.step`. The paper writes 1 − z for z.

        Source: Feng et al. (2024), arXiv:2410.01201, section 3.1.
        """
        z, g = np.split(inputs @ self.kernel + self.bias, 2, axis=-1)
        z = sigmoid(z)
        return GRUState(hidden=z * state.hidden + (1 - z) * g), MinGRUGates(update=z, candidate=g)

    def step_back(
        self, inputs: np.ndarray, before: GRUState, gates: MinGRUGates, gradients: GRUState
    ) -> tuple["MinGRUWeights", np.ndarray, GRUState]:
        """Go back through one step.

        da = [dh' · (h − g) · z · (1 − z), dh' · (1 − z)]
        dW = xᵀ da,    db = Σ da,    dx = da Wᵀ,    dh = dh' · z
        """
        z, g = gates
        of_hidden = gradients.hidden
        a = np.concatenate(
            [of_hidden * (before.hidden - g) * z * (1 - z), of_hidden * (1 - z)], axis=-1
        )
        return (
            MinGRUWeights(inputs.T @ a, a.sum(axis=0)),
            a @ self.kernel.T,
            GRUState(of_hidden * z),
        )


def _step_through(arrays: LayerArrays, products: np.ndarray) -> Steps:
    """Compute all steps of all members; the backward pass needs no `extra`."""
    num_members, time, width, batch = products.shape
    units = width // 2
    states = np.zeros((num_members, time + 1, units, batch), np.float32)
    update = products[:, :, :units]
    candidate = products[:, :, units:]
    sigmoid_in_place(update)
    for step in range(time):
        new = states[:, step + 1]
        np.subtract(states[:, step], candidate[:, step], out=new)
        new *= update[:, step]
        new += candidate[:, step]
    return states, products, states[:, :0]


def _go_back(
    arrays: LayerArrays, cache: LayerCache, of_states: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Go back through all steps of all members. The gradients for products with states are empty: there are none."""
    units = of_states.shape[2]
    of_hidden = of_states[:, -1]
    found = np.empty_like(cache.gates)
    for step in reversed(range(cache.gates.shape[1])):
        z = cache.gates[:, step, :units]
        g = cache.gates[:, step, units:]
        of_old = of_hidden * z
        found[:, step, :units] = (cache.states[:, step] - g) * of_old * (1 - z)
        found[:, step, units:] = of_hidden - of_old
        of_hidden = of_old
        if step and of_states.shape[1] > 1:
            of_hidden = of_hidden + of_states[:, step - 1]
    return found, found[:, :, :0]


MIN_GRU = Cell(
    name="mingru",
    weights=MinGRUWeights,
    letters={"update": "z", CANDIDATE: "g"},
    state_letters={"hidden": "h"},
    keeping="update",
    keras_layer="MinGRU",
    step_through=_step_through,
    go_back=_go_back,
    options=(),
    reads_state=False,
)
