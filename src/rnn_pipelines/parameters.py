"""Parameters that would mislead: names that nothing reads, and a network under the name of another cell."""

import difflib
from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module
from typing import Any

from pydantic import BaseModel

from rnn_pipelines.errors import ParameterError


def find_inputs_of_owners(inputs: Iterable[str], names: Iterable[str]) -> set[str]:
    """The inputs of the pipelines whose parameters others read too: of their blocks, these need not read all.

    Args:
        inputs: of the pipelines that run.
        names: of these.
    """
    # What is read as a whole, as a name without a point is, has no blocks that another pipeline could read.
    owners = {
        name.removeprefix("params:").partition(".")[0] for name in inputs if name.startswith("params:") and "." in name
    }
    modules = [import_module(f"rnn_pipelines.pipelines.{owner}") for owner in sorted(owners - set(names))]
    return {name for module in modules for name in module.create_pipeline().inputs()}


def refuse_unread_parameters(inputs: Iterable[str], parameters: dict[str, Any], given: dict[str, Any]) -> None:
    """Kedro checks the keys inside a typed block; this checks the names of the blocks.

    Args:
        inputs: the pipelines' inputs, `params:<pipeline>.<block>` among them.
        parameters: all parameters of the project.
        given: those given on the command line.
    Raises:
        ParameterError: a block of a pipeline that runs, or a parameter on the command line, is read by no node.
    """
    blocks: dict[str, set[str]] = defaultdict(set)
    for name in inputs:
        if name.startswith("params:"):
            pipeline, _, block = name.removeprefix("params:").partition(".")
            blocks[pipeline] |= {block.partition(".")[0]} - {""}
    _refuse_unknown("", given, blocks)
    for pipeline, known in blocks.items():
        if not known:  # the pipeline reads its parameters as one block, whose type Kedro checks
            continue
        block = parameters.get(pipeline, {})
        if not isinstance(block, dict):
            raise ParameterError(f"Parameter '{pipeline}': expected the blocks {sorted(known)}, received {block!r}.")
        _refuse_unknown(f"{pipeline}.", block, known)


def refuse_swapped_cells(inputs: Iterable[str], parameters: dict[str, Any]) -> None:
    """Results stand under the name of a network's block, so that `lstm` must be an LSTM.

    Args:
        inputs, parameters: see `refuse_unread_parameters`; blocks that Kedro has checked are models.
    Raises:
        ParameterError: a block that a node reads is named after one cell and holds another.
    """
    for path in sorted(name.removeprefix("params:") for name in inputs if name.startswith("params:")):
        pipeline, _, block = path.partition(".")
        network = parameters.get(pipeline, {}).get(block) if block else None
        cell = getattr(network, "cell", block)
        if isinstance(network, BaseModel) and cell != block:
            raise ParameterError(
                f"Parameter '{path}.cell': expected '{block}', after which the block and its results are named, "
                f"received '{cell}'."
            )


def _refuse_unknown(prefix: str, received: Iterable[str], known: Iterable[str]) -> None:
    for name in received:
        if name not in known:
            close = difflib.get_close_matches(name, known, n=1)
            hint = f"Did you mean '{prefix}{close[0]}'?" if close else f"Expected one of {sorted(known)}."
            raise ParameterError(f"Parameter '{prefix}{name}' is read by no node of this run. {hint}")
