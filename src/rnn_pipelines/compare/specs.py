"""What a comparison is made of; free of Keras, so that parameters are checked before it loads."""

from typing import Annotated, Literal, get_args

from pydantic import BaseModel, Field, RootModel, model_validator

from rnn_pipelines.cells.conventions import CellName
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.networks.specs import TrainingSpec

# Of a task or a network: a word that can stand in a list, and in the name of a file.
Name = Annotated[str, Field(pattern=r"^\w+$")]


class _DataSpec(BaseModel, extra="forbid", frozen=True):
    """Root of all kinds of data."""


class SeriesData(_DataSpec, frozen=True):
    """One step ahead of a window of a series, without calendar features. The metric is the MSE in the series' unit.

    Attributes:
        source: which series; the seed of a run is added to its own, so that each seed is another draw of the noise.
        lookback: steps of the window.
        split: its parts.
    """

    kind: Literal["series"]
    source: SourceSpec
    lookback: int = Field(30, ge=1)
    split: SplitSpec = SplitSpec()

    @model_validator(mode="after")
    def _refuse_catalog(self) -> "SeriesData":
        if self.source.name == "catalog" and self.source.path is None:
            raise ValueError("source: expected a name or a path, received the catalog, which a comparison doesn't read")
        return self


class _DrawnData(_DataSpec, frozen=True):
    """Sequences that are drawn anew for each seed.

    Attributes:
        num_train, num_validation, num_test: how many.
    """

    num_train: int = Field(20_000, ge=1)
    num_validation: int = Field(1_000, ge=1)
    num_test: int = Field(1_000, ge=1)


class AddingData(_DrawnData, frozen=True):
    """The adding problem, see `make_adding`. The metric is the MSE.

    Attributes:
        num_steps: of each sequence.
    """

    kind: Literal["adding"]
    num_steps: int = Field(100, ge=2)


class CopyData(_DrawnData, frozen=True):
    """Copy memory, see `make_copy_memory`. The metric is the cross-entropy in nats a step.

    Attributes:
        delay: steps for which the symbols are to be kept.
    """

    kind: Literal["copy"]
    delay: int = Field(100, ge=1)


class MusicData(_DataSpec, frozen=True):
    """The next notes of polyphonic music, see `read_music`. The metric is that of `measure_music_loss`.

    Attributes:
        file: its name in the folder of music.
        train_steps: training pieces are cut into stretches of so many steps, see `cut_rolls`; None for whole pieces.
    """

    kind: Literal["music"]
    file: Literal["JSB_Chorales.mat", "Nottingham.mat"]
    train_steps: int | None = Field(None, ge=1)


class ContenderSpec(BaseModel, extra="forbid", frozen=True):
    """One network of a comparison: a recurrent layer and a linear head.

    Attributes:
        cell: kind of the recurrent layer; `rnn` is the simple one, without gates.
        units: its width.
        activation: of the candidate and the output of the cell.
        unit_forget_bias: an LSTM's forget gate starts with the bias 1; else with 0.
    """

    cell: CellName
    units: int = Field(ge=1)
    activation: Literal["tanh", "relu"] = "tanh"
    unit_forget_bias: bool = True

    @model_validator(mode="after")
    def _refuse_bias_without_gate(self) -> "ContenderSpec":
        if not self.unit_forget_bias and self.cell != "lstm":
            raise ValueError(f"unit_forget_bias is for the cell lstm; {self.cell} has no forget gate")
        return self


class TaskSpec(BaseModel, extra="forbid", frozen=True):
    """One task, and the networks that compete on it.

    Attributes:
        data: what is learnt.
        contenders: the networks by name. Their recurrent layers must have numbers of weights within 6 %.
        training: the same for all of them.
        steps_per_epoch: gradient steps between two looks at validation, at most those of one pass through the training
            part; None for the whole pass.
        learnt_below: loss on validation below which the task counts as learnt, in the unit of the metric.
    """

    data: Annotated[SeriesData | AddingData | CopyData | MusicData, Field(discriminator="kind")]
    contenders: dict[Name, ContenderSpec] = Field(min_length=2)
    training: TrainingSpec
    steps_per_epoch: int | None = Field(None, ge=1)
    learnt_below: float | None = Field(None, gt=0)

    @model_validator(mode="after")
    def _refuse_swapped_cells(self) -> "TaskSpec":
        for name, contender in self.contenders.items():
            if name in get_args(CellName) and contender.cell != name:
                raise ValueError(f"contender {name}: expected the cell {name}, received {contender.cell}: rename one")
        return self


class TaskBook(RootModel[dict[Name, TaskSpec]], frozen=True):
    """All tasks by name."""


class PlanSpec(BaseModel, extra="forbid", frozen=True):
    """What of the tasks is run, and how.

    Attributes:
        tasks: their names, with spaces between them.
        seeds: runs of each network, with the seeds 0, 1, …: of the data that are drawn, the weights and the order of
            the batches, which is the same for all networks.
        music: folder of the music files; else `music` below the folder that the environment variable RNN_DATA names.
    """

    tasks: str
    seeds: int = Field(5, ge=2)
    music: str | None = None

    @model_validator(mode="after")
    def _refuse_no_tasks(self) -> "PlanSpec":
        if not self.tasks.split():
            raise ValueError("tasks: expected names of tasks with spaces between them, received none")
        return self
