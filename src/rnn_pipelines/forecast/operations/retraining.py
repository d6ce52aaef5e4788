"""A retraining on a table, in the order of the nodes of `retrain_forecast`; a backtest replays it."""

from dataclasses import dataclass

import pandas as pd

from rnn_pipelines.champion.artefacts import Candidate, LoadedChampion
from rnn_pipelines.champion.records import ChallengerTraining, RetrainingInputs
from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.predictions import Forecasts
from rnn_pipelines.forecast.methods.training.specs import TrainingPlan
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.model.artefact import Forecaster
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.operations.challenger import choose_challenger, forecast_holdout
from rnn_pipelines.forecast.operations.decision import decide_promotion, keep_reference
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.parameters import ForecastSpec
from rnn_pipelines.forecast.recipe import Panel, prepare_panel
from rnn_pipelines.forecast.series.tables import Source


@dataclass(frozen=True)
class TrainedChallenger:
    """A challenger, with the data that the decision on it reads.

    Attributes:
        record: see `choose_challenger`.
        baselines: forecasts of the simple methods by name.
    """

    panel: Panel
    covariate_table: pd.DataFrame | None
    forecaster: Forecaster
    record: ChallengerTraining
    baselines: dict[str, Forecasts]


def fit_challenger(
    table: Source,
    covariate_table: pd.DataFrame | None,
    spec: ForecastSpec,
    retraining: RetrainForecastSpec,
    plan: TrainingPlan,
) -> TrainedChallenger:
    """Fit all methods on a table, and choose the challenger."""
    panel = prepare_panel(table, spec, covariate_table)
    settings = describe_forecaster(
        panel.series,
        panel.profile,
        panel.cutoffs,
        panel.windows,
        spec.calendar,
        spec.gaps,
        spec.breaks,
    )
    data = prepare_fitting(panel.windows, spec.training, panel.scaler, spec.pretrained)
    networks = [
        train_network(data, network, spec.training, plan) for network in spec.networks.values()
    ]
    forecaster, record, baselines = choose_challenger(
        data,
        panel.scaler,
        panel.coding,
        settings,
        spec.level,
        spec.use,
        panel.features,
        retraining,
        *networks,
    )
    return TrainedChallenger(panel, covariate_table, forecaster, record, baselines)


def decide_on(
    challenger: TrainedChallenger,
    champion: LoadedChampion | None,
    run: RetrainingInputs,
    retraining: RetrainForecastSpec,
) -> Candidate:
    """Compare a challenger with the champion on the holdout, and return it with the decision."""
    panel = challenger.panel
    holdout = forecast_holdout(
        panel.windows,
        panel.features,
        challenger.covariate_table,
        challenger.baselines,
        challenger.forecaster,
        champion,
    )
    candidate = decide_promotion(
        challenger.forecaster, champion, holdout, challenger.record, run, retraining
    )
    return keep_reference(candidate, panel.series)
