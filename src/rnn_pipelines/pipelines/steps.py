"""Conversion of the library's steps to nodes. This module is not a pipeline."""

from collections import Counter
from collections.abc import Callable, Sequence

from kedro.pipeline import Node

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.recipe import Recipe, Step
from rnn_pipelines.pipelines.wiring import node


def create_nodes(steps: Sequence[Step], name_dataset: Callable[[str], str], namespace: str | None = None) -> list[Node]:
    """Return a node per step; nodes with the same function get namespaces, named after their outputs.

    Args:
        steps: with named inputs and outputs.
        name_dataset: returns the name of the dataset of a value, from the value's name.
        namespace: of the nodes with a function of their own.
    """
    counts = Counter(step.function for step in steps)
    return [_create_node(step, name_dataset, namespace, is_alone=counts[step.function] == 1) for step in steps]


def name_in(pipeline: str, **others: str) -> Callable[[str], str]:
    """Return a function that names datasets: parameters of `forecast` for its blocks, else datasets of a pipeline.

    Args:
        pipeline: prefix of the datasets.
        others: dataset names of other values, by the values' names.
    """
    blocks = {*Recipe.model_fields, *NETWORKS, "training", "level", "use", "pretrained"}
    known = {name: f"params:forecast.{name}" for name in blocks} | {"source_table": f"{pipeline}_source"} | others
    return lambda name: known.get(name, f"{pipeline}_{name}")


def _create_node(step: Step, name_dataset: Callable[[str], str], namespace: str | None, is_alone: bool) -> Node:
    inputs, outputs = ([name_dataset(name) for name in names] for names in (step.inputs, step.outputs))
    namespace = namespace if is_alone else outputs[0].rpartition("_")[0]
    return node(step.function, inputs, outputs if len(outputs) > 1 else outputs[0], namespace)
