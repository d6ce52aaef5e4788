"""The sequences of a task, in the same form for all tasks."""

from dataclasses import dataclass

import numpy as np


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
