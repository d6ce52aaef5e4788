"""The base classes of all kinds of tasks."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from rnn_pipelines.compare.tasks.contest import PARTS, Contest, Sequences
from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.styles import Style


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
