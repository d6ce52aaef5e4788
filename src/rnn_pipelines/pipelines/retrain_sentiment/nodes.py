"""The node of `retrain_sentiment` that notes when it began; all others are functions of the library."""

import time

import pandas as pd

from rnn_pipelines.sentiment.methods.specs import RetrainSentimentSpec
from rnn_pipelines.sentiment.text import as_of
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec


def read_as_of(source_spec: ReviewSourceSpec, retrain_spec: RetrainSentimentSpec) -> tuple[pd.DataFrame, float]:
    """Reads the reviews up to the day of the retraining, says which are held out, and notes when it began."""
    return as_of.read_as_of(source_spec, retrain_spec), time.time()
