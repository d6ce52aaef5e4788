"""The ladder: a local method for series that are too short to validate any other, by the number of values.

| values | forecast |
| below one season | level |
| below two seasons | newest value of the same season, for seasons of at most 24 steps; else level |
| below three seasons | mean of Theta and the newest value of the same season |
| more | mean of Theta and a damped trend |

Without a season: Theta for fewer than 6 values, else the mean of Theta and a damped trend. See decision 28.
"""

from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.methods.exponential_smoothing import extend_by_damped_trend, extend_by_level
from rnn_pipelines.forecast.methods.local import LocalForecast
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.past import MAX_NAIVE_SEASON
from rnn_pipelines.forecast.methods.theta import extend_by_theta

LADDER = "ladder"
# Fewest values for a damped trend, without a season.
MIN_VALUES = 6


class Rung(NamedTuple):
    """A method for series with at least a number of values."""

    least: int
    name: str
    extend: LocalForecast


def has_few_windows(data: FittingData) -> bool:
    """Return whether there are too few windows to validate methods."""
    return not data.linear.is_enough


def extend_by_ladder(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Continue each series by the method for its number of values; see `LocalForecast`."""
    counts = (~np.isnan(past)).sum(axis=1)
    ahead = np.zeros((len(past), horizon))
    rungs = list_rungs(season_length)
    limits = [rung.least for rung in rungs[1:]]
    for rung, least, most in zip(rungs, [0, *limits], [*limits, np.inf], strict=True):
        own = (counts >= least) & (counts < most)
        if own.any():
            ahead[own] = rung.extend(past[own], season_length, horizon)
    return ahead


def list_rungs(season_length: int) -> list[Rung]:
    """Return the rungs for a season, the one for the fewest values first."""
    if season_length == 1:
        return [Rung(0, "Theta", extend_by_theta), Rung(MIN_VALUES, *_THETA_AND_TREND)]
    level = "level", extend_by_level
    naive = ("seasonal naive", _extend_by_season) if season_length <= MAX_NAIVE_SEASON else level
    return [
        Rung(0, *level),
        Rung(season_length, *naive),
        Rung(2 * season_length, "Theta + seasonal naive", _extend_by_theta_and_season),
        Rung(3 * season_length, *_THETA_AND_TREND),
    ]


def _extend_by_season(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    return past[:, -season_length:][:, np.arange(horizon) % season_length]


def _extend_by_theta_and_season(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    theta = extend_by_theta(past, season_length, horizon)
    return (theta + _extend_by_season(past, season_length, horizon)) / 2


def _extend_by_theta_and_trend(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    theta = extend_by_theta(past, season_length, horizon)
    return (theta + extend_by_damped_trend(past, season_length, horizon)) / 2


_THETA_AND_TREND = "Theta + damped trend", _extend_by_theta_and_trend
