"""The contents of a comparison's JSON files: trainings, their summary, and descriptions of the tasks."""

from typing import Any, TypedDict


class Contender(TypedDict):
    """A contender of a task, with the numbers of weights of the recurrent layer and of the network."""

    task: str
    cell: str
    num_recurrent_parameters: int
    num_parameters: int


class ContenderRun(Contender):
    """One training, with the seed of data, weights and order of the batches.

    Losses are in the task's metric, with the weights that are best on validation. Seconds are without graph
    compilation, which is in `compile_seconds`. `best_epoch`, from 1, is the epoch whose weights were kept. Steps are
    gradient steps; `steps_to_learn` is when the validation loss first fell below the task's bound, None if it never
    did.
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


class RunWithCurve(ContenderRun):
    """One training with its learning curve: the validation loss after each epoch, in the task's metric."""

    curve: list[float]


class Estimate(TypedDict):
    """A mean over seeds, and the ends of its 95 % interval; None for one seed."""

    mean: float
    low: float | None
    high: float | None


class Difference(Estimate):
    """The paired difference of two networks: the value of `cell` minus that of `against`.

    `better` is the network with the lower values; None if the interval contains 0.
    """

    cell: str
    against: str
    better: str | None


class ContenderSummary(Contender):
    """The summary of one network on one task: means over all seeds, of which `num_learnt` learnt the task.

    `steps_to_learn` is the median over these; None if none did. The differences of test losses are those of the pairs
    in which this network is `cell`; likewise those of the steps to learn, if every seed of both networks learnt.
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


class ComparisonResults(TypedDict):
    """All trainings, without their curves, and their summary."""

    runs: list[ContenderRun]
    summary: list[ContenderSummary]


class TaskDescription(TypedDict):
    """The facts of a task for the report, apart from its trainings: its `TaskSpec`, and recurrent weights by contender.

    The references are losses of simple methods on the test part, means over the seeds. Published losses are by paper
    and cell.
    """

    spec: dict[str, Any]
    references: dict[str, float]
    published: dict[str, dict[str, float]]
    num_recurrent_parameters: dict[str, int]


class Description(TypedDict):
    """The tasks that were run, and the names of those that were left out because their file is missing."""

    tasks: dict[str, TaskDescription]
    left_out: list[str]
