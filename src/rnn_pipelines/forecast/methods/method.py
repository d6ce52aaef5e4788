"""The interface of all forecasting methods: fitted on a panel, with out-of-fold forecasts, and forecasts from origins.

A new method is one file with an object that implements `Method`, and one line in `registry.METHODS`. Linear models,
local methods such as Theta, networks and the ensemble are such objects.
"""

import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from rnn_pipelines.forecast.methods.contributions import Contributions
from rnn_pipelines.forecast.methods.folds import list_refit
from rnn_pipelines.forecast.methods.linear.models import LinearModels, forecast_out_of_fold
from rnn_pipelines.forecast.methods.past import measure_zero_share
from rnn_pipelines.forecast.methods.predictors import (
    NormalizedWindows,
    Normalizer,
    normalize_targets,
    normalize_windows,
)
from rnn_pipelines.forecast.pretrained.files import load_network
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel, gather_targets
from rnn_pipelines.networks.threads import use_one_thread
from rnn_pipelines.report.styles import Style

BATCH_SIZE = 1024


class Model(Protocol):
    """A fitted model."""

    def forecast(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> np.ndarray:
        """Return the forecasts of some windows, given these origins, normalised: float64[window, horizon], scaled.

        At or after an origin, only calendar features and future covariates of the panel may be read.
        """

    def contribute(
        self, panel: WindowedPanel, windows: NormalizedWindows, origins: np.ndarray
    ) -> Contributions:
        """Return the contributions to the forecast of one window; as `whole` if the method is not broken down."""

    def pack(self) -> dict[str, Any]:
        """Return the arrays and numbers for `Method.unpack`."""


@dataclass(frozen=True)
class FittedMethod:
    """A method after its fit."""

    model: Model  # fitted on all windows for training and validation. It is evaluated on the test windows.
    # float[validation, horizon], scaled: forecasts of the validation windows by fits without them; no rows if there are
    # too few windows for validation.
    out_of_fold: np.ndarray
    seconds: float = 0.0  # wall time of the fit, without that of the linear models
    needs_linear: bool = False  # whether the linear models are fitted first
    # Fitted like `model`, on all windows up to the end of each series; None if nothing is fitted.
    refitted: Model | None = None

    @property
    def in_use(self) -> Model:
        """The model for new forecasts."""
        return self.refitted or self.model


@dataclass(frozen=True)
class FittingData:
    """The data for fitting methods. The validation windows are normalised once, for all methods."""

    # Windows for training and validation, and for the refit; methods do not touch its test windows otherwise.
    panel: WindowedPanel
    linear: LinearModels  # the linear models, with the folds and the normalisation of the windows
    # The pretrained network, and whether it stands for networks that are trained on the panel.
    pretrained: PretrainedSpec = field(default_factory=PretrainedSpec)

    def __post_init__(self) -> None:
        if self.pretrained.is_used:
            load_network(self.pretrained)  # a missing folder is refused before anything is trained

    @cached_property
    def windows(self) -> NormalizedWindows:
        """The validation windows; empty if there are too few windows for validation."""
        return normalize_windows(self.panel, self.linear.normalizer, self.validation)

    @cached_property
    def actual(self) -> np.ndarray:
        """The targets of the validation windows: float64[validation, horizon], scaled."""
        return gather_targets(self.panel, self.validation).astype(np.float64)

    @cached_property
    def normalized_targets(self) -> np.ndarray:
        """The targets of the validation windows: float64[validation, horizon], normalised."""
        return normalize_targets(self.panel, self.windows, self.validation)

    @cached_property
    def linear_forecasts(self) -> np.ndarray:
        """The out-of-fold forecasts of the baseline ensemble, which networks correct: like `normalized_targets`."""
        fold = self.linear.fold[: len(self.validation)]
        return forecast_out_of_fold(self.linear.select_ensemble(), fold, self.windows.predictors)

    def remove_start(self) -> "FittingData":
        """Return the data with the forecast 0, normalised, in place of the baseline ensemble."""
        return replace(
            self, linear=replace(self.linear, weights=np.zeros_like(self.linear.weights))
        )

    @cached_property
    def zero_share(self) -> float:
        """The share of zeros among the values of training and validation."""
        return measure_zero_share(self.panel)

    @property
    def validation(self) -> np.ndarray:
        """The origins of the validation windows, int64[validation]."""
        return self.linear.validation if self.linear.is_enough else self.linear.validation[:0]


class RegisteredMethod(Protocol):
    """A method in the registry: its style in plots, and whether it can have a weight in the ensemble."""

    @property
    def style(self) -> Style: ...
    @property
    def is_candidate(self) -> bool: ...

    def unpack(self, values: Mapping[str, Any]) -> Model:
        """Return the model with these values of `pack`."""


class Method(RegisteredMethod, Protocol):
    """A forecasting method without parameters, before its fit.

    It `does` what a few words say that follow its name; there may be none.
    """

    @property
    def does(self) -> str: ...

    def fit(self, data: FittingData) -> FittedMethod | None:
        """Fit the method; None if the series do not allow it, such as a seasonal method without a season."""


def fit_by_fold(data: FittingData, fit: Callable[[np.ndarray], Model]) -> FittedMethod:
    """Fit a method on origins: once for each fold, without its held-out windows, on all windows, and for use."""
    started = time.perf_counter()
    linear = data.linear
    panel = data.panel
    out_of_fold = np.zeros((len(data.validation), panel.horizon))
    for fold, seen in enumerate(linear.find_seen(linear.fitted, panel.find_series(linear.fitted))):
        own = np.flatnonzero(linear.fold == fold)
        windows = data.windows.select(own)
        out_of_fold[own] = fit(linear.fitted[seen]).forecast(panel, windows, data.validation[own])
    model = fit(linear.fitted)
    refitted = fit(list_refit(panel))
    return FittedMethod(model, out_of_fold, time.perf_counter() - started, refitted=refitted)


@dataclass(frozen=True)
class PanelModel:
    """A model with the normalisation of its windows, for forecasts of scaled series."""

    normalizer: Normalizer  # of the windows
    model: Model  # makes the forecasts

    def forecast(self, panel: WindowedPanel, origins: np.ndarray) -> np.ndarray:
        """Return the forecasts from some origins: float32[window, horizon], scaled."""
        found = [np.zeros((0, panel.horizon), np.float32)]
        with use_one_thread():
            for some, windows in iterate_windows(panel, self.normalizer, origins):
                forecasts = self.model.forecast(panel, windows, some).astype(np.float32)
                found.append(self.normalizer.cut(panel, some, forecasts))
        return np.concatenate(found)


def iterate_windows(
    panel: WindowedPanel, normalizer: Normalizer, origins: np.ndarray
) -> Iterator[tuple[np.ndarray, NormalizedWindows]]:
    """Yield batches of origins with their normalised windows, to bound the memory."""
    for begin in range(0, len(origins), BATCH_SIZE):
        some = origins[begin : begin + BATCH_SIZE]
        yield some, normalize_windows(panel, normalizer, some)


def find_errors(data: FittingData, fitted: Mapping[str, FittedMethod]) -> dict[str, np.ndarray]:
    """Return actual minus out-of-fold forecast of each method: float64[validation, horizon], scaled."""
    return {name: data.actual - method.out_of_fold for name, method in fitted.items()}
