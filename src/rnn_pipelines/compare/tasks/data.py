"""What every kind of task says of itself: its metric, how it is prepared, what simple methods it is held against."""

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
from pydantic import Field

from rnn_pipelines.compare.tasks.contest import PARTS, Contest
from rnn_pipelines.compare.tasks.sequences import Sequences
from rnn_pipelines.networks.memory import require_memory
from rnn_pipelines.parameter_models import ParameterModel
from rnn_pipelines.report.styles import Style


class TaskData(ParameterModel, ABC, frozen=True):
    """Root of all kinds of tasks. A kind is a module in this folder, and a name in `specs.Data`.

    Attributes:
        metric: what its networks are measured by, with its unit; lower is better.
        styles: names, colours and dashes of its references, and of its tasks where these have names of their own.
    """

    metric: ClassVar[str]
    styles: ClassVar[Mapping[str, Style]] = {}

    @abstractmethod
    def prepare(self, seed: int, music: str | None) -> Contest:
        """Generates or reads what the task is made of.

        Args:
            seed: of what is drawn.
            music: folder of the music files, see `PlanSpec`.
        Raises:
            TaskError: there is no file, or it can't be read.
        """

    @abstractmethod
    def describe(self) -> str:
        """What is learnt and how it is measured, in sentences."""

    def find_file(self, music: str | None) -> Path | None:
        """The file that the task reads, None where it reads none.

        Raises:
            TaskError: there is no such folder of music.
        """
        return None

    def is_there(self, music: str | None) -> bool:
        """Whether the task can be prepared, or its file has to be got first."""
        return True

    @property
    def published(self) -> Mapping[str, Mapping[str, float]]:
        """What papers report, by paper and cell, in the metric of the task."""
        return {}


class DrawnData(TaskData, frozen=True):
    """Sequences that are drawn anew for each seed.

    Attributes:
        num_train, num_validation, num_test: how many.
    """

    num_train: int = Field(20_000, ge=1, le=10**7)
    num_validation: int = Field(1_000, ge=1, le=10**7)
    num_test: int = Field(1_000, ge=1, le=10**7)

    def draw(
        self, seed: int, num_values: int, make: Callable[[int, np.random.Generator], Sequences]
    ) -> dict[str, Sequences]:
        """The parts, each from random numbers of its own.

        Args:
            seed: of all parts.
            num_values: of each sequence, 4 bytes each; while they are drawn there are two more of each.
            make: draws so many sequences.
        Raises:
            ParameterError: they need more memory than there is.
        """
        sizes = (self.num_train, self.num_validation, self.num_test)
        require_memory(
            12.0 * sum(sizes) * num_values, f"drawing {sum(sizes):,} sequences", "sequences, or shorter ones,"
        )
        rngs = np.random.default_rng(seed).spawn(len(sizes))
        return {part: make(size, rng) for part, size, rng in zip(PARTS, sizes, rngs, strict=True)}
