"""The graph of `retrain_forecast`: newest series → challenger → holdout, with the champion → decision and record."""

import time

import pandas as pd
from kedro.pipeline import Node, Pipeline

from rnn_pipelines.forecast.methods.linear_fitting import prepare_fitting
from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.methods.training.training import train_network
from rnn_pipelines.forecast.model.settings import describe_forecaster
from rnn_pipelines.forecast.operations.challenger import choose_challenger, forecast_holdout
from rnn_pipelines.forecast.operations.decision import (
    decide_promotion,
    describe_run,
    keep_reference,
    plan_training,
)
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.partitions import dividing
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.pipelines.wiring import PANEL, create_preparation_nodes, node

SPEC = "params:retrain_forecast"
CHAMPION = "champion_forecast"
SAMPLE, STARTED = "retrain_forecast_sample", "retrain_forecast_started"
# The datasets of the preparation by the names of their values.
PREPARED = {
    "table": "retrain_forecast_table",
    "covariate_table": "retrain_forecast_covariate_table",
    "source_table": "retrain_forecast_source",
    "series": "retrain_forecast_series",
    "profile": "retrain_forecast_profile",
    "cutoffs": "retrain_forecast_cutoffs",
    "scaler": "retrain_forecast_scaler",
    "coding": "retrain_forecast_coding",
    "features": "retrain_forecast_features",
    "windows": "retrain_forecast_windows",
}
TABLE = PREPARED["table"]
COVARIATE_TABLE = PREPARED["covariate_table"]
SERIES = PREPARED["series"]
PROFILE = PREPARED["profile"]
WINDOWS = PREPARED["windows"]
FEATURES = PREPARED["features"]
SCALER = PREPARED["scaler"]
RUN, PLAN = "retrain_forecast_run", "retrain_forecast_plan"
CHALLENGER, BASELINES = "retrain_forecast_challenger", "retrain_forecast_baselines"
TRAINING, HOLDOUT = "retrain_forecast_training", "retrain_forecast_holdout"


def create_pipeline() -> Pipeline:
    """Read the data up to the as-of time, of a divided panel a sample, and run the steps that a backtest replays."""
    described = [TABLE, COVARIATE_TABLE, PROFILE, "params:forecast", SPEC, STARTED]
    nodes = [
        node(dividing.draw_sample, PANEL, SAMPLE),
        node(read_newest_sample, [SAMPLE, SPEC], [TABLE, COVARIATE_TABLE, STARTED]),
        *create_preparation_nodes(PREPARED),
        node(describe_run, described, RUN),
        node(plan_training, [SPEC, "retrain_forecast_checkpoints"], PLAN),
        *create_training_nodes(),
        *create_decision_nodes(),
    ]
    return Pipeline(nodes)


def create_training_nodes() -> list[Node]:
    """Fit all methods on the windows, and choose the challenger; `retraining.train_challenger` has the same order."""
    training, pretrained = "params:forecast.training", "params:forecast.pretrained"
    data, settings = "retrain_forecast_data", "retrain_forecast_settings"
    calendar, gaps, breaks = (f"params:forecast.{name}" for name in ("calendar", "gaps", "breaks"))
    networks = [f"retrain_forecast_{cell}_network" for cell in NETWORKS]
    chosen_from = [
        data,
        SCALER,
        PREPARED["coding"],
        settings,
        "params:forecast.level",
        "params:forecast.use",
        FEATURES,
        SPEC,
        *networks,
    ]
    return [
        node(
            describe_forecaster,
            [SERIES, PROFILE, PREPARED["cutoffs"], WINDOWS, calendar, gaps, breaks],
            settings,
        ),
        node(prepare_fitting, [WINDOWS, training, SCALER, pretrained], data),
        *(
            node(
                train_network,
                [data, f"params:forecast.{cell}", training, PLAN],
                f"retrain_forecast_{cell}_network",
                f"retrain_forecast_{cell}",
            )
            for cell in NETWORKS
        ),
        node(choose_challenger, chosen_from, [CHALLENGER, TRAINING, BASELINES]),
    ]


def create_decision_nodes() -> list[Node]:
    """Forecast the holdout by challenger and champion, and decide."""
    decided = "retrain_forecast_decided"
    return [
        node(
            forecast_holdout,
            [WINDOWS, FEATURES, COVARIATE_TABLE, BASELINES, CHALLENGER, CHAMPION],
            HOLDOUT,
        ),
        node(decide_promotion, [CHALLENGER, CHAMPION, HOLDOUT, TRAINING, RUN, SPEC], decided),
        node(keep_reference, [decided, SERIES], "retrain_forecast_outcome"),
    ]


def read_newest_sample(
    sample: Sample, retraining: RetrainForecastSpec
) -> tuple[Source, pd.DataFrame, float]:
    """Read series and covariates up to the as-of time, and return them with the start time."""
    return *sample.read(retraining), time.time()
