"""Nodes of `forecast`: each calls one function of the library with its typed parameters."""

from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.forecast import predictions as forecasts
from rnn_pipelines.forecast.evaluation.metrics import ForecastMetrics, MetricsByStep
from rnn_pipelines.forecast.predictions import Forecasts, Predictions
from rnn_pipelines.forecast.series import calendar, preparation, scaling, source, windows
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.splits import SplitSpec
from rnn_pipelines.forecast.series.tables import Profile
from rnn_pipelines.forecast.series.windows import EvaluationSpec, WindowedPanel, WindowSpec
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

# Kedro resolves these hints when it checks parameters, and must not load Keras for it.
if TYPE_CHECKING:
    from keras import Model as KerasModel
    from plotly.graph_objects import Figure
else:
    KerasModel = Figure = Any


def read_source(external: pd.DataFrame | None, source_spec: SourceSpec) -> pd.DataFrame:
    """Reads or generates the series; nothing is saved before it is checked."""
    return source.read_source(source_spec, external)


def prepare_series(
    table: pd.DataFrame, source_spec: SourceSpec, gaps: GapPolicy, split: SplitSpec, window: WindowSpec
) -> tuple[pd.DataFrame, pd.DataFrame, dict[str, Any], pd.DataFrame]:
    """Checks, repairs and splits the series, and only then lets go of the table as it was read."""
    return table, *preparation.prepare_series(table, source_spec, gaps, split, window)


def fit_scaler(series: pd.DataFrame, cutoffs: pd.DataFrame) -> pd.DataFrame:
    """Finds mean and deviation of each series' training part."""
    return scaling.fit_scaler(series, cutoffs)


def add_known_features(
    series: pd.DataFrame, profile: dict[str, Any], calendar_spec: CalendarSpec, window: WindowSpec
) -> pd.DataFrame:
    """Adds the steps to be forecast, and what the calendar says about every step."""
    return calendar.add_known_features(series, profile, calendar_spec, window.horizon)


def make_windows(
    features: pd.DataFrame, cutoffs: pd.DataFrame, scaler: pd.DataFrame, window: WindowSpec, evaluation: EvaluationSpec
) -> WindowedPanel:
    """Scales the series and indexes the windows of train, validation, test and future."""
    return windows.make_windows(features, cutoffs, scaler, window, evaluation)


def train_forecaster(
    panel: WindowedPanel, network: NetworkSpec, training: ForecastTrainingSpec, parallel: ParallelSpec
) -> tuple[KerasModel, pd.DataFrame, dict[str, Any]]:
    """Trains the network on the training windows and keeps the weights that are best on validation."""
    from rnn_pipelines.forecast import training as forecasting

    return forecasting.train_forecaster(panel, network, training, parallel=parallel)


def forecast_windows(model: KerasModel, panel: WindowedPanel) -> Forecasts:
    """Forecasts the test windows and the steps after the last observation."""
    from rnn_pipelines.forecast import training as forecasting

    return forecasting.forecast_windows(model, panel)


def forecast_baselines(
    panel: WindowedPanel, profile: dict[str, Any], evaluation: EvaluationSpec
) -> dict[str, Forecasts]:
    """Forecasts the same windows by last value, seasonal naive and ridge."""
    from rnn_pipelines.forecast import baselines

    return baselines.forecast_baselines(panel, evaluation.choose_season_length(profile))


def tabulate_forecasts(
    panel: WindowedPanel,
    features: pd.DataFrame,
    scaler: pd.DataFrame,
    baselines: dict[str, Forecasts],
    **networks: Forecasts,
) -> tuple[Predictions, Predictions]:
    """Lays all forecasts side by side in the data's own unit: those of the test part, and the next values."""
    by_name = networks | baselines
    return (
        forecasts.tabulate_forecasts(panel, features, scaler, by_name, "test"),
        forecasts.tabulate_forecasts(panel, features, scaler, by_name, "future"),
    )


def draw_figures(
    predictions: Predictions,
    series: pd.DataFrame,
    next_values: Predictions,
    by_step: MetricsByStep,
    **histories: pd.DataFrame,
) -> dict[str, Figure]:
    """Draws forecast against actual, next values, loss curves, error by step and residuals."""
    from rnn_pipelines.forecast.report import figures as forecast_figures

    return forecast_figures.draw_figures(predictions, series, next_values, by_step, histories)


def render_report(
    metrics: dict[str, Any],
    profile: Profile,
    parameters: dict[str, Any],
    lstm: dict[str, Any],
    gru: dict[str, Any],
    **figures: Figure,
) -> str:
    """Puts verdict, tables and figures into one HTML file that needs no network."""
    from rnn_pipelines.forecast.report import report as forecast_report

    return forecast_report.render_forecast_report(
        ForecastMetrics.parse(metrics), profile, parameters, {"lstm": lstm, "gru": gru}, figures
    )
