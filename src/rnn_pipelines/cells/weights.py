"""The base class of the weights of all cells, so that `unroll` works with each of them."""

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

import numpy as np

from rnn_pipelines.cells.conventions import check_shapes

# Named tuples.
StateT = TypeVar("StateT", bound=tuple[np.ndarray, ...])
GatesT = TypeVar("GatesT", bound=tuple[np.ndarray, ...])


@dataclass(frozen=True)
class CellWeights(ABC, Generic[StateT, GatesT]):
    """The weights of a cell, in Keras' order. Each gate has `units` columns.

    `LSTMWeights(*layer.get_weights())` reads them from Keras, `layer.set_weights(weights.to_list())` writes them back.

    Attributes:
        kernel: float[num_inputs, gates · units], multiplies the inputs.
        recurrent_kernel: float[units, gates · units], multiplies the hidden state.
        bias: float[gates · units], or of the shape of `get_bias_shape`.
        state_type, gates_type: named tuples of float[batch, units].
    Raises:
        ValueError: the shapes do not fit each other.
    """

    kernel: np.ndarray
    recurrent_kernel: np.ndarray
    bias: np.ndarray
    state_type: ClassVar[Any]
    gates_type: ClassVar[Any]

    def __post_init__(self) -> None:
        width = len(self.gates_type._fields) * self.units
        check_shapes(self.to_list(), [(len(self.kernel), width), (self.units, width), self.get_bias_shape(width)])

    @property
    def units(self) -> int:
        """Return the size of the state."""
        return len(self.recurrent_kernel)

    def get_bias_shape(self, width: int) -> tuple[int, ...]:
        """Return the shape of the bias; here that of a cell with one bias."""
        return (width,)

    def to_list(self) -> list[np.ndarray]:
        """Return the arrays in Keras' order."""
        return [self.kernel, self.recurrent_kernel, self.bias]

    @abstractmethod
    def step(self, inputs: np.ndarray, state: StateT) -> tuple[StateT, GatesT]:
        """Compute one step in time, from float[batch, feature] and the state before it."""
