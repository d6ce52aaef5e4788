"""The rule for short series: a local method for series that are too short to validate any other, by their values.

| values | forecast |
| below 6 | level |
| below one season, or two of more than 24 steps | level and damped trend, by their past errors |
| below two seasons | newest value of the same season, with the shrunk mean change over a season |
| below three seasons | mean of Theta and that |
| more | Theta and trends, by their past errors |

Without a season: Theta for fewer than 6 values, else trends by their past errors. The trends are a damped one, the mean
change of all values, and that of the newest ones. See decisions 28, 42 and 54.

    wₖ ∝ (min loss / lossₖ)^(6 n / (n + 4)),   n the number of origins, loss the mean absolute error at all of them
    drift = n / (n + m / 6) · max(0, 1 − σ² / d²) d,   d and σ² mean and variance of n changes over m steps, a season

Neighbouring changes over a season share most of their values, so that σ² is not divided by n.

Source: the positive-part shrinkage of James & Stein (1961), Proc. Fourth Berkeley Symposium 1, 361–379.
"""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.methods.local.exponential_smoothing import (
    extend_by_level,
    trace_damped_trend,
    trace_level,
)
from rnn_pipelines.forecast.methods.local.method import LocalForecast
from rnn_pipelines.forecast.methods.local.season import find_season
from rnn_pipelines.forecast.methods.local.theta import extend_by_theta
from rnn_pipelines.forecast.methods.past import MAX_NAIVE_SEASON

SHORT_SERIES_RULE = "short_series_rule"
# Fewest values for weights by past errors; fewest before an origin of these, and most origins.
MIN_VALUES = 6
MIN_KNOWN = 4
MAX_ORIGINS = 60
# Exponent of the errors in the weights, and the number of origins at which half of it counts.
POWER, HALF_POWER = 6.0, 4.0
# The newest changes whose mean is a drift; a horizon of more steps takes as many.
NEWEST_CHANGES = 4
# The part of a season that counts as much as the changes over a season, in their shrinkage.
SHARED_PART = 6
TINY = 1e-9

# From past values without a season, NaN before the first one, horizon and a number of origins to the forecasts after
# each of the newest values, the newest one last: float64[window, origin, horizon].
Trace = Callable[[np.ndarray, int, int], np.ndarray]


class Rule(NamedTuple):
    """A method for series with at least a number of values."""

    least: int
    name: str
    extend: LocalForecast


def extend_by_rule(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Continue each series by the method for its number of values; see `LocalForecast`."""
    counts = (~np.isnan(past)).sum(axis=1)
    ahead = np.zeros((len(past), horizon))
    rules = list_rules(season_length)
    limits = [rule.least for rule in rules[1:]]
    for rule, least, most in zip(rules, [0, *limits], [*limits, np.inf], strict=True):
        own = (counts >= least) & (counts < most)
        if own.any():
            ahead[own] = rule.extend(past[own], season_length, horizon)
    return ahead


def list_rules(season_length: int) -> list[Rule]:
    """Return the rules for a season, the one for the fewest values first."""
    if season_length == 1:
        return [
            Rule(0, "Theta", extend_by_theta),
            Rule(MIN_VALUES, "trends", partial(_extend_by_errors, traces=TRENDS)),
        ]
    level = [Rule(0, "level", extend_by_level)]
    if season_length > MIN_VALUES:
        level.append(
            Rule(
                MIN_VALUES,
                "level and damped trend",
                partial(_extend_by_errors, traces=LEVEL_AND_TREND),
            )
        )
    naive = [Rule(season_length, "seasonal naive with drift", _extend_by_season)]
    return [
        *level,
        *(naive if season_length <= MAX_NAIVE_SEASON else []),
        Rule(
            2 * season_length,
            "Theta and seasonal naive with drift",
            lambda *known: (extend_by_theta(*known) + _extend_by_season(*known)) / 2,
        ),
        Rule(
            3 * season_length,
            "Theta and trends",
            partial(_extend_by_errors, traces=(_trace_theta, *TRENDS)),
        ),
    ]


def _extend_by_season(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    changes = past[:, season_length:] - past[:, :-season_length]
    counts = np.maximum((~np.isnan(changes)).sum(axis=1), 1)
    mean = np.nansum(changes, axis=1) / counts
    variance = np.nansum((changes - mean[:, None]) ** 2, axis=1) / counts
    certainty = np.maximum(0.0, 1 - variance / np.where(mean != 0, mean**2, 1.0))
    drift = counts / (counts + season_length / SHARED_PART) * certainty * mean
    steps = np.arange(horizon)
    ahead: np.ndarray = past[:, -season_length:][:, steps % season_length]
    return ahead + drift[:, None] * (steps // season_length + 1)


def _extend_by_errors(
    past: np.ndarray, season_length: int, horizon: int, traces: Sequence[Trace]
) -> np.ndarray:
    """Continue each series by the mean of methods, weighted by their errors at its past origins."""
    season = find_season(past, season_length)
    values = season.remove(past)
    num_steps = past.shape[1]
    num_origins = min(num_steps, MAX_ORIGINS)
    origins = np.arange(num_steps - num_origins, num_steps)
    rows = origins[:, None] + np.arange(1, horizon + 1)
    actual = np.where(rows < num_steps, values[:, np.minimum(rows, num_steps - 1)], np.nan)
    num_known = np.cumsum(~np.isnan(values), axis=1)[:, origins]
    actual[num_known < MIN_KNOWN] = np.nan
    is_there = ~np.isnan(actual)
    found = [trace(values, horizon, num_origins) for trace in traces]
    counts = np.maximum(is_there.sum(axis=(1, 2)), 1)
    sums = [
        np.where(is_there, np.abs(actual - forecasts), 0.0).sum(axis=(1, 2)) for forecasts in found
    ]
    # A loss of 0 has no inverse.
    losses = (
        np.stack(sums) / counts + TINY * np.nanmean(np.abs(values), axis=1) + np.finfo(float).tiny
    )
    num_tested = is_there.any(axis=2).sum(axis=1)
    weights = (losses.min(axis=0) / losses) ** (POWER * num_tested / (num_tested + HALF_POWER))
    ahead = np.stack([forecasts[:, -1] for forecasts in found])
    return season.add((weights[:, :, None] * ahead).sum(axis=0) / weights.sum(axis=0)[:, None])


def _trace_theta(past: np.ndarray, horizon: int, num_origins: int) -> np.ndarray:
    num_steps = past.shape[1]
    found = np.repeat(past[:, -num_origins:, None], horizon, axis=2)
    for place, stop in enumerate(range(num_steps - num_origins + 1, num_steps + 1)):
        is_known = ~np.isnan(past[:, stop - 1])
        if is_known.any():
            found[is_known, place] = extend_by_theta(past[is_known, :stop], 1, horizon)
    return found


def _trace_drift(past: np.ndarray, horizon: int, num_origins: int, is_newest: bool) -> np.ndarray:
    """Return the newest value plus the mean change of all values, or of the newest ones; see `Trace`."""
    first = np.argmax(~np.isnan(past), axis=1)[:, None]
    stops = np.arange(past.shape[1])[-num_origins:]
    num_changes = np.maximum(stops - first, 0)
    if is_newest:
        num_changes = np.minimum(num_changes, max(NEWEST_CHANGES, horizon))
    last = past[:, stops]
    earlier = np.take_along_axis(past, stops - num_changes, axis=1)
    drift = (last - earlier) / np.maximum(num_changes, 1)
    return last[:, :, None] + drift[:, :, None] * np.arange(1, horizon + 1)


TRENDS = (
    trace_damped_trend,
    partial(_trace_drift, is_newest=False),
    partial(_trace_drift, is_newest=True),
)
LEVEL_AND_TREND = (trace_level, trace_damped_trend)
