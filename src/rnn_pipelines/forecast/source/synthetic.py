"""Synthetic series with their noise-free signal, so that the smallest possible error is known.

`ds` are days (datetime64) or steps (int64), `y` and `signal` float64.
"""

from collections.abc import Callable

import numpy as np
import pandas as pd


def generate_temperature(seed: int) -> pd.DataFrame:
    """Return 1,000 days of temperature in °C: 20 + 10·sin(2πi/365) + N(0, 2), with a noise variance of 4.0."""
    # These 1,000 days have no 29 February, so the signal's 365 days stay in phase with the calendar.
    days = pd.date_range("2021-01-01", periods=1000, freq="D")
    signal = 20 + 10 * np.sin(2 * np.pi * np.arange(1000) / 365)
    return _with_noise(days, signal, deviation=2.0, seed=seed)


def generate_sine(seed: int) -> pd.DataFrame:
    """Return 100 points of sin(i/10), without noise; the seed is not used."""
    steps = np.arange(100)
    return _with_noise(steps, np.sin(steps / 10), deviation=0.0, seed=seed)


def generate_noisy_sine(seed: int) -> pd.DataFrame:
    """Return 1,000 points of sin(i/10) + N(0, 0.1), with a noise variance of 0.01."""
    steps = np.arange(1000)
    return _with_noise(steps, np.sin(steps / 10), deviation=0.1, seed=seed)


def _with_noise(
    ds: pd.DatetimeIndex | np.ndarray, signal: np.ndarray, deviation: float, seed: int
) -> pd.DataFrame:
    noise = np.random.default_rng(seed).normal(0.0, deviation, len(signal))
    return pd.DataFrame({"ds": ds, "y": signal + noise, "signal": signal})


GENERATORS: dict[str, Callable[[int], pd.DataFrame]] = {
    "temperature": generate_temperature,
    "sine": generate_sine,
    "noisy_sine": generate_noisy_sine,
}
