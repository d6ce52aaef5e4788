"""When a network pays: the ensemble with and without networks that are trained on the table, on generated series.

    .venv/bin/python benchmarks/networks_gain.py [family ...] [--sizes 1x250 20x60 ...]

Prints a Markdown row for each family. A cell has the reduction of the ensemble's MAE on the test part in percent, and
in brackets the processor seconds of the trainings on one core. Few series are drawn several times.
"""

import argparse
import os
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from rnn_pipelines import Forecaster
from rnn_pipelines.forecast.blocks import TrainingBlock

HORIZON, BURN_IN = 6, 50
SIZES = ("1x250", "1x1000", "20x60", "20x250", "200x60")
# Series in all draws of a cell, so that the gain of a series alone is no accident.
NUM_DRAWS = {1: 3, 20: 2, 200: 1}
COVARIATES = ["load", "price"]
# Networks start at the linear forecast, so that one step leaves them out; all other methods are fitted.
UNTRAINED = TrainingBlock(max_steps=1)


def draw_linear(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """An autoregression of two lags."""
    return iterate(rng, shape, lambda one, two: 1.2 * one - 0.5 * two)


def draw_threshold(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Another autoregression above 0 than below."""
    return iterate(rng, shape, lambda one, two: np.where(two > 0, 2 - 0.9 * one, -1.5 + 0.6 * one))


def draw_multiplicative(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """A season whose amplitude is a slow autoregression."""
    season = np.sin(2 * np.pi * (np.arange(shape[1]) + rng.integers(0, 12, (shape[0], 1))) / 12)
    return season * (3 + iterate(rng, shape, lambda one, two: 0.95 * one)) + rng.normal(
        0, 0.3, shape
    )


def draw_regimes(rng: np.random.Generator, shape: tuple[int, int]) -> np.ndarray:
    """Two autoregressions that take turns; each lasts for 20 steps in the mean."""
    is_calm = np.cumsum(rng.random((shape[1] + BURN_IN, shape[0])) < 0.05, axis=0) % 2 == 0
    step = iter(is_calm)
    return iterate(rng, shape, lambda one, two: np.where(next(step), 0.95 * one, -0.8 * one))


def iterate(
    rng: np.random.Generator, shape: tuple[int, int], follow: Callable[..., np.ndarray]
) -> np.ndarray:
    """Return float64[series, time] in which a function of the last two values and noise make the next one."""
    rows = [np.zeros(shape[0])] * 2
    for _ in range(shape[1] + BURN_IN):
        rows.append(follow(rows[-1], rows[-2]) + rng.normal(size=shape[0]))
    return np.array(rows[-shape[1] :]).T


def draw_interactions(rng: np.random.Generator, shape: tuple[int, int]) -> tuple[np.ndarray, ...]:
    """The product of two covariates that are known ahead, with noise."""
    load, price = (iterate(rng, shape, lambda one, two: 0.7 * one) for _ in COVARIATES)
    return load * price + rng.normal(0, 0.5, shape), load, price


FAMILIES = {
    "linear": draw_linear,
    "threshold": draw_threshold,
    "multiplicative": draw_multiplicative,
    "regimes": draw_regimes,
    "interactions": draw_interactions,
}


def measure(family: str, size: str) -> str:
    """Return a cell of the table."""
    num_series, num_values = map(int, size.split("x"))
    seconds = 0.0
    errors = np.zeros(2)
    for seed in range(NUM_DRAWS[num_series]):
        rng = np.random.default_rng([seed, *family.encode()])
        drawn = np.array(FAMILIES[family](rng, (num_series, num_values))).reshape(
            -1, num_series, num_values
        )
        names = ["y", *COVARIATES][: len(drawn)]
        columns = dict(zip(names, drawn, strict=True))
        months = pd.date_range("1900", periods=num_values, freq="MS")
        frame = pd.DataFrame(
            {
                "unique_id": np.repeat(
                    [f"s{number:03}" for number in range(num_series)], num_values
                ),
                "ds": np.tile(months, num_series),
                **{name: values.ravel() for name, values in columns.items()},
            }
        )
        known = names[1:] or None
        for number, training in enumerate((UNTRAINED, TrainingBlock())):
            started = time.process_time()
            fitted = Forecaster(HORIZON, training=training, futr_exog=known).fit(frame)
            seconds += (time.process_time() - started) * (1 if number else -1)
            errors[number] += fitted.leaderboard().set_index("forecaster").loc["ensemble", "mae"]
    return f"{100 * (1 - errors[1] / errors[0]):.1f} ({seconds / NUM_DRAWS[num_series]:.0f})"


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("families", nargs="*", default=list(FAMILIES))
    parser.add_argument("--sizes", nargs="+", default=SIZES)
    given = parser.parse_args()
    # On one core, no training starts in another process, whose time would not be counted.
    os.sched_setaffinity(0, {min(os.sched_getaffinity(0))})
    print(f"| structure | {' | '.join(given.sizes)} |\n|---|{'---:|' * len(given.sizes)}")
    for family in given.families:
        print(f"| {family} |", *(f"{measure(family, size)} |" for size in given.sizes), flush=True)


if __name__ == "__main__":
    main()
