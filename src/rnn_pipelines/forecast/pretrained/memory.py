"""The long memory of the pretrained network: its forecasts revert to older values, in closed form. Nothing is learnt.

The network reads 72 steps and eight seasons of a series of days or of parts of a day. Two reversions add what the
series did in the long run:

    ŷ ← ŷ + w (p − m),   w = Σ g Δ / (Σ g² + k g₀²), limited to [0, 1]

    p   profile: the course of a usual week; or the level of the same days of earlier years
    m   the forecast; of the second profile its mean over the day
    g   gap at an earlier time: the profile known then less the newest mean of that time
    Δ   by how much the mean changed until as many steps later as are forecast
    g₀  gap at the origin

The weight is the slope of a ridge regression of the changes on the gaps. Its penalty counts the gap at the origin k
times, as one that did not close. So a series reverts as far as gaps of this size closed before: a random walk and a
trend do not, and a level that was never seen before, as after a break, does not.
Source: Hoerl & Kennard (1970), Ridge Regression, Technometrics 12(1), for the estimate; the rest is ours.
"""

from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.times.frequency import LONG_SEASONS

# Newest values of the course of a week, and newest days of the level of earlier years.
MAX_VALUES, MAX_DAYS = 1500, 1500
# Seasons that are known before the first gap, weeks of a course by weekdays, and days of a level of earlier years.
MIN_SEASONS = 4
MIN_WEEKS = 3
MIN_DAYS = 900
# Half-life of a course, in weeks.
HALF_LIFE = 2
# The number of times k that the gap at the origin counts: for each season ahead, and for earlier years.
PENALTY, YEAR_PENALTY = 0.05, 30
DAYS_OF_WEEK = 7
DAYS_OF_YEAR = 365
MAX_YEARS = 5
# Days of the running mean that is the level of a day of an earlier year.
SMOOTHED_DAYS = 61
# Newest days at which the level of earlier years is compared with what followed.
COMPARED_DAYS = 730
# The part of the quantiles' distances that a whole reversion to earlier years takes away.
NARROWING = 0.3


class Reversion(NamedTuple):
    """How far forecasts revert, and to what."""

    weight: np.ndarray  # float64[window, horizon], in [0, 1]
    profile: np.ndarray  # float64[window, horizon]
    num_steps: int  # the forecast's mean over so many steps is compared with the profile
    narrowing: float  # the part of the quantiles' distances that a weight of 1 takes away

    def apply(self, forecast: np.ndarray) -> np.ndarray:
        """Return the reverted forecast: float64[window, horizon]."""
        return forecast + self.weight * (self.profile - _average_days(forecast, self.num_steps))


def find_memory_length(season_length: int, horizon: int) -> int:
    """Return the newest values from which forecasts of this horizon can revert; 0 if they do not."""
    steps = count_steps_of_day(season_length)
    if steps == 0 or horizon <= season_length:
        return 0
    return MAX_DAYS * steps if horizon > DAYS_OF_WEEK * steps else MAX_VALUES


def count_steps_of_day(season_length: int) -> int:
    """Return the steps of a day for a season of a day or a week; 0 for other seasons."""
    if season_length not in LONG_SEASONS:
        return 0
    return 1 if season_length == DAYS_OF_WEEK else season_length


def revert(past: np.ndarray, season_length: int, forecast: np.ndarray) -> np.ndarray:
    """Return forecasts with the long memory: float64[window, horizon].

    Args:
        past: float64[window, time], newest last, NaN before the first value.
        season_length: steps.
        forecast: float64[window, horizon].
    """
    for reversion in list_reversions(past, season_length, forecast.shape[1]):
        forecast = reversion.apply(forecast)
    return forecast


def revert_quantiles(
    past: np.ndarray, season_length: int, quantiles: np.ndarray, middle: int
) -> np.ndarray:
    """Return quantiles, float64[window, horizon, level], that move with the median, at the place `middle`.

    Reversion to earlier years makes errors smaller, and so the distances from the median.
    """
    median = quantiles[:, :, middle, None]
    distances = quantiles - median
    reverted = median[:, :, 0]
    for reversion in list_reversions(past, season_length, quantiles.shape[1]):
        reverted = reversion.apply(reverted)
        distances = distances * (1 - reversion.narrowing * reversion.weight[:, :, None])
    return reverted[:, :, None] + distances


def list_reversions(past: np.ndarray, season_length: int, horizon: int) -> list[Reversion]:
    """Return the reversions of forecasts, in their order; see `revert`."""
    steps = count_steps_of_day(season_length)
    found = []
    if steps == 0 or horizon <= season_length:
        return []
    if steps > 1:
        found.append(revert_to_course(past[:, -MAX_VALUES:], season_length, horizon))
    if horizon > DAYS_OF_WEEK * steps:
        found.append(revert_to_year(average_seasons(past, steps)[:, -MAX_DAYS:], steps, horizon))
    return found


def revert_to_course(past: np.ndarray, season_length: int, horizon: int) -> Reversion:
    """Return the reversion of parts of a day to the course of a usual week, or of a usual day for few weeks."""
    week = LONG_SEASONS[season_length]
    has_weeks = count_known(past) >= MIN_WEEKS * week
    of_week, of_day = (
        average_course(past, own, horizon, HALF_LIFE * week / own) for own in (week, season_length)
    )
    profile = np.where(has_weeks, of_week, of_day)
    means = average_seasons(past, season_length)
    counts = np.cumsum(~np.isnan(means), axis=1)
    long_means = np.nancumsum(means, axis=1) / np.maximum(counts, 1)
    gaps = np.where(counts >= MIN_SEASONS, long_means - means, np.nan)
    # The forecast of the first half day is the network's alone.
    delay = season_length // 2
    num_ahead = -(-(horizon - delay) // season_length)
    weights = np.zeros((len(past), num_ahead))
    for ahead in range(1, min(num_ahead, means.shape[1] - MIN_SEASONS) + 1):
        weight = fit_weight(
            gaps[:, :-ahead], means[:, ahead:] - means[:, :-ahead], gaps[:, -1], PENALTY * ahead
        )
        # The weight of the last season ahead of which some gaps are known stays for those after it.
        has_gaps = counts[:, -1] - ahead >= MIN_SEASONS + 2
        weights[has_gaps, ahead - 1 :] = weight[has_gaps, None]
    weight = np.repeat(weights, season_length, axis=1)[:, : horizon - delay]
    return _make_reversion(np.pad(weight, ((0, 0), (delay, 0))), profile, 1, 0)


def revert_to_year(days: np.ndarray, steps_of_day: int, horizon: int) -> Reversion:
    """Return the reversion of day means, float64[window, day], to the level of the same days of earlier years."""
    num_ahead = -(-horizon // steps_of_day)
    days = np.pad(days, ((0, 0), (MAX_DAYS - days.shape[1], 0)), constant_values=np.nan)
    weights = np.zeros((len(days), num_ahead))
    smoothed = smooth_days(days)
    means = average_weeks(days)
    profile = average_years(smoothed, np.arange(MAX_DAYS, MAX_DAYS + num_ahead))
    if steps_of_day == 1:
        # The level of a year has no weekdays.
        profile += average_course(days, DAYS_OF_WEEK, num_ahead, np.inf) - average(days)
    compared = np.arange(MAX_DAYS - COMPARED_DAYS, MAX_DAYS)
    levels = average_years(smoothed, compared)
    newer = means[:, compared]
    # The forecast of the first week is the network's alone.
    for first in range(DAYS_OF_WEEK, num_ahead, DAYS_OF_WEEK):
        older = means[:, compared - min(first, COMPARED_DAYS)]
        newest_gap = average(profile[:, first - DAYS_OF_WEEK : first])[:, 0] - means[:, -1]
        weight = fit_weight(levels - older, newer - older, newest_gap, YEAR_PENALTY)
        weights[:, first : first + DAYS_OF_WEEK] = weight[:, None]
    weights = np.where(count_known(days) >= MIN_DAYS, weights, 0)
    weight, profile = (
        np.repeat(part, steps_of_day, axis=1)[:, :horizon] for part in (weights, profile)
    )
    return _make_reversion(weight, profile, steps_of_day, NARROWING)


def fit_weight(
    gaps: np.ndarray, changes: np.ndarray, newest_gap: np.ndarray, penalty: float
) -> np.ndarray:
    """Return the slope of changes on gaps, float64[window, time], between 0 and 1; see the module: float64[window]."""
    is_known = ~np.isnan(gaps + changes)
    gaps = np.where(is_known, gaps, 0)
    changes = np.where(is_known, changes, 0)
    scale = (gaps**2).sum(axis=1) + penalty * newest_gap**2
    slope = (gaps * changes).sum(axis=1) / np.where(scale > 0, scale, 1)
    return np.nan_to_num(np.clip(slope, 0, 1))


def average_seasons(past: np.ndarray, season_length: int) -> np.ndarray:
    """Return the means of whole seasons before the origin, NaN for one without all values: float64[window, season]."""
    number = past.shape[1] // season_length
    seasons = past[:, past.shape[1] - number * season_length :].reshape(
        len(past), number, season_length
    )
    means: np.ndarray = seasons.mean(axis=2)
    return means


def average_course(past: np.ndarray, length: int, horizon: int, half_life: float) -> np.ndarray:
    """Return the weighted mean of the steps of earlier courses, NaN for a step without a value: float64[window, step].

    `length` is that of a course, and `half_life` the number of courses after which its weight is a half.
    """
    padded = np.pad(past, ((0, 0), (-past.shape[1] % length, 0)), constant_values=np.nan)
    courses = padded.reshape(len(past), -1, length)
    ages = np.arange(courses.shape[1])[::-1, None]
    weights = 0.5 ** (ages / half_life) * ~np.isnan(courses)
    total = weights.sum(axis=1)
    means = np.where(
        total > 0,
        (weights * np.nan_to_num(courses)).sum(axis=1) / np.where(total > 0, total, 1),
        np.nan,
    )
    return means[:, np.arange(horizon) % length]


def average_years(smoothed: np.ndarray, places: np.ndarray) -> np.ndarray:
    """Return the mean level of the same days of earlier years, NaN for none: float64[window, place]."""
    before = places - DAYS_OF_YEAR * np.arange(1, MAX_YEARS + 1)[:, None]
    # The running mean of the newest days does not know all of its days.
    is_past = (before >= 0) & (before < smoothed.shape[1] - DAYS_OF_WEEK)
    levels = np.where(is_past, smoothed[:, np.clip(before, 0, smoothed.shape[1] - 1)], np.nan)
    return average(levels.swapaxes(1, 2))[:, :, 0]


def average_weeks(days: np.ndarray) -> np.ndarray:
    """Return the mean of each day and the six before it, NaN if one is not known: float64[window, day]."""
    sums, counts = _sum_days(days, DAYS_OF_WEEK, 0)
    return np.where(counts == DAYS_OF_WEEK, sums / DAYS_OF_WEEK, np.nan)


def smooth_days(days: np.ndarray) -> np.ndarray:
    """Return the running mean around each day that is known, else NaN: float64[window, day]."""
    sums, counts = _sum_days(days, SMOOTHED_DAYS, SMOOTHED_DAYS // 2)
    return np.where(np.isnan(days), np.nan, sums / np.maximum(counts, 1))


def _sum_days(days: np.ndarray, number: int, num_later: int) -> tuple[np.ndarray, np.ndarray]:
    """Return sum and count of the known days among `number` days, the newest of them `num_later` days later."""
    padded = np.pad(days, ((0, 0), (number - num_later, num_later)), constant_values=np.nan)
    sums = np.cumsum(np.nan_to_num(padded), axis=1)
    counts = np.cumsum(~np.isnan(padded), axis=1)
    return sums[:, number:] - sums[:, :-number], counts[:, number:] - counts[:, :-number]


def count_known(values: np.ndarray) -> np.ndarray:
    """Return the number of known values of the last axis, which stays."""
    counts: np.ndarray = (~np.isnan(values)).sum(axis=-1, keepdims=True)
    return counts


def average(values: np.ndarray) -> np.ndarray:
    """Return the mean of the known values of the last axis, which stays, NaN for none."""
    counts = count_known(values)
    return np.where(
        counts > 0,
        np.nan_to_num(values).sum(axis=-1, keepdims=True) / np.maximum(counts, 1),
        np.nan,
    )


def _average_days(forecast: np.ndarray, num_steps: int) -> np.ndarray:
    """Return the mean of each step's day: float64[window, horizon]; that of the last day of its newest steps."""
    starts = np.arange(forecast.shape[1]) // num_steps * num_steps
    starts = np.minimum(starts, forecast.shape[1] - num_steps)
    sums = np.pad(np.cumsum(forecast, axis=1), ((0, 0), (1, 0)))
    means: np.ndarray = (sums[:, starts + num_steps] - sums[:, starts]) / num_steps
    return means


def _make_reversion(
    weight: np.ndarray, profile: np.ndarray, num_steps: int, narrowing: float
) -> Reversion:
    is_known = ~np.isnan(profile)
    return Reversion(
        np.where(is_known, weight, 0), np.where(is_known, profile, 0), num_steps, narrowing
    )
