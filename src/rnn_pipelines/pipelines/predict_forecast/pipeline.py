"""The graph of `predict_forecast`: newest series and champion → forecasts, appended to earlier ones."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.operations.prediction import forecast_newest, read_as_trained
from rnn_pipelines.forecast.report.next_values import summarize_forecasts
from rnn_pipelines.pipelines.wiring import node
from rnn_pipelines.report.failures import guard
from rnn_pipelines.report.notes import write_note


def create_pipeline() -> Pipeline:
    """Read and forecast, without training."""
    source, table = "params:forecast.source", "predict_forecast_table"
    champion, covariate_table = "champion_forecast", "predict_forecast_covariate_table"
    read = ["forecast_external", source, "params:predict_forecast", "params:forecast.covariates"]
    return Pipeline(
        [
            node(read_as_trained, [champion, *read], [table, covariate_table]),
            node(
                forecast_newest,
                [champion, table, source, "params:forecast.paths", covariate_table],
                ["predict_forecast_forecasts", "predict_forecast_next_paths"],
            ),
            node(guard(summarize_forecasts, write_note), "predict_forecast_forecasts", "predict_forecast_summary"),
        ]
    )
