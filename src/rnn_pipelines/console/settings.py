"""Parameters of the option `--set`, and their names in messages."""

import re
from typing import Any

import yaml

from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.parameter_models import list_names, rename_parameters

# Parameters that have options of their own, as messages name them.
OPTIONS = {
    **{f"source.{name}": f"--{name}" for name in ("time", "target", "id", "wide", "tz", "sheet")},
    **{f"covariates.{name}": f"--{name}" for name in ("future", "past", "holidays")},
    "source.path": "FILE",
    "source.wide=true": "--wide",
    **{f"window.{name}": f"--{name}" for name in ("horizon", "lookback")},
}


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
            # No value of YAML begins with a percent sign, but formats of times do if a shell has removed their quotes.
            block[last] = value if value.startswith("%") else yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ParameterError(f"--set: expected a value of YAML, received {show(setting)}.") from error
    return found


def name_options(message: str) -> str:
    """Return a message of the library with its parameters as options: `--tz`, and `--set source.freq=…` for others."""
    from rnn_pipelines.forecast.parameters import list_parameter_models
    from rnn_pipelines.forecast.source.specs import SourceSpec

    blocks = list_parameter_models(SourceSpec)
    names = {name: f"--set {name}" for block, kind in blocks.items() for name, _ in list_names(block, kind)}
    message = re.sub(rf"(?<![\w./])forecast\.(?=(?:{'|'.join(blocks)})\b)", "", message)
    return re.sub(r"(--set [\w.]+)(?![\w.=])", r"\1=…", rename_parameters(message, {**names, **OPTIONS}))
