"""What a comparison keeps, as it stands in its JSON files: trainings, their summary, and what is known of each task."""

from typing import Any, TypedDict


class Network(TypedDict):
    """A contender of a task.

    Attributes:
        task, cell: its names.
        num_recurrent_parameters, num_parameters: weights of the recurrent layer, and all.
    """

    task: str
    cell: str
    num_recurrent_parameters: int
    num_parameters: int


class Run(Network):
    """One training.

    Attributes:
        seed: of all that is drawn.
        validation, test: the task's metric, with the weights that are best on validation.
        seconds_per_epoch, seconds_to_best: without graph compilation, which `compile_seconds` states.
        num_threads: that it had.
        epochs, best_epoch: their number, and the one whose weights were kept, from 1.
        steps_per_epoch: gradient steps.
        steps_to_learn: gradient steps until validation first fell below the task's bound, None if it never did.
    """

    seed: int
    validation: float
    test: float
    seconds_per_epoch: float
    seconds_to_best: float
    compile_seconds: float
    num_threads: int
    epochs: int
    best_epoch: int
    steps_per_epoch: int
    steps_to_learn: int | None


class RunWithCurve(Run):
    """One training with its learning curve.

    Attributes:
        curve: the loss on validation after each epoch, in the task's metric.
    """

    curve: list[float]


class Estimate(TypedDict):
    """A mean over seeds, and the ends of its 95 % interval."""

    mean: float
    low: float
    high: float


class Difference(Estimate):
    """A pair of networks, seed by seed.

    Attributes:
        cell, against: their names; the estimate is of the first one's value minus the other's.
        better: the one with the lower values, where the interval leaves 0 out.
    """

    cell: str
    against: str
    better: str | None


class NetworkSummary(Network):
    """What the seeds of one network on one task come to.

    Attributes:
        num_seeds, num_learnt: how many there are, and how many of them learnt the task.
        validation, test, seconds_per_epoch, seconds_to_best, compile_seconds, epochs: means over all seeds.
        steps_to_learn: median over the seeds that learnt, None where none did.
        differences: of the test losses, of the pairs in which this network stands first.
        step_differences: likewise of the steps to learn, where every seed of both networks learnt.
    """

    num_seeds: int
    validation: Estimate
    test: Estimate
    seconds_per_epoch: Estimate
    seconds_to_best: Estimate
    compile_seconds: Estimate
    epochs: Estimate
    num_learnt: int
    steps_to_learn: float | None
    differences: list[Difference]
    step_differences: list[Difference]


class Results(TypedDict):
    """All trainings, without their curves, and what they come to."""

    runs: list[Run]
    summary: list[NetworkSummary]


class TaskDescription(TypedDict):
    """What the report is told of a task besides its trainings.

    Attributes:
        spec: its `TaskSpec`.
        references: what simple methods reach on the test part, means over the seeds.
        published: what papers report, by paper and cell.
        num_recurrent_parameters: by contender.
    """

    spec: dict[str, Any]
    references: dict[str, float]
    published: dict[str, dict[str, float]]
    num_recurrent_parameters: dict[str, int]


class Description(TypedDict):
    """The tasks that were run, and the names of those that were left out because their file is not there."""

    tasks: dict[str, TaskDescription]
    left_out: list[str]
