"""The parameters of `forecast`, and their reading from Python."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pydantic import ValidationInfo, field_validator

from rnn_pipelines.errors import ParameterError, make_line, show
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.in_use import UseSpec
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.source.specs import OF_TABLES, SourceSpec
from rnn_pipelines.forecast.times.offsets import find_offset
from rnn_pipelines.parameter_models import (
    check_block_names,
    check_network_cell,
    join_parameters,
    list_values,
    read_parameter_model,
    rename_parameters,
)
from rnn_pipelines.printing import rewrite_messages

# The levels of intervals as an argument: one, several, or none.
Levels = int | Sequence[int] | None
Quantiles = float | Sequence[float]
# The values of `source` for a table in memory.
IN_MEMORY = {"name": "catalog", "path": None}
# Parameters of `covariates` by their names in Nixtla's libraries.
EXOGENOUS = {"futr_exog": "future", "hist_exog": "past", "stat_exog": "static"}
# Parameters as arguments of `Forecaster`, by their names in messages; others are a dictionary of their block.
ARGUMENTS = {
    **{f"source.{name}": name for name in (*OF_TABLES, "freq")},
    **{f"covariates.{name}": argument for argument, name in EXOGENOUS.items()},
    "window.horizon": "h",
    "window.lookback": "lookback",
}
# The networks of `Forecaster`: those that are trained on the table too, in place of `PRETRAINED` alone.
ALL = "all"
# Parameters by their names in other libraries.
NAMES_ELSEWHERE = {"horizon": "h", "input_size": "lookback", "models": "use"}


@dataclass(frozen=True)
class ForecastSpec:
    """All parameters of `forecast`."""

    recipe: Recipe
    networks: Mapping[str, NetworkSpec]  # by name in the registry
    training: ForecastTrainingSpec
    level: LevelSpec
    use: UseSpec = field(default_factory=UseSpec)
    pretrained: PretrainedSpec = field(default_factory=PretrainedSpec)


class FrameSpec(SourceSpec, frozen=True):
    """The columns of a table in memory."""

    @field_validator(*IN_MEMORY)
    @classmethod
    def _validate_no_other_table(cls, value: str | None, info: ValidationInfo) -> str | None:
        if value != IN_MEMORY[str(info.field_name)]:
            raise ValueError(
                f"expected none, because the frame is the source, received {show(value)}. Omit it, and pass the table "
                "to fit"
            )
        return value

    @property
    def label(self) -> str:
        """Return the name of the frame, or of the table of `covariates.path`, for messages."""
        return "the frame" if self.path is None else make_line(self.path)

    @property
    def external_label(self) -> str:
        """Return the same label, because Python has no catalog entries."""
        return self.label


def list_parameter_models(source: type[SourceSpec] = FrameSpec) -> dict[str, Any]:
    """Return the type of each block of `forecast` by its name; that of `source` is given."""
    recipe = {name: field.annotation for name, field in Recipe.model_fields.items()} | {
        "source": source
    }
    others = {
        "training": ForecastTrainingSpec,
        "level": LevelSpec,
        "use": UseSpec,
        "pretrained": PretrainedSpec,
    }
    return recipe | dict.fromkeys(NETWORKS, NetworkSpec) | others


def read_parameter_models(
    given: Mapping[str, Any], others: Iterable[str] = (), source: type[SourceSpec] = FrameSpec
) -> ForecastSpec:
    """Read the blocks of `forecast`, each a dictionary or a value by name as in `parameters_forecast.yml`.

    Missing ones have their defaults. The type of the block `source` is `FrameSpec` for a table in memory, `SourceSpec`
    for a file. Raise a ParameterError, which also names the `others` that the caller accepts, if a block or parameter
    does not exist, or its value is invalid.
    """
    types = list_parameter_models(source)
    check_block_names(given, types, others)
    always = {name: {"cell": name} for name in NETWORKS} | {
        "source": IN_MEMORY if source is FrameSpec else {}
    }
    read = {
        name: read_parameter_model(
            name, kind, join_parameters(always.get(name, {}), given.get(name))
        )
        for name, kind in types.items()
        if name in given or name in always or name == "training"
    }
    for name in NETWORKS:
        check_network_cell(f"{name}.cell", name, read[name].cell)
    return ForecastSpec(
        recipe=Recipe(
            **{name: block for name, block in read.items() if name in Recipe.model_fields}
        ),
        networks={name: read[name] for name in NETWORKS},
        training=read["training"],
        level=read.get("level", LevelSpec(())),
        use=read.get("use", UseSpec()),
        pretrained=read.get("pretrained", PretrainedSpec()),
    )


def read_arguments(
    h: int | None,
    level: Levels,
    lookback: int | None,
    freq: int | str | None,
    blocks: Mapping[str, Any],
) -> ForecastSpec:
    """Read the arguments of `Forecaster`, which names some parameters without their block; a block of None is open."""
    blocks = {name: block for name, block in blocks.items() if block is not None}
    for name in NAMES_ELSEWHERE.keys() & blocks:
        raise ParameterError(f"{name}: no such parameter. Did you mean {NAMES_ELSEWHERE[name]}?")
    window, source, covariates = (
        _pop_parameters(name, blocks) for name in ("window", "source", "covariates")
    )
    source |= {name: blocks.pop(name) for name in OF_TABLES if name in blocks}
    covariates |= {
        EXOGENOUS[name]: _list_columns(name, blocks.pop(name))
        for name in EXOGENOUS
        if name in blocks
    }
    networks = blocks.pop("networks", ALL)
    if networks not in (ALL, PRETRAINED):
        raise ParameterError(
            f"networks: expected '{ALL}' or '{PRETRAINED}', received {show(networks)}."
        )
    if networks == PRETRAINED:
        blocks["pretrained"] = use_pretrained_alone(blocks.get("pretrained"))
    window |= {
        name: value for name, value in (("horizon", h), ("lookback", lookback)) if value is not None
    }
    source |= {} if freq is None else {"freq": freq}
    levels = () if level is None else level
    given = {
        **blocks,
        "window": window,
        "source": source,
        "covariates": covariates,
        "level": levels,
    }
    spec = read_parameter_models(given, others=("h", "lookback", "freq", *OF_TABLES, *EXOGENOUS))
    freq = spec.recipe.source.freq
    try:
        # Whether it suits the times is known only in the fit.
        if isinstance(freq, str) and not freq.isdecimal():
            find_offset(freq)
    except ValueError as error:
        expected = "a pandas offset alias such as D, h or MS, or a whole number of steps"
        raise ParameterError(f"freq: expected {expected}, received {show(freq)}.") from error
    return spec


def use_pretrained_alone(block: Any) -> dict[str, Any]:
    """Return the block `pretrained` with `is_alone`, so that no network is trained on the table."""
    own = {"is_used": block} if isinstance(block, bool) else block or {}
    return {**own, "is_alone": True}


@contextmanager
def naming_arguments() -> Iterator[None]:
    """Let errors and warnings of the library name parameters as arguments of `Forecaster`: `tz=` for `source.tz`."""
    names = {
        f"{name}{sign}": f"{argument}="
        for name, argument in ARGUMENTS.items()
        for sign in ("", "=")
    }
    with rewrite_messages(lambda message: rename_parameters(message, names)):
        yield


def _list_columns(name: str, columns: Any) -> tuple[str, ...]:
    listed = () if columns is None else tuple(list_values(columns))
    # A value that is no collection is a list of itself.
    if isinstance(columns, str) or (len(listed) == 1 and listed[0] is columns):
        raise ParameterError(
            f"{name}: expected a list of columns, received {show(columns)}. Put it into a list."
        )
    return listed


def _pop_parameters(name: str, blocks: dict[str, Any]) -> dict[str, Any]:
    """Remove one block of parameters and return it."""
    block = blocks.pop(name, None)
    if not isinstance(block, Mapping | None):
        raise ParameterError(f"{name}: expected a dictionary, received {show(block)}.")
    return {} if block is None else dict(block)
