"""Parameters of a run: checks of their names and of the cells of networks, and their full names in messages."""

import re
import shlex
from collections import defaultdict
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, get_args, get_origin

from kedro.pipeline import Pipeline
from kedro.validation.type_extractor import TypeExtractor
from pydantic import BaseModel

from rnn_pipelines.champion.records import list_leaves
from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.parameter_models import (
    check_network_cell,
    list_own_names,
    list_parameter_names,
    suggest,
)

# An error as pydantic prints it: location (or the heading, for the whole block), message, type and received value.
_FAULT = re.compile(
    r"^(?:.* validation errors? for \w+|(\S+))\n  (\S.*?) \[type=(\w+), input_value=(.*?), input_type=\w+\]",
    re.MULTILINE | re.DOTALL,
)

# The command in messages of the library, which knows neither the environment nor the parameters of the command line.
# One that has options is complete.
RETRAIN = re.compile(r"kedro champion retrain \w+(?: --promote)?(?! --)\b")
# Values that the command line writes otherwise than Python.
WRITTEN = {"None": "null", "True": "true", "False": "false"}


def complete_commands(message: str, env: str | None, given: Mapping[str, Any]) -> str:
    """Return a message whose commands of a retraining have the environment and the parameters of this run."""
    # Those of other pipelines are read by no node of the retraining.
    names = {
        name: WRITTEN.get(str(value), str(value))
        for name, value in list_leaves(given).items()
        if name.partition(".")[0] in ("forecast", "sentiment", "parallel")
    }
    options = [f"--env={env}"] if env else []
    if names:
        options.append("--params=" + ",".join(f"{name}={value}" for name, value in names.items()))
    return RETRAIN.sub(lambda command: " ".join([command[0], *map(shlex.quote, options)]), message)


def find_inputs_of_owners(inputs: Iterable[str], names: Iterable[str]) -> set[str]:
    """Return the inputs of pipelines that own parameters of this run but do not run; not all blocks need be read."""
    # A name without a point is read as a whole, and has no blocks that another pipeline could read.
    full = [
        name.removeprefix("params:")
        for name in inputs
        if name.startswith("params:") and "." in name
    ]
    owners = {name.partition(".")[0] for name in full}
    modules = [
        import_module(f"rnn_pipelines.pipelines.{owner}") for owner in sorted(owners - set(names))
    ]
    return {name for module in modules for name in module.create_pipeline().inputs()}


def check_parameter_names(
    inputs: Iterable[str], parameters: Mapping[str, Any], given: Mapping[str, Any]
) -> None:
    """Check the names of the blocks of parameters; Kedro checks the keys inside a typed block.

    The inputs are those of the pipelines, including `params:<pipeline>.<block>`. A block of a pipeline that runs, or a
    parameter of the command line, that no node reads raises a ParameterError.
    """
    blocks: dict[str, set[str]] = defaultdict(set)
    for name in inputs:
        if name.startswith("params:"):
            pipeline, _, block = name.removeprefix("params:").partition(".")
            blocks[pipeline] |= {block.partition(".")[0]} - {""}
    _check_known_names("", given, blocks)
    for pipeline, known in blocks.items():
        if not known:  # the pipeline reads its parameters as one block, whose type Kedro checks
            continue
        block = parameters.get(pipeline, {})
        if not isinstance(block, dict):
            expected = f"expected the blocks {sorted(known)}, received {show(block)}"
            raise ParameterError(f"Parameter '{pipeline}': {expected}.")
        _check_known_names(f"{pipeline}.", block, known)


def explain_faults(message: str, types: Mapping[str, Any]) -> str:
    """Return Kedro's message on invalid parameters as one line per error, with the closest known name.

    Kedro passes on only the text of pydantic's error, which is parsed here. Other texts stay unchanged.
    """
    lines = []
    for text in re.split(r"^- ", message, flags=re.MULTILINE)[1:]:
        block = text[: text.find("':")].removeprefix("Parameter '")
        faults = _FAULT.findall(text)
        lines += [_explain_fault(block, fault, types) for fault in faults] or [text.strip()]
    return "\n".join(lines) or message


def _explain_fault(block: str, fault: tuple[str, str, str, str], types: Mapping[str, Any]) -> str:
    inner, what, kind, received = fault
    # Names with a point are in backticks.
    steps = [step.strip("`") for step in re.findall(r"`[^`]*`|[^.]+", inner)]
    name = ".".join([block, *steps])
    if kind == "value_error":
        return f"Parameter '{name}': {what.removeprefix('Value error, ')}."
    if kind != "extra_forbidden":
        return f"Parameter '{name}': {what}; received {received}."
    kind_of_block: Any = types.get(block)
    for step in steps[:-1]:
        # The type of a field of a model, or of the values of a mapping.
        fields = getattr(kind_of_block, "model_fields", {})
        whole = fields["root"].annotation if "root" in fields else kind_of_block
        values = get_args(whole)[-1] if get_origin(whole) is dict else None
        kind_of_block = fields[step].annotation if step in fields else values
    names = [
        ".".join([block, *steps[:-1], field])
        for field in getattr(kind_of_block, "model_fields", {})
    ]
    return f"Parameter '{name}' is not known. {suggest(name, names) if names else ''}".strip()


def check_network_cells(inputs: Iterable[str], parameters: Mapping[str, Any]) -> None:
    """Check that each network in the parameters has the cell that its block is named after; else a ParameterError.

    Blocks that Kedro has checked are models.
    """
    for path in sorted(
        name.removeprefix("params:") for name in inputs if name.startswith("params:")
    ):
        pipeline, _, block = path.partition(".")
        network = parameters.get(pipeline, {}).get(block) if block else None
        if isinstance(network, BaseModel):
            check_network_cell(f"Parameter '{path}.cell'", block, getattr(network, "cell", block))


def _check_known_names(prefix: str, received: Iterable[str], known: Iterable[str]) -> None:
    for name in received:
        if name not in known:
            # Texts have other parameters.
            own = list_own_names(name) if prefix == "forecast." else []
            own = [path for path in own if path.partition(".")[0] in known]
            hint = suggest(name, sorted(known), prefix)
            if own:
                hint = f"Did you mean '{prefix}{own[0]}'?"
            raise ParameterError(
                f"Parameter '{prefix}{name}' is read by no node of this run. {hint}"
            )


def find_full_names(pipelines: Mapping[str, Pipeline]) -> dict[str, str]:
    """Return the full names of the parameters of pipelines, such as `forecast.source.tz`, by those in the library.

    The library, which Python and the console use too, names them without the pipeline. A name that several parameters
    share is left out.
    """
    full_names: dict[str, set[str]] = {}
    for full, kind in TypeExtractor(dict(pipelines)).extract_types_from_pipelines().items():
        for name, full_name in list_parameter_names(full, kind):
            full_names.setdefault(name, set()).add(full_name)
    return {name: of.pop() for name, of in full_names.items() if len(of) == 1}
