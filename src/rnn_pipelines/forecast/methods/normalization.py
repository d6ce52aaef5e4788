"""Normalisation of windows: by the scale of their series, or by their own level and spread.

A value y becomes z = ((y − zero) / level − centre) / spread, with a logarithm of the inner brackets for `log`.
Everything is computed from the window's history, so that nothing has to be stored for it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

# series: that of the scaler alone. window: less the newest season's mean, over the mean change between seasons. log:
# the same of the logarithm of the ratio to the newest season's level; for series without negative values.
NormalizationKind = Literal["series", "window", "log"]
# A spread is at least this part of the level, so that a constant window has one.
MIN_SPREAD_PART = 0.02
# Keeps the logarithm of a zero finite: 5 % of the level.
LOG_OFFSET = 0.05
# Reference spread of a window of logarithms; a window counts by the square root of its ratio to it.
USUAL_LOG_SPREAD = 0.1


@dataclass(frozen=True)
class Units:
    """Normalise values and bring them back, window by window; float64[window, 1] each.

    Attributes:
        zero, level, centre, spread: see the module.
        is_log: whether a logarithm is taken.
    """

    zero: np.ndarray
    level: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    is_log: bool

    def normalize(self, values: np.ndarray) -> np.ndarray:
        """From float[window, step], scaled, to float64[window, step], normalised."""
        ratios = (values - self.zero) / self.level
        shaped = np.log(np.maximum(ratios, 0.0) + LOG_OFFSET) if self.is_log else ratios
        return (shaped - self.centre) / self.spread

    def denormalize(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `normalize`."""
        shaped = values * self.spread + self.centre
        return (np.exp(shaped) - LOG_OFFSET if self.is_log else shaped) * self.level + self.zero

    def select(self, rows: np.ndarray) -> "Units":
        """Return the units of some windows."""
        return Units(self.zero[rows], self.level[rows], self.centre[rows], self.spread[rows], self.is_log)


def measure_units(kind: NormalizationKind, history: np.ndarray, zeros: np.ndarray, season_length: int) -> Units:
    """Find the units of each window.

    Args:
        kind: of the normalisation.
        history: float[window, lookback], scaled.
        zeros: float[window], where 0 of the data lies on the scaled axis.
        season_length: steps in a season; where the window doesn't hold two of them, its steps are taken for seasons.
    """
    ones = np.ones((len(history), 1))
    nothing = np.zeros_like(ones)
    if kind == "series":
        return Units(nothing, ones, nothing, ones, is_log=False)
    season = season_length if history.shape[1] >= 2 * season_length else 1
    history, zero = history.astype(np.float64), zeros[:, None].astype(np.float64)
    if kind == "window":
        centre = history[:, -season:].mean(axis=1, keepdims=True)
        level = np.abs(history - zero).mean(axis=1, keepdims=True)
        spread = _measure_change(history, season) + MIN_SPREAD_PART * level
        return Units(nothing, ones, centre, np.where(spread > 0, spread, 1.0), is_log=False)
    level = np.abs(history[:, -season:] - zero).mean(axis=1, keepdims=True)
    level = np.where(level > 0, level, 1.0)
    logs = Units(zero, level, nothing, ones, is_log=True).normalize(history)
    change = _measure_change(logs, season)
    spread = np.sqrt((change + MIN_SPREAD_PART) / (USUAL_LOG_SPREAD + MIN_SPREAD_PART))
    return Units(zero, level, logs[:, -season:].mean(axis=1, keepdims=True), spread, is_log=True)


def _measure_change(values: np.ndarray, season: int) -> np.ndarray:
    """Mean absolute difference to the season before; float64[window, 1]. 0 for a window of one step."""
    if values.shape[1] <= season:
        return np.zeros((len(values), 1))
    return np.abs(values[:, season:] - values[:, :-season]).mean(axis=1, keepdims=True)
