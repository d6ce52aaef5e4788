"""Textbook forecasts of one series, independent of the project: float64[horizon] from float64[time] each."""

import numpy as np

RATES = (0.05, 0.1, 0.2, 0.3, 0.5, 0.8)
CROSTON_RATE = 0.1


def forecast_mean(values: np.ndarray, horizon: int, season_length: int) -> np.ndarray:
    """Repeat the mean."""
    return np.full(horizon, values.mean())


def forecast_sba(values: np.ndarray, horizon: int, season_length: int) -> np.ndarray:
    """Croston's method with the correction of Syntetos & Boylan (2005), doi:10.1016/j.ijforecast.2004.10.001."""
    places = np.flatnonzero(values)
    if not len(places):
        return np.zeros(horizon)
    size = smooth(values[places], CROSTON_RATE)[-1]
    interval = smooth(np.diff(places, prepend=-1).astype(float), CROSTON_RATE)[-1]
    return np.full(horizon, (1 - CROSTON_RATE / 2) * size / interval)


def forecast_tsb(values: np.ndarray, horizon: int, season_length: int) -> np.ndarray:
    """Size times probability, both smoothed: Teunter, Syntetos & Babai (2011), doi:10.1016/j.ejor.2011.05.018."""
    is_demand = values != 0
    if not is_demand.any():
        return np.zeros(horizon)
    probability = smooth(is_demand.astype(float), CROSTON_RATE)[-1]
    return np.full(horizon, probability * smooth(values[is_demand], CROSTON_RATE)[-1])


def forecast_theta(values: np.ndarray, horizon: int, season_length: int) -> np.ndarray:
    """Smoothing with half the slope, after the mean deviation of each season from a line was subtracted.

    Source: Hyndman & Billah (2003), doi:10.1016/S0169-2070(01)00143-1.
    """
    steps = np.arange(len(values) + horizon)
    rest = values - np.polyval(np.polyfit(steps[: len(values)], values, 1), steps[: len(values)])
    season = np.array([rest[phase::season_length].mean() for phase in range(season_length)])[
        steps % season_length
    ]
    rest = values - season[: len(values)]
    slope = np.polyfit(steps[: len(values)], rest, 1)[0] / 2
    levels = {rate: smooth(rest, rate) for rate in RATES}
    rate = min(RATES, key=lambda one: float(np.mean((rest[1:] - levels[one][:-1]) ** 2)))
    drift = slope * (np.arange(horizon) + (1 - (1 - rate) ** len(rest)) / rate)
    return levels[rate][-1] + drift + season[len(values) :]


def smooth(values: np.ndarray, rate: float) -> np.ndarray:
    """Return the level after each value; the first level is the first value: float64[time]."""
    levels = np.empty(len(values))
    level = values[0]
    for step, value in enumerate(values):
        level += rate * (value - level)
        levels[step] = level
    return levels


SIMPLE = {
    "mean": forecast_mean,
    "Croston-SBA": forecast_sba,
    "TSB": forecast_tsb,
    "Theta": forecast_theta,
}
