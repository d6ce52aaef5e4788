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
TABLES = ("table", "covariate_table", "series", "profile", "cutoffs", "scaler", "coding", "features", "windows")
OTHERS = ("settings", "data", "run", "plan", "baselines", "challenger", "holdout", "decided", "outcome")
# The names of datasets and parameters by those of the values of the steps.
DATASETS = {name: f"retrain_forecast_{name}" for name in (*TABLES, *OTHERS)}
DATASETS |= {"source_table": "retrain_forecast_source", "training_record": "retrain_forecast_training"}
DATASETS |= {"retraining": SPEC, "champion": "champion_forecast"}


def create_pipeline() -> Pipeline:
    """Read the data up to the as-of time, of a divided panel a sample, and run the steps that a backtest replays."""
    sample, started = "retrain_forecast_sample", "retrain_forecast_started"
    table, covariate_table = DATASETS["table"], DATASETS["covariate_table"]
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


def read_sample(sample: Sample, retraining: RetrainForecastSpec) -> tuple[Source, pd.DataFrame, float]:
    """Read series and covariates up to the as-of time, and return them with the start time."""
    return *dividing.read_sample(sample, retraining), time.time()
