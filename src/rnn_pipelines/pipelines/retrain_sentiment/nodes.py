"""The node of `retrain_sentiment` that is not a function of the library."""

import time

import pandas as pd

from rnn_pipelines.sentiment.methods.specs import RetrainSentimentSpec
from rnn_pipelines.sentiment.text import as_of
from rnn_pipelines.sentiment.text.source import ReviewSourceSpec


def read_as_of(source_spec: ReviewSourceSpec, retrain_spec: RetrainSentimentSpec) -> tuple[pd.DataFrame, float]:
    """Read the reviews up to the as-of day, mark the held-out ones, and return them with the start time."""
    return as_of.read_as_of(source_spec, retrain_spec), time.time()
