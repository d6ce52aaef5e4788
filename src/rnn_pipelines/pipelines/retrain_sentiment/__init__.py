"""A challenger on the newest reviews, and whether it takes the champion's place."""

from rnn_pipelines.pipelines.retrain_sentiment.pipeline import create_pipeline

__all__ = ["create_pipeline"]
