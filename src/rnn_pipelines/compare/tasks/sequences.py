"""The one form in which all tasks come."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Sequences:
    """Sequences and what a network is to say about them.

    Shorter sequences are padded after their end. There is no mask: a network that reads forwards has said all that
    counts before it meets the padding, and what it says there has the weight 0. A mean over targets therefore divides
    by the sum of the weights, not by their number.

    Attributes:
        inputs: float32[num_sequences, time, feature].
        targets: [num_sequences, ...] for one target to a sequence, [num_sequences, time, ...] for one to each step;
            the task says dtype, remaining axes and unit.
        weights: float32[num_sequences] or float32[num_sequences, time], as there are targets: 1 where a target counts,
            0 in padding.
    """

    inputs: np.ndarray
    targets: np.ndarray
    weights: np.ndarray
