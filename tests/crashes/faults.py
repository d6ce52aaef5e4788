"""Faults of a process: it is killed, or finds the disk full, at a given call; for the programs beside this file."""

import errno
import io
import os
import signal
import sys
from collections.abc import Callable
from typing import Any

# One file is written with several calls, so that one can fail when some of it is written.
BYTES_PER_CALL = 40_000
DISK_FULL = 3


class Faults:
    """Counts the calls that change a disk, and fails at one of them.

    Args:
        kind: "none"; "kill", before the call; "once", an error at one call; "full", an error at each that needs room.
        at: number of the call, from 1 on.

    `num_errors` counts the errors that the work must not ignore: all but those of a removal, which the next work
    repeats, and of making a folder that exists.
    """

    def __init__(self, kind: str, at: int) -> None:
        self.kind = kind
        self.at = at
        self.num_calls = 0
        self.num_errors = 0

    def count(self, needs_space: bool = True, is_needed: bool = True) -> None:
        self.num_calls += 1
        if self.kind == "kill" and self.num_calls == self.at:
            os.kill(os.getpid(), signal.SIGKILL)
        is_full = self.kind == "full" and self.num_calls >= self.at and needs_space
        if is_full or (self.kind == "once" and self.num_calls == self.at):
            self.num_errors += is_needed
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    def install(self) -> None:
        """Puts the count before each call of this process that changes a disk, and each piece that is written."""
        for name in ("fsync", "rename", "replace", "symlink"):
            self._watch(os, name)
        self._watch(os, "mkdir", is_needed=lambda path, *_: not os.path.isdir(path))
        self._watch(os, "chmod", lambda *_: False)
        for name in ("unlink", "remove", "rmdir"):
            self._watch(os, name, lambda *_: False, lambda *_: False)
        self._watch(os, "open", lambda _path, flags, *_: bool(flags & os.O_CREAT))
        self._watch_files()

    def _watch(
        self,
        module: Any,
        name: str,
        needs_space: Callable[..., bool] = lambda *_: True,
        is_needed: Callable[..., bool] = lambda *_: True,
    ) -> None:
        original = getattr(module, name)

        def call(*args: Any, **options: Any) -> Any:
            self.count(needs_space(*args), is_needed(*args))
            return original(*args, **options)

        setattr(module, name, call)

    def _watch_files(self) -> None:
        original = io.open
        faults = self

        class Pieces(io.FileIO):
            def write(self, data: Any) -> int:
                faults.count()
                return super().write(memoryview(data)[:BYTES_PER_CALL])

        def open_file(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
            if mode == "wb":
                return io.BufferedWriter(Pieces(file, mode))
            if mode not in {"r", "rb"}:
                self.count()
            return original(file, mode, *args, **options)

        io.open = open_file


def run_with_faults(work: Callable[[], object], faults: Faults) -> None:
    """Does the work; says how many calls it took and errors it ignored; ends with `DISK_FULL` if one came through."""
    faults.install()
    try:
        work()
    except OSError as error:
        if error.errno != errno.ENOSPC:
            raise
        sys.exit(DISK_FULL)
    print(faults.num_calls, faults.num_errors)
