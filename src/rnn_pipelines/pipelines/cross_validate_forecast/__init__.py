"""Forecasts from rolling origins by fits that have not seen them."""

from rnn_pipelines.pipelines.cross_validate_forecast.pipeline import create_pipeline

__all__ = ["create_pipeline"]
