"""Nodes that name themselves. A plain module, and no pipeline."""

from collections.abc import Callable
from typing import Any

from kedro.pipeline import Node


def node(function: Callable[..., Any], inputs: str | list[str] | dict[str, str], outputs: Any) -> Node:
    """A node with the name of its function: Kedro's own have a number in it, by which nobody finds them."""
    return Node(function, inputs, outputs, name=function.__name__)
