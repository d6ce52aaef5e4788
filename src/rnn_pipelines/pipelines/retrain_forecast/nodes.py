"""Nodes of `retrain_forecast` that are not functions of the library."""

import time

import pandas as pd

from rnn_pipelines.forecast.operations.specs import RetrainForecastSpec
from rnn_pipelines.forecast.partitions.dividing import Sample
from rnn_pipelines.forecast.series.tables import Source
from rnn_pipelines.forecast.source import as_of


def read_as_of(sample: Sample, retraining: RetrainForecastSpec) -> tuple[Source, pd.DataFrame, float]:
    """Read series and covariates up to the as-of time, and return them with the start time."""
    found = as_of.read_as_of(sample.external, sample.source, retraining, sample.covariates)
    return *found, time.time()
