"""Nodes of `forecast` that are not functions of the library."""

from typing import Any

import pandas as pd

from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods import ensemble, linear_fitting
from rnn_pipelines.forecast.methods import predictions as tables
from rnn_pipelines.forecast.methods import training as networks
from rnn_pipelines.forecast.methods.forecasts import PARTS
from rnn_pipelines.forecast.methods.intervals import Intervals, LevelSpec, add_intervals, fit_intervals
from rnn_pipelines.forecast.methods.linear import LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.network import Network, NetworkRecord
from rnn_pipelines.forecast.methods.predictions import Forecasts, Predictions
from rnn_pipelines.forecast.methods.refit import check_refit
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.report import report, summary
from rnn_pipelines.forecast.series.covariates import CovariateSpec, check_future_covariates, read_series
from rnn_pipelines.forecast.series.schema import choose_usual_window, find_frequency
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Features, Profile, Scaler, Source
from rnn_pipelines.forecast.series.windows import OpenWindowSpec, WindowedPanel


def read_source(
    source: SourceSpec, covariates: CovariateSpec, window: OpenWindowSpec, external: pd.DataFrame | None
) -> tuple[Source, pd.DataFrame]:
    """Read series and covariates, and check that future covariates cover the horizon."""
    table, covariate_table = read_series(source, covariates, external)
    # An empty table raises its own error in a later check.
    if covariates.future and len(table):
        freq = find_frequency(table, source)
        horizon = window.horizon or choose_usual_window(source, freq)[1]
        check_future_covariates(table, covariate_table, covariates.future, horizon, freq)
    return table, covariate_table


def fit_linear_models(panel: WindowedPanel, training: ForecastTrainingSpec) -> LinearModels:
    """Fit the linear models: the baselines, and the forecast that the networks correct."""
    return linear_fitting.fit_linear_models(panel, training)


def train_network(
    panel: WindowedPanel, linear: LinearModels, network: NetworkSpec, training: ForecastTrainingSpec
) -> tuple[Network, pd.DataFrame, NetworkRecord]:
    """Train the network on the residuals of the linear models, with the best weights on held-out windows."""
    trained = networks.train_network(FittingData(panel, linear), network, training)
    return trained.network, trained.history, trained.record


def export_network(network: Network, spec: NetworkSpec) -> Any:
    """Return the network as a Keras model if its parameters ask for one, else an empty mapping."""
    return network.to_keras() if spec.save_keras else {}


def fit_all_methods(
    panel: WindowedPanel, linear: LinearModels, level: LevelSpec, **networks: Network
) -> tuple[dict[str, FittedMethod], dict[str, Any], Intervals]:
    """Fit the simple methods, the ensemble of all methods, and the intervals of each from its out-of-fold errors.

    Each method is evaluated, and fitted again on all rows for the next values.
    """
    data = FittingData(panel, linear)
    methods, record = ensemble.fit_all_methods(data, networks)
    return check_refit(data, methods), record, fit_intervals(data, methods, level)


def tabulate_forecasts(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    profile: Profile,
    forecasts: dict[str, Forecasts],
    intervals: Intervals,
) -> tuple[Predictions, Predictions, pd.DataFrame]:
    """Return tables of all forecasts with their intervals, in the data's own unit: test part and next values.

    The third table holds the next values as a plain table, which other programs can read.
    """
    tabulated = [tables.tabulate_forecasts(panel, features, scaler, forecasts, part) for part in PARTS]
    test, future = (
        tables.show_predictions(add_intervals(table, intervals, panel, scaler, part), profile["tz"])
        for table, part in zip(tabulated, PARTS, strict=True)
    )
    return test, future, future.table


def render_report(
    metrics: dict[str, Any],
    profile: Profile,
    parameters: dict[str, Any],
    ensemble: dict[str, Any],
    **records_tables_and_figures: Any,
) -> str:
    """Render verdict, tables and figures as one HTML file that loads nothing else."""
    records, tables = (
        {name: records_tables_and_figures.pop(name) for name in names}
        for names in (NETWORKS, ("by_level", "covariates"))
    )
    return report.render_report(
        ForecastMetrics.parse(metrics), profile, parameters, records, ensemble, tables, **records_tables_and_figures
    )


def summarize_run(metrics: dict[str, Any], next_values: Predictions) -> str:
    """Return the summary of the run: the best methods and the next values."""
    return summary.summarize_run(ForecastMetrics.parse(metrics), next_values)
