"""The ladder: a local method for series that are too short to validate any other, by the number of values.

| values | forecast |
| below one season | level |
| below two seasons | newest value of the same season, for seasons of at most 24 steps; else level |
| below three seasons | mean of Theta and the newest value of the same season |
| more | mean of Theta and a damped trend |

Without a season: Theta for fewer than 6 values, else the mean of Theta and a damped trend. See decision 28.
"""

import numpy as np

from rnn_pipelines.forecast.methods.exponential_smoothing import extend_by_damped_trend, extend_by_level
from rnn_pipelines.forecast.methods.method import FittingData
from rnn_pipelines.forecast.methods.theta import extend_by_theta

LADDER = "ladder"
# The largest season for which less than two seasons show a pattern.
MAX_NAIVE_SEASON = 24
# Fewest values for a damped trend, without a season.
MIN_VALUES = 6


def has_few_windows(data: FittingData) -> bool:
    """Return whether there are too few windows to validate methods."""
    return not data.linear.is_enough


def extend_by_ladder(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Continue each series by the method for its number of values; see `LocalForecast`."""
    counts = (~np.isnan(past)).sum(axis=1)
    if season_length == 1:
        rungs = {(0, MIN_VALUES): extend_by_theta, (MIN_VALUES, np.inf): _extend_by_theta_and_trend}
    else:
        is_naive = season_length <= MAX_NAIVE_SEASON
        rungs = {
            (0, season_length): extend_by_level,
            (season_length, 2 * season_length): _extend_by_season if is_naive else extend_by_level,
            (2 * season_length, 3 * season_length): _extend_by_theta_and_season,
            (3 * season_length, np.inf): _extend_by_theta_and_trend,
        }
    ahead = np.zeros((len(past), horizon))
    for (least, most), extend in rungs.items():
        own = (counts >= least) & (counts < most)
        if own.any():
            ahead[own] = extend(past[own], season_length, horizon)
    return ahead


def _extend_by_season(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    return past[:, -season_length:][:, np.arange(horizon) % season_length]


def _extend_by_theta_and_season(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    theta = extend_by_theta(past, season_length, horizon)
    return (theta + _extend_by_season(past, season_length, horizon)) / 2


def _extend_by_theta_and_trend(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    theta = extend_by_theta(past, season_length, horizon)
    return (theta + extend_by_damped_trend(past, season_length, horizon)) / 2
