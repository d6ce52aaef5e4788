"""Monitoring of past forecasts: their errors and coverage, and the drift of the newest values."""

from rnn_pipelines.pipelines.monitor_forecast.pipeline import create_pipeline as create_pipeline
