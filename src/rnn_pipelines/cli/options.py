"""Options and exit codes that commands share."""

import inspect
import math
import re
from collections.abc import Callable, Mapping
from dataclasses import asdict
from pathlib import Path
from types import MappingProxyType
from typing import Any, TypeVar

import click
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import env_option

from rnn_pipelines.pipelines.names import TASKS
from rnn_pipelines.printing import print_json, print_text

Command = TypeVar("Command", bound=Callable[..., Any])

DONE: Mapping[int, str] = MappingProxyType({0: "done"})
# The codes of `kedro champion`.
LOCKED = "another retraining or change did not end in time; try again later"
CHANGED = {0: "done", 75: LOCKED}
CHECKED = {0: "ok", 10: "retrain: a retraining is due", 20: "alarm: a person has to act"}
CHECKED[11] = "unmonitored: no monitor has run within a day of the first promotion"
FAILED = {1: "failed", 2: "an option or an argument is wrong"}


def add_exit_codes(codes: Mapping[int, str] = DONE) -> Callable[[Command], Command]:
    """Return a decorator that adds the exit codes, besides `FAILED`, to the docstring of a command, its help."""
    meanings = sorted((FAILED | dict(codes)).items())
    lines = "".join(f"  {code:<3} {meaning}\n" for code, meaning in meanings)

    def decorate(command: Command) -> Command:
        command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n\b\nExit codes:\n{lines}"
        return command

    return decorate


def make_task_command(
    codes: Mapping[int, str] = DONE, name: str | None = None
) -> Callable[[Command], click.Command]:
    """Return a decorator that makes a command with TASK, --env, --json and the exit codes in its help."""

    def decorate(function: Command) -> click.Command:
        shared = env_option(AS_JSON(add_exit_codes(codes)(function)))
        return click.command(name)(click.argument("task", type=click.Choice(TASKS))(shared))

    return decorate


class Seconds(click.FloatRange):
    """The type of a number of seconds, 0 or more."""

    def convert(
        self, value: Any, param: click.Parameter | None, ctx: click.Context | None
    ) -> float:
        seconds: float = super().convert(value, param, ctx)
        if math.isnan(seconds):
            self.fail("nan is not a number of seconds.", param, ctx)
        return seconds


AS_JSON = click.option("--json", "is_json", is_flag=True, help="Write JSON, for programs.")
_OF_RUN = next(option for option in kedro_run.params if option.name == "params")
PARAMS = click.option(
    "--params",
    metavar="NAME=VALUE,…",
    default="",
    callback=_OF_RUN.callback,
    help="Parameters that differ from conf, as of kedro run --params.",
)
IS_DRY = click.option(
    "--dry-run", "is_dry", is_flag=True, help="Remove nothing, and list what would be removed."
)


def check_url(ctx: click.Context, param: click.Parameter, url: str | None) -> str | None:
    """Return the address that an option names, a callback of click."""
    if url is not None and not re.fullmatch(r"https?://[^\s/?#@]+([/?#]\S*)?", url):
        text = "expected an address that begins with http:// or https://, without user, password and blanks."
        raise click.BadParameter(text, ctx, param)
    return url


def add_alert_options(command: Command) -> Command:
    """Add --prometheus and --notify to a command, as `metrics` and `url`."""
    text = "Write the result as metrics, for the textfile collector of Prometheus' node exporter."
    metrics = click.option(
        "--prometheus", "metrics", metavar="FILE", type=click.Path(path_type=Path), help=text
    )
    text = "Send the result as JSON by one HTTP POST. A failure is a warning; the exit code stays."
    return metrics(
        click.option("--notify", "url", metavar="URL", callback=check_url, help=text)(command)
    )


def add_wait_option(text: str) -> Callable[[Command], Command]:
    return click.option(
        "--wait", metavar="SECONDS", type=Seconds(min=0), default=60, show_default=True, help=text
    )


def print_result(is_json: bool, result: Any, text: str) -> None:
    if is_json:
        print_json(result, asdict)
    else:
        print_text(text)
