"""A challenger trained on the newest reviews, and the decision on its promotion."""

from rnn_pipelines.pipelines.retrain_sentiment.pipeline import create_pipeline as create_pipeline
