"""A challenger on the newest series, and whether it takes the champion's place."""

from rnn_pipelines.pipelines.retrain_forecast.pipeline import create_pipeline

__all__ = ["create_pipeline"]
