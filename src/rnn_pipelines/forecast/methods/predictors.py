"""The normalised predictors of linear models, covariates included."""

from dataclasses import dataclass, field

import numpy as np

from rnn_pipelines.forecast.methods.normalization import NormalizationKind, Units, measure_units
from rnn_pipelines.forecast.methods.objective import NonNegative
from rnn_pipelines.forecast.methods.past import find_cut
from rnn_pipelines.forecast.series.columns import CovariateInputs
from rnn_pipelines.forecast.windows.panel import (
    WindowedPanel,
    find_history,
    find_negative,
    gather_targets,
)

# The number of lags of all covariates together.
MAX_LAGGED = 60
# Normalised targets and covariates are clipped to this before a fit.
MAX_NORMALIZED = 30.0


def list_no_harmonics() -> np.ndarray:
    """Return `Normalizer.harmonics` without any."""
    return np.zeros((0, 2), np.int64)


@dataclass(frozen=True)
class Normalizer:
    """The normalisation of windows, and their seasons and calendar features that are predictors."""

    kind: NormalizationKind  # of the normalisation, see `normalization`
    # `season` and `long_season`: steps; 0 for no season.
    season: int
    long_season: int
    calendar: np.ndarray  # int64[feature], numbers of the calendar features
    non_negative: NonNegative = "auto"  # whether forecasts are cut at 0, see `ObjectiveSpec`
    # int64[harmonic, 2], number of the sine of a cycle, which its cosine follows, and the harmonic, 2 or more.
    harmonics: np.ndarray = field(default_factory=list_no_harmonics)

    @property
    def seasons(self) -> list[int]:
        """The seasons that are predictors, in steps."""
        return [length for length in (self.season, self.long_season) if length]

    @property
    def num_free(self) -> int:
        """The number of calendar predictors and the constant."""
        return len(self.calendar) + 2 * len(self.harmonics) + 1

    def cut(self, panel: WindowedPanel, origins: np.ndarray, forecasts: np.ndarray) -> np.ndarray:
        """Return scaled forecasts, float[window, horizon], of these origins, cut at the zero of the series."""
        zeros = panel.find_zeros(origins)
        floors = np.where(find_cut(self.non_negative, panel, origins), zeros, np.float32(-np.inf))
        return np.maximum(forecasts, floors[:, None])


@dataclass(frozen=True)
class NormalizedWindows:
    """Normalised windows."""

    # float64[window, predictor]: history; values of the season, and of the long season, at each step; covariates, see
    # `list_covariate_inputs`; calendar features at the first step; sines and cosines of their harmonics; 1.
    predictors: np.ndarray
    history: np.ndarray  # float64[window, lookback], a part of the predictors
    units: Units  # to return to the scaled series
    normalizer: Normalizer  # of the windows

    def select(self, rows: np.ndarray) -> "NormalizedWindows":
        """Return some of the windows: int64[row] or bool[window]."""
        return NormalizedWindows(
            self.predictors[rows], self.history[rows], self.units.select(rows), self.normalizer
        )


def normalize_windows(
    panel: WindowedPanel, normalizer: Normalizer, origins: np.ndarray, has_predictors: bool = True
) -> NormalizedWindows:
    """Return the normalised windows at some origins, also with the predictors of linear models unless left out."""
    rows = find_history(panel, origins)
    history = panel.values[rows, 0]
    zeros = panel.find_zeros(origins)
    units = measure_units(
        normalizer.kind, history, zeros, panel.season_length, find_negative(panel, origins)
    )
    normalized = units.normalize(history)
    if not has_predictors:
        return NormalizedWindows(np.zeros((len(origins), 0)), normalized, units, normalizer)
    seasons = [
        units.normalize(gather_season(panel, origins, length)) for length in normalizer.seasons
    ]
    covariates = gather_covariate_inputs(panel, rows, list_covariate_inputs(panel), units.spread)
    calendar = panel.values[origins, panel.columns.calendar].astype(np.float64)
    free = [calendar[:, normalizer.calendar], *find_harmonics(calendar, normalizer.harmonics)]
    parts = [normalized, *seasons, covariates, *free, np.ones((len(origins), 1))]
    return NormalizedWindows(np.concatenate(parts, axis=1), normalized, units, normalizer)


def find_harmonics(calendar: np.ndarray, harmonics: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return sines and cosines of harmonics, as powers of cos + i sin: float64[window, harmonic] each."""
    sines, numbers = harmonics.T
    powers = (calendar[:, sines + 1] + 1j * calendar[:, sines]) ** numbers
    return powers.imag, powers.real


def normalize_targets(
    panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
) -> np.ndarray:
    """Return the actual values over the horizon, normalised: float64[window, horizon]."""
    return windows.units.normalize(gather_targets(panel, origins))


def gather_season(panel: WindowedPanel, origins: np.ndarray, season_length: int) -> np.ndarray:
    """Return the newest value of the same season for each step; the last value if the series is too short.

    The values are float32[window, horizon], scaled. A season of 1 step has the last value.
    """
    steps = np.arange(panel.horizon)
    rows = origins[:, None] + steps - season_length * (steps // season_length + 1)
    starts = panel.find_starts(origins)
    last = panel.values[origins - 1, 0][:, None]
    values = np.where(rows >= starts[:, None], panel.values[np.maximum(rows, 0), 0], np.nan)
    return np.where(np.isnan(values), last, values)


def list_covariate_inputs(panel: WindowedPanel) -> CovariateInputs:
    """Return the covariate predictors: values ahead, lags as far back as the window or less with many, static ones."""
    varying = panel.columns.varying
    most = max(1, MAX_LAGGED // max(1, varying.stop - varying.start))
    return panel.columns.list_inputs(panel.horizon, min(panel.lookback, most))


def gather_covariate_inputs(
    panel: WindowedPanel, rows: np.ndarray, inputs: CovariateInputs, spread: np.ndarray
) -> np.ndarray:
    """Return values of covariates of some windows, time-varying ones normalised: float64[window, input].

    The rows are those of `find_history`; inputs over the horizon are of covariates that are known there. For the
    spread, see `normalize_time_varying`.
    """
    columns, steps = inputs
    # The last row of the history is that before the origin.
    ahead = rows[:, -1:] + np.maximum(steps, 0) + 1
    values = panel.values[np.where(steps >= 0, ahead, rows[:, np.minimum(steps, -1)]), columns]
    is_static = columns < panel.columns.varying.start
    return np.where(is_static, values, normalize_time_varying(values, spread))


def normalize_time_varying(values: np.ndarray, spread: np.ndarray) -> np.ndarray:
    """Normalise covariates, float32[window, ...], by the spread of the window, which also normalises the target."""
    normalized: np.ndarray = np.clip(values / spread, -MAX_NORMALIZED, MAX_NORMALIZED)
    return normalized
