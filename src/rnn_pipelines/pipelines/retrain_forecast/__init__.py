"""A challenger trained on the newest series, and the decision on its promotion."""

from rnn_pipelines.pipelines.retrain_forecast.pipeline import create_pipeline as create_pipeline
