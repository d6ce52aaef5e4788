"""Contributions of each input to the forecast of one window."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from rnn_pipelines.forecast.methods.normalization import Units

# For smaller normalised differences from the baseline, the slope of the denormalisation is used.
SMALLEST_DIFFERENCE = 1e-6


@dataclass(frozen=True)
class Contributions:
    """The contributions to one forecast, which sum to it. Arrays are float64, scaled or normalised."""

    lags: np.ndarray  # int64[lag], steps before the origin, from 1; a lag may occur twice
    values: np.ndarray  # float64[lag, horizon], for each past value
    covariates: np.ndarray  # float64[covariate, horizon]: static, future and past ones
    # `calendar` and `baseline`: float64[horizon].
    calendar: np.ndarray
    baseline: np.ndarray
    # float64[horizon] by the name of a method whose forecast is not broken down.
    whole: Mapping[str, np.ndarray] = field(default_factory=dict)

    @property
    def forecast(self) -> np.ndarray:
        """The sum, float64[horizon]."""
        parts = [self.calendar, self.baseline, *self.whole.values()]
        total: np.ndarray = (
            self.values.sum(axis=0) + self.covariates.sum(axis=0) + np.sum(parts, axis=0)
        )
        return total

    def denormalize(self, units: Units) -> "Contributions":
        """Return normalised contributions to one window as scaled ones.

        Each is multiplied by the mean slope of the denormalisation between baseline and forecast, which is constant
        unless the normalisation takes logarithms.
        """
        difference = self.forecast - self.baseline
        difference = np.where(
            np.abs(difference) < SMALLEST_DIFFERENCE, SMALLEST_DIFFERENCE, difference
        )
        there, here = (
            units.denormalize(one[None])[0] for one in (self.baseline + difference, self.baseline)
        )
        slope = (there - here) / difference
        whole = {name: slope * values for name, values in self.whole.items()}
        parts = self.values * slope, self.covariates * slope, self.calendar * slope
        return Contributions(self.lags, *parts, here, whole)


def add_weighted(weighted: Sequence[tuple[float, Contributions]]) -> Contributions:
    """Return the weighted sum of the contributions of several methods to the forecast of one window."""
    whole: dict[str, np.ndarray] = {}
    for weight, one in weighted:
        for name, values in one.whole.items():
            whole[name] = whole.get(name, 0.0) + weight * values
    lags = np.concatenate([one.lags for _, one in weighted])
    values = np.concatenate([weight * one.values for weight, one in weighted])
    names = ("covariates", "calendar", "baseline")
    sums = {
        part: np.sum([weight * getattr(one, part) for weight, one in weighted], axis=0)
        for part in names
    }
    return Contributions(lags, values, whole=whole, **sums)
