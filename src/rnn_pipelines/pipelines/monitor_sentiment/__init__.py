"""Monitoring of scored texts without labels."""

from rnn_pipelines.pipelines.monitor_sentiment.pipeline import create_pipeline as create_pipeline
