"""Commands whose modules are imported when they are called, so that the help of their group does not wait for them."""

from pkgutil import resolve_name
from typing import Any

import click


class LazyCommand(click.Command):
    """Stands for a command in its group: its name and the first sentence of its help.

    `path` is `module:function`; the module is imported when the command is called.
    """

    def __init__(self, path: str, name: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._path = path

    def load(self) -> click.Command:
        """Return the command itself."""
        command: click.Command = resolve_name(self._path)
        return command

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """Return the context of the command itself, which a group then invokes."""
        return self.load().make_context(info_name, args, parent, **extra)
