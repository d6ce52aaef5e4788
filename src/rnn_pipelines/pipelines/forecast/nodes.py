"""Nodes of `forecast` that are not functions of the library."""

from typing import Any

import pandas as pd

from rnn_pipelines.forecast import predictions as tables
from rnn_pipelines.forecast.base import Base
from rnn_pipelines.forecast.best import BEST
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.intervals import Intervals, add_intervals
from rnn_pipelines.forecast.networks import Network, NetworkRecord
from rnn_pipelines.forecast.predictions import Forecasts, Predictions
from rnn_pipelines.forecast.registry import NETWORKS
from rnn_pipelines.forecast.report import report, summary
from rnn_pipelines.forecast.seconds import count_seconds as count
from rnn_pipelines.forecast.series import source as series
from rnn_pipelines.forecast.series.covariates import CovariateSpec, read_covariates, refuse_missing_ahead
from rnn_pipelines.forecast.series.schema import choose_usual_window, find_frequency
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.tables import Features, Profile, Scaler, Source
from rnn_pipelines.forecast.series.windows import OpenWindowSpec, Part, WindowedPanel
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec


def read_source(
    source: SourceSpec, covariates: CovariateSpec, window: OpenWindowSpec, external: pd.DataFrame | None
) -> tuple[Source, pd.DataFrame]:
    """Reads series and covariates, and lets nothing begin where those known ahead are missing over the horizon."""
    table, covariate_table = series.read_source(source, external), read_covariates(source, covariates, external)
    # Of a table without rows, that is said where it is checked.
    if covariates.future and len(table):
        freq = find_frequency(table, source)
        horizon = window.horizon or choose_usual_window(source, freq)[1]
        refuse_missing_ahead(table, covariate_table, covariates.future, horizon, freq)
    return table, covariate_table


def train_network(
    panel: WindowedPanel, base: Base, network: NetworkSpec, training: ForecastTrainingSpec
) -> tuple[Network, pd.DataFrame, NetworkRecord]:
    """Trains the network on what is not linear, and keeps the weights that are best on windows it has not seen."""
    from rnn_pipelines.forecast import training as networks

    return networks.train_network(panel, base, network, training)


def count_seconds(
    base: Base,
    best: dict[str, Any],
    baselines: dict[str, Forecasts],
    best_forecasts: Forecasts,
    **records_and_forecasts: Any,
) -> dict[str, dict[str, float]]:
    """Counts what every forecaster took to fit and to forecast."""
    forecasts = {name: records_and_forecasts.pop(f"{name}_forecasts") for name in NETWORKS}
    return count(base, best, records_and_forecasts, {**forecasts, BEST: best_forecasts, **baselines})


def tabulate_forecasts(
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    profile: Profile,
    baselines: dict[str, Forecasts],
    intervals: Intervals,
    **networks_and_best: Forecasts,
) -> tuple[Predictions, Predictions, pd.DataFrame]:
    """Lays all forecasts, with their intervals, side by side in the data's own unit: of the test part, and to come.

    What is to come as a plain table, too, which any program reads.
    """
    by_name = {**networks_and_best, **baselines}
    parts: tuple[Part, Part] = ("test", "future")
    tabulated = [tables.tabulate_forecasts(panel, features, scaler, by_name, part) for part in parts]
    test, future = (
        tables.show_predictions(add_intervals(table, intervals, panel, scaler, part), profile["tz"])
        for table, part in zip(tabulated, parts, strict=True)
    )
    return test, future, future.table


def render_report(
    metrics: dict[str, Any],
    profile: Profile,
    parameters: dict[str, Any],
    best: dict[str, Any],
    **records_tables_and_figures: Any,
) -> str:
    """Puts verdict, tables and figures into one HTML file that needs no network."""
    records, tables = (
        {name: records_tables_and_figures.pop(name) for name in names}
        for names in (NETWORKS, ("by_level", "covariates"))
    )
    return report.render_report(
        ForecastMetrics.parse(metrics), profile, parameters, records, best, tables, **records_tables_and_figures
    )


def summarize_run(metrics: dict[str, Any], next_values: Predictions) -> str:
    """Says at the run's end who is ahead, and what comes next."""
    return summary.summarize_run(ForecastMetrics.parse(metrics), next_values)
