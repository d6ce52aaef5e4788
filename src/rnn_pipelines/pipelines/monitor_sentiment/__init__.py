"""What can be known of scored texts without their labels."""

from rnn_pipelines.pipelines.monitor_sentiment.pipeline import create_pipeline

__all__ = ["create_pipeline"]
