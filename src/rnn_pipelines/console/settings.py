"""Parameters of the option `--set`, and their names in messages."""

import re
from collections.abc import Callable, Collection
from typing import Any

import click
import yaml

from rnn_pipelines.console.input_files import InputFile
from rnn_pipelines.console.settings_file import (
    PATH,
    SETTINGS,
    add_settings,
    find_own_option,
    list_options_of_file,
    read_defaults,
)
from rnn_pipelines.errors import ParameterError, show
from rnn_pipelines.forecast.parameters import list_parameter_models, name_frame
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.parameter_models import list_parameter_names, rename_parameters
from rnn_pipelines.printing import rewrite_messages
from rnn_pipelines.sentiment.text.source import FILES

# Parameters that have options of their own, as messages name them.
OPTIONS = {
    **{f"source.{name}": f"--{name}" for name in ("time", "target", "id", "wide", "tz", "sheet")},
    **{f"covariates.{name}": f"--{name}" for name in ("future", "past", "holidays")},
    "source.path": "FILE",
    "predict_sentiment.path": "FILE",
    "predict_sentiment.text": "--text",
    "source.wide=true": "--wide",
    **{f"window.{name}": f"--{name}" for name in ("horizon", "lookback")},
}
NO_OPTION = " This command has no option for it: change the file, use Forecaster.load in Python, or train again."

# Options of several commands.
OF_FILE = "file"
COLUMNS = click.option(
    "--columns",
    type=click.Choice([OF_FILE, "ds"]),
    default=OF_FILE,
    show_default=True,
    help="Names of the columns in the results: those of the file, or unique_id and ds.",
)
TOTAL = click.option(
    "--total",
    multiple=True,
    help="A sum with its interval: all, a column such as region, a period such as week, or 'region × week'; repeat it.",
)
QUIET = click.option(
    "--quiet", "-q", is_flag=True, help="Print the new folder alone, without results and progress."
)
OPEN = click.option("--open", "is_opened", is_flag=True, help="Open the page in the browser.")


def set_option(pipeline: str, example: str) -> Callable[[Any], Any]:
    """Return the option `--set` of a command."""
    return click.option(
        "--set",
        SETTINGS,
        multiple=True,
        callback=add_settings,
        help=f"Any parameter of {pipeline}, as {example}; repeat it.",
    )


# Parameters by block, which may hold further blocks.
Blocks = dict[str, Any]


class Command(click.Command):
    """A command whose errors and log lines name parameters by its options, see `name_options`."""

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of a call, with the options of `rnn-pipelines.toml` as defaults."""
        if parent is not None and not parent.resilient_parsing:
            extra["default_map"] = read_defaults(self, parent)
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.NoSuchOption as error:
            options = self._list_options()
            own = find_own_option(error.option_name.lstrip("-"), options)
            if own is None:
                raise
            hint = f"--{own}" if own in options else f"--set {own}=…"
            raise ParameterError(
                f"{error.option_name}: no such option. Did you mean {hint}?"
            ) from error

    def _list_options(self) -> list[str]:
        return [option.lstrip("-") for parameter in self.params for option in parameter.opts]

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command."""
        options = {"FILE", *(option for parameter in self.params for option in parameter.opts)}
        file = ctx.params.get("file")
        of_file = list_options_of_file(ctx)

        def rewrite(message: str) -> str:
            if isinstance(file, InputFile):
                message = name_frame(message, file).replace(file, file.label)
            message = name_options(message, options)
            is_of_file = any(re.match(rf"{re.escape(name)}(?![\w.])", message) for name in of_file)
            return f"{PATH}: {message}" if is_of_file else message

        with rewrite_messages(rewrite):
            return super().invoke(ctx)


def parse_settings(settings: tuple[str, ...]) -> Blocks:
    """Return nested parameters from texts such as `training.seed=1`; values are YAML, so that lists are possible.

    A name may begin with `forecast.`, as in the messages and in the documentation of the pipeline. A text that is no
    setting, or names a parameter inside another one, raises a ParameterError.
    """
    blocks: Blocks = {}
    for setting in settings:
        name, sign, value = setting.partition("=")
        *path, last = name.strip().removeprefix("forecast.").split(".")
        block = blocks
        for part in path:
            block = block.setdefault(part, {})
            if not isinstance(block, dict):
                break
        if not sign or not last or not isinstance(block, dict):
            raise ParameterError(
                f"--set: expected a setting such as training.seed=1, received {show(setting)}."
            )
        try:
            # No value of YAML begins with a percent sign, but formats of times do if a shell has removed their quotes.
            block[last] = value if value.startswith("%") else yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise ParameterError(
                f"--set: expected a value of YAML, received {show(setting)}."
            ) from error
    return blocks


def name_options(message: str, accepted: Collection[str] = ("--set", *OPTIONS.values())) -> str:
    """Return a message of the library with its parameters as options: `--tz`, and `--set source.freq=…` for others.

    `accepted` are the options of the command. For one without `--set`, the message says where parameters are given.
    """
    if "--label" in accepted:
        names = {
            FILES.path: "FILE",
            FILES.columns: "--text, --label and --group",
            "sentiment.source.text": "--text",
            "sentiment.source.label": "--label",
            "sentiment.source": "--set source",
            "sentiment.split": "--set split",
        }
        return rename_parameters(message, names)
    blocks = list_parameter_models(SourceSpec)
    listed = [
        name for block, kind in blocks.items() for name, _ in list_parameter_names(block, kind)
    ]
    options = {name: option for name, option in OPTIONS.items() if option in accepted}
    # Python writes a parameter of a block so.
    message = re.sub(r"(\w+)=\{'(\w+)': \.\.\.\}", r"\1.\2", message)
    message = re.sub(rf"(?<![\w./])forecast\.(?=(?:{'|'.join(blocks)})\b)", "", message)
    if "--set" not in accepted:
        if "covariates.future" in options:
            # There, `--future` names files of values.
            options["covariates.path"] = options.pop("covariates.future")
        without_option = {name: "" for name in (*listed, *OPTIONS) if name not in options}
        named = rename_parameters(message, options)
        if rename_parameters(message, {**without_option, **options}) == named:
            return named
        # Warnings end without a full stop.
        return named + ("" if named.endswith(".") else ".") + NO_OPTION
    message = rename_parameters(message, {**{name: f"--set {name}" for name in listed}, **options})
    return re.sub(r"(--set \w+(?:\.\w+)*)(?![\w=]|\.\w)", r"\1=…", message)
