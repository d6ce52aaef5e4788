"""Commands whose modules are imported when they are called, so that the help of their group does not wait for them."""

from importlib import import_module
from typing import Any

import click


class LazyCommand(click.Command):
    """Stands for a command in its group: its name and the first sentence of its help.

    Args:
        module: imported when the command is called; it defines the command under its name, with `_` for `-`.
    """

    def __init__(self, module: str, name: str, summary: str) -> None:
        super().__init__(name, help=summary)
        self._module = module

    def load(self) -> click.Command:
        """Return the command itself."""
        command: click.Command = getattr(
            import_module(self._module), str(self.name).replace("-", "_")
        )
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
