"""One process and thread at a time, and no lock that outlives its process."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from filelock import BaseFileLock, FileLock, Timeout

from rnn_pipelines.errors import LockedError, LockError

POLL_SECONDS = 0.1

logger = logging.getLogger(__name__)


@contextmanager
def hold_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Holds a lock until the block ends; the kernel lets go of it when the process ends in whatever way.

    A thread that holds it already goes on; other threads and other processes wait. A child process does not hold it.
    The file stays where it is: one that removes it could leave two processes with a lock each.

    Args:
        path: the lock's file; its folder is made. The folder may be a link, and is one lock under each of its names.
        wait_seconds: how long to wait for another process or thread.
    Raises:
        LockedError: another process or thread still holds it.
        LockError: the file can't be used: a link, a folder, no right to write it, no room.
    """
    # Not `resolve`, which raises another error for a link to itself. The name of the file itself is not followed, so
    # that no file appears where a link leads.
    path = Path(os.path.realpath(path.parent), path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _explain(path, error.strerror or str(error), error.errno) from error
    # `FileLock` opens no link either, but says so less clearly.
    if path.is_symlink():
        raise _explain(path, "it is a link. Remove it", errno.ELOOP)
    # One for each thread, whoever asks. On a file system without locks a marker file would outlive its process.
    lock = FileLock(path, is_singleton=True, thread_local=True, fallback_to_soft=False, poll_interval=POLL_SECONDS)
    try:
        _acquire(lock, wait_seconds)
    except Timeout:
        raise LockedError(
            f"{path}: another process or thread still holds this lock after {wait_seconds:g} s. Let it finish, or wait "
            "longer."
        ) from None
    except OSError as error:
        raise _explain(path, error.strerror or str(error), error.errno) from error
    try:
        yield
    finally:
        lock.release()


def _acquire(lock: BaseFileLock, wait_seconds: float) -> None:
    try:
        lock.acquire(timeout=0)
    except Timeout:
        if wait_seconds > 0:
            logger.info("waits up to %g s for another process or thread that holds %s", wait_seconds, lock.lock_file)
        lock.acquire(timeout=wait_seconds)


def _explain(path: Path, reason: str, number: int | None) -> LockError:
    explained = LockError(f"{path}: the lock can't be held ({reason}).")
    # A full disk stays one for whoever asks.
    explained.errno = number
    return explained
