"""Nodes named after their functions, also of the steps of the library. This module is not a pipeline."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from kedro.pipeline import Node

from rnn_pipelines.forecast.recipe import Step

Names = str | list[str] | dict[str, str]
# What a panel that may be larger than memory is drawn from.
PANEL = [
    *(f"params:forecast.{block}" for block in ("source", "covariates", "partitions")),
    "forecast_partition_folder",
]
PANEL.append("forecast_external")


def node(
    function: Callable[..., Any], inputs: Names, outputs: Names, namespace: str | None = None
) -> Node:
    """Return a node with the name of its function.

    The namespace is a prefix of its name, if another node runs the same function, or to group it: kedro-viz shows the
    nodes of a namespace as one box until it is opened.
    """
    return Node(function, inputs, outputs, name=function.__name__, namespace=namespace)


def create_nodes(
    steps: Sequence[Step], datasets: Mapping[str, str], namespace: str | None = None
) -> list[Node]:
    """Return a node per step; nodes with the same function get namespaces, named after their outputs.

    The names of datasets and parameters are by those of the values. Other nodes have the given namespace.
    """
    counts = Counter(step.function for step in steps)
    nodes = []
    for step in steps:
        inputs, outputs = (
            [datasets[name] for name in names] for names in (step.inputs, step.outputs)
        )
        own = namespace if counts[step.function] == 1 else outputs[0].rpartition("_")[0]
        nodes.append(node(step.function, inputs, outputs if len(outputs) > 1 else outputs[0], own))
    return nodes
