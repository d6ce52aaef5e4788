"""Locks between processes and threads; a lock ends with its process."""

import errno
import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rnn_pipelines.errors import LockedError, LockError

POLL_SECONDS = 0.1

logger = logging.getLogger(__name__)


@contextmanager
def hold_lock(path: Path, wait_seconds: float) -> Iterator[None]:
    """Hold the lock of a file until the block ends; the kernel releases it when the process ends.

    The lock is reentrant within a thread; other threads and processes wait, and a child process does not inherit it.
    The file is never removed, because then two processes could hold the lock at once. Raise a LockedError if another
    still holds the lock, and a LockError if the file can't be used.
    """
    # Exported forecasters do without it.
    from filelock import FileLock, Timeout

    # Not `resolve`, which raises another error for a link to itself. A link in place of the file is not followed, so
    # that no file appears at its target.
    path = Path(os.path.realpath(path.parent), path.name)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise _explain(path, error.strerror or str(error), error.errno) from error
    # `FileLock` opens no link either, but its message is less clear.
    if path.is_symlink():
        raise _explain(path, "it is a link. Remove it", errno.ELOOP)
    # One lock object per thread. No soft lock on file systems without locks, because it would outlive its process.
    lock = FileLock(
        path,
        is_singleton=True,
        thread_local=True,
        fallback_to_soft=False,
        poll_interval=POLL_SECONDS,
    )
    try:
        try:
            lock.acquire(timeout=0)
        except Timeout:
            if wait_seconds > 0:
                logger.info(
                    "waits up to %g s for another process or thread that holds %s",
                    wait_seconds,
                    path,
                )
            lock.acquire(timeout=wait_seconds)
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


def _explain(path: Path, reason: str, number: int | None) -> LockError:
    explained = LockError(f"{path}: the lock can't be held ({reason}).")
    # Callers can still recognise a full disk.
    explained.errno = number
    return explained
