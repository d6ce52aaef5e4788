"""Contributions of each input to the forecast of one window, in normalised units."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np


@dataclass(frozen=True)
class Contributions:
    """The contributions to one forecast, which sum to it. Arrays are float64 and normalised unless noted.

    Attributes:
        lags: int64[lag], steps before the origin, from 1; a lag may occur twice.
        values: float64[lag, horizon], for each past value.
        covariates: float64[covariate, horizon]: static, future and past ones.
        calendar, baseline: float64[horizon].
        whole: float64[horizon] by the name of a method whose forecast is not broken down.
    """

    lags: np.ndarray
    values: np.ndarray
    covariates: np.ndarray
    calendar: np.ndarray
    baseline: np.ndarray
    whole: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def forecast(self) -> np.ndarray:
        """The sum, float64[horizon]."""
        parts = [self.calendar, self.baseline, *self.whole.values()]
        total: np.ndarray = self.values.sum(axis=0) + self.covariates.sum(axis=0) + np.sum(parts, axis=0)
        return total


def make_whole(name: str, forecast: np.ndarray, num_covariates: int) -> Contributions:
    """Return the contributions of a method that is not broken down.

    Args:
        name: of the method.
        forecast: float64[horizon].
        num_covariates: of the panel.
    """
    horizon = len(forecast)
    nothing = np.zeros(horizon)
    none = np.zeros((num_covariates, horizon))
    return Contributions(np.zeros(0, np.int64), np.zeros((0, horizon)), none, nothing, nothing, {name: forecast})


def add_weighted(weighted: Sequence[tuple[float, Contributions]]) -> Contributions:
    """Return the weighted sum of the contributions of several methods to the forecast of one window.

    Args:
        weighted: weight and contributions of each method.
    """
    whole: dict[str, np.ndarray] = {}
    for weight, one in weighted:
        for name, values in one.whole.items():
            whole[name] = whole.get(name, 0.0) + weight * values
    sums = {
        part: np.sum([weight * getattr(one, part) for weight, one in weighted], axis=0)
        for part in ("covariates", "calendar", "baseline")
    }
    return Contributions(
        lags=np.concatenate([one.lags for _, one in weighted]),
        values=np.concatenate([weight * one.values for weight, one in weighted]),
        whole=whole,
        **sums,
    )
