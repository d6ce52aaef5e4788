"""Parameters of the option `--set`, and their names in messages."""

import re
from typing import Any

import yaml

from rnn_pipelines.errors import ParameterError, show


def read_settings(settings: tuple[str, ...]) -> dict[str, Any]:
    """Return nested parameters from texts such as `training.seed=1`; values are YAML, so that lists are possible.

    A name may begin with `forecast.`, as in the messages and in the documentation of the pipeline.

    Raises:
        ParameterError: a text is no setting, or names a parameter inside another one.
    """
    found: dict[str, Any] = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        *blocks, last = name.strip().removeprefix("forecast.").split(".")
        block = found
        for part in blocks:
            block = block.setdefault(part, {})
            if not isinstance(block, dict):
                break
        if not sign or not last or not isinstance(block, dict):
            raise ParameterError(f"--set: expected a setting such as training.seed=1, received {show(setting)}.")
        try:
            block[last] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ParameterError(f"--set: expected a value of YAML, received {show(setting)}.") from error
    return found


def name_options(message: str) -> str:
    """Return a message of the library in which columns have their names as options: `--id` for `source.id`."""
    return re.sub(r"(?<![\w./])(?:forecast\.)?source\.(time|target|id)\b", r"--\1", message)
