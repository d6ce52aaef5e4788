"""The normalised predictors of linear models, covariates included, and their columns."""

from dataclasses import dataclass

import numpy as np

from rnn_pipelines.forecast.methods.normalization import NormalizationKind, Units, measure_units
from rnn_pipelines.forecast.series.windows import (
    WindowedPanel,
    find_history,
    gather_history,
    gather_targets,
    number_series,
)

# The longer season of hours, days and minutes: a week, a year, a week.
LONG_SEASONS = {24: 168, 7: 365, 1440: 10080}
# Crossings of the middle in two cycles of a calendar feature.
TWICE = 4
# The number of lags of all covariates together.
MAX_LAGGED = 60
# Normalised targets and covariates are clipped to this before a fit.
MAX_NORMALIZED = 30.0


@dataclass(frozen=True)
class Normalizer:
    """The normalisation of windows, and their seasons and calendar features that are predictors.

    Attributes:
        kind: of the normalisation, see `normalization`.
        season, long_season: steps; 0 for no season.
        calendar: int64[feature], numbers of the calendar features.
        is_non_negative: whether forecasts are cut at 0.
    """

    kind: NormalizationKind
    season: int
    long_season: int
    calendar: np.ndarray
    is_non_negative: bool = False

    def cut(self, panel: WindowedPanel, origins: np.ndarray, forecasts: np.ndarray) -> np.ndarray:
        """Return scaled forecasts, float[window, horizon], of these origins, cut at the zero of the series."""
        if not self.is_non_negative:
            return forecasts
        zeros = panel.zeros[number_series(panel.series_starts, origins)][:, None]
        return np.maximum(forecasts, zeros)


@dataclass(frozen=True)
class NormalizedWindows:
    """Normalised windows.

    Attributes:
        predictors: float64[window, predictor]: history; values of the season, and of the long season, at each step;
            covariates, see `gather_covariates`; calendar features at the first step; 1.
        history: float64[window, lookback], a part of the predictors.
        units: to return to the scaled series.
        normalizer: of the windows.
    """

    predictors: np.ndarray
    history: np.ndarray
    units: Units
    normalizer: Normalizer

    def select(self, rows: np.ndarray) -> "NormalizedWindows":
        """Return some of the windows: int64[row] or bool[window]."""
        return NormalizedWindows(self.predictors[rows], self.history[rows], self.units.select(rows), self.normalizer)


def normalize_windows(panel: WindowedPanel, normalizer: Normalizer, origins: np.ndarray) -> NormalizedWindows:
    """Return the normalised windows at some origins.

    Args:
        panel: the windows' series.
        normalizer: the normalisation and the predictors.
        origins: int64[window].
    """
    history = gather_history(panel, origins)
    units = measure_units(
        normalizer.kind, history, panel.zeros[number_series(panel.series_starts, origins)], panel.season_length
    )
    normalized = units.normalize(history)
    lengths = (length for length in (normalizer.season, normalizer.long_season) if length)
    seasons = [units.normalize(gather_season(panel, origins, length)) for length in lengths]
    calendar = panel.values[origins, panel.calendar].astype(np.float64)[:, normalizer.calendar]
    covariates = gather_covariates(panel, origins, units.spread)
    parts = [normalized, *seasons, covariates, calendar, np.ones((len(origins), 1))]
    return NormalizedWindows(np.concatenate(parts, axis=1), normalized, units, normalizer)


def normalize_targets(panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray) -> np.ndarray:
    """Return the actual values over the horizon, normalised: float64[window, horizon]."""
    return windows.units.normalize(gather_targets(panel, origins))


def gather_season(panel: WindowedPanel, origins: np.ndarray, season_length: int) -> np.ndarray:
    """Return the newest value of the same season for each step; the last value if the series is too short.

    Args:
        panel: the windows' series.
        origins: int64[window].
        season_length: steps in a season; 1 for the last value.
    Returns:
        float32[window, horizon], scaled.
    """
    steps = np.arange(panel.horizon)
    rows = origins[:, None] + steps - season_length * (steps // season_length + 1)
    starts = panel.series_starts[number_series(panel.series_starts, origins)]
    last = panel.values[origins - 1, 0][:, None]
    values = np.where(rows >= starts[:, None], panel.values[np.maximum(rows, 0), 0], np.nan)
    return np.where(np.isnan(values), last, values)


def count_lags(panel: WindowedPanel) -> int:
    """Return the number of lags of each time-varying covariate: the lookback, or fewer with many covariates."""
    num_time_varying = panel.num_future + panel.num_past
    return min(panel.lookback, max(1, MAX_LAGGED // num_time_varying)) if num_time_varying else 0


def count_predictors(panel: WindowedPanel) -> tuple[int, int]:
    """Return the number of predictors of future covariates over the horizon, and of all other covariate predictors."""
    num_lagged = (panel.num_future + panel.num_past) * count_lags(panel)
    return panel.num_future * panel.horizon, num_lagged + panel.num_static


def gather_covariates(panel: WindowedPanel, origins: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return the covariates at some origins as predictors. Past covariates are read up to the origin.

    Args:
        panel: the windows' series.
        origins: int64[window].
        spread: float64[window, 1], see `normalize_time_varying`.
    Returns:
        float64[window, predictor]: future covariates at all steps of the horizon, time-varying ones at the newest steps
        of the window, static ones.
    """
    future = gather_future(panel, origins, spread)
    rows = find_history(panel, origins)[:, panel.lookback - count_lags(panel) :]
    lagged = _lay_out(normalize_time_varying(panel.values[rows][:, :, panel.time_varying], spread))
    static = panel.values[origins - 1][:, panel.static]
    return np.concatenate([future, lagged, static], axis=1, dtype=np.float64)


def gather_future(panel: WindowedPanel, origins: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Return future covariates, normalised, each at all steps of the horizon: float64[window, future · horizon]."""
    rows = origins[:, None] + np.arange(panel.horizon)
    return _lay_out(normalize_time_varying(panel.values[rows][:, :, panel.future_covariates], spread))


def normalize_time_varying(values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Normalise covariates by the spread of the window, which also normalises the target.

    Args:
        values: float32[window, step, covariate].
        spread: float64[window, 1], see `Units`.
    """
    normalized: np.ndarray = np.clip(values / spread[:, :, None], -MAX_NORMALIZED, MAX_NORMALIZED)
    return normalized


def _lay_out(values: np.ndarray) -> np.ndarray:
    """Return float64[window, covariate · step] of float64[window, step, covariate]."""
    num_windows, num_steps, num_covariates = values.shape
    return values.transpose(0, 2, 1).reshape(num_windows, num_covariates * num_steps)


@dataclass(frozen=True)
class Layout:
    """The columns of the predictors, in the order of `NormalizedWindows`."""

    normalizer: Normalizer
    lookback: int
    horizon: int
    num_future: int
    num_others: int

    @property
    def num_predictors(self) -> int:
        return self.first_covariate + self.num_future + self.num_others + self.num_free

    @property
    def first_covariate(self) -> int:
        return self.lookback + self.horizon * self.num_seasons

    @property
    def num_free(self) -> int:
        """The number of predictors without a penalty, which come last: the calendar and the constant."""
        return len(self.normalizer.calendar) + 1

    @property
    def num_seasons(self) -> int:
        return (self.normalizer.season > 0) + (self.normalizer.long_season > 0)

    def pick(self, place: int, width: int = 1) -> np.ndarray:
        """Return the matrix that selects some predictors: float64[predictor, width]."""
        return np.eye(self.num_predictors)[:, place : place + width]

    def pick_season(self, number: int) -> np.ndarray:
        return self.pick(self.lookback + number * self.horizon, self.horizon)

    def list_future(self) -> list[np.ndarray]:
        """Return the matrix of each future covariate that selects its value at each step of the horizon."""
        places = range(self.first_covariate, self.first_covariate + self.num_future, self.horizon)
        return [self.pick(place, self.horizon) for place in places]

    def average(self, begin: int, stop: int) -> np.ndarray:
        """Return the matrix of the mean of some steps of the window: float64[predictor, horizon]."""
        column = np.zeros((self.num_predictors, 1))
        column[begin:stop] = 1 / (stop - begin)
        return np.repeat(column, self.horizon, axis=1)


def find_layout(panel: WindowedPanel, fitted: np.ndarray, kind: NormalizationKind) -> Layout:
    """Return the predictors of a panel: seasons for which it is long enough, and calendar cycles that occur twice.

    Args:
        panel: windows for training and validation.
        fitted: int64[window], origins of the training windows.
        kind: of the normalisation.
    """
    season = panel.season_length if panel.season_length > 1 else 0
    long_season = LONG_SEASONS.get(season, 0)
    lengths = np.diff(np.append(panel.series_starts, len(panel.values)))
    # Of the series with the longest past, because the calendar starts again with each series.
    owners = number_series(panel.series_starts, fitted)
    begins = panel.series_starts[owners]
    longest = int(np.argmax(fitted - begins)) if len(fitted) else 0
    begin, stop = (begins[longest], fitted[longest] + 1) if len(fitted) else (0, 0)
    num_crossings = count_crossings(panel.values[begin:stop, panel.calendar])
    num_future, num_others = count_predictors(panel)
    return Layout(
        normalizer=Normalizer(
            kind=kind,
            season=season,
            long_season=long_season if np.median(lengths) >= 3 * long_season else 0,
            calendar=np.flatnonzero(num_crossings >= TWICE),
        ),
        lookback=panel.lookback,
        horizon=panel.horizon,
        num_future=num_future,
        num_others=num_others,
    )


def count_crossings(values: np.ndarray) -> np.ndarray:
    """Count how often each feature crosses the middle of its range, twice per cycle of a harmonic: int64[feature].

    Args:
        values: float[time, feature].
    """
    if not len(values):
        return np.zeros(values.shape[1], np.int64)
    is_above = values > (values.max(axis=0) + values.min(axis=0)) / 2
    return np.count_nonzero(is_above[1:] != is_above[:-1], axis=0)
