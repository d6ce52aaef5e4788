"""The parameters of a comparison. Does not import Keras, so that parameters are checked before it loads."""

from typing import Annotated

from pydantic import Field, RootModel, model_validator

from rnn_pipelines.errors import show
from rnn_pipelines.lab.compare.contenders import NETWORKS, ContenderSpec
from rnn_pipelines.lab.compare.tasks.adding import AddingData
from rnn_pipelines.lab.compare.tasks.copy_memory import CopyData
from rnn_pipelines.lab.compare.tasks.music import MusicData
from rnn_pipelines.lab.compare.tasks.series import SeriesData
from rnn_pipelines.networks.specs import TrainingSpec
from rnn_pipelines.parameter_models import ParameterModel

# The name of a task or a network: a word that is valid in a list and in a file name.
Name = Annotated[str, Field(pattern=r"^\w+$")]


# The list of the kinds of tasks.
Data = SeriesData | AddingData | CopyData | MusicData


class TaskSpec(ParameterModel, frozen=True):
    """One task, and the networks that compete on it.

    Attributes:
        data: the kind of task and its data.
        contenders: the networks by name. The numbers of weights of their recurrent layers must be within 6 %.
        training: the training of every network.
        steps_per_epoch: gradient steps between two measurements of the validation loss, at most those of one pass
            through the training part; None for the whole pass.
        learnt_below: the validation loss below which the task counts as learnt, in the unit of the metric.
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
    """The tasks to run, and the number of seeds.

    Attributes:
        tasks: the names of the tasks, separated by spaces.
        seeds: the number of runs of each network, with the seeds 0, 1, …; one has no intervals. A seed determines the
            drawn data, the weights and the order of the batches, which is the same for all networks.
        music: the folder of the music files; by default `music` below the folder in the environment variable RNN_DATA.
    """

    tasks: str
    seeds: int = Field(5, ge=1, le=1000)
    music: str | None = None

    @model_validator(mode="after")
    def _validate_tasks(self) -> "PlanSpec":
        if not self.tasks.split():
            raise ValueError(
                "tasks: expected names of tasks with spaces between them, received none"
            )
        return self
