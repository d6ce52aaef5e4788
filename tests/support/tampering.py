"""A log of 10,000 forecasts in 40 nights, and changes of one row."""

import os
from collections.abc import Iterator
from typing import Literal

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.predictions import ForecastLogTable

KEY = list(ForecastLogTable.key)
NUM_NIGHTS = 40
NUM_SERIES = 50
HORIZON = 5
NIGHT = NUM_SERIES * HORIZON
NUM_ROWS = NUM_NIGHTS * NIGHT
# All with RNN_FUZZ_ROWS=10000.
NUM_TRIALS = int(os.environ.get("RNN_FUZZ_ROWS", "200"))

Kind = Literal["changed", "removed", "added", "moved"]
KINDS: tuple[Kind, ...] = ("changed", "removed", "added", "moved")


def make_nights() -> Iterator[pd.DataFrame]:
    """Yield forecasts with missing bounds, and those of a level that comes later."""
    rng = np.random.default_rng(0)
    for night in range(NUM_NIGHTS):
        cutoff = pd.Timestamp("2024-01-01") + pd.Timedelta(days=night)
        rows = pd.DataFrame(
            {
                "unique_id": np.repeat(
                    [f"shop {number} ø" for number in range(NUM_SERIES)], HORIZON
                ),
                "cutoff": cutoff,
                "ds": np.tile(
                    pd.date_range(cutoff + pd.Timedelta(days=1), periods=HORIZON), NUM_SERIES
                ),
                "horizon_step": np.tile(np.arange(1, HORIZON + 1), NUM_SERIES),
                "y_hat": np.where(rng.random(NIGHT) < 0.02, -0.0, rng.normal(0, 1e3, NIGHT)),
                "model_version": f"v{night // 15}",
                "recorded_at": cutoff.tz_localize("UTC")
                + pd.Timedelta(hours=25, microseconds=night),
            }
        )
        for level in (80, 95) if night < NUM_NIGHTS // 2 else (80, 95, 99):
            rows[f"lo_{level}"] = np.where(rng.random(NIGHT) < 0.1, np.nan, rows["y_hat"] - level)
            rows[f"hi_{level}"] = rows[f"lo_{level}"] + 2 * level
        yield rows


def draw_trials() -> Iterator[tuple[int, Kind, int]]:
    """Yield a row, a kind of change, and another night, each row at most once."""
    rng = np.random.default_rng(1)
    for trial, row in enumerate(rng.permutation(NUM_ROWS)[:NUM_TRIALS].tolist()):
        other = (row // NIGHT + int(rng.integers(1, NUM_NIGHTS))) % NUM_NIGHTS
        yield row, KINDS[trial % len(KINDS)], other
