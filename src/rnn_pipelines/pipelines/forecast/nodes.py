"""Nodes of `forecast` that are not functions of the library."""

from typing import Any

import pandas as pd

from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.methods import intervals
from rnn_pipelines.forecast.methods import predictions as tables
from rnn_pipelines.forecast.methods.forecasts import PARTS
from rnn_pipelines.forecast.methods.intervals import Intervals, LevelSpec, add_intervals
from rnn_pipelines.forecast.methods.linear import LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.network import Network, NetworkRecord
from rnn_pipelines.forecast.methods.predictions import Forecasts, Predictions
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.report import report, summary
from rnn_pipelines.forecast.series import source as series
from rnn_pipelines.forecast.series.covariates import CovariateSpec, check_future_covariates, read_covariates
from rnn_pipelines.forecast.series.schema import choose_usual_window, find_frequency
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Features, Profile, Scaler, Source
from rnn_pipelines.forecast.series.windows import OpenWindowSpec, WindowedPanel


def read_source(
    source: SourceSpec, covariates: CovariateSpec, window: OpenWindowSpec, external: pd.DataFrame | None
) -> tuple[Source, pd.DataFrame]:
    """Reads series and covariates, and lets nothing begin where those known ahead are missing over the horizon."""
    table, covariate_table = series.read_source(source, external), read_covariates(source, covariates, external)
    # Of a table without rows, that is said where it is checked.
    if covariates.future and len(table):
        freq = find_frequency(table, source)
        horizon = window.horizon or choose_usual_window(source, freq)[1]
        check_future_covariates(table, covariate_table, covariates.future, horizon, freq)
    return table, covariate_table


def train_network(
    panel: WindowedPanel, linear: LinearModels, network: NetworkSpec, training: ForecastTrainingSpec
) -> tuple[Network, pd.DataFrame, NetworkRecord]:
    """Trains the network on what is not linear, and keeps the weights that are best on windows it has not seen."""
    from rnn_pipelines.forecast.methods import training as networks

    return networks.train_network(panel, linear, network, training)


def fit_intervals(
    panel: WindowedPanel, linear: LinearModels, methods: dict[str, FittedMethod], level: LevelSpec
) -> Intervals:
    """Find the intervals of each method from its errors on the validation windows."""
    return intervals.fit_intervals(FittingData(panel, linear), methods, level)


def tabulate_forecasts(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    profile: Profile,
    forecasts: dict[str, Forecasts],
    intervals: Intervals,
) -> tuple[Predictions, Predictions, pd.DataFrame]:
    """Lay all forecasts, with their intervals, side by side in the data's own unit: test part and next values.

    The next values also as a plain table, which any program reads.
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
    """Puts verdict, tables and figures into one HTML file that needs no network."""
    records, tables = (
        {name: records_tables_and_figures.pop(name) for name in names}
        for names in (NETWORKS, ("by_level", "covariates"))
    )
    return report.render_report(
        ForecastMetrics.parse(metrics), profile, parameters, records, ensemble, tables, **records_tables_and_figures
    )


def summarize_run(metrics: dict[str, Any], next_values: Predictions) -> str:
    """Says at the run's end who is ahead, and what comes next."""
    return summary.summarize_run(ForecastMetrics.parse(metrics), next_values)
