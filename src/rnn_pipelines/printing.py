"""Output of commands and logs, without control characters.

Names of series, columns and files, labels and texts can hold control characters or line breaks. `make_line` turns them
into one line when a message is composed. All other control characters are escaped here, when text is printed or logged.
"""

import json
import logging
import os
import sys
import textwrap
from collections.abc import Callable, Iterable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar
from copy import copy
from typing import Any

from rnn_pipelines.errors import RnnPipelinesError, escape, make_line

PACKAGE = "rnn_pipelines"
# Whether a call of this context changes its messages.
_IS_REWRITTEN: ContextVar[bool] = ContextVar("is_rewritten", default=False)


def write_list(first: object, rest: Iterable[object]) -> str:
    """Return a line with other lines indented below it."""
    return "\n  ".join(make_line(text) for text in (first, *rest))


def escape_lines(text: str) -> str:
    """Return the same lines with escaped control characters."""
    return "\n".join(map(escape, text.split("\n")))


def print_text(text: object, is_error: bool = False, is_titled: bool = False) -> None:
    """Print lines to the standard output, or to the standard error.

    The first line of a titled text is bold in a terminal, except with the variable NO_COLOR.
    """
    lines = escape_lines(str(text))
    if is_titled and sys.stdout.isatty() and not os.environ.get("NO_COLOR"):
        title, line_break, rest = lines.partition("\n")
        lines = f"\x1b[1m{title}\x1b[0m{line_break}{rest}"
    print(lines, file=sys.stderr if is_error else sys.stdout, flush=True)


def print_json(values: object, default: Callable[[Any], Any] | None = None) -> None:
    """Print values as JSON to the standard output."""
    content = json.dumps(values, indent=2, default=default)
    print(content.replace("\x7f", "\\u007f"), flush=True)


class LineFormatter(logging.Formatter):
    """A formatter that writes a message on one line, and the lines of a traceback indented below it.

    `rewrite` changes a message, see `rewrite_log`. The rest is by the given formatter.
    """

    def __init__(self, form: logging.Formatter) -> None:
        super().__init__()
        self._form = form
        self.rewrite: Callable[[str], str] = str

    def format(self, record: logging.LogRecord) -> str:
        """Return the text of a record; other handlers see the record unchanged."""
        plain = copy(record)
        plain.msg = make_line(self.rewrite(record.getMessage()))
        plain.args = None
        if record.exc_info:
            plain.exc_text = textwrap.indent(
                escape_lines(self._form.formatException(record.exc_info)), "  "
            )
        return self._form.format(plain)


def escape_log(handlers: Iterable[logging.Handler | None]) -> None:
    """Wrap the formatters of log handlers in `LineFormatter`, because `logging.yml` can't name classes of a project."""
    for handler in handlers:
        if handler is not None and not isinstance(handler.formatter, LineFormatter):
            handler.setFormatter(LineFormatter(handler.formatter or logging.Formatter()))


@contextmanager
def rewrite_messages(rewrite: Callable[[str], str]) -> Iterator[None]:
    """Change the errors and log lines of a call, such as their names of parameters; inside another call, nothing more.

    Handlers are those of the caller's program, so that they get a filter while the call goes on.
    """
    if _IS_REWRITTEN.get():
        yield
        return
    handlers = [*logging.getLogger().handlers, *logging.getLogger(PACKAGE).handlers]
    if logging.lastResort is not None:
        handlers.append(logging.lastResort)
    with ExitStack() as stack:
        stack.callback(_IS_REWRITTEN.reset, _IS_REWRITTEN.set(True))
        rewriting = _Rewriting(rewrite)
        for handler in handlers:
            handler.addFilter(rewriting)
            stack.callback(handler.removeFilter, rewriting)
        try:
            yield
        except RnnPipelinesError as error:
            error.args = (rewrite(str(error)), *error.args[1:])
            raise


class _Rewriting(logging.Filter):
    """Changes the messages of this package, and leaves out none."""

    def __init__(self, rewrite: Callable[[str], str]) -> None:
        super().__init__()
        self._rewrite = rewrite

    def filter(self, record: logging.LogRecord) -> bool:
        # Several handlers may get the record.
        if record.name.startswith(PACKAGE) and not hasattr(record, "is_rewritten"):
            record.msg = self._rewrite(record.getMessage())
            record.args = None
            record.is_rewritten = True
        return True


def rewrite_log(handlers: Iterable[logging.Handler], rewrite: Callable[[str], str] = str) -> None:
    """Let handlers of `escape_log` change messages, such as the names of parameters; by default, no longer."""
    for handler in handlers:
        if isinstance(handler.formatter, LineFormatter):
            handler.formatter.rewrite = rewrite
