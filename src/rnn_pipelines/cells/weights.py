"""The base class of the weights of all cells, so that `unroll` works with each of them."""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Generic, Self, TypeVar

import numpy as np

from rnn_pipelines.cells.conventions import check_shapes

# Named tuples.
StateT = TypeVar("StateT", bound=tuple[np.ndarray, ...])
GatesT = TypeVar("GatesT", bound=tuple[np.ndarray, ...])


@dataclass(frozen=True)
class CellWeights(ABC, Generic[StateT, GatesT]):
    """The weights of a layer, in Keras' order. Each gate has `units` columns.

    `LSTMWeights(*layer.get_weights())` reads them from Keras, `layer.set_weights(weights.to_list())` writes them back.
    Shapes that do not fit each other are a ValueError.
    """

    # float[num_inputs, gates · units], multiplies the inputs. Subclasses add the other arrays.
    kernel: np.ndarray
    # `state_type` and `gates_type`: named tuples of float[batch, units].
    state_type: ClassVar[Any]
    gates_type: ClassVar[Any]

    @classmethod
    def from_list(cls, arrays: Sequence[np.ndarray]) -> Self:
        """Return the weights with these arrays in Keras' order."""
        return cls(*arrays)

    def __post_init__(self) -> None:
        check_shapes(self.to_list(), self.list_shapes(len(self.gates_type._fields) * self.units))

    @property
    def units(self) -> int:
        return self.kernel.shape[1] // len(self.gates_type._fields)

    @abstractmethod
    def list_shapes(self, width: int) -> list[tuple[int, ...]]:
        """Return the shapes of the arrays; `width` is the number of columns."""

    def to_list(self) -> list[np.ndarray]:
        """Return the arrays in Keras' order."""
        return [getattr(self, part.name) for part in fields(self)]

    @abstractmethod
    def step(self, inputs: np.ndarray, state: StateT) -> tuple[StateT, GatesT]:
        """Compute one step in time, from float[batch, feature] and the state before it."""

    @abstractmethod
    def step_back(
        self, inputs: np.ndarray, before: StateT, gates: GatesT, gradients: StateT
    ) -> Any:
        """Go back through one step: return the gradients for weights, inputs and the state before it.

        `inputs` are float[batch, feature], `before` is the state before the step, `gradients` those of the state after
        it.
        """
