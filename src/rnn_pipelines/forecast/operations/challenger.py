"""The ensemble of a challenger, and the forecasts of the holdout by challenger and champion."""

import logging
from collections.abc import Container, Mapping
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import ChallengerTraining
from rnn_pipelines.errors import show
from rnn_pipelines.forecast.evaluation.holdout import measure_holdout
from rnn_pipelines.forecast.intervals.fitting import fit_intervals
from rnn_pipelines.forecast.intervals.levels import LevelSpec
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, EnsembleModel, fit_all_methods
from rnn_pipelines.forecast.methods.forecasts import forecast_methods
from rnn_pipelines.forecast.methods.in_use import BEST, UseSpec, choose_used, wrap_in_ensemble
from rnn_pipelines.forecast.methods.method import FittedMethod, FittingData, PanelModel
from rnn_pipelines.forecast.methods.networks.network import TrainedNetwork
from rnn_pipelines.forecast.methods.predictions import (
    ANOMALY_LEVEL,
    Forecasts,
    Predictions,
    tabulate_forecasts,
)
from rnn_pipelines.forecast.methods.refit import check_refit
from rnn_pipelines.forecast.methods.registry import METHODS
from rnn_pipelines.forecast.model.artefact import FORECAST, Forecaster, forecast_cutoffs
from rnn_pipelines.forecast.model.settings import ForecasterSettings, have_same_axis
from rnn_pipelines.forecast.operations.specs import ForecastPolicySpec, RetrainForecastSpec
from rnn_pipelines.forecast.preparation.reference import describe_new_history
from rnn_pipelines.forecast.series.tables import Features, Scaler, Series
from rnn_pipelines.forecast.windows.coding import Coding
from rnn_pipelines.forecast.windows.panel import WindowedPanel

logger = logging.getLogger(__name__)


def choose_challenger(  # noqa: PLR0913, PLR0917 - each is a data set of a run
    data: FittingData,
    scaler: Scaler,
    coding: Coding,
    settings: ForecasterSettings,
    level: LevelSpec,
    use: UseSpec,
    features: Features,
    retraining: RetrainForecastSpec,
    *networks: TrainedNetwork,
) -> tuple[Forecaster, ChallengerTraining, dict[str, Forecasts]]:
    """Combine the simple methods and the networks by their errors on the validation windows.

    The best simple method of the holdout takes the place of an ensemble that is significantly worse, unless `use` names
    a method.

    Args:
        settings: of the challenger, still without networks.
        level: of its intervals, besides `ANOMALY_LEVEL`, which monitoring reads; empty for no intervals.
    Returns:
        The challenger. And a record: `validation_losses` (normalised) of each candidate and of the ensemble; its
        `weights`; `chosen`, and what it is `instead_of`;
        `seeds`, `training_seconds`, the records of `networks`, and `is_refitted`. And the
        forecasts of the simple methods.
    """
    methods, ensemble = fit_all_methods(
        data, {network.name: network.network for network in networks}
    )
    used = choose_used(use, data, methods, ensemble["losses"])
    methods = check_refit(data, methods)
    weights = ensemble["weights"]
    simple = {name: method for name, method in methods.items() if name in METHODS}
    forecasts = forecast_methods(data.panel, data.linear, {**simple, used: methods[used]})
    asked = used
    if use.root in (ENSEMBLE, BEST):
        holdout = tabulate_forecasts(
            data.panel, features, scaler, {**forecasts, CHALLENGER: forecasts[used]}, "test"
        )
        used = find_better(holdout, settings.horizon, retraining.policy) or used
    in_use = wrap_in_ensemble(methods, used)
    if used != asked:
        logger.warning(
            "%s takes the place of %s, because it is significantly better on the holdout",
            used,
            asked,
        )
    logger.info(
        "ensemble: %s", ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items())
    )
    record: ChallengerTraining = {
        "validation_losses": ensemble["losses"],
        "weights": weights,
        "chosen": used,
        "instead_of": asked if used != asked else None,
        "seeds": sorted({network.seed for network in networks}),
        "training_seconds": sum(network.record["training_seconds"] for network in networks),
        "networks": {network.name: dict(network.record) for network in networks},
        "is_refitted": in_use.refitted is not None,
    }
    settings = name_networks(settings.model_copy(update={"use": used}), in_use, *networks)
    baselines = {name: forecasts[name] for name in simple}
    return make_forecaster(data, in_use, scaler, coding, settings, level), record, baselines


def find_better(holdout: Predictions, horizon: int, policy: ForecastPolicySpec) -> str | None:
    """Return the best of the simple methods that are significantly better than the challenger; None if there is none.

    Only the policy `must_beat: [best]` asks for it. A holdout of one window shows nothing.
    """
    if BEST not in policy.must_beat or len(holdout.table) <= horizon:
        return None
    better = measure_holdout(holdout, horizon).better
    proven = {
        name: ratio for name, (ratio, p_value) in better.items() if p_value <= policy.significance
    }
    return min(proven, key=lambda name: proven[name], default=None)


def name_networks(
    settings: ForecasterSettings, ensemble: FittedMethod, *networks: TrainedNetwork
) -> ForecasterSettings:
    """Return the settings with the parameters of the networks that are in the ensemble."""
    assert isinstance(ensemble.model, EnsembleModel)
    used = {
        network.name: network.parameters
        for network in networks
        if network.name in ensemble.model.models
    }
    return settings.model_copy(update={"networks": used})


def make_forecaster(
    data: FittingData,
    ensemble: FittedMethod,
    scaler: Scaler,
    coding: Coding,
    settings: ForecasterSettings,
    level: LevelSpec,
) -> Forecaster:
    """Return the ensemble in use as a forecaster, with the evaluated model; see `choose_challenger`."""
    # Windows of newer values are padded with the same season length.
    settings = settings.model_copy(update={"season_length": data.panel.season_length})
    intervals = None
    if level.root:
        levels = LevelSpec((*level.root, ANOMALY_LEVEL))
        intervals = fit_intervals(data, {FORECAST: ensemble}, levels, asked=level)
    model, evaluated = (
        PanelModel(data.linear.normalizer, one) for one in (ensemble.in_use, ensemble.model)
    )
    return Forecaster(model, scaler, settings, intervals, coding, evaluated)


def find_seen(champion: Forecaster, settings: ForecasterSettings) -> list[str]:
    """Return the series for which the champion has seen part of the holdout, in training or in the choice of networks.

    The holdout begins after `trained_until` of the challenger, whose settings are given.
    """
    theirs: Mapping[str, Any] = champion.settings.trained_until
    # Steps and dates cannot be compared: a model trained on one has not seen the other.
    return [
        name
        for name, last in settings.trained_until.items()
        if name in theirs
        and isinstance(theirs[name], datetime) is isinstance(last, datetime)
        and theirs[name] > last
    ]


def forecast_holdout(
    panel: WindowedPanel,
    features: Features,
    covariate_table: pd.DataFrame | None,
    baselines: dict[str, Forecasts],
    challenger: Forecaster,
    champion: LoadedChampion | None,
) -> Predictions:
    """Forecast the challenger's holdout by each evaluated model, with its own lookback, calendar and scale.

    Args:
        champion: None if there is none. It is left out if its frequency or time zone differs, if covariates that it
            reads are missing, or if the history that it has learnt has changed: the source may be at fault.
    Returns:
        Forecasts of challenger, champion and baselines with the actuals. They are NaN for series that the model does
        not know, for cut-offs without enough steps before them, and beyond its horizon. If a model forecasts NaN, the
        value becomes infinite, so that the model loses.
    """
    holdout = tabulate_forecasts(panel, features, challenger.scaler, baselines, "test")
    # Without the future steps: each forecaster adds them for its own horizon.
    table = features.table
    series = table[
        table.groupby("unique_id", sort=False).cumcount(ascending=False) >= panel.horizon
    ]
    available = [] if covariate_table is None else list(covariate_table)
    cutoffs = holdout.table[["unique_id", "cutoff"]].drop_duplicates()
    forecasters = {CHALLENGER: challenger} | (
        {} if champion is None else {CHAMPION: champion.artefact}
    )
    for name, forecaster in forecasters.items():
        if obstacle := _find_obstacle(forecaster, challenger.settings, available, series):
            logger.warning("%s: no forecast, because %s", name, obstacle)
            continue
        forecasts = forecast_cutoffs(forecaster.as_evaluated(), series, cutoffs, covariate_table)
        holdout = holdout.add(name, forecasts.fillna({"y_hat": np.inf}))
    return holdout


def _find_obstacle(
    forecaster: Forecaster, settings: ForecasterSettings, available: Container[str], series: Series
) -> str | None:
    """Return the reason why a forecaster cannot forecast the challenger's holdout; None if it can."""
    learnt = forecaster.settings
    if learnt.freq != settings.freq:
        return f"its steps are {learnt.freq}"
    if not have_same_axis(learnt, settings):
        zones = [show(one.zone.name) for one in (learnt, settings)]
        return f"it was trained on times of {zones[0]}, and the holdout has times of {zones[1]}"
    if missing := [
        column for column in forecaster.coding.list_columns() if column not in available
    ]:
        return f"it reads the covariates {missing}, which are missing"
    return (
        None if forecaster.reference is None else describe_new_history(series, forecaster.reference)
    )
