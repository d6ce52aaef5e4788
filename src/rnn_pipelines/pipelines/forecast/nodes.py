"""Nodes of `forecast`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.forecast import predictions as tables
from rnn_pipelines.forecast.evaluation.metrics import ForecastMetrics
from rnn_pipelines.forecast.predictions import Forecasts, Predictions
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.report import report
from rnn_pipelines.forecast.series.tables import Features, Profile, Scaler
from rnn_pipelines.forecast.series.windows import WindowedPanel
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec
from rnn_pipelines.networks.records import TrainingRecord

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from keras import Model as KerasModel
else:
    KerasModel = Any


def train_forecaster(
    panel: WindowedPanel, network: NetworkSpec, training: ForecastTrainingSpec, parallel: ParallelSpec
) -> tuple[KerasModel, pd.DataFrame, TrainingRecord]:
    """Trains the network on the training windows and keeps the weights that are best on validation."""
    from rnn_pipelines.forecast import training as forecasting

    return forecasting.train_forecaster(panel, network, training, parallel=parallel)


def forecast_windows(model: KerasModel, panel: WindowedPanel) -> Forecasts:
    """Forecasts the test windows and the steps after the last observation."""
    from rnn_pipelines.forecast import training as forecasting

    return forecasting.forecast_windows(model, panel)


def tabulate_forecasts(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    baselines: dict[str, Forecasts],
    **networks: Forecasts,
) -> tuple[Predictions, Predictions]:
    """Lays all forecasts side by side in the data's own unit: those of the test part, and the next values."""
    by_name = networks | baselines
    return (
        tables.tabulate_forecasts(panel, features, scaler, by_name, "test"),
        tables.tabulate_forecasts(panel, features, scaler, by_name, "future"),
    )


def render_report(
    metrics: dict[str, Any], profile: Profile, parameters: dict[str, Any], **records_and_figures: Any
) -> str:
    """Puts verdict, tables and figures into one HTML file that needs no network."""
    records = {name: records_and_figures.pop(name) for name in NETWORKS}
    return report.render_report(ForecastMetrics.parse(metrics), profile, parameters, records, **records_and_figures)
