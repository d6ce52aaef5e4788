"""Nodes of `retrain_forecast`: each calls one function of the library with its typed parameters."""

import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from rnn_pipelines.champion import retraining
from rnn_pipelines.champion.retraining import Candidate, LoadedChampion
from rnn_pipelines.forecast import challenger as training_retraining
from rnn_pipelines.forecast import forecaster
from rnn_pipelines.forecast.challenger import Means, TrainedNetwork
from rnn_pipelines.forecast.decision import RetrainForecastSpec
from rnn_pipelines.forecast.forecaster import Forecaster, ForecasterSettings
from rnn_pipelines.forecast.predictions import Forecasts, Predictions
from rnn_pipelines.forecast.series import newest
from rnn_pipelines.forecast.series.calendar import CalendarSpec
from rnn_pipelines.forecast.series.schema import GapPolicy
from rnn_pipelines.forecast.series.source import SourceSpec
from rnn_pipelines.forecast.series.windows import WindowedPanel, WindowSpec
from rnn_pipelines.forecast.specs import ForecastTrainingSpec, NetworkSpec
from rnn_pipelines.networks.fan_out import ParallelSpec

# Kedro resolves these hints when it checks parameters; a champion may be None, which is no type to check.
if not TYPE_CHECKING:
    LoadedChampion = Any


def read_newest(
    external: pd.DataFrame | None, source: SourceSpec, retrain_spec: RetrainForecastSpec
) -> tuple[pd.DataFrame, float]:
    """Reads the series up to the day of the retraining, and notes when it began."""
    return newest.read_newest(external, source, retrain_spec), time.time()


def describe_run(
    table: pd.DataFrame,
    profile: dict[str, Any],
    forecast: dict[str, Any],
    retrain_spec: RetrainForecastSpec,
    started: float,
) -> dict[str, Any]:
    """Fingerprints data, parameters and code, and notes the versions of everything."""
    parameters = {"forecast": forecast, "retrain_forecast": retrain_spec}
    return retraining.describe_run(table, profile, parameters, retrain_spec.as_of, started)


def describe_forecaster(
    series: pd.DataFrame,
    profile: dict[str, Any],
    cutoffs: pd.DataFrame,
    window: WindowSpec,
    calendar_spec: CalendarSpec,
    gaps: GapPolicy,
) -> ForecasterSettings:
    """Gathers what a forecaster must know again when it forecasts newer values."""
    return forecaster.describe_forecaster(series, profile, cutoffs, window, calendar_spec, gaps)


def allot_means(
    champion: LoadedChampion | None, retrain_spec: RetrainForecastSpec, checkpoints: Path, parallel: ParallelSpec
) -> Means:
    """Says what the training may cost, and which network it may start from."""
    return Means(retrain_spec.budget, None if champion is None else champion.artefact, checkpoints, parallel)


def train_challenger(
    panel: WindowedPanel,
    settings: ForecasterSettings,
    network: NetworkSpec,
    training: ForecastTrainingSpec,
    means: Means,
) -> TrainedNetwork:
    """Trains one network within the budget, from the champion's weights where they fit."""
    return training_retraining.train_challenger(panel, settings, network, training, means)


def choose_challenger(
    panel: WindowedPanel, scaler: pd.DataFrame, settings: ForecasterSettings, **networks: TrainedNetwork
) -> tuple[Forecaster, dict[str, Any]]:
    """Takes the network that is best on validation, or the mean of all."""
    return training_retraining.choose_challenger(panel, scaler, settings, networks)


def forecast_holdout(
    panel: WindowedPanel,
    features: pd.DataFrame,
    scaler: pd.DataFrame,
    baselines: dict[str, Forecasts],
    challenger: Forecaster,
    champion: LoadedChampion | None,
) -> Predictions:
    """Forecasts the newest holdout by champion, challenger and baselines."""
    forecasters = {"challenger": challenger} | ({} if champion is None else {"champion": champion.artefact})
    return training_retraining.forecast_holdout(panel, features, scaler, baselines, forecasters)


def decide_promotion(
    challenger: Forecaster,
    champion: LoadedChampion | None,
    holdout: Predictions,
    training: dict[str, Any],
    run: dict[str, Any],
    retrain_spec: RetrainForecastSpec,
) -> Candidate:
    """Compares the two, decides by the policy, and writes the record with the reasons."""
    from rnn_pipelines.forecast import decision as forecast_decision

    return forecast_decision.decide_forecast(challenger, champion, holdout, training, run, retrain_spec)
