"""Fitting of all methods on a table, in the order of the nodes of `forecast`, and the forecasters of the fit."""

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, TypedDict

import pandas as pd

from rnn_pipelines.forecast.evaluation.interval_metrics import MetricsByLevel
from rnn_pipelines.forecast.evaluation.metrics import METRICS, MetricsByStep, measure_zero_fraction
from rnn_pipelines.forecast.evaluation.past_comparison import compare_past
from rnn_pipelines.forecast.evaluation.series_methods import SeriesMethods, describe_series_methods
from rnn_pipelines.forecast.evaluation.summary import (
    ForecastMetrics,
    choose_deciding,
    evaluate_forecasts,
    warn_of_zeros,
)
from rnn_pipelines.forecast.intervals.bounding import add_intervals
from rnn_pipelines.forecast.intervals.fitting import Intervals, fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.ensemble import (
    ENSEMBLE,
    EnsembleModel,
    fit_all_methods,
    replace_network,
)
from rnn_pipelines.forecast.methods.forecasts import PARTS, forecast_methods, list_seconds
from rnn_pipelines.forecast.methods.in_use import UseSpec, choose_used, wrap_in_ensemble
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel
from rnn_pipelines.forecast.methods.networks.network import Network, TrainedNetwork
from rnn_pipelines.forecast.methods.predictions import (
    ANOMALY_LEVEL,
    Forecasts,
    Predictions,
    show_predictions,
    tabulate_forecasts,
)
from rnn_pipelines.forecast.methods.pretrained import find_network
from rnn_pipelines.forecast.methods.refit import check_refit
from rnn_pipelines.forecast.methods.training.side_by_side import train_networks
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster
from rnn_pipelines.forecast.model.settings import ForecasterSettings, describe_forecaster
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.recipe import Panel, prepare_panel
from rnn_pipelines.forecast.series.tables import Scaler, Source
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.forecast.windows.panel import Part
from rnn_pipelines.networks.stages import Stage, begin_stage

# The stages of `fit_forecasters`, with their seconds on a usual file.
STAGES: tuple[Stage, ...] = (
    ("prepare the series", 0.15),
    ("fit linear models", 0.3),
    ("train networks", 3.0),
    ("fit the ensemble", 7.0),
    ("fit the intervals", 1.2),
)
# Of a fit without networks and boosted trees.
FAST_STAGES: tuple[Stage, ...] = (
    ("prepare the series", 0.12),
    ("fit linear models", 0.15),
    ("train networks", 0.05),
    ("fit the ensemble", 0.3),
    ("fit the intervals", 0.6),
)

logger = logging.getLogger(__name__)


class EnsembleRecord(TypedDict):
    """The weights of the ensemble by method, the losses of its methods, see `fit_ensemble`, and the method in use."""

    weights: dict[str, float]
    losses: dict[str, float | None]
    seconds: float
    used: str


@dataclass(frozen=True)
class Fitted:
    """The methods that were fitted on a table."""

    spec: ForecastSpec
    table: Source
    panel: Panel
    settings: ForecasterSettings  # of a forecaster, without networks
    data: FittingData  # of the fits: the windows and their linear models
    networks: Mapping[str, TrainedNetwork]  # trained, by name, with their records
    methods: Mapping[
        str, FittedMethod
    ]  # all methods by name, including the ensemble; evaluated, and refitted for use
    weights: EnsembleRecord
    intervals: Intervals


@dataclass(frozen=True)
class Evaluated:
    """The forecasts of fitted methods, and their errors on the test part."""

    metrics: ForecastMetrics
    # `by_step` and `by_level`: the metrics by step ahead, and those of the intervals by level.
    by_step: MetricsByStep
    by_level: MetricsByLevel
    # `test` and `future`: forecasts of the test part and of the next steps, in the zone of the data.
    test: Predictions
    future: Predictions


def fit_forecasters(
    table: Source, covariate_table: pd.DataFrame | None, spec: ForecastSpec
) -> Fitted:
    """Fit simple methods, networks, their ensemble and intervals; for the covariates, see `read_series`.

    Raise a SeriesError with the reason and a remedy, or a TrainingError if a loss is no longer finite.
    """
    begin_stage("prepare the series")
    panel = prepare_panel(table, spec, covariate_table)
    begin_stage("fit linear models")
    data = prepare_fitting(panel.windows, spec.training, panel.scaler, spec.pretrained)
    begin_stage("train networks")
    networks = train_networks(data, spec.networks, spec.training)
    begin_stage("fit the ensemble")
    methods, weights = fit_models(
        data, {name: network.network for name, network in networks.items()}, spec.use
    )
    begin_stage("fit the intervals")
    intervals = fit_intervals(data, methods, add_anomaly_level(spec.level), requested=spec.level)
    settings = describe_forecaster(
        panel.series,
        panel.profile,
        panel.cutoffs,
        panel.windows,
        spec.calendar,
        spec.gaps,
        spec.breaks,
    ).model_copy(update={"use": weights["used"]})
    return Fitted(spec, table, panel, settings, data, networks, methods, weights, intervals)


def list_stages(is_fast: bool) -> tuple[Stage, ...]:
    """Return the stages of `fit_forecasters`, with or without networks and boosted trees."""
    return FAST_STAGES if is_fast else STAGES


def add_anomaly_level(level: LevelSpec) -> LevelSpec:
    """Return levels and the one that monitoring reads, below which others can be interpolated; none stay none."""
    return LevelSpec((*level.root, ANOMALY_LEVEL)) if level.root else level


def fit_models(
    data: FittingData, networks: Mapping[str, Network], use: UseSpec
) -> tuple[dict[str, FittedMethod], EnsembleRecord]:
    """Fit the simple methods and the ensemble with trained networks, and choose the method in use.

    Each method is evaluated, and fitted again on all rows for the next values. Return the methods by name, and the
    record of the ensemble.
    """
    methods, ensemble = fit_all_methods(data, networks)
    used = choose_used(use, data, methods, ensemble["losses"])
    record: EnsembleRecord = {
        "weights": ensemble["weights"],
        "losses": ensemble["losses"],
        "seconds": ensemble["seconds"],
        "used": used,
    }
    return check_refit(data, methods), record


def use_network(fitted: Fitted, name: str, network: Network) -> Fitted:
    """Return the fit with another network in the models in use, see `replace_network`; warn if it has no effect.

    Evaluated models, weights of the ensemble and intervals are those of the network before.
    """
    methods = replace_network(fitted.methods, name, network)
    ensemble = methods[ENSEMBLE].in_use
    assert isinstance(ensemble, EnsembleModel)
    if not network.shrinkage:
        logger.warning("%s: its weights have no effect, because its shrinkage is 0", name)
    elif not ensemble.weights.get(name):
        logger.warning(
            "%s: the ensemble does not change, because the weight of %s in it is 0", name, name
        )
    networks = {**fitted.networks, name: replace(fitted.networks[name], network=network)}
    return replace(fitted, networks=networks, methods=methods)


def tabulate_part(fitted: Fitted, part: Part) -> Predictions:
    """Return the forecasts of all methods side by side, with intervals, in the unit of the data.

    The part is `test`, with the actual values, or `future`.
    """
    return _tabulate(
        fitted, forecast_methods(fitted.panel.windows, fitted.data.linear, fitted.methods), part
    )


def _tabulate(fitted: Fitted, forecasts: Mapping[str, Forecasts], part: Part) -> Predictions:
    panel = fitted.panel
    predictions = tabulate_forecasts(
        panel.windows, panel.features, panel.scaler, forecasts, part, fitted.weights["used"]
    )
    network = find_network({name: method.model for name, method in fitted.methods.items()})
    intervals = fitted.intervals.keep(fitted.spec.level.root)
    return add_intervals(predictions, intervals, panel.windows, panel.scaler, part, network)


def evaluate_fitted(fitted: Fitted) -> Evaluated:
    """Forecast test part and next steps with all methods, and measure the errors; see `evaluate_forecasts`."""
    panel = fitted.panel
    records: dict[str, Any] = {name: network.record for name, network in fitted.networks.items()}
    forecasts = forecast_methods(panel.windows, fitted.data.linear, fitted.methods)
    test, future = (_tabulate(fitted, forecasts, part) for part in PARTS)
    seconds = list_seconds(fitted.data.linear, fitted.methods, forecasts)
    past = compare_past(
        panel.windows, fitted.data.linear, fitted.methods, forecasts, fitted.weights
    )
    evaluation = fitted.spec.evaluation
    found, _, by_step, by_level = evaluate_forecasts(
        test, panel.series, panel.cutoffs, panel.profile, evaluation, seconds, past, **records
    )
    test, future = (show_predictions(table, panel.profile["tz"]) for table in (test, future))
    return Evaluated(ForecastMetrics.parse(found), by_step, by_level, test, future)


def rank_forecasters(metrics: ForecastMetrics) -> pd.DataFrame:
    """Return all metrics of all methods on the test part, the best method first.

    A row has `forecaster` and its metrics, see `ForecastMetrics`; they are sorted by the metric of the verdict. There
    are none without a test part.
    """
    ranked = {name: metrics.forecasters[name] for name in metrics.rank()}
    if not ranked:
        return pd.DataFrame(columns=["forecaster", *METRICS])
    return pd.DataFrame.from_dict(ranked, orient="index").rename_axis("forecaster").reset_index()


def warn_of_many_zeros(fitted: Fitted) -> str:
    """Return the warning of many zeros; empty if there are few."""
    panel = fitted.panel
    zero_fraction = measure_zero_fraction(panel.series, panel.cutoffs)
    is_ranked = len(panel.windows.index("test")) > 0
    deciding = (
        choose_deciding(len(panel.cutoffs) > 1, zero_fraction, zero_fraction < 1)
        if is_ranked
        else None
    )
    return warn_of_zeros(zero_fraction, deciding)


def tabulate_series_methods(fitted: Fitted) -> SeriesMethods:
    """Return a row for each series with what forecasts it, see `SeriesMethodsTable`."""
    panel = fitted.panel
    linear = fitted.data.linear
    return describe_series_methods(
        fitted.table,
        panel.cutoffs,
        panel.profile,
        panel.windows,
        linear,
        fitted.methods,
        fitted.weights,
    )


def list_artefacts(fitted: Fitted) -> dict[str, Forecaster]:
    """Return a forecaster of each method in use, for newer values."""
    panel = fitted.panel
    forecasters = {}
    for name, method in fitted.methods.items():
        intervals = fitted.intervals.pick(name, FORECAST) if fitted.spec.level.root else None
        model = PanelModel(fitted.data.linear.normalizer, method.in_use)
        forecasters[name] = Forecaster(
            model, panel.scaler, fitted.settings, intervals, panel.coding
        )
    return forecasters


def make_champion(fitted: Fitted) -> Forecaster:
    """Return the method in use as in a retraining, with the settings of its networks and the level for monitoring."""
    return make_forecaster(
        fitted.data,
        wrap_in_ensemble(fitted.methods, fitted.weights["used"]),
        fitted.networks.values(),
        fitted.panel.scaler,
        fitted.panel.coding,
        fitted.settings,
        fitted.spec.level,
    )


def make_forecaster(  # noqa: PLR0913, PLR0917 - each is a dataset of a retraining
    data: FittingData,
    ensemble: FittedMethod,
    networks: Iterable[TrainedNetwork],
    scaler: Scaler,
    coding: Coding,
    settings: ForecasterSettings,
    level: LevelSpec,
) -> Forecaster:
    """Return an ensemble as a forecaster for use, with the evaluated model and the parameters of its networks.

    `level` are those of its intervals, besides `ANOMALY_LEVEL`, which monitoring reads; empty for no intervals.
    """
    assert isinstance(ensemble.model, EnsembleModel)
    used = {
        network.name: network.parameters
        for network in networks
        if network.name in ensemble.model.models
    }
    intervals = None
    if level.root:
        levels = add_anomaly_level(level)
        intervals = fit_intervals(data, {FORECAST: ensemble}, levels, requested=level)
    return Forecaster(
        PanelModel(data.linear.normalizer, ensemble.in_use),
        scaler,
        settings.model_copy(update={"networks": used}),
        intervals,
        coding,
        evaluated=PanelModel(data.linear.normalizer, ensemble.model),
    )
