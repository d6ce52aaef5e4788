"""A search for better parameters of `forecast`, evaluated on validation windows."""

from rnn_pipelines.pipelines.tune_forecast.pipeline import create_pipeline as create_pipeline
