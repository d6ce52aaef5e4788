"""Conversion of the library's steps to nodes. This module is not a pipeline."""

from collections import Counter
from collections.abc import Mapping, Sequence

from kedro.pipeline import Node

from rnn_pipelines.forecast.recipe import Step
from rnn_pipelines.pipelines.wiring import node


def create_nodes(steps: Sequence[Step], datasets: Mapping[str, str], namespace: str | None = None) -> list[Node]:
    """Return a node per step; nodes with the same function get namespaces, named after their outputs.

    Args:
        datasets: names of datasets and parameters, by the names of the values.
        namespace: of the nodes with a function of their own.
    """
    counts = Counter(step.function for step in steps)
    return [_create_node(step, datasets, namespace, is_alone=counts[step.function] == 1) for step in steps]


def _create_node(step: Step, datasets: Mapping[str, str], namespace: str | None, is_alone: bool) -> Node:
    inputs, outputs = ([datasets[name] for name in names] for names in (step.inputs, step.outputs))
    namespace = namespace if is_alone else outputs[0].rpartition("_")[0]
    return node(step.function, inputs, outputs if len(outputs) > 1 else outputs[0], namespace)
