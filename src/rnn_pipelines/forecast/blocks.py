"""The blocks of `forecast`, given in Python."""

from collections.abc import Iterable, Mapping
from typing import Any

from rnn_pipelines.blocks import join_block, read_block, refuse_unknown
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
    refuse_unknown(given, types, others)
    always = {name: {"cell": name} for name in NETWORKS} | {"source": {"name": "catalog"}}
    read = {
        name: read_block(name, kind, join_block(always.get(name, {}), given.get(name)))
        for name, kind in types.items()
        if name in given or name in always or name == "training"
    }
    return ForecastSpec(
        recipe=Recipe(**{name: block for name, block in read.items() if name in Recipe.model_fields}),
        networks={name: read[name] for name in NETWORKS},
        training=read["training"],
        level=read.get("level", LevelSpec(())),
    )
