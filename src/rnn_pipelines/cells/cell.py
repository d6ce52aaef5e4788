"""A recurrent cell as one object, which members, Keras models, `compare` and `internals` ask for its properties."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from rnn_pipelines.cells.weights import CellWeights

# The gate that is no σ from 0 to 1: the values to be written into the state.
CANDIDATE = "candidate"
# The arrays of one layer by name, float[…, row, column]; a bias has one row.
LayerArrays = Mapping[str, np.ndarray]
# States, gates and extra of all steps; see `LayerCache`.
Steps = tuple[np.ndarray, np.ndarray, np.ndarray]


@dataclass(frozen=True)
class LayerCache:
    """The intermediate results of one layer of all members: float32[member, time, unit, batch] each.

    The batch is the last axis, so that each gate of a small layer is contiguous in memory.
    """

    inputs: np.ndarray  # of the layer; those that all members share have no axis for members
    states: np.ndarray  # hidden states; the first one is that before the first step
    gates: np.ndarray  # concatenated along the units, in the order of the columns of the kernel
    extra: np.ndarray  # an array that only the backward pass of the cell reads


@dataclass(frozen=True, eq=False)
class Cell:
    """A kind of recurrent layer: its gates, initial weights, equations and Keras layer.

    `step_through` and `go_back` compute the equations of the weights' steps for all members of a network at once.
    """

    name: str  # in parameters and in the names of layers
    weights: type[
        CellWeights[Any, Any]
    ]  # the class of the weights of a layer, with the equations of its steps
    letters: Mapping[str, str]  # the letter of each gate, in the order in which they are explained
    state_letters: Mapping[str, str]  # the letter of each state
    keeping: str  # the gate that is the share of the state that is kept
    keras_layer: str  # the class of its Keras layer in `keras.layers` or `networks.layers`
    # Return states, gates and extra, given the arrays of a layer, float32[member, row, column], and the products with
    # its inputs, float32[member, time, gate · unit, batch], which the gates overwrite.
    step_through: Callable[[LayerArrays, np.ndarray], Steps]
    # Return the gradients for the products with the inputs and for those with the states, given the arrays of a layer,
    # its cache, and the gradient for each state as an output, float32[member, time, unit, batch], or with one step, for
    # the last one only.
    go_back: Callable[[LayerArrays, LayerCache, np.ndarray], tuple[np.ndarray, np.ndarray]]
    # the initial biases of gates that are not 0
    first_biases: Mapping[str, float] = field(default_factory=dict)
    # further parameters of its Keras layer that a comparison may set
    options: Sequence[str] = ("activation",)
    reads_state: bool = True  # whether the gates read the hidden state
    num_biases: int = 1  # of each gate and unit; the second one is for the product with the state

    @property
    def gates(self) -> tuple[str, ...]:
        """The names of the gates, in the order of the columns of the kernel."""
        return tuple(self.weights.gates_type._fields)

    @property
    def arrays(self) -> tuple[str, ...]:
        """The names of the arrays of a layer: kernels before biases, those of the inputs before those of the states."""
        kernels = ("kernel", "recurrent_kernel")
        biases = ("bias", "recurrent_bias")
        return *kernels[: 1 + self.reads_state], *biases[: self.num_biases]

    def count_weights_by_gate(self, num_inputs: int, units: int) -> dict[str, int]:
        """Return the number of weights of each gate of a layer, in the order of the gates."""
        rows = num_inputs + self.reads_state * units + self.num_biases
        return dict.fromkeys(self.gates, rows * units)

    def count_weights(self, num_inputs: int, units: int) -> int:
        """Return the number of weights of a layer with Keras' defaults."""
        return sum(self.count_weights_by_gate(num_inputs, units).values())

    def initialize(
        self, rng: np.random.Generator, num_inputs: int, units: int
    ) -> dict[str, np.ndarray]:
        """Draw the arrays of a layer, float64, as Keras does.

        Glorot-uniform kernels, orthogonal recurrent kernels, and biases of 0 except `first_biases`.
        """
        width = len(self.gates) * units
        first = np.repeat([self.first_biases.get(gate, 0.0) for gate in self.gates], units)[None]
        drawn = [draw_glorot_uniform(rng, num_inputs, width)]
        if self.reads_state:
            drawn.append(draw_orthogonal(rng, units, width))
        return dict(
            zip(self.arrays, [*drawn, first, np.zeros((1, width))][: len(self.arrays)], strict=True)
        )

    def read_arrays(self, arrays: LayerArrays) -> CellWeights[Any, Any]:
        """Return the weights with these arrays of one layer, float[row, column]."""
        biases = np.concatenate([arrays[name] for name in self.arrays if name.endswith("bias")])
        kernels = [arrays[name] for name in self.arrays if name.endswith("kernel")]
        return self.weights.from_list([*kernels, biases if self.num_biases > 1 else biases[0]])

    def name_arrays(self, weights: CellWeights[Any, Any]) -> dict[str, np.ndarray]:
        """Return the arrays of weights by name, float[row, column]; the inverse of `read_arrays`."""
        *kernels, bias = weights.to_list()
        return dict(zip(self.arrays, [*kernels, *np.atleast_2d(bias)[:, None]], strict=True))


def sigmoid_in_place(values: np.ndarray) -> None:
    """Apply σ(v) = (1 + tanh(v / 2)) / 2, because NumPy has a fast tanh."""
    values *= np.float32(0.5)
    np.tanh(values, out=values)
    values *= np.float32(0.5)
    values += np.float32(0.5)


def draw_glorot_uniform(rng: np.random.Generator, num_rows: int, num_columns: int) -> np.ndarray:
    """Draw float64[num_rows, num_columns], uniform within ±√(6 / (num_rows + num_columns)).

    Source: Glorot & Bengio (2010), equation 16, proceedings.mlr.press/v9/glorot10a.
    """
    limit = np.sqrt(6 / (num_rows + num_columns))
    return rng.uniform(-limit, limit, (num_rows, num_columns))


def draw_orthogonal(rng: np.random.Generator, num_rows: int, num_columns: int) -> np.ndarray:
    """Draw float64[num_rows, num_columns] with orthogonal rows of length 1, at most as many rows as columns.

    Source: Saxe et al. (2014), arXiv:1312.6120.
    """
    columns, triangle = np.linalg.qr(rng.normal(size=(num_columns, num_rows)))
    # The signs of the decomposition are arbitrary. With these signs, every such matrix is equally likely.
    return (columns * np.sign(np.diag(triangle))).T
