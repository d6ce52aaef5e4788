"""What the weights of all cells share, so that sequences are stepped through in one place."""

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
    """What a cell has learned, in Keras' order; `units` columns belong to each gate.

    `LSTMWeights(*layer.get_weights())` takes them from Keras, `layer.set_weights(weights.to_list())` gives them back.

    Attributes:
        kernel: float[num_inputs, gates · units], by which inputs are multiplied.
        recurrent_kernel: float[units, gates · units], by which the hidden state is multiplied.
        bias: float[gates · units], or as the cell says.
        state_type, gates_type: named tuples of float[batch, units].
    Raises:
        ValueError: the shapes don't fit each other.
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
        """Size of the state."""
        return len(self.recurrent_kernel)

    def get_bias_shape(self, width: int) -> tuple[int, ...]:
        """That of a cell with one bias."""
        return (width,)

    def to_list(self) -> list[np.ndarray]:
        """The arrays in Keras' order."""
        return [self.kernel, self.recurrent_kernel, self.bias]

    @abstractmethod
    def step(self, inputs: np.ndarray, state: StateT) -> tuple[StateT, GatesT]:
        """One step in time, from float[batch, feature] and the state before it."""
