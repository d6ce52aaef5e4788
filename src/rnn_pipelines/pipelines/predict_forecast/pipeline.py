"""The graph of `predict_forecast`: newest series and champion → forecasts, added to all that were made before."""

from kedro.pipeline import Node, Pipeline

from rnn_pipelines.pipelines.predict_forecast import nodes


def create_pipeline() -> Pipeline:
    """Reads and forecasts; nothing is trained."""
    return Pipeline(
        [
            Node(
                nodes.read_newest,
                ["forecast_external", "params:forecast.source", "params:predict_forecast"],
                "predict_forecast_table",
                name="read_newest",
            ),
            Node(
                nodes.forecast_newest,
                ["champion_forecast", "predict_forecast_table", "params:forecast.source"],
                "predict_forecast_forecasts",
                name="forecast_newest",
            ),
        ]
    )
