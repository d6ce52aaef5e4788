"""Parameters that a champion fixes: those of its training act until another version is in use."""

import logging
from collections.abc import Iterator, Mapping
from typing import Any

from rnn_pipelines.champion.artefacts import LoadedChampion, name_promotion
from rnn_pipelines.champion.records import Record, list_leaves, make_plain
from rnn_pipelines.errors import show
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.in_use import UseSpec
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec
from rnn_pipelines.forecast.preparation.mending import BreakPolicy
from rnn_pipelines.forecast.preparation.schema import GapPolicy
from rnn_pipelines.forecast.source.covariates import CovariateSpec
from rnn_pipelines.forecast.times.calendar import CalendarSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec
from rnn_pipelines.parameter_models import read_parameter_model
from rnn_pipelines.report.numbers import list_some

logger = logging.getLogger(__name__)

# The blocks of `forecast` that decide what a champion forecasts, and those of their parameters that do not: how it was
# trained is for the comparison of a retraining.
FIXED: dict[str, Any] = {
    "window": OpenWindowSpec,
    "level": LevelSpec,
    "use": UseSpec,
    "covariates": CovariateSpec,
    "gaps": GapPolicy,
    "breaks": BreakPolicy,
    "calendar": CalendarSpec,
    "training": ForecastTrainingSpec,
}
OF_TRAINING = ("training.target", "training.non_negative")
NOT_FIXED = ("covariates.path", "window.stride")
NAMES_IN_MESSAGE = 5


def find_trained_parameters(record: Record | None) -> dict[str, Any]:
    """Return the block `forecast` in the record of a retraining; empty without one."""
    block: dict[str, Any] = ((record or {}).get("parameters") or {}).get("forecast") or {}
    return block


def find_other_parameters(
    trained: Mapping[str, Any], parameters: Mapping[str, Any], are_defaults_named: bool = True
) -> dict[str, tuple[Any, Any]]:
    """Return the fixed parameters that differ from those of a champion's training: its value and today's, by name.

    Args:
        trained: the block `forecast` in the record of the champion's retraining.
        parameters: the block `forecast` of today.
        are_defaults_named: whether today's value counts if it is the default. A command that gives some parameters
            itself reads the defaults of all others.
    """
    given = {name: parameters[name] for name in FIXED if name in parameters}
    models = {
        name: read_parameter_model(name, FIXED[name], make_plain(block))
        for name, block in given.items()
    }
    asked = list_leaves({name: make_plain(model) for name, model in models.items()})
    before = list_leaves({name: trained[name] for name in FIXED if name in trained})
    others = {
        name: (before[name], value)
        for name, value in asked.items()
        if name in before and before[name] != value and _is_fixed(name)
    }
    if are_defaults_named:
        return others
    defaults = dict(_list_defaults())
    return {name: values for name, values in others.items() if defaults.get(name) != values[1]}


def _is_fixed(name: str) -> bool:
    return name not in NOT_FIXED and (not name.startswith("training.") or name in OF_TRAINING)


def _list_defaults() -> Iterator[tuple[str, Any]]:
    """Yield the default of each fixed parameter with its full name."""
    for block, kind in FIXED.items():
        for name, field in kind.model_fields.items():
            path = block if name == "root" else f"{block}.{name}"
            if not field.is_required():
                yield path, make_plain(field.get_default(call_default_factory=True))


def describe_other_parameters(version: str, others: Mapping[str, tuple[Any, Any]]) -> str:
    """Return the parameters that do not act as a sentence with the command that makes them act."""
    listed = [
        f"forecast.{name} is {show(now)}, of the champion {show(then)}"
        for name, (then, now) in others.items()
    ]
    some = list_some(listed, NAMES_IN_MESSAGE)
    return (
        f"the champion {version} was trained by other parameters, which act until another version is in use ({some}); "
        f"{name_promotion('forecast')} puts those of today into use"
    )


def warn_of_other_parameters(
    champion: LoadedChampion | None, parameters: dict[str, Any]
) -> list[str]:
    """Warn of parameters that the champion fixes, if they have changed since its training; return their names."""
    if champion is None:
        return []
    others = find_other_parameters(find_trained_parameters(champion.record), parameters)
    if others:
        logger.warning(describe_other_parameters(champion.version, others))
    return list(others)
