"""The graph of `retrain_forecast`: newest series → challenger → holdout, with the champion → decision and record."""

import time

import pandas as pd
from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.operations.decision import describe_run, plan_training
from rnn_pipelines.forecast.operations.retraining import list_steps
from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.partitions import dividing
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.recipe import Recipe
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.pipelines.wiring import PANEL, create_nodes, node

SPEC = "params:retrain_forecast"
# The names of datasets and parameters by those of the values of the steps.
DATASETS = {
    "retraining": SPEC,
    "champion": "champion_forecast",
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
    "settings": "retrain_forecast_settings",
    "data": "retrain_forecast_data",
    "run": "retrain_forecast_run",
    "plan": "retrain_forecast_plan",
    "baselines": "retrain_forecast_baselines",
    "challenger": "retrain_forecast_challenger",
    "training_record": "retrain_forecast_training",
    "holdout": "retrain_forecast_holdout",
    "decided": "retrain_forecast_decided",
    "outcome": "retrain_forecast_outcome",
}


def create_pipeline() -> Pipeline:
    """Read the data up to the as-of time, of a divided panel a sample, and run the steps that a backtest replays."""
    sample, started = "retrain_forecast_sample", "retrain_forecast_started"
    table = DATASETS["table"]
    covariate_table = DATASETS["covariate_table"]
    networks = {f"{cell}_network": f"retrain_forecast_{cell}_network" for cell in NETWORKS}
    blocks = (*Recipe.model_fields, *NETWORKS, "training", "level", "use", "pretrained")
    datasets = DATASETS | networks | {block: f"params:forecast.{block}" for block in blocks}
    described = [table, covariate_table, DATASETS["profile"], "params:forecast", SPEC, started]
    nodes = [
        node(dividing.draw_sample, PANEL, sample),
        node(read_sample, [sample, SPEC], [table, covariate_table, started]),
        node(describe_run, described, DATASETS["run"]),
        node(plan_training, [SPEC, "retrain_forecast_checkpoints"], DATASETS["plan"]),
        *create_nodes(list_steps(NETWORKS), datasets),
    ]
    return Pipeline(nodes)


def read_sample(
    sample: Sample, retraining: RetrainForecastSpec
) -> tuple[Source, pd.DataFrame, float]:
    """Read series and covariates up to the as-of time, and return them with the start time."""
    return *sample.read(retraining), time.time()
