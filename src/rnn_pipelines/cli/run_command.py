"""`kedro run`, which reports errors that users can meet by their message only, without a traceback."""

import logging
import traceback
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.cli.utils import KedroCliError
from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.type_extractor import TypeExtractor
from omegaconf.errors import OmegaConfBaseException
from yaml import YAMLError

from rnn_pipelines.cli.options import Seconds
from rnn_pipelines.errors import LockedError, RnnPipelinesError, RunStopped, make_line, show
from rnn_pipelines.hooks.parameters import complete_commands, explain_faults, find_full_names
from rnn_pipelines.parameter_models import rename_parameters, suggest
from rnn_pipelines.pipelines.names import PIPELINES
from rnn_pipelines.printing import escape_lines, escape_log, print_text
from rnn_pipelines.runs.run_store import IS_ALARM, WAIT_SECONDS

# The code for "try again later" in sysexits.h and in systemd's messages.
LOCKED_CODE = 75
# The code of an alarm, as that of the check: the results are complete, and a person has to act.
ALARM_CODE = 20
# Longest message of another library.
MAX_LETTERS = 400
# Modules that read commands and files of conf, and raise errors of any type for invalid ones.
READERS = ("kedro.config", "kedro.framework", "kedro.pipeline", "kedro.utils", "omegaconf", "yaml")
# Loggers to which Kedro repeats the message.
REPEATING = ("kedro.pipeline.node", "kedro.validation.parameter_validator")


class LockedOut(click.ClickException):
    """Another run did not end in time."""

    exit_code = LOCKED_CODE


@contextmanager
def show_plainly(
    names: Sequence[str] | None = None, rewrite: Callable[[str], str] = str
) -> Iterator[None]:
    """Show an error that users can meet as one message; a bug of the program keeps its traceback.

    Args:
        names: of the pipelines that run; None outside of runs.
        rewrite: the last change of a message.
    """
    try:
        yield
    except RunStopped:
        raise
    except LockedError as error:
        raise LockedOut(f"{str(error).removesuffix('.')} (--wait).") from error
    except ParameterValidationError as error:
        types = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
        raise click.ClickException(escape_lines(explain_faults(str(error), types))) from error
    except (RnnPipelinesError, DatasetError, MissingConfigException) as error:
        message = make_line(error)
        requested = (
            {} if names is None else {name: pipelines[name] for name in names or ["__default__"]}
        )
        raise click.ClickException(
            rewrite(rename_parameters(message, find_full_names(requested)))
        ) from error
    except OSError as error:
        raise click.ClickException(make_line(error, MAX_LETTERS)) from error
    except Exception as error:
        modules = [
            frame.f_globals.get("__name__", "")
            for frame, _ in traceback.walk_tb(error.__traceback__)
        ]
        if not modules[-1].startswith(READERS):
            raise
        message = make_line(error, MAX_LETTERS)
        if any(module.startswith("kedro.config") for module in modules):
            is_syntax = not isinstance(error, OmegaConfBaseException)
            expected = " Expected YAML in UTF-8, of names and values." if is_syntax else ""
            message = (
                f"conf, or --params, could not be read: {message.removesuffix('.')}.{expected}"
            )
        raise click.ClickException(message) from error


class PlainErrors(click.Group):
    """A group of commands that shows errors as `show_plainly` does, and only once."""

    def invoke(self, ctx: click.Context) -> Any:
        escape_log(logging.getLogger().handlers)
        with show_plainly(), _hide_repeated_errors():
            return super().invoke(ctx)


class PlainRun(click.Command):
    """Kedro's command with plain errors; `--verbose` shows tracebacks."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        try:
            return super().parse_args(ctx, args)
        except KedroCliError as error:
            raise click.UsageError(make_line(error.message), ctx) from error
        except YAMLError as error:
            remedy = "Put it in quotes, such as forecast.source.time_format='%d.%m.%Y'."
            raise click.UsageError(f"--params: a value could not be read. {remedy}", ctx) from error

    def invoke(self, ctx: click.Context) -> Any:
        WAIT_SECONDS.set(ctx.params.pop("wait_seconds"))
        IS_ALARM.set(False)
        try:
            return self._invoke(ctx)
        except RunStopped as stop:
            print_text(str(stop))
            return None

    def _invoke(self, ctx: click.Context) -> Any:
        if ctx.params.pop("is_verbose"):
            return _end_with_alarm(ctx, super().invoke(ctx))
        names = [*ctx.params["pipelines"], *filter(None, [ctx.params["pipeline"]])]
        env = ctx.params["env"]
        given = ctx.params["params"]
        with (
            show_plainly(names, lambda message: complete_commands(message, env, given)),
            _hide_repeated_errors(),
        ):
            expected = ["__default__", *PIPELINES]
            for name in names:
                if name not in expected:
                    raise click.ClickException(
                        f"There is no pipeline {show(name)}. {suggest(name, expected)}"
                    )
            _check_distinct_nodes(names)
            return _end_with_alarm(ctx, super().invoke(ctx))


@contextmanager
def _hide_repeated_errors() -> Iterator[None]:
    """Hide the errors that Kedro logs before it raises them."""
    loggers = [logging.getLogger(name) for name in REPEATING]
    for logger in loggers:
        logger.addFilter(_is_no_error)
    try:
        yield
    finally:
        for logger in loggers:
            logger.removeFilter(_is_no_error)


def _is_no_error(record: logging.LogRecord) -> bool:
    return record.levelno < logging.ERROR


def _end_with_alarm(ctx: click.Context, result: Any) -> Any:
    """Return the result of a run, or end the command with the code of an alarm."""
    if IS_ALARM.get():
        ctx.exit(ALARM_CODE)
    return result


def _check_distinct_nodes(names: list[str]) -> None:
    if len(names) > 1:
        pipelines.set_requested(names)
        counts = Counter(node.name for name in names for node in pipelines[name].nodes)
        if same := ", ".join(sorted(name for name, number in counts.items() if number > 1)):
            text = f"{' and '.join(names)} have nodes of the same name ({same})"
            raise click.ClickException(f"{text}. Run one after the other.")


VERBOSE = click.Option(
    ["--verbose", "-v", "is_verbose"], is_flag=True, help="Show the traceback of any error."
)
WAIT = click.Option(
    ["--wait", "wait_seconds"],
    metavar="SECONDS",
    type=Seconds(min=0),
    default=60,
    show_default=True,
    help="How long to wait for another run of the same pipeline to end; then this one ends with 75.",
)
run = PlainRun(
    "run",
    params=[*kedro_run.params, WAIT, VERBOSE],
    callback=kedro_run.callback,
    help=kedro_run.help,
)
