"""The season of each past series: classical decomposition, shrunk by its noise instead of tested.

    v = x / m, or v = x − m if a value is not positive,   m the centred mean of one season
    s = mean of v in each phase,   c = s − mean(s)
    σ² = variance of v around s,   κ = max(0, 1 − (σ² / n) / mean(c²)),   n the number of values of each phase
    factor = 1 + κ c,   or term = κ c

A season in pure noise is shrunk to nothing, and a clear one is kept, without a threshold between them.

Source: the positive-part shrinkage of James & Stein (1961), Proc. Fourth Berkeley Symposium 1, 361–379.
"""

from typing import NamedTuple

import numpy as np

# Smaller seasonal factors are rejected, because values are divided by them.
MIN_FACTOR = 0.01
# With fewer values of each phase, their noise cannot be measured around the phases' means.
MIN_VALUES_PER_PHASE = 1.5


class Season(NamedTuple):
    """A value is its factor times a value without the season, plus its term."""

    # `factors` and `terms`: float64[window, season]; the first step ahead has phase 0.
    factors: np.ndarray
    terms: np.ndarray

    def remove(self, past: np.ndarray) -> np.ndarray:
        """Return the values without the season: float64[window, time]."""
        phases = np.arange(-past.shape[1], 0) % self.factors.shape[1]
        removed: np.ndarray = (past - self.terms[:, phases]) / self.factors[:, phases]
        return removed

    def add(self, ahead: np.ndarray) -> np.ndarray:
        """Return forecasts with the season: float64[window, horizon]."""
        phases = np.arange(ahead.shape[1]) % self.factors.shape[1]
        added: np.ndarray = ahead * self.factors[:, phases] + self.terms[:, phases]
        return added


def find_season(past: np.ndarray, season_length: int) -> Season:
    """Return the season of each window, newest value last; none for windows shorter than two seasons."""
    factors = np.ones((len(past), season_length))
    terms = np.zeros((len(past), season_length))
    if season_length == 1 or past.shape[1] < 2 * season_length:
        return Season(factors, terms)
    means, edge = average_season(past, season_length)
    inner = past[:, edge : past.shape[1] - edge]
    has_seasons = (~np.isnan(past)).sum(axis=1) >= 2 * season_length
    differences = _shrink(inner - means, edge, season_length, _measure_noise(past))
    level = np.nanmean(past, axis=1)
    with np.errstate(divide="ignore", invalid="ignore"):
        parts = inner / np.where(means > 0, means, np.nan)
        ratios = _shrink(parts, edge, season_length, _measure_noise(past) / level**2)
    is_positive = ~(past <= 0).any(axis=1) & (np.nan_to_num(1 + ratios).min(axis=1) > MIN_FACTOR)
    with_factors = has_seasons & is_positive & np.isfinite(ratios).all(axis=1)
    with_terms = has_seasons & ~is_positive & np.isfinite(differences).all(axis=1)
    factors[with_factors] += ratios[with_factors]
    terms[with_terms] = differences[with_terms]
    return Season(factors, terms)


def average_season(values: np.ndarray, season_length: int) -> tuple[np.ndarray, int]:
    """Return the centred means over a season, float64[window, time - 2 · edge], and the edge without means."""
    weights = np.ones(season_length + (season_length % 2 == 0))
    weights[[0, -1]] = 1 if season_length % 2 else 0.5
    windows = np.lib.stride_tricks.sliding_window_view(values, len(weights), axis=1)
    return windows @ (weights / season_length), len(weights) // 2


def average_phases(values: np.ndarray, edge: int, season_length: int) -> np.ndarray:
    """Return the mean of each phase, float64[window, season], NaN for phases without a value.

    The newest value is `edge` steps before the end.
    """
    by_season = _lay_out_phases(values, edge, season_length)
    counts = (~np.isnan(by_season)).sum(axis=1)
    means: np.ndarray = np.nansum(by_season, axis=1) / np.where(counts > 0, counts, np.nan)
    return means


def _lay_out_phases(values: np.ndarray, edge: int, season_length: int) -> np.ndarray:
    """Return float64[window, number, season]; phase 0 is the first step ahead."""
    missing = -(values.shape[1] + edge) % season_length
    padded = np.pad(values, ((0, 0), (missing, edge)), constant_values=np.nan)
    return padded.reshape(len(values), -1, season_length)


def _measure_noise(past: np.ndarray) -> np.ndarray:
    """Return half the variance of the change from step to step: float64[window]."""
    changes = np.diff(past, axis=1)
    is_there = ~np.isnan(changes)
    counts = np.maximum(is_there.sum(axis=1), 1)
    centred = np.where(
        is_there, changes - np.nansum(changes, axis=1, keepdims=True) / counts[:, None], 0.0
    )
    noise: np.ndarray = (centred**2).sum(axis=1) / counts / 2
    return noise


def _shrink(
    values: np.ndarray, edge: int, season_length: int, noise_of_few: np.ndarray
) -> np.ndarray:
    """Return the shrunk deviation κ c of each phase, float64[window, season], of values less their season's mean.

    The noise of windows with about one value of each phase is `noise_of_few`, float64[window].
    """
    by_season = _lay_out_phases(values, edge, season_length)
    counts = (~np.isnan(by_season)).sum(axis=1)
    phases = average_phases(values, edge, season_length)
    residuals = np.where(np.isnan(by_season), 0.0, by_season - phases[:, None])
    total = counts.sum(axis=1)
    noise = (residuals**2).sum(axis=(1, 2)) / np.maximum(total - season_length, 1)
    noise = np.where(total < MIN_VALUES_PER_PHASE * season_length, noise_of_few, noise)
    centred = phases - phases.mean(axis=1, keepdims=True)
    signal = (centred**2).mean(axis=1)
    chance = noise / np.maximum(counts.mean(axis=1), 1) / np.where(signal > 0, signal, np.inf)
    shrunk: np.ndarray = np.clip(1 - chance, 0, 1)[:, None] * centred
    return shrunk
