"""Linear methods as entries of the registry: naive methods, climatology, ridge, and the ensemble of all of them."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import methodcaller
from typing import Any

import numpy as np

from rnn_pipelines.forecast.methods.linear.models import (
    LinearModel,
    LinearModels,
    forecast_out_of_fold,
)
from rnn_pipelines.forecast.methods.linear.ridge import choose_ridge
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.report.styles import Style

RIDGE, BASELINE_ENSEMBLE = "ridge", "baseline_ensemble"


@dataclass(frozen=True)
class LinearMethod:
    """A linear method. All linear methods are fitted together; see `Method`."""

    # Selects its matrices from the linear models, float64[fold + 1, predictor, horizon]; raises a KeyError if the
    # series have no such method.
    find: Callable[[LinearModels], np.ndarray]
    style: Style
    does: str = ""
    is_candidate: bool = False
    is_fitted: bool = (
        True  # whether it has coefficients, so that its fit takes the time of the linear models
    )

    def fit(self, data: FittingData) -> FittedMethod | None:
        """Return the method from the linear models; None if the series have no such method."""
        linear = data.linear
        try:
            matrices = self.find(linear)
        except KeyError:
            return None
        rows = linear.fold[: len(data.validation)]
        normalized = forecast_out_of_fold(matrices, rows, data.windows.predictors)
        return FittedMethod(
            LinearModel(matrices[-1]),
            data.windows.units.denormalize(normalized),
            needs_linear=self.is_fitted,
            refitted=LinearModel(self.find(linear.refit())[-1]),
        )

    def unpack(self, values: Mapping[str, Any]) -> LinearModel:
        return LinearModel(values["matrix"])


# What each naive method does, and its label, color and dash; see `naive`.
_NAIVE = {
    "last_value": ("repeats the last observation", "last value", "#bfa66a", "dot"),
    "drift": ("continues the mean change of the window", "drift", "#a3a380", "dot"),
    "seasonal_naive": (
        "takes the newest value of the same season",
        "seasonal naive",
        "#b48ead",
        "dashdot",
    ),
    "long_seasonal_naive": (
        "does so for the week of hours and shorter steps, and for the year of days",
        "long seasonal naive",
        "#c9a0b4",
        "dashdot",
    ),
}
LINEAR_METHODS: dict[str, LinearMethod] = {
    name: LinearMethod(methodcaller("select", name), Style(*style), does, is_fitted=False)
    for name, (does, *style) in _NAIVE.items()
} | {
    "climatology": LinearMethod(
        methodcaller("select", "climatology"),
        Style("climatology", "#8fb3c7", "dash"),
        "reads the calendar features alone",
    ),
    RIDGE: LinearMethod(
        lambda linear: linear.select(
            choose_ridge([str(name) for name in linear.names], linear.losses)
        ),
        Style("ridge", "#5fa58e", "dash"),
        "is a linear regression on the window, unchanged, minus its level or minus the previous season, whichever has "
        "the smaller error on held-out windows",
    ),
    BASELINE_ENSEMBLE: LinearMethod(
        LinearModels.select_ensemble,
        Style("ensemble of simple methods", "#7a8fa6", "longdash"),
        "weighs all of these by their errors on held-out windows",
        is_candidate=True,
    ),
}
