"""What a comparison is made of; free of Keras, so that parameters are checked before it loads."""

from typing import Annotated

from pydantic import Field, RootModel, model_validator

from rnn_pipelines.compare.contenders import NETWORKS, ContenderSpec
from rnn_pipelines.compare.tasks.adding import AddingData
from rnn_pipelines.compare.tasks.copy_memory import CopyData
from rnn_pipelines.compare.tasks.music import MusicData
from rnn_pipelines.compare.tasks.series import SeriesData
from rnn_pipelines.errors import show
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.parameter_models import ParameterModel

# Of a task or a network: a word that can stand in a list, and in the name of a file.
Name = Annotated[str, Field(pattern=r"^\w+$")]


# A kind of task is said here once; its module says all else of it.
Data = SeriesData | AddingData | CopyData | MusicData


class TaskSpec(ParameterModel, frozen=True):
    """One task, and the networks that compete on it.

    Attributes:
        data: what is learnt.
        contenders: the networks by name. Their recurrent layers must have numbers of weights within 6 %.
        training: the same for all of them.
        steps_per_epoch: gradient steps between two looks at validation, at most those of one pass through the training
            part; None for the whole pass.
        learnt_below: loss on validation below which the task counts as learnt, in the unit of the metric.
    """

    data: Annotated[Data, Field(discriminator="kind")]
    contenders: dict[Name, ContenderSpec] = Field(min_length=2)
    training: TrainingSpec
    steps_per_epoch: int | None = Field(None, ge=1, le=10**7)
    learnt_below: float | None = Field(None, gt=0, le=1e9)

    @model_validator(mode="after")
    def _validate_cells(self) -> "TaskSpec":
        for name, contender in self.contenders.items():
            if name in NETWORKS and contender.cell != name:
                raise ValueError(
                    f"contender {show(name)}: expected the cell of that name, received {show(contender.cell)}. Rename "
                    "one of them"
                )
        return self


class TaskBook(RootModel[dict[Name, TaskSpec]], frozen=True):
    """All tasks by name."""


class PlanSpec(ParameterModel, frozen=True):
    """What of the tasks is run, and how.

    Attributes:
        tasks: their names, with spaces between them.
        seeds: runs of each network, with the seeds 0, 1, …: of the data that are drawn, the weights and the order of
            the batches, which is the same for all networks.
        music: folder of the music files; else `music` below the folder that the environment variable RNN_DATA names.
    """

    tasks: str
    seeds: int = Field(5, ge=2, le=1000)
    music: str | None = None

    @model_validator(mode="after")
    def _validate_tasks(self) -> "PlanSpec":
        if not self.tasks.split():
            raise ValueError("tasks: expected names of tasks with spaces between them, received none")
        return self
