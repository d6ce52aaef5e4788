"""Keras and TensorFlow load sooner than they would by themselves, and say nothing about it.

Keras imports matplotlib, scikit-learn and IPython where they are there, for parts of it that nobody uses here: a third
of its start. The lines about processors and CUDA that TensorFlow's libraries write while they load heed no level that
could be set. Both are dealt with at the first import of the two, wherever it stands, once this package is loaded.
"""

import os
import re
import sys
import tempfile
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

STARTED = ("keras", "tensorflow")
# pandas is not among them: without it, Keras would not know a DataFrame that is given to it later.
NEEDLESS = ("IPython", "matplotlib", "sklearn")
# What TensorFlow's libraries call information and warnings, but neither errors nor what they don't write themselves.
NOISE = re.compile(
    rb"WARNING: All log messages before absl|[IW]\d{4} .*\.cc:\d+\] |To enable the following instructions:"
)


def quicken_start() -> None:
    """Prepares the first import of Keras or TensorFlow, unless that is past or prepared already."""
    if not any(name in sys.modules for name in STARTED) and not any(map(_is_starter, sys.meta_path)):
        sys.meta_path.insert(0, _Starter())


def _is_starter(finder: object) -> bool:
    """By its name: where this module was loaded again, as Kedro does in a notebook, the class is another."""
    return type(finder).__name__ == _Starter.__name__


class _Starter(MetaPathFinder):
    """Finds the two as the other finders do, and takes care of the start of the first one that is imported."""

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname not in STARTED:
            return None
        others = (finder.find_spec(fullname, path, target) for finder in sys.meta_path if not _is_starter(finder))
        spec = next((spec for spec in others if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader, self)
        return spec


class _QuietLoader(Loader):
    """Loads a module as its own loader does, which is the module's again as soon as it begins."""

    def __init__(self, loader: Loader, starter: _Starter) -> None:
        self._loader = loader
        self._starter = starter

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # Not when it was found: who asks only whether it is there begins nothing.
        if self._starter in sys.meta_path:
            sys.meta_path.remove(self._starter)
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        # 3 keeps silent also that there is no GPU, an error to TensorFlow. Who sets a level below 2 wants to read.
        level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with _hide(NEEDLESS), _hold_back_noise(is_on=level >= "2"):
            self._loader.exec_module(module)


class _Hidden(MetaPathFinder):
    """Packages that one thread doesn't find; what is loaded already is not looked for."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._thread = threading.get_ident()

    def find_spec(self, fullname: str, path: Any, target: ModuleType | None = None) -> ModuleSpec | None:
        if fullname in self._names and threading.get_ident() == self._thread:
            raise ModuleNotFoundError(f"{fullname} is hidden while Keras loads", name=fullname)
        return None


@contextmanager
def _hide(names: Sequence[str]) -> Iterator[None]:
    hidden = _Hidden(names)
    sys.meta_path.insert(0, hidden)
    try:
        yield
    finally:
        sys.meta_path.remove(hidden)


@contextmanager
def _hold_back_noise(is_on: bool) -> Iterator[None]:
    """Keeps what goes to the standard error until the end, and leaves the noise out then.

    The file descriptor itself is turned aside, because the libraries know nothing of `sys.stderr`.
    """
    with ExitStack() as stack:
        try:
            held = stack.enter_context(tempfile.TemporaryFile()) if is_on else None
            own = os.dup(2) if held else -1
        except OSError:  # a full disk, or a process without a standard error: it may be noisy
            held = None
        if held is None:
            yield
            return
        _flush()
        os.dup2(held.fileno(), 2)
        try:
            yield
        finally:
            _flush()
            os.dup2(own, 2)
            os.close(own)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not NOISE.match(line)))


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
