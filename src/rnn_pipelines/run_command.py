"""`kedro run` as Kedro has it, but that an error which a user can meet ends it with its message alone."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import click
from kedro.config import MissingConfigException
from kedro.framework.cli.project import run as kedro_run
from kedro.framework.project import pipelines
from kedro.io import DatasetError
from kedro.validation.exceptions import ParameterValidationError
from kedro.validation.type_extractor import TypeExtractor

from rnn_pipelines.blocks import suggest
from rnn_pipelines.errors import LockedError, RnnPipelinesError
from rnn_pipelines.parameters import explain_faults
from rnn_pipelines.pipelines.names import PIPELINES
from rnn_pipelines.runs.waiting import WAIT_SECONDS

# That of "try again later" in sysexits.h, and in systemd's messages.
LOCKED_CODE = 75
# Where Kedro writes what the message says once more.
REPEATING = ("kedro.pipeline.node", "kedro.validation.parameter_validator")


class LockedOut(click.ClickException):
    """Another run did not end in time."""

    exit_code = LOCKED_CODE


@contextmanager
def show_plainly() -> Iterator[None]:
    """Shows an error that a user can meet as one message; what is a fault of the program keeps its traceback."""
    try:
        yield
    except LockedError as error:
        raise LockedOut(str(error)) from error
    except ParameterValidationError as error:
        types = TypeExtractor(dict(pipelines)).extract_types_from_pipelines()
        raise click.ClickException(explain_faults(str(error), types)) from error
    except (RnnPipelinesError, DatasetError, MissingConfigException, OSError) as error:
        raise click.ClickException(str(error)) from error


class PlainErrors(click.Group):
    """Shows errors as `show_plainly` does."""

    def invoke(self, ctx: click.Context) -> Any:
        with show_plainly():
            return super().invoke(ctx)


class PlainRun(click.Command):
    """Kedro's command with plain errors; `--verbose` brings the tracebacks back."""

    def invoke(self, ctx: click.Context) -> Any:
        WAIT_SECONDS.set(ctx.params.pop("wait_seconds"))
        if ctx.params.pop("is_verbose"):
            return super().invoke(ctx)
        with show_plainly(), _say_once():
            _refuse_unknown_pipelines([*ctx.params["pipelines"], *filter(None, [ctx.params["pipeline"]])])
            return super().invoke(ctx)


@contextmanager
def _say_once() -> Iterator[None]:
    """Keeps back the errors that Kedro writes to the log before it raises them."""
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


def _refuse_unknown_pipelines(names: list[str]) -> None:
    known = ["__default__", *PIPELINES]
    for name in names:
        if name not in known:
            raise click.ClickException(f"There is no pipeline '{name}'. {suggest(name, known)}")


VERBOSE = click.Option(["--verbose", "-v", "is_verbose"], is_flag=True, help="Show the traceback of any error.")
WAIT = click.Option(
    ["--wait", "wait_seconds"],
    metavar="SECONDS",
    type=click.FloatRange(min=0),
    default=60,
    show_default=True,
    help="How long to wait for another run of the same pipeline to end; then this one ends with 75.",
)
run = PlainRun("run", params=[*kedro_run.params, WAIT, VERBOSE], callback=kedro_run.callback, help=kedro_run.help)
