"""The units in which a forecaster sees a window: those of its series, or those that the window itself has.

A value y becomes z = ((y − zero) / level − centre) / spread, with a logarithm of what stands in the inner brackets
where the frame says so. Everything is computed from the window's history, so that nothing has to be kept for it.
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

# series: those of the scaler. window: less the newest season's mean, over how much seasons differ. log: the logarithm
# of the ratio to the newest season's level, likewise; for series that are nowhere negative.
FrameKind = Literal["series", "window", "log"]
# Part of the level that a spread is never below, so that a window that repeats itself has one.
MIN_SPREAD_PART = 0.02
# Keeps the logarithm of a zero finite: 5 % of the level.
LOG_OFFSET = 0.05
# The spread that a window of logarithms is held against; others count by the square root of their ratio to it.
USUAL_LOG_SPREAD = 0.1


@dataclass(frozen=True)
class Units:
    """What brings values into the frame of each window and back; float64[window, 1] each.

    Attributes:
        zero, level, centre, spread: see the module.
        is_log: whether a logarithm is taken.
    """

    zero: np.ndarray
    level: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    is_log: bool

    def frame(self, values: np.ndarray) -> np.ndarray:
        """From float[window, step], scaled, to float64[window, step] in the frame."""
        ratios = (values - self.zero) / self.level
        shaped = np.log(np.maximum(ratios, 0.0) + LOG_OFFSET) if self.is_log else ratios
        return (shaped - self.centre) / self.spread

    def unframe(self, values: np.ndarray) -> np.ndarray:
        """The inverse of `frame`."""
        shaped = values * self.spread + self.centre
        return (np.exp(shaped) - LOG_OFFSET if self.is_log else shaped) * self.level + self.zero


def measure_units(kind: FrameKind, history: np.ndarray, zeros: np.ndarray, season_length: int) -> Units:
    """Finds the units of each window.

    Args:
        kind: of the frame.
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
    logs = Units(zero, level, nothing, ones, is_log=True).frame(history)
    change = _measure_change(logs, season)
    spread = np.sqrt((change + MIN_SPREAD_PART) / (USUAL_LOG_SPREAD + MIN_SPREAD_PART))
    return Units(zero, level, logs[:, -season:].mean(axis=1, keepdims=True), spread, is_log=True)


def _measure_change(values: np.ndarray, season: int) -> np.ndarray:
    """Mean absolute difference to the season before; float64[window, 1]. 0 for a window of one step."""
    if values.shape[1] <= season:
        return np.zeros((len(values), 1))
    return np.abs(values[:, season:] - values[:, :-season]).mean(axis=1, keepdims=True)
