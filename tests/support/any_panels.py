"""Panels of all kinds of series, to which any forecast must have bounds that can be used."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd

Random = np.random.Generator
# Names with their values, float64[step], of a number of steps.
KINDS: dict[str, Callable[[Random, int], np.ndarray]] = {
    "noise": lambda random, size: 100 + 10 * random.normal(size=size),
    "season": lambda random, size: (
        100 + 20 * np.sin(2 * np.pi * np.arange(size) / 7) + random.normal(size=size)
    ),
    "walk": lambda random, size: random.normal(size=size).cumsum(),
    "negative": lambda random, size: 30 * random.normal(size=size).cumsum() - 500,
    "trend": lambda random, size: 0.7 * np.arange(size) + 4 * random.normal(size=size),
    "growth": lambda random, size: np.exp(0.1 * np.arange(size) + 0.02 * random.normal(size=size)),
    "decline": lambda random, size: (
        1e3 * np.exp(-0.05 * np.arange(size) + 0.02 * random.normal(size=size))
    ),
    "heavy": lambda random, size: 10 * random.standard_t(1.5, size),
    "lognormal": lambda random, size: random.lognormal(0, 2, size),
    "counts": lambda random, size: random.poisson(1.5, size).astype(float),
    "spare parts": lambda random, size: np.where(
        random.random(size) < 0.05, random.lognormal(2, 1, size), 0.0
    ),
    "sparse counts": lambda random, size: np.where(
        random.random(size) < 0.05, 1.0 + random.poisson(3, size), 0.0
    ),
    "zero": lambda _, size: np.zeros(size),
    "constant": lambda _, size: np.full(size, -3.0),
    "launch": lambda random, size: np.where(
        is_late(random, size), 50 + 8 * random.normal(size=size), 20.0
    ),
    "launched counts": lambda random, size: np.where(
        is_late(random, size), random.poisson(6, size), 0.0
    ),
    "late change": lambda _, size: np.r_[np.full(size - 1, 7.0), 1000.0],
    "stop": lambda random, size: np.where(
        is_late(random, size), 50.0, 50 + 8 * random.normal(size=size)
    ),
    "single outlier": lambda random, size: np.r_[1e6, 100 + 10 * random.normal(size=size - 1)],
}


def is_late(random: Random, size: int) -> np.ndarray:
    """Whether each step belongs to a new part, of 1 to 30 % of the steps: bool[step]."""
    return np.arange(size) >= size - max(1, int(size * random.uniform(0.01, 0.3)))


def draw_any_panel(seed: int) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Return a frame of 1 to 8 series of 5 to 120 steps, of one kind or mixed, and arguments of `Forecaster`."""
    random = np.random.default_rng([seed, 43])
    num_series = int(random.choice([1, 2, 3, 8]))
    size = int(random.choice([5, 8, 12, 20, 30, 60, 120]))
    freq = str(random.choice(["D", "h", "MS", "YS"]))
    kinds = random.choice(list(KINDS), num_series if random.random() < 0.4 else 1)
    unit = 10.0 ** int(random.integers(-12, 13)) if random.random() < 0.25 else 1.0
    tables = []
    for number in range(num_series):
        values = unit * KINDS[str(kinds[number % len(kinds)])](random, size)
        times = pd.date_range("2000-01-01", periods=size, freq=freq)
        first = int(random.integers(size - 4)) if number and random.random() < 0.3 else 0
        tables.append(
            pd.DataFrame({"unique_id": f"s{number}", "ds": times[first:], "y": values[first:]})
        )
    horizons = [None, 1, 3] if size < 60 else [None, 1, 7, 24]
    levels = [[80, 95], [50], [50, 80, 95, 99], [99]]
    h = horizons[int(random.integers(len(horizons)))]
    return pd.concat(tables, ignore_index=True), {
        "h": h,
        "level": levels[int(random.integers(len(levels)))],
    }
