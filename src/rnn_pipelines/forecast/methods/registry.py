"""The registry of methods. Tables, plots, intervals, the ensemble, reports and packing loop over it.

`METHODS` holds the simple methods, `NETWORKS` the networks that are trained on the table, `TRAINED_BEFORE` those that
were trained on generated series. A network of `NETWORKS` has its block of parameters, `forecast.<name>`; a simple
method has none.
"""

from collections.abc import Mapping

from rnn_pipelines.forecast.methods.baselines import LINEAR_METHODS
from rnn_pipelines.forecast.methods.local.exponential_smoothing import (
    extend_by_damped_trend,
    extend_by_holt_winters,
    extend_by_level,
)
from rnn_pipelines.forecast.methods.local.intermittent import (
    MANY_ZEROS,
    ZERO,
    extend_by_croston,
    extend_by_mean,
    extend_by_zero,
    has_zeros,
)
from rnn_pipelines.forecast.methods.local.method import LocalMethod
from rnn_pipelines.forecast.methods.local.short_series_rule import SHORT_SERIES_RULE, extend_by_rule
from rnn_pipelines.forecast.methods.local.theta import THETA, extend_by_theta
from rnn_pipelines.forecast.methods.method import (
    FittedMethod,
    FittingData,
    Method,
    RegisteredMethod,
)
from rnn_pipelines.forecast.methods.networks.model import NetworkMethod
from rnn_pipelines.forecast.methods.pretrained import PRETRAINED, PretrainedMethod
from rnn_pipelines.forecast.methods.trees import TREES, TreesMethod
from rnn_pipelines.report.styles import CELL_STYLES, Style

METHODS: dict[str, Method] = {
    **LINEAR_METHODS,
    THETA: LocalMethod(
        THETA,
        extend_by_theta,
        Style("theta", "#c08552", "dot"),
        "is exponential smoothing with half the slope and a season, fitted to the whole past of the series at each "
        "origin",
    ),
    "damped_trend": LocalMethod(
        "damped_trend",
        extend_by_damped_trend,
        Style("damped trend", "#a8a04a", "dot"),
        "is exponential smoothing with a damped trend and a season",
    ),
    "holt_winters": LocalMethod(
        "holt_winters",
        extend_by_holt_winters,
        Style("Holt-Winters", "#b07aa1", "dot"),
        "is exponential smoothing with a damped trend and a season that changes",
    ),
    "level": LocalMethod(
        "level",
        extend_by_level,
        Style("level", "#9c9083", "dot"),
        "is simple exponential smoothing with a season, for series with zeros",
        suits=has_zeros,
    ),
    "mean": LocalMethod(
        "mean",
        extend_by_mean,
        Style("mean", "#86a3a8", "dash"),
        "repeats the mean of the past",
        suits=has_zeros,
    ),
    "croston": LocalMethod(
        "croston",
        extend_by_croston,
        Style("Croston", "#7d9d6f", "dash"),
        "smooths size and interval of the values above zero",
        suits=has_zeros,
    ),
    ZERO: LocalMethod(
        ZERO,
        extend_by_zero,
        Style("zero", "#9a9a9a", "dot"),
        "forecasts zeros",
        False,
        lambda data: data.zero_share > MANY_ZEROS,
    ),
    SHORT_SERIES_RULE: LocalMethod(
        SHORT_SERIES_RULE,
        extend_by_rule,
        Style("rule for short series", "#8c7b75", "dash"),
        "takes level, season or trend by the number of values",
        suits=lambda data: not data.linear.is_enough,
    ),
    TREES: TreesMethod(
        Style("boosted trees", "#6b8e23", "dashdot"),
        "are small trees on lags, calendar and covariates, each for the error of those before",
    ),
}
# Networks that were trained before, on generated series.
TRAINED_BEFORE: dict[str, PretrainedMethod] = {
    PRETRAINED: PretrainedMethod(
        Style("pretrained network", "#e69f00"),
        "is a recurrent network that was trained before, on generated series",
    )
}
NETWORKS: dict[str, NetworkMethod] = {
    "lstm": NetworkMethod(CELL_STYLES["lstm"], "lstm"),
    "gru": NetworkMethod(CELL_STYLES["gru"], "gru"),
}


def get_method(name: str) -> RegisteredMethod:
    """Return a method of any registry; raise a KeyError if there is none of this name."""
    registered: dict[str, RegisteredMethod] = {**METHODS, **TRAINED_BEFORE, **NETWORKS}
    return registered[name]


def fit_methods(data: FittingData) -> dict[str, FittedMethod]:
    """Fit the simple methods that the series allow."""
    return _fit(data, METHODS)


def fit_trained_before(data: FittingData) -> dict[str, FittedMethod]:
    """Return the networks that were trained before, with their forecasts of the validation windows."""
    return _fit(data, TRAINED_BEFORE)


def _fit(data: FittingData, methods: Mapping[str, Method]) -> dict[str, FittedMethod]:
    fitted = {name: method.fit(data) for name, method in methods.items()}
    return {name: method for name, method in fitted.items() if method is not None}


def list_ensemble_candidates(names: Mapping[str, object]) -> list[str]:
    """Return the names of the methods that can have a weight in the ensemble, simple methods first."""
    simple = [name for name in names if name in METHODS and METHODS[name].is_candidate]
    return [*simple, *(name for name in names if name in NETWORKS or name in TRAINED_BEFORE)]
