"""The graph of `predict_forecast`: newest series and champion → forecasts, appended to earlier ones."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.operations.all_predictions import (
    forecast_all_newest,
    partition_as_trained,
    plan_predictions,
)
from rnn_pipelines.forecast.operations.prediction import forecast_newest, read_as_trained
from rnn_pipelines.forecast.report.next_values import summarize_forecasts
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import write_note


def create_pipeline() -> Pipeline:
    """Read and forecast, without training. A panel that is too large for memory is forecast in parts."""
    champion, as_of = "champion_forecast", "params:predict_forecast"
    source, covariates = given = ["params:forecast.source", "params:forecast.covariates"]
    partitions, own_source, own_covariates = divided = [
        f"predict_forecast_{name}" for name in ("partitions", "source_of_sample", "covariates_of_sample")
    ]
    table, covariate_table = "predict_forecast_table", "predict_forecast_covariate_table"
    log, all_series = "predict_forecast_forecasts", "predict_forecast_all_series"
    read = [champion, "forecast_external", own_source, as_of, own_covariates]
    return Pipeline(
        [
            node(
                partition_as_trained,
                [champion, *given, "params:forecast.partitions", "forecast_partition_folder"],
                divided,
            ),
            node(read_as_trained, read, [table, covariate_table]),
            node(
                forecast_newest,
                [champion, table, source, "params:forecast.paths", covariate_table],
                [log, "predict_forecast_next_paths"],
            ),
            node(plan_predictions, [champion, partitions, table, source, covariates, as_of], "predict_forecast_jobs"),
            node(
                forecast_all_newest,
                ["predict_forecast_jobs", "params:parallel"],
                ["predict_forecast_all_next_values", all_series],
            ),
            node(guard(summarize_forecasts, write_note), [log, all_series], "predict_forecast_summary"),
        ]
    )
