"""Copy memory: the network repeats symbols in their order after a long delay."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.errors import TaskError
from rnn_pipelines.lab.compare.tasks.data import Contest, DrawnData, Sequences
from rnn_pipelines.report.styles import Style

# The symbols are 0 to 7.
NUM_SYMBOLS = 8
BLANK = 8
MARKER = 9
NUM_INPUTS = 10
# Symbols and blank; the marker is never a target.
NUM_CLASSES = 9
# The number of symbols in a sequence.
NUM_RECALLED = 10


class CopyData(DrawnData, frozen=True):
    """Copy memory, see `make_copy_memory`. The metric is the cross-entropy in nats per step.

    Attributes:
        delay: the number of steps for which a network has to keep the symbols.
    """

    metric: ClassVar = "cross-entropy, nats a step"
    styles: ClassVar = {"no memory": Style("no memory", dash="dash")}
    kind: Literal["copy"]
    delay: int = Field(100, ge=1, le=10**5)

    def prepare(self, seed: int, music: str | None) -> Contest:
        num_values = (self.delay + 2 * NUM_RECALLED) * NUM_INPUTS
        parts = self.draw(
            seed, num_values, lambda size, rng: make_copy_memory(size, self.delay, rng)
        )
        references = {"no memory": compute_memoryless_loss(self.delay)}
        return Contest(parts, NUM_CLASSES, "categorical", measure_cross_entropy, references)

    def describe(self) -> str:
        return (
            f"Copy memory: the network repeats {NUM_RECALLED} symbols after {self.delay} steps. Each seed draws other "
            "sequences. The metric is the cross-entropy in nats per step, over all steps."
        )


def make_copy_memory(num_sequences: int, delay: int, rng: np.random.Generator) -> Sequences:
    """Draw sequences of 10 symbols, `delay` − 1 blanks, the marker and 10 blanks.

    The target is blank, except for the symbols at the last 10 steps. The first of these follows the marker.

    Args:
        delay: T, the number of steps from the last symbol to the marker, at least 1; each sequence has T + 20 steps.
    Returns:
        `inputs` float32[num_sequences, T + 20, 10], one-hot. `targets` int32[num_sequences, T + 20], 0 to 7 for a
        symbol, 8 for blank. `weights` float32[num_sequences, T + 20], all 1, also for blanks.
        A shorter delay raises a TaskError.
    Source: Arjovsky, Shah & Bengio (2016), arXiv:1511.06464, after Hochreiter & Schmidhuber (1997),
        doi:10.1162/neco.1997.9.8.1735.
    """
    if delay < 1:
        raise TaskError(
            f"copy memory: expected a delay of at least 1, the step of the marker, received {delay}"
        )
    symbols = rng.integers(0, NUM_SYMBOLS, (num_sequences, NUM_RECALLED), np.int32)
    ids = np.full((num_sequences, delay + 2 * NUM_RECALLED), BLANK, np.int32)
    targets = ids.copy()
    ids[:, :NUM_RECALLED] = symbols
    ids[:, NUM_RECALLED + delay - 1] = MARKER
    targets[:, -NUM_RECALLED:] = symbols
    return Sequences(
        np.eye(NUM_INPUTS, dtype=np.float32)[ids], targets, np.ones(ids.shape, np.float32)
    )


def compute_memoryless_loss(delay: int) -> float:
    """Return the cross-entropy, 10 · ln 8 / (T + 20) nats per step, of certain blanks and equally likely symbols."""
    return float(NUM_RECALLED * np.log(NUM_SYMBOLS) / (delay + 2 * NUM_RECALLED))


def measure_cross_entropy(logits: np.ndarray, sequences: Sequences) -> float:
    """Return the mean over all steps of −log of the probability of the right class, in nats.

    Logits are float[num_sequences, time, num_classes], the targets int[num_sequences, time].
    """
    shifted = logits.astype(float) - logits.max(axis=-1, keepdims=True)
    right = np.take_along_axis(shifted, sequences.targets[:, :, None].astype(int), axis=-1)[:, :, 0]
    return float((np.log(np.exp(shifted).sum(axis=-1)) - right).mean())
