"""Settings of commands from `rnn-pipelines.toml` in the current folder: a table of options for each command."""

import json
import logging
import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import Any

import click

from rnn_pipelines.champion.records import list_leaves
from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.parameter_models import list_own_names, suggest

logger = logging.getLogger(__name__)

PATH = Path("rnn-pipelines.toml")
# The parameter of the option `--set`.
SETTINGS = "settings"


def read_defaults(command: click.Command, context: click.Context) -> dict[str, Any]:
    """Return the options of a command from the file as click's defaults, by parameter; empty without a file.

    `context` is that of the group. Raise a ParameterError for a file that is no TOML, an unknown command or option, or
    a wrong value.
    """
    if not PATH.is_file():
        return {}
    try:
        tables = tomllib.loads(PATH.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise ParameterError(f"{PATH}: it can't be read as TOML ({error}).") from error
    assert isinstance(context.command, click.Group)
    commands = context.command.list_commands(context)
    for name, table in tables.items():
        if name not in commands:
            raise ParameterError(f"{PATH}: {name}: no such command. {suggest(name, commands)}")
        if not isinstance(table, dict):
            raise ParameterError(
                f"{PATH}: {name}: expected a table of options, [{name}], received {show(table)}."
            )
    given = tables.get(str(command.name), {})
    options = {
        max(parameter.opts, key=len).lstrip("-"): parameter
        for parameter in command.params
        if isinstance(parameter, click.Option)
    }
    defaults = {}
    for key, value in given.items():
        place = f"{PATH}: {command.name}.{key}"
        if key not in options:
            hint = suggest(key, sorted(options))
            if own := find_own_option(key, options):
                where = "" if own in options else f" in [{command.name}.set]"
                hint = f"Did you mean {show(own)}{where}?"
            raise ParameterError(f"{place}: no such option. {hint}")
        defaults[str(options[key].name)] = _read_value(options[key], context, value, place)
    if defaults:
        listed = ", ".join(
            f"{key} = {json.dumps(value, ensure_ascii=False, default=str)}"
            for key, value in given.items()
        )
        logger.info("%s: %s with %s", PATH, command.name, listed)
    return defaults


def find_own_option(name: str, options: Collection[str]) -> str | None:
    """Return the option that another library gives a name, or else the parameter of `--set`; None for neither."""
    for path in list_own_names(name.replace("-", "_")):
        option = path.rpartition(".")[2]
        if option in options:
            return option
        # The table of names is that of forecasts.
        if "set" in options and "horizon" in options:
            return path
    return None


def _read_value(option: click.Option, context: click.Context, value: Any, place: str) -> Any:
    """Return the value of an option; for `--set`, the texts of the settings in a table."""
    if option.name == SETTINGS:
        if not isinstance(value, dict):
            raise ParameterError(
                f'{place}: expected a table such as "training.seed" = 1, received {show(value)}.'
            )
        return [
            f"{path}={json.dumps(leaf, default=str)}" for path, leaf in list_leaves(value).items()
        ]
    values = [value] if option.multiple and not isinstance(value, list) else value
    try:
        option.type_cast_value(context, values)
    except click.BadParameter as error:
        raise ParameterError(f"{place}: {error.message}") from error
    return values


def list_options_of_file(context: click.Context) -> list[str]:
    """Return the options and parameters whose values are those of the file, as messages begin with them."""
    from_file = click.core.ParameterSource.DEFAULT_MAP
    options = [
        max(parameter.opts, key=len)
        for parameter in context.command.params
        if parameter.name != SETTINGS
        and context.get_parameter_source(str(parameter.name)) is from_file
    ]
    settings = (context.default_map or {}).get(SETTINGS, ())
    names = [setting.partition("=")[0] for setting in settings]
    return [*options, *names, *(f"--set {name}" for name in names)]


def add_settings(
    context: click.Context, parameter: click.Parameter, given: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the settings of the file and then those of the command line, which win."""
    source = context.get_parameter_source(SETTINGS)
    if source is not click.core.ParameterSource.COMMANDLINE:
        return given
    of_file = (context.default_map or {}).get(SETTINGS, ())
    return (*of_file, *given)
