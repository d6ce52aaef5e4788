"""A faster and quieter import of Keras and TensorFlow.

Keras imports matplotlib, scikit-learn and IPython if they are installed, for features that this project does not use.
This takes a third of its import time. TensorFlow's libraries write lines about processors and CUDA while they load,
whatever the log level. An import hook hides the packages and drops the lines at the first import of either library.
Kedro's runs, the workers of `fan_out`, text classifiers and `to_keras` of a network install it.
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
from importlib.util import find_spec
from types import ModuleType
from typing import Any

from rnn_pipelines.errors import MissingLibraryError

STARTED = ("keras", "tensorflow")
# pandas is not hidden: without it, Keras would not recognise DataFrames later.
NEEDLESS = ("IPython", "matplotlib", "sklearn")
# Information and warnings of TensorFlow's libraries. Errors and the lines of other libraries do not match.
NOISE = re.compile(
    rb"WARNING: All log messages before absl|[IW]\d{4} .*\.cc:\d+\] |To enable the following instructions:"
)


def quicken_start() -> None:
    """Install the import hook, unless Keras or TensorFlow is loaded or the hook is installed already."""
    if not any(name in sys.modules for name in STARTED) and not any(
        map(_is_starter, sys.meta_path)
    ):
        sys.meta_path.insert(0, _Starter())


def prepare_keras() -> None:
    """Let the first import of Keras be quick and quiet; raise a MissingLibraryError if a library is not installed."""
    missing = [name for name in STARTED if name not in sys.modules and find_spec(name) is None]
    if missing:
        raise MissingLibraryError(
            f"{' and '.join(missing)}: not installed, but needed here. Install rnn-pipelines[keras], or make install."
        )
    quicken_start()


def _is_starter(finder: object) -> bool:
    """Compare the names of the classes: if Kedro reloads this module in a notebook, the class is a new one."""
    return type(finder).__name__ == _Starter.__name__


class _Starter(MetaPathFinder):
    """A finder that delegates to the other finders, and wraps the loader of Keras and TensorFlow."""

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if fullname not in STARTED:
            return None
        specs = (
            finder.find_spec(fullname, path, target)
            for finder in sys.meta_path
            if not _is_starter(finder)
        )
        spec = next((spec for spec in specs if spec is not None), None)
        if spec is not None and spec.loader is not None:
            spec.loader = _QuietLoader(spec.loader, self)
        return spec


class _QuietLoader(Loader):
    """A loader that runs a module's own loader quietly, and restores it as the module's loader."""

    def __init__(self, loader: Loader, starter: _Starter) -> None:
        self._loader, self._starter = loader, starter

    def create_module(self, spec: ModuleSpec) -> ModuleType | None:
        return self._loader.create_module(spec)

    def exec_module(self, module: ModuleType) -> None:
        # The hook is removed here and not in `find_spec`, which also runs if a caller only checks for the module.
        if self._starter in sys.meta_path:
            sys.meta_path.remove(self._starter)
        module.__loader__ = self._loader
        if module.__spec__ is not None:
            module.__spec__.loader = self._loader
        # Level 3 also hides the missing GPU, which TensorFlow logs as an error. A level below 2 keeps all lines.
        level = os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
        with _hide(NEEDLESS), _hold_back_noise(is_on=level >= "2"):
            self._loader.exec_module(module)


class _Hidden(MetaPathFinder):
    """A finder that hides packages from one thread. Loaded packages stay importable."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names
        self._thread = threading.get_ident()

    def find_spec(
        self, fullname: str, path: Any, target: ModuleType | None = None
    ) -> ModuleSpec | None:
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
    """Capture the standard error, and write it at the end without the noise.

    The file descriptor itself is redirected, because the libraries do not use `sys.stderr`.
    """
    with ExitStack() as stack:
        try:
            held = stack.enter_context(tempfile.TemporaryFile()) if is_on else None
            stderr = os.dup(2) if held else -1
        except (
            OSError
        ):  # the disk is full, or the process has no standard error: nothing is captured
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
            os.dup2(stderr, 2)
            os.close(stderr)
            held.seek(0)
            os.write(2, b"".join(line for line in held if not NOISE.match(line)))


def _flush() -> None:
    if sys.stderr is not None:
        sys.stderr.flush()
