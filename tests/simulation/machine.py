"""A simulated machine: its clock, its random names, and calls of the disk that fail or are the last of a process."""

import builtins
import errno
import io
import os
import random
import secrets
import sys
import time
import uuid
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from types import SimpleNamespace
from typing import Any

import pandas as pd

CALLS = ("fsync", "rename", "replace", "symlink", "mkdir", "chmod", "unlink", "remove", "rmdir")
NEED_NO_SPACE = ("chmod", "unlink", "remove", "rmdir")
TICK = timedelta(milliseconds=1)


class Killed(BaseException):
    """The process ends here."""


class Machine:
    """Counts the calls that change the disk below a folder, and lets one of them fail.

    Attributes:
        now: of its clock, in UTC; each look at it takes a tick.
        fault: `kill` ends the process at a call, and every later call of it; `full` refuses room from a call on; `call`
            runs `act` before a call.
        left: calls until the fault; None without one.
        num_calls: so far.
    """

    def __init__(self, folder: str) -> None:
        self.folder = folder
        self.restart(0)

    def restart(self, seed: int) -> None:
        """Begin the history of a seed."""
        self.random = random.Random(seed)
        self.now = datetime(2014, 1, 6, tzinfo=UTC)
        self.fault = ""
        self.left: int | None = None
        self.act: Callable[[], None] = lambda: None
        self.num_calls = 0

    def look(self) -> datetime:
        self.now += TICK
        return self.now

    def count(self, name: str, path: Any) -> None:
        # `rmtree` gives names relative to a folder.
        is_elsewhere = not isinstance(path, int) and os.path.isabs(path)
        if is_elsewhere and not os.fspath(path).startswith(self.folder):
            return
        self.num_calls += 1
        if self.left is None:
            return
        self.left -= 1
        if self.left > 0:
            return
        if self.fault == "kill":
            raise Killed
        if self.fault == "full" and name not in NEED_NO_SPACE:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        if self.fault == "call":
            self.left = None
            self.act()

    @contextmanager
    def fail_at(self, fault: str, call: int) -> Iterator[None]:
        self.fault, self.left = fault, call
        try:
            yield
        finally:
            self.left = None


def install(machine: Machine) -> Callable[[], None]:
    """Put the machine in the place of clock, random names and disk; return a function that puts them back."""
    originals: list[tuple[Any, str, Any]] = []

    def put(module: Any, name: str, value: Any) -> None:
        originals.append((module, name, getattr(module, name)))
        setattr(module, name, value)

    for name in CALLS:
        put(os, name, _watch(machine, name, getattr(os, name)))
    put(os, "fsync", lambda handle: machine.count("fsync", handle))
    put(io, "open", _watch_opening(machine, io.open))
    put(builtins, "open", io.open)
    put(uuid, "uuid4", lambda: uuid.UUID(int=machine.random.getrandbits(128), version=4))
    put(secrets, "token_hex", lambda num_bytes: machine.random.randbytes(num_bytes).hex())
    put(time, "time", lambda: machine.look().timestamp())
    _put_clock(machine, put)

    def restore() -> None:
        for module, name, value in reversed(originals):
            setattr(module, name, value)

    return restore


def _watch(machine: Machine, name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(*args: Any, **options: Any) -> Any:
        machine.count(name, args[1] if name == "symlink" else args[0])
        return original(*args, **options)

    return call


def _watch_opening(machine: Machine, original: Callable[..., Any]) -> Callable[..., Any]:
    def call(file: Any, mode: str = "r", *args: Any, **options: Any) -> Any:
        if mode not in {"r", "rb"}:
            machine.count("open", file)
        return original(file, mode, *args, **options)

    return call


def _put_clock(machine: Machine, put: Callable[[Any, str, Any], None]) -> None:
    """Put the clock in the place of `datetime` and `pd` in each module of the project that looks at it."""

    class Clock(datetime):
        @classmethod
        def now(cls, tz: Any = None) -> Any:
            return machine.look() if tz is not None else machine.look().replace(tzinfo=None)

    class Timestamp:
        def __new__(cls, *args: Any) -> Any:
            return pd.Timestamp(*args)

        @staticmethod
        def now(tz: str) -> pd.Timestamp:
            return pd.Timestamp(machine.look()).tz_convert(tz)

    pandas = SimpleNamespace(**vars(pd))
    pandas.Timestamp = Timestamp

    for name, module in sorted(sys.modules.items()):
        if name.startswith("rnn_pipelines.") and vars(module).get("datetime") is datetime:
            put(module, "datetime", Clock)
    for part in ("partitions.champion", "evaluation.coverage"):
        put(sys.modules[f"rnn_pipelines.forecast.{part}"], "pd", pandas)
