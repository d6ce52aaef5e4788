"""One process at a time, and no lock that outlives its process."""

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from rnn_pipelines.errors import LockedError

POLL_SECONDS = 0.1
_held_here: dict[Path, TextIO] = {}


@contextmanager
def hold_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Holds a lock until the block ends; the kernel lets go of it when the process ends in whatever way.

    A process that holds it already goes on, in whatever thread: it keeps processes apart, not threads. A child process
    does not hold it. The file stays where it is: one that removes it could leave two processes with a lock each.

    Args:
        path: the lock's file; its folder is made.
        wait_seconds: how long to wait for another process.
    Raises:
        LockedError: another process still holds it.
    """
    path = path.resolve()
    if path in _held_here:
        yield
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a") as file:
        _wait(file, path, wait_seconds)
        _held_here[path] = file
        try:
            yield
        finally:
            _held_here.pop(path, None)


def _wait(file: TextIO, path: Path, wait_seconds: float) -> None:
    until = time.monotonic() + wait_seconds
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        except BlockingIOError:
            if time.monotonic() >= until:
                raise LockedError(
                    f"{path}: another process still holds this lock after {wait_seconds:g} s. Let it finish, or wait "
                    "longer."
                ) from None
            time.sleep(POLL_SECONDS)


def _let_go() -> None:
    # A forked child has its parent's open files, and would keep the lock after the parent's end. To close them takes
    # nothing from the parent.
    for file in _held_here.values():
        file.close()
    _held_here.clear()


os.register_at_fork(after_in_child=_let_go)
