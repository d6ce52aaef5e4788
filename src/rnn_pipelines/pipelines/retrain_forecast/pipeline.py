"""The graph of `retrain_forecast`: newest series → challenger → holdout, with the champion → decision and record."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.methods.registry import NETWORKS
from rnn_pipelines.forecast.operations.decision import describe_run, plan_training
from rnn_pipelines.forecast.operations.retraining import list_steps
from rnn_pipelines.forecast.series.partitions import draw_sample
from rnn_pipelines.pipelines.retrain_forecast import nodes
from rnn_pipelines.pipelines.steps import create_nodes, name_in
from rnn_pipelines.pipelines.wiring import node

SPEC = "params:retrain_forecast"


def create_pipeline() -> Pipeline:
    """Read the data up to the as-of time, of a divided panel a sample, and run the steps that a backtest replays."""
    name_dataset = name_in(
        "retrain_forecast",
        champion="champion_forecast",
        retraining=SPEC,
        training_record="retrain_forecast_training",
    )
    given = [f"params:forecast.{block}" for block in ("source", "covariates", "partitions")]
    given += ["forecast_partition_folder", "forecast_external"]
    table, started = "retrain_forecast_table", "retrain_forecast_started"
    covariate_table = "retrain_forecast_covariate_table"
    described = [table, covariate_table, "retrain_forecast_profile", "params:forecast", SPEC, started]
    planned = [SPEC, "retrain_forecast_checkpoints"]
    return Pipeline(
        [
            node(draw_sample, given, "retrain_forecast_sample"),
            node(nodes.read_as_of, ["retrain_forecast_sample", SPEC], [table, covariate_table, started]),
            node(describe_run, described, "retrain_forecast_run"),
            node(plan_training, planned, "retrain_forecast_plan"),
            *create_nodes(list_steps(NETWORKS), name_dataset),
        ]
    )
