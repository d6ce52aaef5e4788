"""The seeds of fuzzers: the same in each run, unless RNN_FUZZ_FIRST names another first one, as `make fuzz` does."""

import os
from typing import Any

import numpy as np

Random = np.random.Generator

FIRST = int(os.environ.get("RNN_FUZZ_FIRST", "0"))


def list_seeds(variable: str, default: int) -> range:
    """Return the seeds of a fuzzer; the environment variable says how many."""
    return range(FIRST, FIRST + int(os.environ.get(variable, str(default))))


def choose(random: Random, values: Any) -> Any:
    values = list(values)
    return values[int(random.integers(len(values)))]


def happens(random: Random, probability: float) -> bool:
    return bool(random.random() < probability)
