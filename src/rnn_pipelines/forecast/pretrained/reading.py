"""The inputs of a pretrained network: scaled past values, differences, phases, and the lags of each step ahead.

The unit of a window is its mean absolute seasonal difference, and its zero the mean of the newest season, so that
forecasts follow every change of unit and of zero. The network corrects the base: the newest value of the same season,
or the last value if there is none.
"""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.pretrained.kinds import find_learnt_horizon
from rnn_pipelines.forecast.times.frequency import LONG_SEASONS

# Newest steps that the recurrence reads, and seasons whose mean is a lag.
MAX_STEPS, MAX_SEASONS = 72, 8
# Without a season, the zero is the mean of so many values.
NUM_NEWEST = 3
# A seasonal difference below this part of the difference from step to step is no unit.
LEAST_PART = 0.05
NUM_SEQUENCE = 7
NUM_STATIC = 12
NUM_AHEAD = 14
UNIT_OF_CONSTANTS = 1e-100
# Values beyond so many units are cut.
LARGEST = 200.0


class Reading(NamedTuple):
    """The inputs of a network, and what makes forecasts of its outputs."""

    sequence: np.ndarray  # float32[window, time, NUM_SEQUENCE], the newest step last
    is_there: np.ndarray  # bool[window, time], false before the first value
    static: np.ndarray  # float32[window, NUM_STATIC]
    ahead: np.ndarray  # float32[window, horizon, NUM_AHEAD]
    base: np.ndarray  # float32[window, horizon], the forecast that the network corrects, in units
    # `unit` and `zero`: float64[window].
    unit: np.ndarray
    zero: np.ndarray


def read_past(
    past: np.ndarray, season_length: int, horizon: int, is_log: np.ndarray | bool = False
) -> Reading:
    """Return the inputs of the network for each window, float64[window, time]; NaN before the first value, newest last.

    `is_log` tells whether the values are logarithms, of all windows or bool[window].
    """
    season = season_length
    steps = subtract_lag(past, 1), subtract_lag(past, season)
    change, seasonal_change = (_average(np.abs(step)) for step in steps)
    unit = np.where(seasonal_change > LEAST_PART * change, seasonal_change, change)
    # A constant series is forecast by its value, because no output moves a forecast by this unit.
    unit = np.where(unit > 0, unit, UNIT_OF_CONSTANTS)
    zero = np.nanmean(past[:, -(season if season > 1 else NUM_NEWEST) :], axis=1)
    scaled = np.clip((past - zero[:, None]) / unit[:, None], -LARGEST, LARGEST)
    changes, seasonal = (np.clip(step / unit[:, None], -LARGEST, LARGEST) for step in steps)
    newest = slice(-min(past.shape[1], MAX_STEPS), None)
    ahead, base = _read_ahead(scaled, season, horizon)
    read = [part[:, newest] for part in (scaled, changes, seasonal)]
    ages = np.arange(1 - read[0].shape[1], 1)
    sequence = _stack(
        [*map(np.arcsinh, read), ~np.isnan(read[2]), *_find_phase(ages, season), ages / 32]
    )
    static = _read_static(scaled, changes, seasonal, season, is_log)
    return Reading(sequence, ~np.isnan(past[:, newest]), static, ahead, base, unit, zero)


def subtract_lag(past: np.ndarray, lag: int) -> np.ndarray:
    """Return the difference from the value `lag` steps before, NaN without one: float64[window, time]."""
    differences = np.full(past.shape, np.nan)
    differences[:, lag:] = past[:, lag:] - past[:, :-lag]
    return differences


def _average(values: np.ndarray) -> np.ndarray:
    """Return the mean of each row without NaN, 0 for none: float64[window]."""
    is_there = ~np.isnan(values)
    averages: np.ndarray = np.where(is_there, values, 0).sum(axis=1) / np.maximum(
        is_there.sum(axis=1), 1
    )
    return averages


def _read_static(
    values: np.ndarray,
    changes: np.ndarray,
    seasonal: np.ndarray,
    season: int,
    is_log: np.ndarray | bool,
) -> np.ndarray:
    counts = (~np.isnan(values)).sum(axis=1)
    spread = np.sqrt(_average((values - _average(values)[:, None]) ** 2))
    yearly = _average(seasonal[:, -season:])
    parts = [
        np.log(season) / 3,
        np.log(counts) / 3,
        is_log,
        season == 1,
        counts < 2 * season,
        counts < season,
        np.log(spread + 1e-3),
        np.log(np.nan_to_num(np.abs(values)).max(axis=1) + 1e-3),
        np.log(_average(np.abs(changes)) + 1e-3),
        np.arcsinh(_average(changes)),
        np.arcsinh(yearly),
        np.abs(_average(np.where(np.isnan(changes), np.nan, changes == 0))),
    ]
    return _stack(np.broadcast_arrays(*parts))


def _read_ahead(values: np.ndarray, season: int, horizon: int) -> tuple[np.ndarray, np.ndarray]:
    """Return inputs and base of each step ahead."""
    last = np.repeat(values[:, -1:], horizon, axis=1)
    lags = np.stack(
        [_find_lag(values, season, back, horizon) for back in range(1, MAX_SEASONS + 1)]
    )
    before = (
        _find_lag(values, season, 1, horizon, -1) + _find_lag(values, season, 1, horizon, 1)
    ) / 2
    long = LONG_SEASONS.get(season, 0)
    of_long = _find_lag(values, long, 1, horizon) if long else np.full_like(last, np.nan)
    if season == 1:
        lags[:] = np.nan
        before = np.full_like(last, np.nan)
    base = np.where(np.isnan(lags[0]), last, lags[0])
    num_seasons = (~np.isnan(lags)).sum(axis=0)
    mean = np.where(num_seasons > 0, np.nansum(lags, axis=0) / np.maximum(num_seasons, 1), np.nan)
    steps = count_root_steps(horizon, season)
    parts = [
        np.arcsinh(base),
        np.arcsinh(last - base),
        *(
            part
            for lag in (lags[1], lags[2], of_long)
            for part in (np.arcsinh(lag - base), ~np.isnan(lag))
        ),
        np.arcsinh(mean - base),
        np.arcsinh(before - base),
        np.log(steps),
        steps / season / 4 if season > 1 else steps / 8,
        *_find_phase(np.arange(1, horizon + 1), season),
    ]
    return _stack(np.broadcast_arrays(*parts)), base.astype(np.float32)


def count_root_steps(horizon: int, season_length: int) -> np.ndarray:
    """Return the steps ahead, at most those that the network learnt for this season: int64[horizon].

    Beyond them its outputs would run away, because these inputs left the range of the training.
    """
    return np.minimum(np.arange(1, horizon + 1), find_learnt_horizon(season_length))


def _find_lag(
    values: np.ndarray, season: int, back: int, horizon: int, shift: int = 0
) -> np.ndarray:
    """Return the value of each step ahead so many seasons ago, NaN without one: float64[window, horizon]."""
    places = find_lag_places(values.shape[1], season, back, horizon, shift)
    return np.where(places >= 0, values[:, np.maximum(places, 0)], np.nan)


def find_lag_places(
    num_values: int, season: int, back: int, horizon: int, shift: int = 0
) -> np.ndarray:
    """Return the place of the value of each step ahead so many seasons ago, negative without one: int64[horizon]."""
    places: np.ndarray = num_values - back * season + (np.arange(horizon) + shift) % season
    return places


def _find_phase(steps: np.ndarray, season: int) -> tuple[np.ndarray, np.ndarray]:
    angles = 2 * np.pi * steps / season if season > 1 else np.zeros(len(steps))
    return np.sin(angles), np.cos(angles) * (season > 1)


def _stack(parts: Sequence[np.ndarray]) -> np.ndarray:
    """Return the parts as the last axis, float32, with 0 for NaN."""
    shape = np.broadcast_shapes(*(np.shape(part) for part in parts))
    return np.nan_to_num(
        np.stack([np.broadcast_to(part, shape) for part in parts], axis=-1)
    ).astype(np.float32)
