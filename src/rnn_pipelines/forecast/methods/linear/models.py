"""Linear models: each is a matrix from the predictors of a window to all steps of the horizon.

So is any combination of them. `linear_fitting` fits them.
"""

from dataclasses import dataclass, field, replace

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.folds import Folds
from rnn_pipelines.forecast.methods.normalization import NormalizationKind
from rnn_pipelines.forecast.methods.objective import NonNegative, Target
from rnn_pipelines.forecast.methods.predictors import (
    NormalizedWindows,
    Normalizer,
    list_covariate_inputs,
    list_no_harmonics,
)
from rnn_pipelines.forecast.windows.panel import WindowedPanel


@dataclass(frozen=True)
class LinearModels(Folds):
    """The linear models of a panel, their weights in the baseline ensemble, and their folds.

    The class is flat, so that one file of arrays holds it, and has the fields of a `Normalizer`. The calendar's cycles
    are those that occur twice.
    """

    kind: NormalizationKind
    season: int
    long_season: int
    calendar: np.ndarray
    non_negative: NonNegative
    names: np.ndarray  # str[method]
    # float64[fold + 1, method, predictor, horizon], normalised: of each fold, and of all data
    matrices: np.ndarray
    # float64[method, predictor, horizon], normalised: of all data and the test part, for the models in use.
    refitted: np.ndarray
    weights: np.ndarray  # float64[method], of each in the baseline ensemble, which networks correct
    # float64[method + 1], mean error on the validation windows, normalised, squared or absolute; the last is that of
    # the baseline ensemble. NaN if there are too few windows.
    losses: np.ndarray
    is_absolute: bool  # whether the losses are absolute errors
    target: Target  # of the ensemble's weights, see `ObjectiveSpec`
    seconds: float  # wall time of the fit
    harmonics: np.ndarray = field(default_factory=list_no_harmonics)

    @property
    def normalizer(self) -> Normalizer:
        return Normalizer(
            self.kind,
            self.season,
            self.long_season,
            self.calendar,
            self.non_negative,
            self.harmonics,
        )

    def combine(self, fold: int = -1) -> np.ndarray:
        """Return the baseline ensemble as one matrix, of a fold or of all data: float64[predictor, horizon]."""
        combined: np.ndarray = np.tensordot(self.weights, self.matrices[fold], 1)
        return combined

    def refit(self) -> "LinearModels":
        """Return the models in use, as the only matrices; weights and losses are those of the evaluated models."""
        return replace(self, matrices=self.refitted[None])

    def select(self, name: str) -> np.ndarray:
        """Return the matrices of a method, float64[fold + 1, predictor, horizon]; raise a KeyError if there is none."""
        places = np.flatnonzero(self.names == name)
        if not len(places):
            raise KeyError(name)
        return self.matrices[:, places[0]]

    def select_ensemble(self) -> np.ndarray:
        """Return the matrices of the baseline ensemble: float64[fold + 1, predictor, horizon]."""
        return np.stack([self.combine(fold) for fold in range(len(self.matrices))])


def forecast_out_of_fold(
    matrices: np.ndarray, fold: np.ndarray, predictors: np.ndarray
) -> np.ndarray:
    """Return the forecast of each window by the matrix of the fold that holds it out: float64[window, horizon].

    The matrices are float64[fold + 1, predictor, horizon]; the last one is of all data and not used.
    """
    forecasts = np.empty((len(predictors), matrices.shape[-1]))
    for number, matrix in enumerate(matrices[:-1]):
        own = fold == number
        forecasts[own] = predictors[own] @ matrix
    return forecasts


@dataclass(frozen=True)
class LinearModel:
    """One linear model, fitted on all data; see `Model`."""

    matrix: np.ndarray  # float64[predictor, horizon], normalised

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        return windows.units.denormalize(windows.predictors @ self.matrix)

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        """Return coefficient times value for each predictor."""
        return self.contribute_normalized(panel, windows, origins).denormalize(windows.units)

    def contribute_normalized(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        """Return the contributions in normalised units."""
        linear = windows.predictors[0][:, None] * self.matrix
        seasons = find_season_lags(windows.normalizer, panel, int(origins[0]))
        lags = np.concatenate([np.arange(panel.lookback, 0, -1), *seasons])
        num_free = windows.normalizer.num_free
        inputs = list_covariate_inputs(panel)
        values, covariates, calendar, baseline = np.split(
            linear, [len(lags), len(linear) - num_free, len(linear) - 1]
        )
        _, by_covariate = panel.columns.sum_by_column(inputs.columns, covariates)
        return Contributions(lags, values, by_covariate, calendar.sum(axis=0), baseline[0])

    def pack(self) -> dict[str, np.ndarray]:
        return {"matrix": self.matrix}


def find_season_lags(normalizer: Normalizer, panel: WindowedPanel, origin: int) -> list[np.ndarray]:
    """Return the lags of the seasonal predictors, see `gather_season`: int64[horizon] each."""
    steps = np.arange(panel.horizon)
    start = panel.find_starts(np.array([origin]))[0]
    found = []
    for season in normalizer.seasons:
        lags = season * (steps // season + 1) - steps
        rows = origin - lags
        is_there = (rows >= start) & ~np.isnan(panel.values[np.maximum(rows, 0), 0])
        found.append(np.where(is_there, lags, 1))
    return found
