"""Simple forecasters that a network must beat to be worth its while, said once."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import numpy as np

from rnn_pipelines.forecast.base import Base, choose_ridge
from rnn_pipelines.forecast.predictions import Forecasts, forecast_parts
from rnn_pipelines.forecast.predictors import frame_windows
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.forecast.theta import THETA, forecast_theta
from rnn_pipelines.looks import Look

BATCH_SIZE = 4096
RIDGE, MIX = "ridge", "mix"

# From int64[batch] origins to float[batch, horizon], scaled.
Forecast = Callable[[np.ndarray], np.ndarray]


@dataclass(frozen=True)
class Baseline:
    """One simple forecaster.

    Attributes:
        look: how it appears.
        fit: from a panel and what is simple about it to what forecasts from origins; None where the series have no such
            forecaster: no season, no calendar. It sees training and validation.
        does: for the report: what it does, after its name; empty to say nothing.
    """

    look: Look
    fit: Callable[[WindowedPanel, Base], Forecast | None]
    does: str = ""


def forecast_baselines(panel: WindowedPanel, base: Base) -> dict[str, Forecasts]:
    """Forecasts the test windows and the steps after each series' end by every simple method.

    Args:
        panel: the windows that the networks see too.
        base: what is linear in them.
    """
    fitted = {name: baseline.fit(panel, base) for name, baseline in BASELINES.items()}

    def forecast(method: Forecast, origins: np.ndarray) -> np.ndarray:
        starts = range(0, len(origins), BATCH_SIZE)
        batches = [method(origins[start : start + BATCH_SIZE]).astype(np.float32) for start in starts]
        return np.concatenate([np.zeros((0, panel.horizon), np.float32), *batches])

    return {
        name: forecast_parts(panel, partial(forecast, method)) for name, method in fitted.items() if method is not None
    }


def forecast_by(panel: WindowedPanel, base: Base, matrix: np.ndarray) -> Forecast:
    """What forecasts from origins by one matrix, see `Base`."""

    def forecast(origins: np.ndarray) -> np.ndarray:
        framed = frame_windows(panel, base, origins)
        return framed.units.unframe(framed.predictors @ matrix)

    return forecast


def _fit_method(name: str, panel: WindowedPanel, base: Base) -> Forecast | None:
    places = np.flatnonzero(base.names == name)
    return forecast_by(panel, base, base.matrices[-1][places[0]]) if len(places) else None


def _fit_ridge(panel: WindowedPanel, base: Base) -> Forecast | None:
    return _fit_method(choose_ridge([str(name) for name in base.names], base.losses), panel, base)


def _fit_mix(panel: WindowedPanel, base: Base) -> Forecast | None:
    return forecast_by(panel, base, base.combine())


def _fit_theta(panel: WindowedPanel, base: Base) -> Forecast:
    return partial(forecast_theta, panel)


BASELINES: dict[str, Baseline] = {
    "last_value": Baseline(
        Look("last value", "#bfa66a", "dot"), partial(_fit_method, "last_value"), "repeats the last observation"
    ),
    "drift": Baseline(
        Look("drift", "#a3a380", "dot"), partial(_fit_method, "drift"), "goes on as the window did on average"
    ),
    "seasonal_naive": Baseline(
        Look("seasonal naive", "#b48ead", "dashdot"),
        partial(_fit_method, "seasonal_naive"),
        "takes the newest value of the same season",
    ),
    "long_seasonal_naive": Baseline(
        Look("long seasonal naive", "#c9a0b4", "dashdot"),
        partial(_fit_method, "long_seasonal_naive"),
        "does so for the week of hours and the year of days",
    ),
    "climatology": Baseline(
        Look("climatology", "#8fb3c7", "dash"), partial(_fit_method, "climatology"), "knows the calendar alone"
    ),
    RIDGE: Baseline(
        Look("ridge", "#5fa58e", "dash"),
        _fit_ridge,
        "is a linear regression on the window, as it is, less its level, or less the season before, whichever was "
        "better on past windows that it had not seen",
    ),
    MIX: Baseline(
        Look("mix of simple methods", "#7a8fa6", "longdash"),
        _fit_mix,
        "weighs all of these by their errors on such windows",
    ),
    THETA: Baseline(
        Look("theta", "#c08552", "dot"),
        _fit_theta,
        "is exponential smoothing with half the slope and, where there is one, a season, fitted to the whole past of "
        "the series at each origin",
    ),
}
