"""Blocks of parameters that are given in Python, checked like those of files."""

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import BaseModel, ValidationError

from rnn_pipelines.errors import ParameterError
from rnn_pipelines.forecast.fitting import ForecastSpec
from rnn_pipelines.forecast.intervals import LevelSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec


class FrameSpec(SourceSpec, frozen=True):
    """The columns of a table in memory."""

    @property
    def label(self) -> str:
        """What messages call it."""
        return "the frame"


def list_blocks() -> dict[str, Any]:
    """The type of each block of `forecast`, by its name."""
    recipe = {name: field.annotation for name, field in Recipe.model_fields.items()}
    networks = dict.fromkeys(NETWORKS, NetworkSpec)
    return {**recipe, "source": FrameSpec, **networks, "training": ForecastTrainingSpec, "level": LevelSpec}


def read_blocks(given: Mapping[str, Any], others: Iterable[str] = ()) -> ForecastSpec:
    """The blocks of `forecast` as the library reads them; what is not given has its default.

    Args:
        given: by name, each a dictionary or a value, as in `parameters_forecast.yml`.
        others: names beside those of blocks that whoever asks knows.
    Raises:
        ParameterError: there is no such block or parameter, or its value is refused.
    """
    types = list_blocks()
    _refuse_unknown(given, types, others)
    always = {name: {"cell": name} for name in NETWORKS} | {"source": {"name": "catalog"}}
    read = {
        name: read_block(name, kind, _join(always.get(name, {}), given.get(name)))
        for name, kind in types.items()
        if name in given or name in always or name == "training"
    }
    return ForecastSpec(
        recipe=Recipe(**{name: block for name, block in read.items() if name in Recipe.model_fields}),
        networks={name: read[name] for name in NETWORKS},
        training=read["training"],
        level=read.get("level", LevelSpec(())),
    )


def _join(always: Mapping[str, Any], block: Any) -> Any:
    if block is None or isinstance(block, Mapping):
        return {**always, **(block or {})}
    return block


def read_block(name: str, kind: Any, block: Any) -> Any:
    """One block of parameters.

    Args:
        name: of the block, in messages.
        kind: its type.
        block: what was given.
    Raises:
        ParameterError: see `read_blocks`.
    """
    try:
        return kind.model_validate(block)
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join(map(str, (name, *first["loc"])))
        if first["type"] == "extra_forbidden":
            raise ParameterError(_suggest(path, str(first["loc"][-1]), kind.model_fields, f"{name}.")) from error
        received = "" if first["type"] == "value_error" else f" Received {first['input']!r}."
        raise ParameterError(f"{path}: {first['msg'].removeprefix('Value error, ')}.{received}") from error


def _refuse_unknown(given: Iterable[str], types: Mapping[str, Any], others: Iterable[str]) -> None:
    known = [*others, *types]
    for name in given:
        if name not in known:
            homes = [block for block, kind in types.items() if _is_inside(name, kind)]
            if homes:
                raise ParameterError(f"{name}: no such parameter. Did you mean {homes[-1]}={{'{name}': ...}}?")
            raise ParameterError(_suggest(name, name, known, ""))


def _is_inside(name: str, kind: Any) -> bool:
    return issubclass(kind, BaseModel) and name in kind.model_fields


def _suggest(path: str, name: str, known: Iterable[str], prefix: str) -> str:
    close = difflib.get_close_matches(name, list(known), n=1)
    hint = f"Did you mean {prefix}{close[0]}?" if close else f"Expected one of {sorted(known)}."
    return f"{path}: no such parameter. {hint}"
