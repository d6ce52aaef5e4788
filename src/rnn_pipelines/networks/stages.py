"""One line on a terminal with the stage of a long run, its share and the time left."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from threading import Event, Thread
from typing import TYPE_CHECKING

from rnn_pipelines.networks.fan_out import is_first_process

if TYPE_CHECKING:
    from tqdm import tqdm

SECONDS_BETWEEN = 1.0
# The line of the run in this context; None outside a run, and without a terminal.
_LINE: ContextVar["tqdm | None"] = ContextVar("line", default=None)


@contextmanager
def show_stages(num_stages: int, verbose: bool | None = None) -> Iterator[None]:
    """Show the stages of a run on the standard error while it goes on; a run inside another one shows nothing more.

    `num_stages` is the number of calls of `begin_stage`. If `verbose` is None, they are shown in a terminal.
    """
    is_shown = sys.stderr.isatty() if verbose is None else verbose
    if not is_shown or _LINE.get() is not None or not is_first_process():
        yield
        return
    # Exported forecasters do without it.
    from tqdm import tqdm

    form = "{desc}: {percentage:.0f} %, {elapsed}, {remaining} left"
    with tqdm(total=num_stages, leave=False, bar_format=form) as bar:
        token = _LINE.set(bar)
        ended = Event()

        def refresh() -> None:
            while not ended.wait(SECONDS_BETWEEN):
                bar.refresh()

        # A stage may take minutes, in which the time moves on.
        clock = Thread(target=refresh, daemon=True)
        clock.start()
        try:
            yield
        finally:
            ended.set()
            clock.join()
            _LINE.reset(token)


def begin_stage(name: str) -> None:
    """Name the stage that begins; the one before it is done."""
    bar = _LINE.get()
    if bar is None:
        return
    if bar.desc:
        bar.update()
    bar.set_description_str(name)
