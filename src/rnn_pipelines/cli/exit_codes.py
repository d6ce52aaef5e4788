"""The exit codes of commands, in their help."""

import inspect
from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any, TypeVar

Command = TypeVar("Command", bound=Callable[..., Any])

DONE: Mapping[int, str] = MappingProxyType({0: "done"})
# The codes of `kedro champion`.
LOCKED = "another retraining or change did not end in time; try again later"
CHANGED = {0: "done", 75: LOCKED}
CHECKED = {
    0: "ok",
    10: "retrain: a retraining is due",
    11: "unmonitored: no monitor has run within a day of the first promotion",
    20: "alarm: a person has to act",
}
FAILED = {1: "failed", 2: "an option or an argument is wrong"}


def add_exit_codes(codes: Mapping[int, str] = DONE) -> Callable[[Command], Command]:
    """Return a decorator that adds the exit codes to the docstring of a command, which is its help.

    Args:
        codes: meanings by code, besides those of `FAILED`, or instead of them.
    """
    meanings = sorted((FAILED | dict(codes)).items())
    lines = "".join(f"  {code:<3} {meaning}\n" for code, meaning in meanings)

    def decorate(command: Command) -> Command:
        command.__doc__ = f"{inspect.cleandoc(command.__doc__ or '')}\n\n\b\nExit codes:\n{lines}"
        return command

    return decorate
