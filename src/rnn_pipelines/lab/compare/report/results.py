"""The results of one task, for all parts of the report, and the names and colours in it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, get_args

from rnn_pipelines.lab.compare.contenders import NETWORKS
from rnn_pipelines.lab.compare.records import (
    ContenderRun,
    ContenderSummary,
    Description,
    Difference,
)
from rnn_pipelines.lab.compare.specs import Data, TaskSpec
from rnn_pipelines.lab.compare.tasks.series import FLOOR
from rnn_pipelines.report.styles import Style, Styles

BOUND = "learnt below"
STYLES = Styles(
    NETWORKS,
    {
        # In brackets, because a comma would separate two names in a list.
        "lstm_relu": Style("LSTM (relu)", "#7fb7e6"),
        "lstm_bias_0": Style("LSTM (forget bias 0)", "#85c4ea"),
        BOUND: Style(BOUND, "#707070", "dot"),
    },
    *(kind.styles for kind in get_args(Data)),
)


@dataclass(frozen=True)
class TaskResults:
    """The results of one task: the summary of each network, all trainings in the order of the seeds, and others.

    `references` are losses of simple methods on the test part, `published` published losses, by paper and cell.
    """

    name: str
    spec: TaskSpec
    networks: Sequence[ContenderSummary]
    runs: Sequence[ContenderRun]
    references: Mapping[str, float]
    published: Mapping[str, Mapping[str, float]]

    @property
    def cells(self) -> list[str]:
        return [network["cell"] for network in self.networks]

    @property
    def differences(self) -> list[Difference]:
        """The differences of test losses of all pairs of networks."""
        return [pair for network in self.networks for pair in network["differences"]]

    @property
    def step_differences(self) -> list[Difference]:
        """The differences of gradient steps to learn, of pairs in which every seed of both networks learnt."""
        return [pair for network in self.networks for pair in network["step_differences"]]

    @property
    def num_steps(self) -> int:
        """The largest number of gradient steps of a training."""
        return self.spec.training.epochs * max(run["steps_per_epoch"] for run in self.runs)

    @cached_property
    def best_reference(self) -> str | None:
        """The simple method with the lowest loss, without the noise floor; None if there is none."""
        rivals = {name: loss for name, loss in self.references.items() if name != FLOOR}
        return min(rivals, key=rivals.__getitem__, default=None)

    @property
    def num_better(self) -> int:
        """The number of networks whose mean test loss is lower than the loss of the best simple method."""
        bound = self.references[self.best_reference] if self.best_reference else float("-inf")
        return sum(network["test"]["mean"] < bound for network in self.networks)

    def list_values(self, cell: str, key: str) -> list[Any]:
        """Return one field of all runs of a network, in the order of the seeds."""
        return [dict(run)[key] for run in self.runs if run["cell"] == cell]


def list_tasks(
    runs: Sequence[ContenderRun], summary: Sequence[ContenderSummary], description: Description
) -> list[TaskResults]:
    """Return the results of each task that was run, in the order of the summary."""
    ordered = sorted(runs, key=lambda run: run["seed"])
    tasks = []
    for name in dict.fromkeys(network["task"] for network in summary):
        described = description["tasks"][name]
        spec = TaskSpec.model_validate(described["spec"])
        networks = [network for network in summary if network["task"] == name]
        of_task = [run for run in ordered if run["task"] == name]
        references = described["references"]
        tasks.append(TaskResults(name, spec, networks, of_task, references, described["published"]))
    return tasks
