"""The data of a task, in the same form for all tasks: sequences, and how they are measured."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

Loss = Literal["squared", "categorical", "bernoulli"]
PARTS: tuple[Literal["train", "validation", "test"], ...] = ("train", "validation", "test")


@dataclass(frozen=True)
class Sequences:
    """Sequences and their targets.

    Shorter sequences are padded after their end. No mask is needed: a network that reads forwards reaches the padding
    last, and outputs in padding have the weight 0. A mean over targets therefore divides by the sum of the weights, not
    by their number.

    Attributes:
        inputs: float32[num_sequences, time, feature].
        targets: [num_sequences, ...] for one target per sequence, [num_sequences, time, ...] for one per step; dtype,
            remaining axes and unit depend on the task.
        weights: float32[num_sequences] or float32[num_sequences, time], one for each target: 0 in padding, 1 elsewhere.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray


@dataclass(frozen=True)
class Contest:
    """A task with its data.

    Attributes:
        parts: train, validation and test.
        num_outputs: the number of outputs of a network for each target.
        loss: squared error, or the cross-entropy of classes or of notes.
        measure: returns the metric of a network's outputs for one part; lower is better.
        references: losses of simple methods on the test part, in the same metric.
        scale: the metric divided by the loss; it differs from 1 for a scaled series.
    """

    parts: Mapping[str, Sequences]
    num_outputs: int
    loss: Loss
    measure: Callable[[np.ndarray, Sequences], float]
    references: Mapping[str, float]
    scale: float = 1.0

    @property
    def num_inputs(self) -> int:
        """The number of features of a step."""
        return int(self.parts["train"].inputs.shape[2])

    @property
    def every_step(self) -> bool:
        """Whether there is a target at every step, instead of one for each sequence."""
        return self.parts["train"].weights.ndim == 2


def measure_mse(outputs: np.ndarray, sequences: Sequences) -> float:
    """Return the mean squared error of outputs float[num_sequences, 1]."""
    return float(((sequences.targets - outputs.astype(float)) ** 2).mean())
