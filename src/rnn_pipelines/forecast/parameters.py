"""The parameters of `forecast`, and their reading from Python."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

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
    list_own_names,
    list_values,
    read_parameter_model,
    rename_parameters,
)
from rnn_pipelines.printing import rewrite_messages

# The levels of intervals as an argument: one, several, or none.
Levels = int | Sequence[int] | None
Quantiles = float | Sequence[float]
Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
# The name of a table in memory in messages.
FRAME = "the frame"
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
# Names of the number of sample paths in other libraries.
PATHS = ("num_samples", "n_samples")


class ForecastSpec(Recipe, frozen=True):
    """All parameters of a fit by `forecast`; `networks` has the blocks of the networks by their name."""

    networks: dict[str, NetworkSpec]
    training: ForecastTrainingSpec
    level: LevelSpec = LevelSpec(())
    use: UseSpec = UseSpec()
    pretrained: PretrainedSpec = PretrainedSpec()


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
    def has_sheets(self) -> bool:
        """Return True, because `fit` may get a file."""
        return True

    @property
    def label(self) -> str:
        """Return the name of the frame, or of the table of `covariates.path`, for messages."""
        return FRAME if self.path is None else make_line(self.path)

    @property
    def external_label(self) -> str:
        """Return the same label, because Python has no catalog entries."""
        return self.label


def list_parameter_models(source: type[SourceSpec] = FrameSpec) -> dict[str, Any]:
    """Return the type of each block of `forecast` by its name; that of `source` is given."""
    types: dict[str, Any] = {
        name: field.annotation for name, field in ForecastSpec.model_fields.items()
    }
    del types["networks"]
    return {**types, **dict.fromkeys(NETWORKS, NetworkSpec), "source": source}


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
    # These blocks have no default, because their values depend on the kind of table and on the registry.
    required = dict.fromkeys(("source", "training", *NETWORKS))
    blocks = {**required, **given}
    fixed: dict[str, Mapping[str, Any]] = {name: {"cell": name} for name in NETWORKS}
    if source is FrameSpec:
        fixed["source"] = IN_MEMORY
    models = {
        name: read_parameter_model(name, kind, join_parameters(fixed.get(name, {}), blocks[name]))
        for name, kind in types.items()
        if name in blocks
    }
    networks = {name: models.pop(name) for name in NETWORKS}
    for name, network in networks.items():
        check_network_cell(f"{name}.cell", name, network.cell)
    return ForecastSpec(**models, networks=networks)


def read_arguments(
    h: int | None,
    level: Levels,
    lookback: int | None,
    freq: int | str | None,
    blocks: Mapping[str, Any],
) -> ForecastSpec:
    """Read the arguments of `Forecaster`, which names some parameters without their block; a block of None is open."""
    blocks = {name: block for name, block in blocks.items() if block is not None}
    _check_argument_names(blocks)
    window = pop_parameters("window", blocks)
    source = pop_parameters("source", blocks)
    covariates = pop_parameters("covariates", blocks)
    for name in OF_TABLES:
        if name in blocks:
            source[name] = blocks.pop(name)
    for argument, name in EXOGENOUS.items():
        if argument in blocks:
            covariates[name] = _list_columns(argument, blocks.pop(argument))
    networks = blocks.pop("networks", ALL)
    if networks not in (ALL, PRETRAINED):
        raise ParameterError(
            f"networks: expected '{ALL}' or '{PRETRAINED}', received {show(networks)}."
        )
    if networks == PRETRAINED:
        blocks["pretrained"] = use_pretrained_alone(blocks.get("pretrained"))
    if h is not None:
        window["horizon"] = h
    if lookback is not None:
        window["lookback"] = lookback
    if freq is not None:
        source["freq"] = freq
    given = {
        **blocks,
        "window": window,
        "source": source,
        "covariates": covariates,
        "level": () if level is None else level,
    }
    spec = read_parameter_models(given, others=("h", "lookback", "freq", *OF_TABLES, *EXOGENOUS))
    freq = spec.source.freq
    try:
        # Whether it suits the times is known only in the fit.
        if isinstance(freq, str) and not freq.isdecimal():
            find_offset(freq)
    except ValueError as error:
        expected = "a pandas offset alias such as D, h or MS, or a whole number of steps"
        raise ParameterError(f"freq: expected {expected}, received {show(freq)}.") from error
    return spec


def _check_argument_names(given: Iterable[str]) -> None:
    """Check that no argument has its name in another library, or that of its block."""
    for name in given:
        own = [
            ARGUMENTS[path]
            for path in (f"window.{name}", *list_own_names(name))
            if path in ARGUMENTS
        ]
        if name in PATHS:
            own = ["predict(paths=...)"]
        if own:
            raise ParameterError(f"{name}: no such parameter. Did you mean {own[0]}?")


def read_file_source(source: SourceSpec, path: str | Path) -> SourceSpec:
    """Return the parameters of a file: its path, and those that were given for tables."""
    given = source.model_dump(exclude_unset=True)
    return read_parameter_model("source", SourceSpec, {**given, "path": str(path)})


def copy_columns(source: SourceSpec, given: SourceSpec) -> SourceSpec:
    """Return given parameters of tables in memory with the columns of a file."""
    names = ("time", "target", "id", "wide")
    return given.model_copy(update={name: getattr(source, name) for name in names})


def use_pretrained_alone(block: Any) -> dict[str, Any]:
    """Return the block `pretrained` with `is_alone`, so that no network is trained on the table."""
    given = {"is_used": block} if isinstance(block, bool) else block or {}
    return {**given, "is_alone": True}


def naming_arguments(method: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let errors and warnings of a method name parameters as arguments of `Forecaster`: `tz=` for `source.tz`.

    A file in place of the frame is named, too. An argument of `Forecaster` that the method lacks is a ParameterError.
    """
    names = {
        f"{name}{sign}": f"{argument}="
        for name, argument in ARGUMENTS.items()
        for sign in ("", "=")
    }
    columns = re.compile(rf" in ({'|'.join(ARGUMENTS.values())})=(?!\w)")
    accepted = list(signature(method).parameters)

    @wraps(method)
    def call(*args: Arguments.args, **given: Arguments.kwargs) -> Result:
        for name in given:
            if name in ARGUMENTS.values() and name not in accepted:
                raise ParameterError(
                    f"{name}: no argument of {method.__name__}. Write Forecaster({name}=…)."
                )
        frame = {**dict(zip(accepted, args, strict=False)), **given}.get("frame")

        def rewrite(message: str) -> str:
            renamed = columns.sub(r" in Forecaster(\1=…)", rename_parameters(message, names))
            return name_frame(renamed, frame) if isinstance(frame, str | Path) else renamed

        with rewrite_messages(rewrite):
            return method(*args, **given)

    return call


def name_frame(message: str, file: str | Path) -> str:
    """Return a message about the frame with the name of the file from which it was read."""
    prefix = f"{FRAME}:"
    return (
        f"{make_line(file)}:{message.removeprefix(prefix)}"
        if message.startswith(prefix)
        else message
    )


def _list_columns(name: str, columns: Any) -> tuple[str, ...]:
    listed = () if columns is None else tuple(list_values(columns))
    # A value that is no collection is a list of itself.
    if isinstance(columns, str) or (len(listed) == 1 and listed[0] is columns):
        raise ParameterError(
            f"{name}: expected a list of columns, received {show(columns)}. Put it into a list."
        )
    return listed


def pop_parameters(name: str, blocks: dict[str, Any]) -> dict[str, Any]:
    """Remove one block of parameters and return it."""
    block = blocks.pop(name, None)
    if not isinstance(block, Mapping | None):
        raise ParameterError(f"{name}: expected a dictionary, received {show(block)}.")
    return {} if block is None else dict(block)
