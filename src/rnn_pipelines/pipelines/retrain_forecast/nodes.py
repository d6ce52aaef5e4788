"""Nodes of `retrain_forecast` that are not functions of the library."""

import time

import pandas as pd

from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.partitions import dividing
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.series.tables import Source


def read_sample(sample: Sample, retraining: RetrainForecastSpec) -> tuple[Source, pd.DataFrame, float]:
    """Read series and covariates up to the as-of time, and return them with the start time."""
    return *dividing.read_sample(sample, retraining), time.time()
