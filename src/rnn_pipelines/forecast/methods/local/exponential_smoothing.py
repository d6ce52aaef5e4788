"""Local methods of exponential smoothing, fitted at each origin: a level, a damped trend, damped Holt-Winters.

    e = x − (level + φ trend + season)
    level ← level + φ trend + α e,   trend ← φ trend + α β e,   season ← season + γ (1 − α) e
    x̂ₕ = level + trend (φ + φ² + … + φʰ) + season

The parameters are those of a grid with the least squared error one step ahead, over all values of the series.

Source: Gardner & McKenzie (1985), doi:10.1287/mnsc.31.10.1237; Hyndman et al. (2008), doi:10.1007/978-3-540-71918-2,
    table 2.1, models (A,N,N), (A,Ad,N) and (A,Ad,A).
"""

from collections.abc import Iterator
from functools import partial
from itertools import product
from typing import NamedTuple

import numpy as np

from rnn_pipelines.forecast.methods.local.season import average_phases, average_season, find_season

# Columns α, β, φ and γ.
LEVELS = np.array([(alpha, 0.0, 1.0, 0.0) for alpha in (0.01, 0.05, 0.1, 0.2, 0.35, 0.5, 0.7, 0.9)])
TRENDS = np.array(
    [
        (alpha, beta, damping, 0.0)
        for alpha, beta, damping in product(
            (0.05, 0.15, 0.3, 0.5, 0.7, 0.95), (0.0, 0.03, 0.1, 0.3), (0.8, 0.9, 0.98)
        )
        if beta > 0 or damping == 0.9  # without a trend, its damping has no effect
    ]
)
SEASONS = np.array(
    [
        (alpha, beta, 0.95, gamma)
        for alpha, beta, gamma in product(
            (0.03, 0.1, 0.25, 0.5, 0.8), (0.0, 0.02, 0.1), (0.02, 0.1, 0.3)
        )
    ]
)
# The numbers of first values whose mean is the initial level.
FIRST_OF_LEVEL, FIRST_OF_TREND = 10, 4
# Holt-Winters smooths logarithms of windows whose smallest value is above this part of their mean.
MIN_PART = 0.05


class _State(NamedTuple):
    """The state after the newest value: float64[window], and float64[window, season] for the season."""

    level: np.ndarray
    trend: np.ndarray
    damping: np.ndarray
    season: np.ndarray

    def extend(self, horizon: int) -> np.ndarray:
        """Return the forecasts: float64[window, horizon]."""
        steps = np.arange(horizon)
        growth = np.cumsum(self.damping[:, None] ** (steps + 1), axis=1)
        season: np.ndarray = self.season[:, steps % self.season.shape[1]]
        return self.level[:, None] + self.trend[:, None] * growth + season


class _Smoothed(NamedTuple):
    """The states of all parameters: float64[parameters, window] each, and float64[season, parameters, window]."""

    losses: np.ndarray
    level: np.ndarray
    trend: np.ndarray
    season: np.ndarray

    def choose(self, grid: np.ndarray) -> _State:
        """Return the state of the parameters with the least error of each window."""
        best = np.argmin(self.losses, axis=0)
        window = np.arange(self.losses.shape[1])
        return _State(
            self.level[best, window],
            self.trend[best, window],
            grid[best, 2],
            self.season[:, best, window].T,
        )


def _extend_deseasonalised(
    past: np.ndarray, season_length: int, horizon: int, grid: np.ndarray, number: int
) -> np.ndarray:
    """Continue deseasonalised values with the best parameters of a grid; see `LocalForecast`.

    The initial level is the mean of a number of first values.
    """
    season = find_season(past, season_length)
    values = season.remove(past)
    state = _smooth(values, grid, _average_first(values, number), np.zeros((len(past), 1)))
    return season.add(state.extend(horizon))


# Simple exponential smoothing, and Holt's method with a damped trend.
extend_by_level = partial(_extend_deseasonalised, grid=LEVELS, number=FIRST_OF_LEVEL)
extend_by_damped_trend = partial(_extend_deseasonalised, grid=TRENDS, number=FIRST_OF_TREND)


def extend_by_holt_winters(past: np.ndarray, season_length: int, horizon: int) -> np.ndarray:
    """Continue series by Holt-Winters with a damped trend; see `LocalForecast`.

    The forecast is at most one range above the largest value. Windows without two seasons have a damped trend alone.
    """
    if season_length == 1 or past.shape[1] < 2 * season_length:
        return extend_by_damped_trend(past, season_length, horizon)
    is_there = ~np.isnan(past)
    largest = np.nanmax(past, axis=1)
    smallest = np.nanmin(past, axis=1)
    is_log = (smallest > MIN_PART * np.nanmean(past, axis=1))[:, None]
    values = np.where(is_log, np.log(np.where(is_there & (past > 0), past, 1.0)), past)
    values = np.where(is_there, values, np.nan)
    means, edge = average_season(values, season_length)
    phases = average_phases(values[:, edge : past.shape[1] - edge] - means, edge, season_length)
    phases = np.where(np.isfinite(phases).all(axis=1, keepdims=True), phases, 0.0)
    phases = phases - phases.mean(axis=1, keepdims=True)
    level = _average_first(
        values - phases[:, np.arange(-past.shape[1], 0) % season_length], season_length
    )
    ahead = _smooth(values, SEASONS, level, phases).extend(horizon)
    cap = np.where(
        is_log[:, 0],
        np.log(np.where(largest > 0, 2 * largest - smallest, 1.0)),
        2 * largest - smallest,
    )
    ahead = np.minimum(ahead, cap[:, None])
    ahead = np.where(is_log, np.exp(np.where(is_log, ahead, 0.0)), ahead)
    is_short = is_there.sum(axis=1) < 2 * season_length + 2
    if is_short.any():
        ahead[is_short] = extend_by_damped_trend(past[is_short], season_length, horizon)
    return ahead


def _trace(past: np.ndarray, horizon: int, num_origins: int, grid: np.ndarray) -> np.ndarray:
    """Return the forecasts by the best parameters of a grid after each of the newest values; see `Trace`."""
    num_steps = past.shape[1]
    level = _average_first(past, FIRST_OF_TREND)
    states = _iterate_states(past, grid, level, np.zeros((len(past), 1)))
    newest = (smoothed for step, smoothed in enumerate(states) if step >= num_steps - num_origins)
    return np.stack([smoothed.choose(grid).extend(horizon) for smoothed in newest], axis=1)


# A level, and a trend with damping.
trace_level = partial(_trace, grid=LEVELS)
trace_damped_trend = partial(_trace, grid=TRENDS)


def _average_first(past: np.ndarray, number: int) -> np.ndarray:
    """Return the mean of the first values of each window: float64[window]."""
    is_first = np.cumsum(~np.isnan(past), axis=1) <= number
    first: np.ndarray = np.nanmean(np.where(is_first, past, np.nan), axis=1)
    return first


def _smooth(
    past: np.ndarray, grid: np.ndarray, first_level: np.ndarray, first_season: np.ndarray
) -> _State:
    """Smooth each window with all parameters of a grid, and return the state of the best ones after its last value."""
    *_, smoothed = _iterate_states(past, grid, first_level, first_season)
    return smoothed.choose(grid)


def _iterate_states(
    past: np.ndarray, grid: np.ndarray, first_level: np.ndarray, first_season: np.ndarray
) -> Iterator[_Smoothed]:
    """Smooth each window with all parameters of a grid; yield the same arrays after each step.

    The past is NaN before the first value. The first level is float64[window], the first season is
    float64[window, season], and the first trend is 0.
    """
    length = past.shape[1]
    alpha, beta, damping, gamma = grid.T[:, :, None]
    has_trend = bool(beta.any())
    has_season = bool(first_season.any() or gamma.any())
    trend_rate = alpha * beta
    season_rate = gamma * (1 - alpha)
    level = np.repeat(first_level[None], len(grid), axis=0)
    trend, losses, error, product = (np.zeros_like(level) for _ in range(4))
    season = np.repeat(first_season.T[:, None], len(grid), axis=1)
    is_there = ~np.isnan(past.T)
    values = np.ascontiguousarray(np.nan_to_num(past.T))
    is_whole = is_there.all(axis=1)
    smoothed = _Smoothed(losses, level, trend, season)
    # In place, because new arrays in each step take as long as the arithmetic.
    for step in range(length):
        phase = season[(step - length) % len(season)]
        if has_trend:
            trend *= damping
            level += trend
        np.subtract(values[step], level, out=error)
        if has_season:
            error -= phase
        if not is_whole[step]:
            # Before the first value there is no error.
            error[:, ~is_there[step]] = 0.0
        losses += np.multiply(error, error, out=product)
        level += np.multiply(alpha, error, out=product)
        if has_trend:
            trend += np.multiply(trend_rate, error, out=product)
        if has_season:
            phase += np.multiply(season_rate, error, out=product)
        yield smoothed
