"""Training a challenger, weighing what it is made of, and forecasting the holdout beside the champion."""

import logging
from collections.abc import Container
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from rnn_pipelines.champion.artefacts import LoadedChampion
from rnn_pipelines.champion.policy import CHALLENGER, CHAMPION
from rnn_pipelines.champion.records import ChallengerTraining
from rnn_pipelines.errors import show
from rnn_pipelines.forecast.methods.ensemble import ENSEMBLE, fit_all_methods
from rnn_pipelines.forecast.methods.intervals import LevelSpec, fit_intervals
from rnn_pipelines.forecast.methods.linear import LinearModels
from rnn_pipelines.forecast.methods.method import FittingData, PanelModel
from rnn_pipelines.forecast.methods.network import Network, NetworkRecord
from rnn_pipelines.forecast.methods.predictions import ANOMALY_LEVEL, Forecasts, Predictions, tabulate_forecasts
from rnn_pipelines.forecast.methods.specs import BudgetSpec, ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.forecast.model.artefact import (
    FORECAST,
    Forecaster,
    ForecasterSettings,
    forecast_cutoffs,
)
from rnn_pipelines.forecast.model.newer_times import have_same_axis
from rnn_pipelines.forecast.series.coding import Coding
from rnn_pipelines.forecast.series.tables import Features, Scaler
from rnn_pipelines.forecast.series.windows import WindowedPanel

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class TrainedNetwork:
    """One network of a challenger.

    Attributes:
        name: in the registry.
        network: trained.
        spec, training: what was asked for.
        record: of its training.
    """

    name: str
    network: Network
    spec: NetworkSpec
    training: ForecastTrainingSpec
    record: NetworkRecord


@dataclass(frozen=True)
class TrainingPlan:
    """What a training may cost.

    Attributes:
        budget: time and steps.
        checkpoints: where an interrupted training leaves what it needs to go on; None for nowhere.
    """

    budget: BudgetSpec
    checkpoints: Path | None = None


def train_challenger(
    panel: WindowedPanel, linear: LinearModels, network: NetworkSpec, training: ForecastTrainingSpec, plan: TrainingPlan
) -> TrainedNetwork:
    """Trains one network within the budget.

    Args:
        panel: windows for training and validation.
        linear: the linear models of the panel.
        network, training, plan: see their types.
    """
    from rnn_pipelines.forecast.methods.training import Limits, train_network

    budget = plan.budget
    if budget.max_steps is not None:
        training = training.model_copy(update={"max_steps": budget.max_steps})
    trained, _, record = train_network(panel, linear, network, training, Limits(budget.max_seconds, plan.checkpoints))
    return TrainedNetwork(network.cell, trained, network, training, record)


def choose_challenger(
    panel: WindowedPanel,
    linear: LinearModels,
    scaler: Scaler,
    coding: Coding,
    settings: ForecasterSettings,
    level: LevelSpec,
    *networks: TrainedNetwork,
) -> tuple[Forecaster, ChallengerTraining]:
    """Combine the simple methods and the networks by their errors on the validation windows.

    Args:
        panel: the windows.
        linear: the linear models of the panel.
        scaler: of the series.
        coding: of their covariates.
        settings: of the challenger, still without networks.
        level: of its intervals, beside the one by which monitoring finds anomalies; empty for no intervals.
        networks: all that were trained.
    Returns:
        The challenger. And a record: `validation_losses` (normalised) of each candidate and of the ensemble; its
        `weights`; `chosen`, `seeds`, `training_seconds`, and the records of `networks`.
    """
    trained = {network.name: network.network for network in networks}
    methods, ensemble = fit_all_methods(panel, linear, **trained)
    weights = ensemble["weights"]
    logger.info("ensemble: %s", ", ".join(f"{name} {weight:.2f}" for name, weight in weights.items()))
    record: ChallengerTraining = {
        "validation_losses": ensemble["losses"],
        "weights": weights,
        "chosen": ENSEMBLE,
        "seeds": sorted({network.training.seed for network in networks}),
        "training_seconds": sum(network.record["training_seconds"] for network in networks),
        "networks": {network.name: dict(network.record) for network in networks},
    }
    asked = {network.name: network.spec.model_dump(mode="json") for network in networks if weights[network.name] > 0}
    # Windows of newer values are padded by the same season.
    settings = settings.model_copy(update={"networks": asked, "season_length": panel.season_length})
    intervals = None
    if level.root:
        levels, own = LevelSpec((*level.root, ANOMALY_LEVEL)), {FORECAST: methods[ENSEMBLE]}
        intervals = fit_intervals(FittingData(panel, linear), own, levels)
    model = PanelModel(linear.normalizer, methods[ENSEMBLE].model)
    return Forecaster(model, scaler, settings, intervals, coding), record


def find_seen(champion: Forecaster, settings: ForecasterSettings) -> list[str]:
    """The series of whose holdout the champion has seen something, in training or in the choice among networks.

    Args:
        champion: the forecaster in use.
        settings: of the challenger, whose holdout begins after its `trained_until`.
    """
    theirs = champion.settings.trained_until
    return [name for name, last in settings.trained_until.items() if name in theirs and _is_later(theirs[name], last)]


def _is_later(one: Any, other: Any) -> bool:
    # Steps and dates have no order; who has learnt from the ones has not seen the others.
    return isinstance(one, datetime) is isinstance(other, datetime) and one > other


def forecast_holdout(
    panel: WindowedPanel,
    features: Features,
    covariate_table: pd.DataFrame | None,
    baselines: dict[str, Forecasts],
    challenger: Forecaster,
    champion: LoadedChampion | None,
) -> Predictions:
    """Forecasts of everyone on the challenger's holdout, each with its own lookback, calendar and scale.

    Args:
        panel, features: of the challenger.
        covariate_table: of all covariates that anyone reads; None if there are none.
        baselines: their forecasts of the panel.
        challenger: what was trained.
        champion: the forecaster in use; None where there is none. One with other steps or times of another zone is
            left out, as is one that reads covariates that are not there.
    Returns:
        Those of challenger, champion and baselines beside what happened; NaN where one has no forecast: of a series
        that it doesn't know, of a cut-off before which it lacks steps, of steps beyond its horizon. A forecast that is
        not a number is infinite, because it is one, and as wrong as can be.
    """
    holdout = tabulate_forecasts(panel, features, challenger.scaler, baselines, "test")
    # Without the steps to be forecast, which each forecaster adds for its own horizon.
    table = features.table
    series = table[table.groupby("unique_id", sort=False).cumcount(ascending=False) >= panel.horizon]
    there = [] if covariate_table is None else list(covariate_table)
    cutoffs = holdout.table[["unique_id", "cutoff"]].drop_duplicates()
    forecasters = {CHALLENGER: challenger} | ({} if champion is None else {CHAMPION: champion.artefact})
    for name, forecaster in forecasters.items():
        obstacle = _find_obstacle(forecaster, challenger.settings, there)
        if obstacle:
            logger.warning("%s: no forecast, because %s", name, obstacle)
            continue
        forecasts = forecast_cutoffs(forecaster, series, cutoffs, covariate_table)
        holdout = holdout.add(name, forecasts.fillna({"y_hat": np.inf}))
    return holdout


def _find_obstacle(forecaster: Forecaster, settings: ForecasterSettings, there: Container[str]) -> str | None:
    """Return why a forecaster can't forecast the holdout of one with these settings; None if it can.

    Args:
        forecaster: the champion, or the challenger itself.
        settings: of the challenger.
        there: the covariates that were read.
    """
    own = forecaster.settings
    if own.freq != settings.freq:
        return f"its steps are {own.freq}"
    if not have_same_axis(own, settings):
        zones = [show(one.zone and one.zone.name) for one in (own, settings)]
        return f"it was trained on times of {zones[0]}, and these are of {zones[1]}"
    missing = [column for column in forecaster.coding.list_columns() if column not in there]
    return f"it reads the covariates {missing}, which are not there" if missing else None
