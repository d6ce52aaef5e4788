"""Generated series whose future is known: bias and squared error on sparse and skewed panels, coverage of a drift.

Measures of one draw; `any.py` runs the draws and prints the tables.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import pandas as pd
from simple_forecasts import SIMPLE

from rnn_pipelines.forecast.interface import Forecaster
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE

OURS = "ours"
HORIZON, WEEK = 14, 7
# Of the drifting series: months, steps ahead, mean and deviation of a change.
DRIFT_MONTHS = 150
DRIFT_HORIZON = 12
DRIFT = 0.5
NOISE = 2.0
NORMAL = {80: 1.2815515655446004, 95: 1.959963984540054}
Random = np.random.Generator


@dataclass(frozen=True)
class Panel:
    """Daily series that end together.

    Attributes:
        values: float64[series, time + HORIZON], the last of which are held out.
        expected: float64[series, HORIZON], the mean of the distribution that the held-out values are drawn from.
    """

    values: np.ndarray
    expected: np.ndarray


def draw_intermittent(rng: Random, num_series: int) -> Panel:
    """Demand on one day of ten to three of ten, more often at the end of the week, of 1 and a Poisson number."""
    num_days = 160 + HORIZON
    week = np.array([0.8, 0.8, 0.8, 0.9, 1.1, 1.4, 1.2])[np.arange(num_days) % WEEK]
    probability = rng.uniform(0.1, 0.3, (num_series, 1)) * week
    rate = rng.uniform(0.5, 4, (num_series, 1))
    values = np.where(
        rng.random(probability.shape) < probability, 1 + rng.poisson(rate, probability.shape), 0
    )
    return Panel(values.astype(float), (probability * (1 + rate))[:, -HORIZON:])


def draw_skewed(rng: Random, num_series: int) -> Panel:
    """Lognormal values, whose mean is well above their median, around a weekly season."""
    num_days = 200 + HORIZON
    week = np.exp(rng.normal(0, 0.3, (num_series, WEEK)))[:, np.arange(num_days) % WEEK]
    level = np.exp(rng.normal(3, 1, (num_series, 1)))
    deviation = rng.uniform(0.6, 1.1, (num_series, 1))
    values = level * week * np.exp(rng.normal(size=week.shape) * deviation)
    return Panel(values, (level * week * np.exp(deviation**2 / 2))[:, -HORIZON:])


PANELS: dict[str, Callable[[Random, int], Panel]] = {
    "intermittent": draw_intermittent,
    "skewed": draw_skewed,
}


def measure_panel(name: str, seed: int, num_series: int) -> dict[str, dict[str, float]]:
    """Return `bias` in percent of the expected sum, and `error`, the mean scaled squared one, of each forecaster."""
    panel = PANELS[name](np.random.default_rng([seed, 1]), num_series)
    past = panel.values[:, :-HORIZON]
    actual = panel.values[:, -HORIZON:]
    days = pd.date_range("2023-01-02", periods=past.shape[1])
    ids = [f"item {number:03d}" for number in range(num_series)]
    frame = pd.DataFrame(
        {"unique_id": np.repeat(ids, len(days)), "ds": np.tile(days, num_series), "y": past.ravel()}
    )
    table = Forecaster(h=HORIZON).fit(frame).predict().sort_values(["unique_id", "ds"])
    forecasts = {OURS: table[ENSEMBLE].to_numpy().reshape(actual.shape)}
    for simple, forecast in SIMPLE.items():
        forecasts[simple] = np.array([forecast(values, HORIZON, WEEK) for values in past])
    scale = np.mean(np.diff(past, axis=1) ** 2, axis=1, keepdims=True)
    return {
        forecaster: {
            "bias": 100 * float(found.sum() / panel.expected.sum() - 1),
            "error": float(np.mean((actual - found) ** 2 / scale)),
        }
        for forecaster, found in forecasts.items()
    }


def measure_drift(seed: int) -> dict[str, dict[str, float]]:
    """Return `coverage` in percent, and `width` over that of the true distribution, of each level for one series."""
    rng = np.random.default_rng([seed, 2])
    values = 100 + rng.normal(DRIFT, NOISE, DRIFT_MONTHS + DRIFT_HORIZON).cumsum()
    known = values[:DRIFT_MONTHS]
    actual = values[DRIFT_MONTHS:]
    frame = pd.DataFrame({"ds": pd.date_range("2010", periods=DRIFT_MONTHS, freq="MS"), "y": known})
    table = Forecaster(h=DRIFT_HORIZON).fit(frame).predict()
    reach = NOISE * np.sqrt(np.arange(1, DRIFT_HORIZON + 1))
    measured = {}
    for level, quantile in NORMAL.items():
        low, high = (table[f"{ENSEMBLE}-{side}-{level}"].to_numpy() for side in ("lo", "hi"))
        is_covered = (low <= actual) & (actual <= high)
        width = np.mean(high - low) / np.mean(2 * quantile * reach)
        measured[str(level)] = {"coverage": 100 * float(is_covered.mean()), "width": float(width)}
    return measured
