"""From the steps of the library to nodes. A plain module, and no pipeline."""

from collections import Counter
from collections.abc import Callable, Sequence

from kedro.pipeline import Node

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.recipe import Recipe, Step
from rnn_pipelines.pipelines.wiring import node


def create_nodes(steps: Sequence[Step], name_dataset: Callable[[str], str]) -> list[Node]:
    """A node for each step; where several run the same function, each is in the namespace of what it gives.

    Args:
        steps: whose values have names.
        name_dataset: from the name of a value to that of its dataset.
    """
    counts = Counter(step.function for step in steps)
    return [_create_node(step, name_dataset, is_alone=counts[step.function] == 1) for step in steps]


def name_in(pipeline: str, **others: str) -> Callable[[str], str]:
    """How a pipeline names the values of forecasting steps: blocks of parameters of `forecast`, else its own datasets.

    Args:
        pipeline: by which its datasets begin.
        others: names of values that are neither.
    """
    blocks = {*Recipe.model_fields, *NETWORKS, "training", "level"}
    known = {name: f"params:forecast.{name}" for name in blocks} | {"source_table": f"{pipeline}_source"} | others
    return lambda name: known.get(name, f"{pipeline}_{name}")


def _create_node(step: Step, name_dataset: Callable[[str], str], is_alone: bool) -> Node:
    inputs, outputs = ([name_dataset(name) for name in names] for names in (step.inputs, step.outputs))
    namespace = None if is_alone else outputs[0].rpartition("_")[0]
    return node(step.function, inputs, outputs if len(outputs) > 1 else outputs[0], namespace=namespace)
