"""Normalisation of windows: by the scale of their series, or by their own level and spread.

A value y becomes z = ((y − zero) / level − centre) / spread, with a logarithm of the inner brackets for `log`. All four
are computed from the window's history, so that nothing is stored. `window` and `log` are ours, in the place of the
deviation of reversible instance normalisation (Kim et al., 2022, ICLR).
"""

from dataclasses import dataclass
from typing import Literal

import numpy as np

# series: no further normalisation after the scaler. window: less the mean of the newest season, over the mean change
# between seasons. log: the same for the logarithm of the ratio to the level of the newest season. A window
# of a series with values below 0 has another zero, below all its values.
NormalizationKind = Literal["series", "window", "log"]
# A spread is at least this part of the level, so that a constant window has a positive spread.
MIN_SPREAD_PART = 0.02
# Keeps the logarithm of a zero finite: 5 % of the level.
LOG_OFFSET = 0.05
# Reference change of a window of logarithms. The spread of a window is the square root of its change over this one.
USUAL_LOG_SPREAD = 0.1


@dataclass(frozen=True)
class Units:
    """The normalisation of each window and its inverse; float64[window, 1] each."""

    # `zero`, `level`, `centre` and `spread`: see the module.
    zero: np.ndarray
    level: np.ndarray
    centre: np.ndarray
    spread: np.ndarray
    is_log: bool  # whether a logarithm is taken

    def normalize(self, values: np.ndarray) -> np.ndarray:
        """Normalise scaled values: float[window, step] to float64[window, step]."""
        ratios = (values - self.zero) / self.level
        shaped = np.log(np.maximum(ratios, 0.0) + LOG_OFFSET) if self.is_log else ratios
        return (shaped - self.centre) / self.spread

    def denormalize(self, values: np.ndarray) -> np.ndarray:
        """Invert `normalize`."""
        shaped = values * self.spread + self.centre
        return (np.exp(shaped) - LOG_OFFSET if self.is_log else shaped) * self.level + self.zero

    def select(self, rows: np.ndarray) -> "Units":
        """Return the units of some windows."""
        return Units(
            self.zero[rows], self.level[rows], self.centre[rows], self.spread[rows], self.is_log
        )


def measure_units(
    kind: NormalizationKind,
    history: np.ndarray,
    zeros: np.ndarray,
    season_length: int,
    is_negative: np.ndarray | None = None,
) -> Units:
    """Compute the units of each window, float[window, lookback], scaled.

    `zeros`, float[window], are the scaled values of 0, `is_negative`, bool[window], whether the series has values below
    0; None for no such series. A window shorter than two seasons has a season of 1.
    """
    ones = np.ones((len(history), 1))
    nothing = np.zeros_like(ones)
    if kind == "series":
        return Units(nothing, ones, nothing, ones, is_log=False)
    season = season_length if history.shape[1] >= 2 * season_length else 1
    history = history.astype(np.float64)
    zero = zeros[:, None].astype(np.float64)
    if kind == "window":
        centre = history[:, -season:].mean(axis=1, keepdims=True)
        level = np.abs(history - zero).mean(axis=1, keepdims=True)
        spread = measure_mean_change(history, season) + MIN_SPREAD_PART * level
        return Units(nothing, ones, centre, np.where(spread > 0, spread, 1.0), is_log=False)
    if is_negative is not None and is_negative.any():
        zero = np.where(is_negative[:, None], _find_lower_zero(history, zero, season), zero)
    level = np.abs(history[:, -season:] - zero).mean(axis=1, keepdims=True)
    level = np.where(level > 0, level, 1.0)
    logs = Units(zero, level, nothing, ones, is_log=True).normalize(history)
    change = measure_mean_change(logs, season)
    spread = np.sqrt((change + MIN_SPREAD_PART) / (USUAL_LOG_SPREAD + MIN_SPREAD_PART))
    return Units(zero, level, logs[:, -season:].mean(axis=1, keepdims=True), spread, is_log=True)


def _find_lower_zero(history: np.ndarray, zero: np.ndarray, season: int) -> np.ndarray:
    """Return a zero for logarithms of windows with values below 0: float64[window, 1].

    It is at least as far below the newest season as 0 is away from it, so that a series and the same one with the other
    sign have like units; as far as makes the change of the window usual; and below all values of the window.
    """
    newest = history[:, -season:]
    level = newest.mean(axis=1, keepdims=True)
    distance = np.abs(newest - zero).mean(axis=1, keepdims=True)
    usual = measure_mean_change(history, season) / USUAL_LOG_SPREAD
    return level - np.maximum(
        np.maximum(distance, usual), level - history.min(axis=1, keepdims=True)
    )


def measure_mean_change(values: np.ndarray, season: int) -> np.ndarray:
    """Return the mean absolute difference from the previous season: float64[window, 1]; 0 for a window of one step."""
    if values.shape[1] <= season:
        return np.zeros((len(values), 1))
    return np.abs(values[:, season:] - values[:, :-season]).mean(axis=1, keepdims=True)
