"""The adding problem: the network remembers and adds two numbers that are far apart."""

from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.errors import TaskError
from rnn_pipelines.lab.compare.tasks.data import Contest, DrawnData, Sequences, measure_mse
from rnn_pipelines.report.styles import Style


class AddingData(DrawnData, frozen=True):
    """The adding problem, see `make_adding`. The metric is the MSE.

    Attributes:
        num_steps: the length of each sequence.
    """

    metric: ClassVar = "MSE"
    styles: ClassVar = {"guessing 1": Style("guessing 1", dash="dash")}
    kind: Literal["adding"]
    num_steps: int = Field(100, ge=2, le=10**5)

    def prepare(self, seed: int, music: str | None) -> Contest:
        parts = self.draw(
            seed, 2 * self.num_steps, lambda size, rng: make_adding(size, self.num_steps, rng)
        )
        references = {"guessing 1": measure_mse(np.ones_like(parts["test"].targets), parts["test"])}
        return Contest(parts, 1, "squared", measure_mse, references)

    def describe(self) -> str:
        return (
            f"The adding problem: of {self.num_steps} numbers between 0 and 1, two are marked. The network predicts "
            "their sum after the last step. Each seed draws other sequences. The metric is the MSE."
        )


def make_adding(num_sequences: int, num_steps: int, rng: np.random.Generator) -> Sequences:
    """Draw sequences of numbers in which two are marked, one in each half; the target is their sum.

    The first half has ⌊num_steps / 2⌋ steps. Within its half, each step is equally likely to be marked.

    Returns:
        `inputs` float32[num_sequences, num_steps, 2]: a number, uniform in [0, 1), and a marker, 1 at two steps and 0
        at all others. `targets` float32[num_sequences, 1], 0 to 2. `weights` float32[num_sequences], all 1.
    Raises:
        TaskError: the sequences are too short for two markers.
    Source: Hochreiter & Schmidhuber (1997), section 5.4, doi:10.1162/neco.1997.9.8.1735; numbers in [0, 1] and one
        target as in Le, Jaitly & Hinton (2015), arXiv:1504.00941; one marker in each half as in Arjovsky, Shah &
        Bengio (2016), arXiv:1511.06464.
    """
    if num_steps < 2:
        raise TaskError(
            f"adding problem: expected at least 2 steps, one for each marker, received {num_steps}"
        )
    half = num_steps // 2
    places = np.stack(
        [rng.integers(0, half, num_sequences), rng.integers(half, num_steps, num_sequences)], axis=1
    )
    numbers = rng.random((num_sequences, num_steps), np.float32)
    markers = np.zeros_like(numbers)
    np.put_along_axis(markers, places, 1, axis=1)
    targets = np.take_along_axis(numbers, places, axis=1).sum(axis=1, keepdims=True)
    return Sequences(
        np.stack([numbers, markers], axis=2), targets, np.ones(num_sequences, np.float32)
    )
