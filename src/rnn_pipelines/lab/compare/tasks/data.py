"""The base classes of all kinds of tasks, and their data in the same form: sequences, and how they are measured."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.styles import Style

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
    """A task with its data, by part, and losses of simple methods on the test part.

    `num_outputs` is that of a network for each target. `measure` returns the metric of its outputs for one part; lower
    is better. `scale` is the metric divided by the loss; it differs from 1 for a scaled series.
    """

    parts: Mapping[str, Sequences]
    num_outputs: int
    loss: Loss
    measure: Callable[[np.ndarray, Sequences], float]
    references: Mapping[str, float]
    scale: float = 1.0

    @property
    def num_inputs(self) -> int:
        return int(self.parts["train"].inputs.shape[2])

    @property
    def every_step(self) -> bool:
        """Whether there is a target at every step, instead of one for each sequence."""
        return self.parts["train"].weights.ndim == 2


def measure_mse(outputs: np.ndarray, sequences: Sequences) -> float:
    """Return the mean squared error of outputs float[num_sequences, 1]."""
    return float(((sequences.targets - outputs.astype(float)) ** 2).mean())


class TaskData(ParameterModel, ABC, frozen=True):
    """Base class of all kinds of tasks. A kind is a module in this folder and a member of `specs.Data`.

    Attributes:
        metric: the metric with its unit; lower is better.
        styles: names, colours and dashes of its references, and of tasks with names of their own.
    """

    metric: ClassVar[str]
    styles: ClassVar[Mapping[str, Style]] = {}

    @abstractmethod
    def prepare(self, seed: int, music: str | None) -> Contest:
        """Draw or read the data of the task; a file that is missing or cannot be read raises a TaskError.

        `music` is the folder of the music files, see `PlanSpec`.
        """

    @abstractmethod
    def describe(self) -> str:
        """Describe the task and its metric in sentences."""

    def find_file(self, music: str | None) -> Path | None:
        """Return the file that the task reads; None if it reads none, a TaskError if the folder does not exist."""
        return None

    def is_there(self, music: str | None) -> bool:
        """Return whether the task can be prepared; False if its file is missing."""
        return True

    @property
    def published(self) -> Mapping[str, Mapping[str, float]]:
        """Published losses by paper and cell, in the metric of the task."""
        return {}


class DrawnData(TaskData, frozen=True):
    """Sequences that are drawn anew for each seed.

    Attributes:
        num_train, num_validation, num_test: the number of sequences of each part.
    """

    num_train: int = Field(20_000, ge=1, le=10**7)
    num_validation: int = Field(1_000, ge=1, le=10**7)
    num_test: int = Field(1_000, ge=1, le=10**7)

    def draw(
        self, seed: int, num_values: int, make: Callable[[int, np.random.Generator], Sequences]
    ) -> dict[str, Sequences]:
        """Draw train, validation and test from independent random numbers.

        A value has 4 bytes, and drawing needs three times this memory; without it, a ParameterError is raised.
        """
        sizes = (self.num_train, self.num_validation, self.num_test)
        task = f"drawing {sum(sizes):,} sequences"
        require_memory(12.0 * sum(sizes) * num_values, task, "sequences, or shorter ones,")
        rngs = np.random.default_rng(seed).spawn(len(sizes))
        return {part: make(size, rng) for part, size, rng in zip(PARTS, sizes, rngs, strict=True)}
