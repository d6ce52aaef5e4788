"""Nodes of `forecast` that are not functions of the library."""

from dataclasses import fields, replace
from typing import Any

import pandas as pd

from rnn_pipelines.forecast import recipe
from rnn_pipelines.forecast.evaluation.summary import ForecastMetrics
from rnn_pipelines.forecast.fitting import EnsembleRecord, fit_models
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import Intervals, fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods import predictions as tables
from rnn_pipelines.forecast.methods.forecasts import PARTS
from rnn_pipelines.forecast.methods.in_use import UseSpec
from rnn_pipelines.forecast.methods.linear.models import LinearModels
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData
from rnn_pipelines.forecast.methods.networks.network import Network, NetworkRecord, TrainedNetwork
from rnn_pipelines.forecast.methods.predictions import Forecasts, Predictions
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training import side_by_side
from rnn_pipelines.forecast.methods.training.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.model.paths import PathsSpec
from rnn_pipelines.forecast.partitions import fitted
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.partitions.jobs import Tables
from rnn_pipelines.forecast.partitions.totals import PanelTotals
from rnn_pipelines.forecast.pretrained.files import load_used_network
from rnn_pipelines.forecast.pretrained.specs import PretrainedSpec
from rnn_pipelines.forecast.recipe import Panel, Recipe
from rnn_pipelines.forecast.report import report, summary
from rnn_pipelines.forecast.report.next_values import restore_numbers, tabulate_used
from rnn_pipelines.forecast.series.tables import Features, Profile, Scaler, Source
from rnn_pipelines.forecast.totals.adding import NUM_PATHS, Totals
from rnn_pipelines.forecast.totals.levels import (
    MetricsByTotal,
    MetricsByTotalTable,
    measure_levels,
)
from rnn_pipelines.forecast.totals.reconciling import (
    ReconcileSpec,
    make_hierarchy,
    reconcile_next,
    use_method,
)
from rnn_pipelines.forecast.totals.specs import TotalsSpec
from rnn_pipelines.forecast.windows.panel import OpenWindowSpec, WindowedPanel
from rnn_pipelines.networks.fan_out import ParallelSpec


def read_source(
    sample: Sample, window: OpenWindowSpec, reconcile: ReconcileSpec
) -> tuple[Source, pd.DataFrame]:
    """Read the series and covariates of the fit, and check that future covariates cover the horizon."""
    sample.check_reconciled(reconcile)
    return recipe.read_with_covariates(sample.source, sample.covariates, window, sample.external)


def train_networks(
    panel: WindowedPanel,
    linear: LinearModels,
    training: ForecastTrainingSpec,
    pretrained: PretrainedSpec,
    **networks: NetworkSpec,
) -> dict[str, TrainedNetwork]:
    """Train the networks on the residuals of the linear models, with the best weights on held-out windows."""
    return side_by_side.train_networks(FittingData(panel, linear, pretrained), networks, training)


def take_network(
    trained: dict[str, TrainedNetwork], spec: NetworkSpec
) -> tuple[Network, pd.DataFrame, NetworkRecord]:
    """Return one of the trained networks, with its history and its record."""
    found = trained[spec.cell]
    return found.network, found.history, found.record


def export_network(network: Network, spec: NetworkSpec, record: NetworkRecord) -> Any:
    """Return the network as a Keras model if its parameters ask for one and it was trained, else an empty mapping."""
    return network.to_keras() if spec.save_keras and record["num_steps"] else {}


def fit_all_methods(
    panel: WindowedPanel,
    linear: LinearModels,
    level: LevelSpec,
    use: UseSpec,
    pretrained: PretrainedSpec,
    **networks: Network,
) -> tuple[dict[str, FittedMethod], EnsembleRecord, Intervals]:
    """Fit the simple methods, the ensemble of all methods, and the intervals of each from its out-of-fold errors.

    Each method is evaluated, and fitted again on all rows for the next values. The record names the one in use.
    """
    data = FittingData(panel, linear, pretrained)
    methods, record = fit_models(data, networks, use)
    return methods, record, fit_intervals(data, methods, level)


def reconcile_totals(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    linear: LinearModels,
    methods: dict[str, FittedMethod],
    intervals: Intervals,
    forecasts: dict[str, Forecasts],
    ensemble: EnsembleRecord,
    covariate_table: pd.DataFrame,
    totals: TotalsSpec,
    reconcile: ReconcileSpec,
    **panel: Any,
) -> tuple[dict[str, Forecasts], MetricsByTotal]:
    """Return the forecasts with reconciled next values in use, if asked for, and the errors of totals."""
    metrics = MetricsByTotalTable.make_empty()
    if not totals.root and reconcile.method is None:
        return forecasts, metrics
    used = ensemble["used"]
    prepared = Panel(**panel)
    hierarchy = make_hierarchy(prepared.series, prepared.profile, covariate_table, totals)
    names = hierarchy.values.columns
    evaluated = use_method(prepared, linear, methods, used, names, intervals, is_evaluated=True)
    metrics = measure_levels(evaluated, hierarchy, totals, prepared.cutoffs, reconcile)
    if reconcile.method is not None:
        in_use = use_method(prepared, linear, methods, used, names)
        future = reconcile_next(reconcile.method, hierarchy, in_use)
        forecasts = {**forecasts, used: replace(forecasts[used], future=future)}
    return forecasts, metrics


def tabulate_forecasts(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    panel: WindowedPanel,
    features: Features,
    scaler: Scaler,
    profile: Profile,
    forecasts: dict[str, Forecasts],
    intervals: Intervals,
    ensemble: EnsembleRecord,
    pretrained: PretrainedSpec,
) -> tuple[Predictions, Predictions, pd.DataFrame, pd.DataFrame]:
    """Return tables of all forecasts with their intervals, in the data's own unit: test part and next values.

    The other tables are for spreadsheets and other programs: the next values of the method in use, and of every method.
    """
    network = load_used_network(pretrained)
    bounded = []
    for part in PARTS:
        table = tables.tabulate_forecasts(
            panel, features, scaler, forecasts, part, ensemble["used"]
        )
        table = add_intervals(table, intervals, panel, scaler, part, network)
        bounded.append(tables.show_predictions(table, profile["tz"]))
    test, future = bounded
    return test, future, tabulate_used(future, profile["dead"]), restore_numbers(future.table)


def forecast_partitions(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    sample: Sample,
    linear: LinearModels,
    methods: dict[str, FittedMethod],
    intervals: Intervals,
    ensemble: EnsembleRecord,
    parameters: dict[str, Any],
    parallel: ParallelSpec,
    totals: TotalsSpec,
    paths: PathsSpec,
    **panel: Any,
) -> tuple[Tables, Tables, dict[str, Any], Totals]:
    """Forecast and evaluate all series of a divided panel; without partitions, nothing."""
    spec = Recipe(**{name: parameters[name] for name in Recipe.model_fields})
    fit = fitted.describe_fit(spec, Panel(**panel), linear, methods, intervals, ensemble["used"])
    fit = replace(fit, totals=PanelTotals(totals, paths.root or NUM_PATHS))
    return fitted.forecast_all_partitions(fit, sample, parallel)


def render_report(
    metrics: dict[str, Any], parameters: dict[str, Any], **results_and_figures: Any
) -> str:
    """Render next values, comparison, errors and settings as one HTML file that loads nothing else."""
    given = results_and_figures
    records = {name: given.pop(name) for name in NETWORKS}
    results = {
        part.name: given.pop(part.name)
        for part in fields(report.ForecastResults)
        if part.name in given
    }
    shown = report.ForecastResults(
        metrics=ForecastMetrics.parse(metrics), records=records, **results
    )
    figures = {name.removesuffix("_figure"): figure for name, figure in given.items()}
    return report.report_forecast(shown, parameters, figures).render()


def summarize_run(
    metrics: dict[str, Any],
    next_values: Predictions,
    run_before: Any,
    all_series: dict[str, Any],
    profile: Profile,
    totals: Totals,
) -> str:
    """Return the answer, the next values, their totals, the best methods, and the comparison with the run before."""
    return summary.summarize_forecast(
        ForecastMetrics.parse(metrics), next_values, profile, run_before, all_series, totals=totals
    )
