"""Forecasts of the test windows and of the next values, by all methods at once."""

import time
from collections.abc import Mapping

import numpy as np

from rnn_pipelines.forecast.methods.ensemble import EnsembleModel
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, Model, iterate_windows
from rnn_pipelines.forecast.methods.predictions import Forecasts
from rnn_pipelines.forecast.methods.predictors import Normalizer
from rnn_pipelines.forecast.methods.registry import fit_methods
from rnn_pipelines.forecast.windows.panel import Part, WindowedPanel
from rnn_pipelines.networks.threads import use_one_thread

PARTS: tuple[Part, Part] = ("test", "future")


def forecast_methods(
    panel: WindowedPanel, linear: LinearModels, fitted: Mapping[str, FittedMethod]
) -> dict[str, Forecasts]:
    """Forecast the test windows by the evaluated models, and the steps after each series' end by the models in use.

    Windows are normalised once for all methods, and the ensemble combines the forecasts of the others.
    """
    return forecast_parts(panel, linear.normalizer, fitted)


def forecast_parts(
    panel: WindowedPanel, normalizer: Normalizer, fitted: Mapping[str, FittedMethod]
) -> dict[str, Forecasts]:
    """Forecast like `forecast_methods`, with the normalisation of the windows."""
    seconds = dict.fromkeys(fitted, 0.0)
    parts = {}
    with use_one_thread():
        for part in PARTS:
            models = {
                name: method.model if part == "test" else method.in_use
                for name, method in fitted.items()
            }
            parts[part] = forecast_models(
                panel, normalizer, models, panel.list_origins(part), seconds
            )
    return {
        name: Forecasts(parts["test"][name], parts["future"][name], seconds[name])
        for name in fitted
    }


def forecast_models(
    panel: WindowedPanel,
    normalizer: Normalizer,
    models: Mapping[str, Model],
    all_origins: np.ndarray,
    seconds: dict[str, float],
) -> dict[str, np.ndarray]:
    """Return the forecasts of several models from some origins by name: float32[window, horizon], scaled.

    The wall time of each model is added to `seconds`, by name.
    """
    batches: dict[str, list[np.ndarray]] = {
        name: [np.zeros((0, panel.horizon), np.float32)] for name in models
    }
    # The ensemble reads the forecasts of the others.
    order = sorted(models, key=lambda name: isinstance(models[name], EnsembleModel))
    for origins, windows in iterate_windows(panel, normalizer, all_origins):
        of_batch: dict[str, np.ndarray] = {}
        for name in order:
            model = models[name]
            started = time.perf_counter()
            if isinstance(model, EnsembleModel) and model.models.keys() <= of_batch.keys():
                of_batch[name] = model.combine(of_batch, panel, windows, origins)
            else:
                of_batch[name] = model.forecast(panel, windows, origins)
            batches[name].append(normalizer.cut(panel, origins, of_batch[name].astype(np.float32)))
            seconds[name] += time.perf_counter() - started
    return {name: np.concatenate(forecasts) for name, forecasts in batches.items()}


def forecast_simple_methods(data: FittingData) -> dict[str, Forecasts]:
    """Fit the simple methods, and forecast the test windows and the steps after each series' end."""
    return forecast_methods(data.panel, data.linear, fit_methods(data))


def list_seconds(
    linear: LinearModels, fitted: Mapping[str, FittedMethod], forecasts: Mapping[str, Forecasts]
) -> dict[str, dict[str, float]]:
    """Return the wall time of each method: `fit_seconds`, with all fits that it needs, and `prediction_seconds`."""
    fits = {
        name: method.seconds + (linear.seconds if method.needs_linear else 0.0)
        for name, method in fitted.items()
    }
    return {
        name: {"fit_seconds": fits[name], "prediction_seconds": forecasts[name].seconds}
        for name in fitted
    }
