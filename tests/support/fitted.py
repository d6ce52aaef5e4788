"""Short ways to fitted methods and their forecasts, for tests of several packages."""

from collections.abc import Mapping

import numpy as np
import pandas as pd

from rnn_pipelines.forecast.methods.ensemble import fit_all_methods, make_ensemble
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.linear.models import (
    LinearModel,
    LinearModels,
    forecast_out_of_fold,
)
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel, find_errors
from rnn_pipelines.forecast.methods.networks.model import NetworkModel, describe_network
from rnn_pipelines.forecast.methods.networks.network import Network
from rnn_pipelines.forecast.methods.predictions import Forecasts
from rnn_pipelines.forecast.model.artefact import Forecaster, forecast_panel
from rnn_pipelines.forecast.model.newest import lay_out_newest
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source.specs import SourceSpec
from rnn_pipelines.forecast.windows.panel import WindowedPanel


def forecast_network(network: Network, linear: LinearModels, panel: WindowedPanel) -> Forecasts:
    """Forecasts of a network with the linear forecast that it corrects."""
    fitted = {"network": describe_network(FittingData(panel, linear), network)}
    return forecast_methods(panel, linear, fitted)["network"]


def forecast_origins(
    network: Network, linear: LinearModels, panel: WindowedPanel, origins: np.ndarray
) -> np.ndarray:
    """The same from some origins: float32[window, horizon], scaled."""
    model = NetworkModel(LinearModel(linear.combine()), network)
    return PanelModel(linear.normalizer, model).forecast(panel, origins)


def forecast_by_matrix(
    panel: WindowedPanel, linear: LinearModels, matrix: np.ndarray, origins: np.ndarray
) -> np.ndarray:
    """Forecasts of one linear model from some origins: float32[window, horizon], scaled."""
    return PanelModel(linear.normalizer, LinearModel(matrix)).forecast(panel, origins)


def hold_out(linear: LinearModels, predictors: np.ndarray, name: str | None = None) -> np.ndarray:
    """Out-of-fold forecasts of a linear method, or of the baseline ensemble: float64[validation, horizon]."""
    matrices = linear.select_ensemble() if name is None else linear.select(name)
    return forecast_out_of_fold(matrices, linear.fold, predictors)


def find_all_errors(
    panel: WindowedPanel, linear: LinearModels, networks: Mapping[str, Network]
) -> dict[str, np.ndarray]:
    """Out-of-fold errors of all methods by name."""
    return find_errors(
        FittingData(panel, linear), fit_all_methods(FittingData(panel, linear), networks)[0]
    )


def combine(
    panel: WindowedPanel,
    linear: LinearModels,
    networks: Mapping[str, Network],
    weights: Mapping[str, float],
) -> FittedMethod:
    """An ensemble of these weights."""
    data = FittingData(panel, linear)
    return make_ensemble(data, fit_all_methods(data, networks)[0], weights)


def combine_model(
    panel: WindowedPanel,
    linear: LinearModels,
    networks: Mapping[str, Network],
    weights: Mapping[str, float],
) -> PanelModel:
    """The model of an ensemble of these weights."""
    return PanelModel(linear.normalizer, combine(panel, linear, networks, weights).model)


def forecast_newest(
    forecaster: Forecaster,
    table: Source,
    source: SourceSpec,
    covariate_table: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Forecasts of the steps after each series' end."""
    return forecast_panel(*lay_out_newest(forecaster, table, source, covariate_table))
