"""The registry of methods. Tables, plots, intervals, the ensemble, reports and packing loop over it.

`METHODS` holds the simple methods, `NETWORKS` the networks. A network has its block of parameters,
`forecast.<name>`; a simple method has none.
"""

from collections.abc import Mapping

from rnn_pipelines.forecast.methods.baselines import LINEAR_METHODS
from rnn_pipelines.forecast.methods.local import LocalMethod
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, Method
from rnn_pipelines.forecast.methods.network_model import NetworkMethod
from rnn_pipelines.forecast.methods.theta import THETA, forecast_theta
from rnn_pipelines.report.styles import CELLS, Style

METHODS: dict[str, Method] = {
    **LINEAR_METHODS,
    THETA: LocalMethod(
        THETA,
        forecast_theta,
        Style("theta", "#c08552", "dot"),
        "is exponential smoothing with half the slope and, if there is one, a season, fitted to all earlier values of "
        "the series at each origin",
    ),
}
NETWORKS: dict[str, NetworkMethod] = {
    "lstm": NetworkMethod(CELLS["lstm"], "lstm"),
    "gru": NetworkMethod(CELLS["gru"], "gru"),
}


def fit_methods(data: FittingData) -> dict[str, FittedMethod]:
    """Fit the simple methods that the series allow.

    Args:
        data: the data of the fits.
    Returns:
        The fitted methods by name.
    """
    fitted = {name: method.fit(data) for name, method in METHODS.items()}
    return {name: method for name, method in fitted.items() if method is not None}


def list_candidates(names: Mapping[str, object]) -> list[str]:
    """Return the names of the methods that can have a weight in the ensemble, simple methods first."""
    simple = [name for name in names if name in METHODS and METHODS[name].is_candidate]
    return [*simple, *(name for name in names if name in NETWORKS)]
