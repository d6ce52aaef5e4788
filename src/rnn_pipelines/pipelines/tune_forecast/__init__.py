"""A search for better parameters of `forecast`, judged on validation."""

from rnn_pipelines.pipelines.tune_forecast.pipeline import create_pipeline

__all__ = ["create_pipeline"]
