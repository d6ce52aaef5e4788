"""Nodes named after their functions. This module is not a pipeline."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node

Names = str | list[str] | dict[str, str]


def node(function: Callable[..., Any], inputs: Names, outputs: Names, namespace: str | None = None) -> Node:
    """Return a node with the name of its function.

    Args:
        function: of the library, or of the pipeline's own `nodes`.
        namespace: prefix of its name, if another node runs the same function, or to group it. kedro-viz shows the nodes
            of a namespace as one box until it is opened.
    """
    return Node(function, inputs, outputs, name=function.__name__, namespace=namespace)
