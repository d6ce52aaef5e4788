"""All that commands print and log: lines without control characters.

Names of series, columns and files, labels and texts can hold characters that a terminal obeys, or a line break after
which a line of their own would begin. They are made one line with `make_line` when a line is composed. Whatever is left
is escaped here, when it is printed or logged.
"""

import json
import logging
import textwrap
from collections.abc import Callable, Iterable
from copy import copy
from typing import Any

import click

from rnn_pipelines.errors import escape, make_line


def write_list(first: object, rest: Iterable[object]) -> str:
    """A line, and others below it, set in."""
    return "\n  ".join(make_line(text) for text in (first, *rest))


def escape_lines(text: str) -> str:
    """The same lines without control characters."""
    return "\n".join(map(escape, text.split("\n")))


def say(text: object, is_error: bool = False) -> None:
    """Prints lines to the standard output, or to the standard error."""
    click.echo(escape_lines(str(text)), err=is_error)


def say_json(found: object, default: Callable[[Any], Any] | None = None) -> None:
    """Prints JSON in ASCII."""
    click.echo(json.dumps(found, indent=2, default=default).replace("\x7f", "\\u007f"))


class LineFormatter(logging.Formatter):
    """Writes a message on one line, and the lines of a traceback set in below it.

    Args:
        form: what writes all else.
    """

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__()
        self._form = form

    def format(self, record: logging.LogRecord) -> str:
        """The record as it is logged; other handlers see it as it was."""
        plain = copy(record)
        plain.msg, plain.args = make_line(record.getMessage()), None
        if record.exc_info:
            plain.exc_text = textwrap.indent(escape_lines(self._form.formatException(record.exc_info)), "  ")
        return self._form.format(plain)


def escape_log(handlers: Iterable[logging.Handler | None]) -> None:
    """Lets handlers of the log write as `LineFormatter` does; in `logging.yml`, Kedro allows no classes of others."""
    for handler in handlers:
        if handler is not None and not isinstance(handler.formatter, LineFormatter):
            handler.setFormatter(LineFormatter(handler.formatter or logging.Formatter()))
