"""The columns of the predictors of linear models: seasons and calendar cycles for which the series are long enough."""

from dataclasses import dataclass, replace
from itertools import pairwise

import numpy as np

from rnn_pipelines.forecast.methods.normalization import NormalizationKind
from rnn_pipelines.forecast.methods.predictors import Normalizer, list_covariate_inputs
from rnn_pipelines.forecast.series.columns import CovariateInputs
from rnn_pipelines.forecast.times.frequency import LONG_SEASONS
from rnn_pipelines.forecast.windows.panel import WindowedPanel

# Crossings of the middle in two and in four cycles of a calendar feature.
TWICE, FOUR_TIMES = 4, 8
# The folds choose one of these numbers of harmonics, or all that the steps allow, for cycles that occur four times.
NUM_HARMONICS = (1, 3, 10)
# Fewest steps of a harmonic: more than two, because the length of a cycle is only estimated.
MIN_STEPS = 2.2


@dataclass(frozen=True)
class Layout:
    """The columns of the predictors, in the order of `NormalizedWindows`."""

    normalizer: Normalizer  # the normalisation and the predictors
    lookback: int
    horizon: int
    covariates: CovariateInputs  # the predictors that are covariates
    max_harmonic: int = 1  # harmonics above this number are not inputs

    @property
    def num_predictors(self) -> int:
        num_seasonal = self.horizon * self.num_seasons
        return (
            self.lookback + num_seasonal + len(self.covariates.columns) + self.normalizer.num_free
        )

    @property
    def has_future(self) -> bool:
        """Whether covariates are known ahead."""
        return bool(self.covariates.are_ahead.any())

    @property
    def num_free(self) -> int:
        """The number of inputs without a penalty, which come last: the calendar and the constant."""
        return int(self._are_read.sum())

    @property
    def _are_read(self) -> np.ndarray:
        """Whether calendar features, harmonics and the constant are inputs: bool[free]."""
        numbers = np.tile(self.normalizer.harmonics[:, 1], 2)
        return np.concatenate([self.normalizer.calendar >= 0, numbers <= self.max_harmonic, [True]])

    def list_choices(self) -> list["Layout"]:
        """Return the layouts with each number of harmonics, the smallest first."""
        most = self.normalizer.harmonics[:, 1].max(initial=1)
        return [
            replace(self, max_harmonic=number)
            for fewer, number in pairwise((0, *NUM_HARMONICS))
            if fewer < most
        ]

    @property
    def num_seasons(self) -> int:
        return len(self.normalizer.seasons)

    def pick(self, place: int, width: int = 1) -> np.ndarray:
        """Return the matrix that selects some predictors: float64[predictor, width]."""
        return np.eye(self.num_predictors)[:, place : place + width]

    def pick_free(self) -> np.ndarray:
        """Return the matrix that selects calendar and constant: float64[predictor, num_free]."""
        free = self.normalizer.num_free
        return self.pick(self.num_predictors - free, free)[:, self._are_read]

    def pick_season(self, number: int) -> np.ndarray:
        return self.pick(self.lookback + number * self.horizon, self.horizon)

    def list_future(self) -> list[np.ndarray]:
        """Return the matrix of each covariate that is known ahead, which selects its value at each of its steps."""
        columns, steps = self.covariates
        are_ahead = self.covariates.are_ahead
        groups = [are_ahead & (columns == one) for one in np.unique(columns[are_ahead])]
        return [self.pick_covariates(own) @ np.eye(self.horizon)[steps[own]] for own in groups]

    def pick_covariates(self, is_wanted: np.ndarray) -> np.ndarray:
        """Return the matrix that selects some of the covariates, bool[input]: float64[predictor, wanted]."""
        first = self.lookback + self.horizon * self.num_seasons
        return self.pick(first, len(is_wanted))[:, is_wanted]

    def average(self, begin: int, stop: int) -> np.ndarray:
        """Return the matrix of the mean of some steps of the window: float64[predictor, horizon]."""
        column = np.zeros((self.num_predictors, 1))
        column[begin:stop] = 1 / (stop - begin)
        return np.repeat(column, self.horizon, axis=1)


def find_layout(panel: WindowedPanel, fitted: np.ndarray, kind: NormalizationKind) -> Layout:
    """Return the predictors of a panel: seasons for which it is long enough, and calendar cycles that occur twice.

    `fitted` are the origins of the training windows.
    """
    season = panel.season_length if panel.season_length > 1 else 0
    long_season = LONG_SEASONS.get(season, 0)
    lengths = np.diff(np.append(panel.series_starts, len(panel.values)))
    # Of the series with the longest past, because the calendar starts again with each series.
    owners = panel.find_series(fitted)
    begins = panel.series_starts[owners]
    longest = int(np.argmax(fitted - begins)) if len(fitted) else 0
    begin, stop = (begins[longest], fitted[longest] + 1) if len(fitted) else (0, 0)
    num_crossings = count_crossings(panel.values[begin:stop, panel.columns.calendar])
    normalizer = Normalizer(
        kind=kind,
        season=season,
        long_season=long_season if np.median(lengths) >= 3 * long_season else 0,
        calendar=find_features(num_crossings >= TWICE),
        harmonics=_list_harmonics(num_crossings, int(stop - begin), panel.open_calendar),
    )
    return make_layout(panel, normalizer)


def make_layout(panel: WindowedPanel, normalizer: Normalizer) -> Layout:
    """Return the predictors of a panel with a given normalisation."""
    return Layout(normalizer, panel.lookback, panel.horizon, list_covariate_inputs(panel))


def _list_harmonics(
    num_crossings: np.ndarray, num_steps: int, open_calendar: np.ndarray
) -> np.ndarray:
    """Return the harmonics of the cycles that occur four times and have enough steps: see `Normalizer`."""
    cycles = [
        (sine, num_crossings[sine // 2])
        for sine in open_calendar
        if num_crossings[sine // 2] >= FOUR_TIMES
    ]
    numbers = [
        (sine, harmonic)
        for sine, crossings in cycles
        for harmonic in range(2, NUM_HARMONICS[-1] + 1)
        if MIN_STEPS * harmonic < 2 * num_steps / crossings
    ]
    return np.array(numbers, np.int64).reshape(-1, 2)


def find_features(is_wanted: np.ndarray) -> np.ndarray:
    """Return the numbers of sine and cosine of each wanted pair: int64[feature] of bool[pair]."""
    return np.flatnonzero(np.repeat(is_wanted, 2))


def count_crossings(values: np.ndarray) -> np.ndarray:
    """Count how often a pair of sine and cosine crosses the middle, twice per cycle of a harmonic: int64[pair].

    It is the larger number of both, so that no sine is used without its cosine.
    """
    if not len(values):
        return np.zeros(values.shape[1] // 2, np.int64)
    is_above = values > (values.max(axis=0) + values.min(axis=0)) / 2
    counts: np.ndarray = (
        np.count_nonzero(is_above[1:] != is_above[:-1], axis=0).reshape(-1, 2).max(axis=1)
    )
    return counts
