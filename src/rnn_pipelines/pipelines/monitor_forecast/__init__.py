"""What past forecasts were worth, and whether the newest values are still those that the champion knows."""

from rnn_pipelines.pipelines.monitor_forecast.pipeline import create_pipeline

__all__ = ["create_pipeline"]
