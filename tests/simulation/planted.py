"""Plants one fault at a time in the code that publishes a night, and counts those that the simulation finds.

Each is one change of one line, by the operators of `mutations`, in a process of its own. The same seed plants the same.
"""

import argparse
import importlib
import os
import random
import signal
import sys
import tempfile
import types
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

from changed import name_module
from machine import Machine, install
from mutations import SOURCE, Mutation, list_lines, mutate, print_outcome
from place import Place, prepare
from simulate import SHM, Event, run_history

# The modules that promote, publish, store and judge; without those that only write texts.
MODULES = (
    *(f"champion/{name}" for name in ("changes", "decision", "failed_runs", "history", "outcome")),
    *(f"champion/{name}" for name in ("pointer", "policy", "store", "verdict")),
    *(f"runs/{name}" for name in ("links", "run_store", "writing")),
    *(f"storage/{name}" for name in ("chain", "files", "formats", "lock", "names")),
    *(f"versions/{name}" for name in ("checksums", "files", "folder")),
    *(f"forecast/operations/{name}" for name in ("drift_rules", "monitoring", "verdict")),
    *(f"forecast/evaluation/{name}" for name in ("coverage", "log_stamp")),
    "forecast/datasets",
)
FREQ, SEED = "MS", 0
MAX_SECONDS = 600
# A short history with faults of each kind, and the number of its nights.
HISTORY = [
    Event(1, "kill", 97 + 7),  # of the forecasts, while their log is written
    Event(2, "full disk", 2 * 97 + 20),  # of the monitor
    Event(3, "withdrawn"),
    Event(3, "file of others", 7),
    Event(4, "kill", 50),  # of the retraining
    Event(5, "other file"),
    Event(5, "thousandfold value"),
    Event(6, "promote", 1),
    Event(6, "kill", 2 * 97 + 30),
    Event(7, "two schedulers", 97 + 60),
    Event(8, "other horizon"),
    Event(9, "rollback"),
    Event(9, "deleted log"),
]
NUM_NIGHTS = 10


def draw_faults(number: int, seed: int) -> list[Mutation]:
    """Change so many lines of the modules, each by itself."""
    paths = [SOURCE / f"{name}.py" for name in MODULES]
    places = [(path, line) for path in paths for line in list_lines(path)]
    source = random.Random(seed)
    return [mutate(path, line, source) for path, line in source.sample(places, number)]


def plant(mutation: Mutation) -> None:
    """Give the functions of a module the code of the changed one, wherever they were imported."""
    name = name_module(mutation.path)
    module = importlib.import_module(name)
    changed = types.ModuleType(name)
    changed.__file__ = module.__file__
    sys.modules[name] = changed
    exec(compile(mutation.text, str(mutation.path), "exec"), vars(changed))
    sys.modules[name] = module
    new = dict(list_functions(changed, name))
    for path, function in list_functions(module, name):
        if path in new:
            function.__code__ = new[path].__code__
            function.__defaults__ = new[path].__defaults__
    for key, value in vars(changed).items():
        if key.isupper() and isinstance(value, int | float | str | tuple):
            setattr(module, key, value)


def list_functions(holder: Any, module: str) -> Iterator[tuple[str, types.FunctionType]]:
    """Yield the functions that a module or class of it defines, with those in properties and context managers."""
    for value in list(vars(holder).values()):
        inner = getattr(value, "fget", None) or getattr(value, "__func__", None) or value
        inner = getattr(inner, "__wrapped__", inner)
        if isinstance(inner, types.FunctionType) and inner.__module__ == module:
            yield inner.__qualname__, inner
        elif isinstance(inner, type) and inner.__module__ == module:
            yield from list_functions(inner, module)


def is_found(place: Place, mutation: Mutation) -> bool:
    """Whether a history fails with a fault; in a process of its own, which the fault may hang."""
    child = os.fork()
    if child == 0:
        signal.alarm(MAX_SECONDS)
        code = 1
        with suppress(BaseException):
            plant(mutation)
            code = int(run_history(place, SEED, HISTORY, NUM_NIGHTS, FREQ) is not None)
        os._exit(code)
    return os.waitpid(child, 0)[1] != 0


def main() -> None:
    """Print each fault, and the seed that finds it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("number", type=int, nargs="?", default=60)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--at", help="plant one fault at this line, such as champion/store.py:60")
    options = parser.parse_args()
    faults = draw_faults(options.number, options.seed)
    if options.at:
        path, line = options.at.split(":")
        faults = [mutate(SOURCE / path, int(line), random.Random(options.seed))]
    num_found = 0
    with tempfile.TemporaryDirectory(dir=SHM if SHM.is_dir() else None) as folder:
        machine = Machine(folder)
        place = prepare(Path(folder), machine)
        install(machine)
        failure = run_history(place, SEED, HISTORY, NUM_NIGHTS, FREQ)
        assert failure is None, failure
        for mutation in faults:
            found = is_found(place, mutation)
            num_found += found
            print_outcome(mutation, SOURCE, found)
    print(f"{num_found} of {len(faults)} found, seed {options.seed}")


if __name__ == "__main__":
    main()
