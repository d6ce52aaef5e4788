"""The graph of `predict_forecast`: newest series and champion → forecasts, added to all that were made before."""

from kedro.pipeline import Pipeline

from rnn_pipelines.forecast.prediction import forecast_newest
from rnn_pipelines.forecast.series.newest import read_newest
from rnn_pipelines.pipelines.wiring import node


def create_pipeline() -> Pipeline:
    """Reads and forecasts; nothing is trained."""
    source, table = "params:forecast.source", "predict_forecast_table"
    return Pipeline(
        [
            node(read_newest, ["forecast_external", source, "params:predict_forecast"], table),
            node(forecast_newest, ["champion_forecast", table, source], "predict_forecast_forecasts"),
        ]
    )
