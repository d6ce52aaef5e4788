"""The sentiment of the user's own texts, by the champion, else by the newest classifier."""

from rnn_pipelines.pipelines.predict_sentiment.pipeline import create_pipeline

__all__ = ["create_pipeline"]
